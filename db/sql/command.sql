-- What every command does, whatever its noun: it claims the request's key, locks the account, or
-- refuses; makes ids; and writes the events, with their webhook deliveries, and the outbox rows of
-- workflows in the transaction of what they are about.

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

-- What this transaction wrote for others: `rows` of the outbox, in the order of their workflows'
-- ids, for its process to send, and whether there are new webhook deliveries. Null: nothing. Asked
-- once, last in the transaction, by whoever runs it. outbox_write has remembered the rows: a plan
-- that was made while the table was empty would read all of it when there is a backlog.
-- @query
create or replace function ledger.outbox_written() returns jsonb
language plpgsql as $$
declare
  written jsonb := nullif(current_setting('vinr.outbox', true), '');
  deliveries boolean := nullif(current_setting('vinr.deliveries', true), '') is not null;
begin
  if written is null then
    return case when deliveries then '{"deliveries": true}'::jsonb end;
  end if;
  if jsonb_array_length(written) > 1 then
    written := (
      select jsonb_agg(one order by one ->> 'workflow_id' collate "C")
      from jsonb_array_elements(written) one);
  end if;
  return jsonb_build_object('deliveries', deliveries, 'rows', written);
end $$;

-- How every command begins that comes with a request's key: it names the workspace and claims the
-- key for `p_resource`. Of all that come with one key and content one goes on (null). Each other
-- waits until that one has ended, and is given the id of what that was about, whose row as it is
-- now is its answer. A key that came with other content is refused (idempotency_key_reused). It
-- comes before every lock of the ledger: who waits here has nothing that the first one could wait
-- for. Where the first one is refused, its key is as good as new. Without a key each goes on.
create or replace function ledger_private.command_start(
  p_workspace text, p_route text, p_key text, p_fingerprint text, p_resource text, p_at timestamptz
) returns text
language plpgsql as $$
declare
  earlier idempotency_key;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if p_key is null then
    return null;
  end if;
  earlier := idempotency_claim(p_workspace, p_route, p_key, p_fingerprint, p_resource, p_at);
  if earlier.key is not null and earlier.fingerprint <> p_fingerprint then
    perform refuse('{"code": "idempotency_key_reused"}');
  end if;
  return earlier.resource;
end $$;

-- How every command on an account begins that writes one row by an id or operation of its own (a
-- transaction, a redemption, a reported event): it names the workspace and takes the account's
-- lock. Under that lock the caller looks for its row, so that a repeat has waited for the first one
-- and finds what that wrote. All null where there is no such account.
create or replace function ledger_private.command_on_account(
  p_workspace text, p_account text
) returns account
language plpgsql as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  return account_locked(p_workspace, p_account);
end $$;

-- Refuses and takes back all that this transaction wrote, the claimed key included.
create or replace function ledger_private.refuse(p_refusal jsonb) returns void
language plpgsql as $$
begin
  raise exception using errcode = 'VR001', message = p_refusal::text;
end $$;

-- An id: a prefix and 22 base62 characters, the first 13 the microsecond in hex, so that
-- ids of one kind sort by creation (byte order). Two base64 signs are folded into base62.
create or replace function ledger_private.vinr_id(p_prefix text) returns text
language sql volatile parallel safe as $$
  select p_prefix || '_'
    || lpad(to_hex((extract(epoch from clock_timestamp()) * 1000000)::bigint), 13, '0')
    || left(translate(encode(uuid_send(gen_random_uuid()), 'base64'), '+/=', 'Aa'), 9)
$$;

-- The smallest id that something created at this instant can have; for paging by time over dated
-- ids.
create or replace function ledger_private.vinr_id_from(p_prefix text, p_at timestamptz) returns text
language sql immutable parallel safe as $$
  select p_prefix || '_' || lpad(to_hex((extract(epoch from p_at) * 1000000)::bigint), 13, '0')
$$;

-- An id as of so many microseconds after an instant: for many at once, in the order of their
-- numbers.
create or replace function ledger_private.vinr_id_after(
  p_prefix text, p_at timestamptz, p_us bigint
) returns text
language sql volatile parallel safe as $$
  select vinr_id_from(p_prefix, p_at + p_us * interval '1 microsecond')
    || left(translate(encode(uuid_send(gen_random_uuid()), 'base64'), '+/=', 'Aa'), 9)
$$;

-- An id that is always the same for what an endpoint names; `p_try`: which of those it may become.
create or replace function ledger_private.derived_id(
  p_prefix text, p_endpoint text, p_named text, p_try int
) returns text
language sql immutable parallel safe as $$
  select p_prefix || '_' || left(translate(encode(sha256(convert_to(
    jsonb_build_array(p_endpoint, p_named, p_try)::text, 'UTF8')), 'base64'), E'+/=\n', 'Aa'), 22)
$$;

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

-- Writes the event of a ptx; it carries the ptx's own 22 characters, for there is one for each. The
-- ptx has its data, and its actor.
create or replace function ledger_private.event_of_ptx(
  p_workspace text, p_type text, p_ptx text, p_at timestamptz
) returns void
language plpgsql as $$
begin
  insert into event (workspace, id, type, object, created_at, actor)
  values (p_workspace, 'evt' || substr(p_ptx, 4), p_type, p_ptx, p_at, null);
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

-- Writes that this workflow must be started or signalled. Where an earlier write of it was not sent
-- yet, the one row says the newest. `p_input` is what a run is started with, `p_start_at` when a
-- run started now has something to do (null: at once), `p_facts` what it needs to know of its row,
-- in the order of `p_revision` (null: of the writing). `p_change`: `new` (it had nothing to wait
-- for before), `changed` (it must look again), `ended` (it has nothing to wait for any more). The
-- first 20 rows of a transaction belong for 10 s to the process that runs it, which learns of them
-- by outbox_written; the others are due at once, and the sweep sends them.
create or replace function ledger_private.outbox_write(
  p_workspace text, p_workflow_id text, p_type text, p_input jsonb, p_start_at timestamptz,
  p_facts jsonb, p_revision bigint, p_change text
) returns void
language plpgsql as $$
declare
  written jsonb := coalesce(nullif(current_setting('vinr.outbox', true), ''), '[]');
  now timestamptz := clock_timestamp();
  is_own boolean := jsonb_array_length(written) < 20;
  own_row jsonb;
begin
  insert into workflow_outbox (workspace, workflow_id, workflow_type, input, start_at, facts,
    revision, change, written_at, next_attempt_at)
  values (p_workspace, p_workflow_id, p_type, p_input, p_start_at, p_facts,
    coalesce(p_revision, next_revision(null)), p_change,
    now, case when is_own then now + interval '10 seconds' else now end)
  on conflict (workspace, workflow_id) do update set workflow_type = excluded.workflow_type,
    input = excluded.input, start_at = excluded.start_at, facts = excluded.facts,
    revision = greatest(excluded.revision, workflow_outbox.revision + 1),
    change = excluded.change, next_attempt_at = excluded.next_attempt_at
  returning outbox_row(workflow_outbox) into own_row;
  if is_own then
    if written <> '[]' then
      select coalesce(jsonb_agg(one), '[]') into written
      from jsonb_array_elements(written) one where one ->> 'workflow_id' <> p_workflow_id;
    end if;
    perform set_config('vinr.outbox', (written || own_row)::text, true);
  end if;
end $$;

-- An instant as facts and inputs have it, which is as JavaScript writes it.
create or replace function ledger_private.iso(p_at timestamptz) returns text
language sql stable as $$
  select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- A row's next revision: more than the last, and more than any from before a restore.
create or replace function ledger_private.next_revision(p_last bigint) returns bigint
language sql volatile as $$
  select greatest(coalesce(p_last, 0) + 1,
    (extract(epoch from clock_timestamp()) * 1000000)::bigint)
$$;

-- A row as its sender takes it; the delay by the database's clock, 0 where it starts at once.
create or replace function ledger_private.outbox_row(waiting_row workflow_outbox) returns jsonb
language sql volatile as $$
  select jsonb_build_object('workspace', waiting_row.workspace, 'workflow_id',
    waiting_row.workflow_id, 'workflow_type', waiting_row.workflow_type,
    'input', waiting_row.input, 'facts', waiting_row.facts, 'revision', waiting_row.revision,
    'change', waiting_row.change, 'attempts', waiting_row.attempts,
    'lease', outbox_lease(waiting_row.next_attempt_at),
    'start_in_ms', greatest(0, ceil(extract(epoch
      from waiting_row.start_at - clock_timestamp()) * 1000)))
$$;

-- Microseconds since 1970 of a row's next attempt. Who was given a row has it until then, and knows
-- by this number whether somebody else was given it since.
create or replace function ledger_private.outbox_lease(p_next_attempt_at timestamptz) returns bigint
-- as extract is; an immutable one would not be inlined, but planned by each call
language sql stable as $$
  select (extract(epoch from p_next_attempt_at) * 1000000)::bigint
$$;

-- The account, its advisory lock taken (a fair queue on a hot account) and read again under it,
-- a merged one followed to its survivor. All null where there is none.
create or replace function ledger_private.account_locked(
  p_workspace text, p_account text
) returns account
language plpgsql as $$
declare
  account_row account;
  target text := p_account;
begin
  loop
    perform pg_advisory_xact_lock(hashtextextended(p_workspace || target, 0));
    select * into account_row from account where workspace = p_workspace and id = target;
    exit when account_row.merged_into is null;
    target := account_row.merged_into;
  end loop;
  return account_row;
end $$;

-- Where what is meant for this account goes: itself, or what it was merged into in the end. Null
-- where there is none. Merging is irreversible, so that an answer stays true until that one is
-- merged.
create or replace function ledger_private.account_survivor(
  p_workspace text, p_account text
) returns text
language plpgsql stable as $$
declare
  survivor text := p_account;
  following text;
begin
  loop
    select merged_into into following from account where workspace = p_workspace
      and id = survivor;
    if not found then
      return null;
    end if;
    exit when following is null;
    survivor := following;
  end loop;
  return survivor;
end $$;

-- Locks the survivors of these accounts, and who answers for their debts or owes to them, in the
-- one order of accounts (by the bytes of their ids): after a payment's own row and enrolment,
-- before redemptions (by id) and rewards and variants (by id). Raises 40001 where one was merged
-- meanwhile: then the change is tried again.
create or replace function ledger_private.accounts_lock(
  p_workspace text, p_accounts text[]
) returns void
language plpgsql as $$
declare
  survivors text[];
begin
  select array_agg(survivor.id order by survivor.id collate "C") into survivors from (
    select distinct account_survivor(p_workspace, named) as id from unnest(p_accounts) named
    where named is not null
  ) survivor
  where survivor.id is not null;
  if survivors is null then
    return;
  end if;
  if exists (
    select from account where workspace = p_workspace and id = any (survivors)
      and (deficit_to is not null or status = 'closed' or customer is null)) then
    select array_agg(survivor.id order by survivor.id collate "C") into survivors from (
      select unnest(survivors) as id
      union
      select account_survivor(p_workspace, named) from account
      cross join lateral unnest(array[account.deficit_to,
        account_of_customer(p_workspace, account.program, account_debtor(account),
          account.id)]) named
      where account.workspace = p_workspace and account.id = any (survivors) and named is not null
    ) survivor
    where survivor.id is not null;
  end if;
  for n in 1 .. cardinality(survivors) loop
    perform pg_advisory_xact_lock(hashtextextended(p_workspace || survivors[n], 0));
  end loop;
  if exists (
    select from account where workspace = p_workspace and id = any (survivors)
      and merged_into is not null) then
    raise exception 'an account of % was merged meanwhile', survivors using errcode = '40001';
  end if;
end $$;
