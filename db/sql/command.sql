-- What a command begins with: its Idempotency-Key; and how it ends where it may not be.

-- Remembers that `key` brought `resource` into being. Returns null where the caller may go on, else
-- the earlier row. A request still running holds the row's index entry: a repeat waits for it, at
-- most 5 s (error 55P03); the transaction's own lock_timeout holds again afterwards. After 24 hours
-- a key is as good as new.
-- @query
create or replace function ledger.idempotency_claim(
  p_workspace text, p_route text, p_key text, p_fingerprint text, p_resource text, p_at timestamptz
) returns idempotency_key
language plpgsql as $$
declare
  claimed idempotency_key;
  waiting text := current_setting('lock_timeout');
begin
  perform set_config('lock_timeout', '5s', true);
  insert into idempotency_key as stored (workspace, route, key, fingerprint, resource, created_at)
  values (p_workspace, p_route, p_key, p_fingerprint, p_resource, p_at)
  on conflict (workspace, route, key) do update
    set fingerprint = excluded.fingerprint, resource = excluded.resource,
      created_at = excluded.created_at
    where stored.created_at <= excluded.created_at - interval '24 hours'
  returning * into claimed;
  perform set_config('lock_timeout', waiting, true);
  if claimed.key is not null then
    return null;
  end if;
  select * into claimed from idempotency_key
  where workspace = p_workspace and route = p_route and key = p_key;
  return claimed;
end $$;

-- Keys made before this, and never one of the last 24 hours, by which a repeat is still recognised.
create or replace function ledger.idempotency_forget(p_before timestamptz) returns bigint
language sql security definer as $$
  with gone as (delete from idempotency_key
    where created_at < least(p_before, clock_timestamp() - interval '24 hours')
    returning 1) select count(*) from gone
$$;

-- Claims a request's key for `p_resource`. Null: go on. Else the id that the first request with
-- this key was about. Raises the refusal of a key that came with another body.
create or replace function ledger_private.account_request(
  p_workspace text, p_route text, p_key text, p_fingerprint text, p_resource text, p_at timestamptz
) returns text
language plpgsql as $$
declare
  earlier idempotency_key;
begin
  if p_key is null then
    return null;
  end if;
  earlier := idempotency_claim(p_workspace, p_route, p_key, p_fingerprint, p_resource, p_at);
  if earlier.key is not null and earlier.fingerprint <> p_fingerprint then
    perform refuse('{"code": "idempotency_key_reused"}');
  end if;
  return earlier.resource;
end $$;

-- Refuses and takes back all that this transaction wrote, the claimed key included.
create or replace function ledger_private.refuse(p_refusal jsonb) returns void
language plpgsql as $$
begin
  raise exception using errcode = 'VR001', message = p_refusal::text;
end $$;
