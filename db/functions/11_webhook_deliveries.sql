-- The names under which an endpoint may ask for events of this type: `*`, the type itself, and
-- each of its prefixes (`loyalty.*`, `loyalty.redemption.*`).
create or replace function event_names(p_type text) returns text[]
language sql immutable parallel safe as $$
  select array['*', p_type] || array(
    select array_to_string((string_to_array(p_type, '.'))[1:n], '.') || '.*'
    from generate_series(1, array_length(string_to_array(p_type, '.'), 1) - 1) n)
$$;

-- One delivery for each endpoint that wants the event, in the transaction that writes the event;
-- due at once. Where the workspace has no enabled endpoint this is one look at a partial index.
create or replace function webhook_deliver(p_workspace text, p_event text, p_type text) returns void
language plpgsql as $$
begin
  -- a look costs a third of an insert that inserts nothing, and every movement of points pays for it
  if exists (select from webhook_endpoint where workspace = p_workspace and status = 'enabled') then
    perform webhook_deliver_all(p_workspace, array[p_event], p_type);
  end if;
end $$;

-- The same for many events of one type.
create or replace function webhook_deliver_all(p_workspace text, p_events text[], p_type text) returns void
language plpgsql as $$
begin
  insert into webhook_delivery (workspace, id, endpoint, event, next_attempt_at, created_at)
  select p_workspace, vinr_id('dlv'), w.id, e.id, clock_timestamp(), clock_timestamp()
  from webhook_endpoint w cross join unnest(p_events) e (id)
  where w.workspace = p_workspace and w.status = 'enabled' and w.enabled_events && event_names(p_type);
  if found then
    perform set_config('vinr.deliveries', 'written', true);
  end if;
end $$;
