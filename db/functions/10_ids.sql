-- An id: a prefix and 22 base62 characters, the first 13 the microsecond in hex, so that
-- ids of one kind sort by creation (byte order). Two base64 signs are folded into base62.
create or replace function vinr_id(p_prefix text) returns text
language sql volatile parallel safe as $$
  select p_prefix || '_'
    || lpad(to_hex((extract(epoch from clock_timestamp()) * 1000000)::bigint), 13, '0')
    || left(translate(encode(uuid_send(gen_random_uuid()), 'base64'), '+/=', 'Aa'), 9)
$$;

-- The smallest id that something created at this instant can have; for paging by time over dated ids.
create or replace function vinr_id_from(p_prefix text, p_at timestamptz) returns text
language sql immutable parallel safe as $$
  select p_prefix || '_' || lpad(to_hex((extract(epoch from p_at) * 1000000)::bigint), 13, '0')
$$;

-- An id as of so many microseconds after an instant: for many at once, in the order of their numbers.
create or replace function vinr_id_after(p_prefix text, p_at timestamptz, p_us bigint) returns text
language sql volatile parallel safe as $$
  select vinr_id_from(p_prefix, p_at + p_us * interval '1 microsecond')
    || left(translate(encode(uuid_send(gen_random_uuid()), 'base64'), '+/=', 'Aa'), 9)
$$;

-- What an event keeps of a row. Events never change, so a name and an address stay in the redemption alone,
-- and `{"redemption": id}` says in whose; readers fill it in while it is there.
create or replace function event_data(p_data jsonb, p_object text) returns jsonb
language sql stable as $$ -- as jsonb_build_object is; an immutable one would not be inlined, but planned by each call
  select case when jsonb_typeof(p_data #> '{fulfillment,shipping}') = 'object'
    then jsonb_set(p_data, '{fulfillment,shipping}', jsonb_build_object('redemption', p_object))
    else p_data end
$$;

-- Writes one event and its deliveries. `data` is the row as it was; null for a ptx, which never changes.
create or replace function event_write(
  p_workspace text, p_type text, p_object text, p_data jsonb, p_previous jsonb, p_at timestamptz
) returns void
language plpgsql as $$
declare
  event_id text := vinr_id('evt');
begin
  insert into event (workspace, id, type, object, data, previous, created_at)
  values (p_workspace, event_id, p_type, p_object, event_data(p_data, p_object), event_data(p_previous, p_object), p_at);
  perform webhook_deliver(p_workspace, event_id, p_type);
end $$;

-- Writes the event of a ptx; it carries the ptx's own 22 characters, for there is one for each.
create or replace function event_of_ptx(p_workspace text, p_type text, p_ptx text, p_at timestamptz) returns void
language plpgsql as $$
begin
  insert into event (workspace, id, type, object, created_at)
  values (p_workspace, 'evt' || substr(p_ptx, 4), p_type, p_ptx, p_at);
  perform webhook_deliver(p_workspace, 'evt' || substr(p_ptx, 4), p_type);
end $$;

-- Remembers that `key` brought `resource` into being. Returns null where the caller may go on,
-- else the earlier row. A request still running holds the row's index entry: a repeat waits for
-- it, at most 5 s (error 55P03); the transaction's own lock_timeout holds again afterwards. After 24 hours a key is as good as new.
create or replace function idempotency_claim(
  p_workspace text, p_route text, p_key text, p_fingerprint text, p_resource text, p_at timestamptz
) returns idempotency_key
language plpgsql as $$
declare
  claimed idempotency_key;
  waiting text := current_setting('lock_timeout');
begin
  perform set_config('lock_timeout', '5s', true);
  insert into idempotency_key as k (workspace, route, key, fingerprint, resource, created_at)
  values (p_workspace, p_route, p_key, p_fingerprint, p_resource, p_at)
  on conflict (workspace, route, key) do update
    set fingerprint = excluded.fingerprint, resource = excluded.resource, created_at = excluded.created_at
    where k.created_at <= excluded.created_at - interval '24 hours'
  returning * into claimed;
  perform set_config('lock_timeout', waiting, true);
  if claimed.key is not null then
    return null;
  end if;
  select * into claimed from idempotency_key
  where workspace = p_workspace and route = p_route and key = p_key;
  return claimed;
end $$;
