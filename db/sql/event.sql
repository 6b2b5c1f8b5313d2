-- Events, written with their webhook deliveries in the transaction that caused them.

-- What an event keeps of a row. Events never change, so a name and an address stay in the
-- redemption alone, and `{"redemption": id}` says in whose; readers fill it in while it is there.
create or replace function ledger_private.event_data(p_data jsonb, p_object text) returns jsonb
-- as jsonb_build_object is; an immutable one would not be inlined, but planned by each call
language sql stable as $$
  select case when jsonb_typeof(p_data #> '{fulfillment,shipping}') = 'object'
    then jsonb_set(p_data, '{fulfillment,shipping}', jsonb_build_object('redemption', p_object))
    else p_data end
$$;

-- Writes one event and its deliveries. `data` is the row as it was; null for a ptx, which never
-- changes.
create or replace function ledger_private.event_write(
  p_workspace text, p_type text, p_object text, p_data jsonb, p_previous jsonb, p_at timestamptz
) returns void
language plpgsql as $$
declare
  event_id text := vinr_id('evt');
begin
  insert into event (workspace, id, type, object, data, previous, created_at)
  values (p_workspace, event_id, p_type, p_object, event_data(p_data, p_object),
    event_data(p_previous, p_object), p_at);
  perform webhook_deliver(p_workspace, event_id, p_type);
end $$;

-- Writes the event of a ptx; it carries the ptx's own 22 characters, for there is one for each.
create or replace function ledger_private.event_of_ptx(
  p_workspace text, p_type text, p_ptx text, p_at timestamptz
) returns void
language plpgsql as $$
begin
  insert into event (workspace, id, type, object, created_at)
  values (p_workspace, 'evt' || substr(p_ptx, 4), p_type, p_ptx, p_at);
  perform webhook_deliver(p_workspace, 'evt' || substr(p_ptx, 4), p_type);
end $$;

-- The names under which an endpoint may ask for events of this type: `*`, the type itself, and
-- each of its prefixes (`loyalty.*`, `loyalty.redemption.*`).
create or replace function ledger_private.event_names(p_type text) returns text[]
language sql immutable parallel safe as $$
  select array['*', p_type] || array(
    select array_to_string((string_to_array(p_type, '.'))[1:depth], '.') || '.*'
    from generate_series(1, array_length(string_to_array(p_type, '.'), 1) - 1) depth)
$$;

-- One delivery for each endpoint that wants the event, in the transaction that writes the event;
-- due at once. Where the workspace has no enabled endpoint this is one look at a partial index.
create or replace function ledger_private.webhook_deliver(
  p_workspace text, p_event text, p_type text
) returns void
language plpgsql as $$
begin
  -- a look costs a third of an insert that inserts nothing, and every movement of points pays for
  -- it
  if exists (select from webhook_endpoint where workspace = p_workspace and status = 'enabled') then
    perform webhook_deliver_all(p_workspace, array[p_event], p_type);
  end if;
end $$;

-- The same for many events of one type.
create or replace function ledger_private.webhook_deliver_all(
  p_workspace text, p_events text[], p_type text
) returns void
language plpgsql as $$
begin
  insert into webhook_delivery (workspace, id, endpoint, event, next_attempt_at, created_at)
  select p_workspace, vinr_id('dlv'), webhook_endpoint.id, written.id, clock_timestamp(),
    clock_timestamp()
  from webhook_endpoint cross join unnest(p_events) written (id)
  where webhook_endpoint.workspace = p_workspace and webhook_endpoint.status = 'enabled'
    and webhook_endpoint.enabled_events && event_names(p_type);
  if found then
    perform set_config('vinr.deliveries', 'written', true);
  end if;
end $$;
