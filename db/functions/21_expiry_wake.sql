-- When an account's expiry must be looked at: for the warning of a lot, then for the lot itself.
-- `account.expiry_wake_at` is never later than the first of these; a write that lowers it notes the
-- new date for its caller, who arms or wakes the account's run. A note that is lost costs nothing
-- but time: what is due is never spendable, and the net looks after the date.

-- The first look that a lot due at `p_due` needs, seen from `p_at`: its warning, at once where that
-- day has passed, or without warnings the date itself. Null: never.
create or replace function expiry_wake(p program, p_due timestamptz, p_at timestamptz) returns timestamptz
language sql immutable as $$
  select case
    when p_due is null or p.expiry_warn_days_before is null or p_due <= p_at then p_due
    else greatest(p_at, (p_due at time zone p.expiry_time_zone
      - make_interval(days => p.expiry_warn_days_before)) at time zone p.expiry_time_zone)
  end
$$;

-- Whether many accounts may share this date: midnights of the program. Their runs wake spread out,
-- for the minute's batch has done the work by then.
create or replace function expiry_is_shared(p program, p_at timestamptz) returns boolean
language sql immutable as $$
  select (p_at at time zone p.expiry_time_zone)::time = time '00:00'
$$;

-- Notes, until the transaction ends, that the account's run must wake earlier than it knows.
create or replace function expiry_note(a account, p program, p_wake timestamptz) returns void
language plpgsql as $$
begin
  perform set_config('vinr.expiry_wakes', (coalesce(expiry_wakes(), '[]') || jsonb_build_object(
    'account', a.id, 'at', p_wake, 'shared', expiry_is_shared(p, p_wake)))::text, true);
end $$;

-- The accounts whose runs this transaction found to wake too late; null: none.
create or replace function expiry_wakes() returns jsonb
language sql stable as $$
  select nullif(current_setting('vinr.expiry_wakes', true), '')::jsonb
$$;

-- When the account's open lots must be looked at: the soonest date or warning of any, of dates warned of
-- already only the date. Null: never.
create or replace function expiry_look(a account, p program, p_at timestamptz) returns timestamptz
language plpgsql stable as $$
begin
  return (
    select min(case when w.account is null then expiry_wake(p, x.due, p_at) else x.due end)
    from (
      select distinct lot_due_at(l, a.activity_extends_to) as due from lot l
      where l.workspace = a.workspace and l.account = a.id and l.open and l.expires_at is not null
    ) x
    left join expiry_warning w on w.workspace = a.workspace and w.account = a.id and w.expires_at = x.due);
end $$;

-- Lowers the account's wake for lots that came back, unless all they would bring are warnings given before.
drop function if exists expiry_wake_earlier(account, program, timestamptz, timestamptz);
create or replace function expiry_wake_earlier(a account, p program, p_at timestamptz) returns void
language plpgsql as $$
declare
  look timestamptz;
begin
  if a.lots_due_from is null or expiry_wake(p, a.lots_due_from, p_at) >= a.expiry_wake_at then
    return;
  end if;
  look := expiry_look(a, p, p_at);
  if look >= a.expiry_wake_at then
    return;
  end if;
  update account set expiry_wake_at = look where workspace = a.workspace and id = a.id;
  perform expiry_note(a, p, look);
end $$;

-- What the account's run and the net do: expires what is due, warns of what comes up, once for each
-- date, and answers when to look again. Harmless at any time. Outcomes: looked; missing.
create or replace function account_expire(p_workspace text, p_account text, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
  a account;
  p program;
  before bigint;
  warned int;
  wake timestamptz;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  a := account_locked(p_workspace, p_account);
  if a.id is null then
    return '{"outcome": "missing"}';
  end if;
  before := a.balance;
  a := lots_expire(a, p_at);
  warned := expiry_warn(p_workspace, array[a.id], p_at);
  select * into p from program where workspace = p_workspace and id = a.program;
  select expiry_wake_at into wake from account where workspace = p_workspace and id = a.id;
  return jsonb_build_object('outcome', 'looked', 'account', a.id, 'expired', before - a.balance, 'warned', warned,
    'wakes_at', wake, 'shared', coalesce(expiry_is_shared(p, wake), false));
end $$;

-- The same for many accounts of a workspace at once, which is what the minute's batch does. Accounts
-- that another transaction holds are left for the next turn. Returns how many were looked at.
create or replace function accounts_expire(p_workspace text, p_accounts text[], p_at timestamptz) returns int
language plpgsql as $$
declare
  held text[];
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select array_agg(id) into held
  from unnest(p_accounts) id where pg_try_advisory_xact_lock(hashtextextended(p_workspace || id, 0));
  select array_agg(id) into held -- under the lock: no longer another's
  from account where workspace = p_workspace and id = any (held) and merged_into is null;
  perform lots_expire_of(p_workspace, held, p_at);
  perform expiry_warn(p_workspace, held, p_at);
  return coalesce(cardinality(held), 0);
end $$;

-- Warns of what comes up on these accounts, once for each date, and notes when each must be looked at
-- again. Their locks are held, and nothing of them is due. Returns how many warnings it gave.
create or replace function expiry_warn(p_workspace text, p_accounts text[], p_at timestamptz) returns int
language plpgsql as $$
declare
  events text[];
begin
  with coming as materialized (
    select a.id as account, a.program, a.customer, a.expiry_wake_at, x.due, x.points, w.account is not null as warned,
      expiry_wake(p, x.due, p_at) as look, p.expiry_warn_days_before is not null as warns
    from account a
    join program p on p.workspace = a.workspace and p.id = a.program
    left join lateral (
      select lot_due_at(l, a.activity_extends_to) as due, sum(l.remaining)::bigint as points
      from lot l
      where l.workspace = a.workspace and l.account = a.id and l.open and l.expires_at is not null
      group by 1
    ) x on true
    left join expiry_warning w on w.workspace = a.workspace and w.account = a.id and w.expires_at = x.due
    where a.workspace = p_workspace and a.id = any (p_accounts)
  ),
  near as materialized (
    select * from coming where warns and not warned and look <= p_at
  ),
  warnings as (
    insert into expiry_warning (workspace, account, expires_at, points, warned_at)
    select p_workspace, account, due, points, p_at from near
  ),
  wakes as (
    update account a set expiry_wake_at = c.wake
    from (
      select account, min(case when warned or look <= p_at then due else look end) as wake from coming group by account
    ) c
    where a.workspace = p_workspace and a.id = c.account and a.expiry_wake_at is distinct from c.wake
  ),
  told as (
    insert into event (workspace, id, type, object, data, created_at)
    select p_workspace, vinr_id('evt'), 'loyalty.points.expiring', account, jsonb_build_object(
      'account', account, 'program', program, 'customer', customer, 'points', points, 'expires_at', due), p_at
    from near
    returning id
  )
  select array_agg(id) into events from told;
  perform webhook_deliver_all(p_workspace, events, 'loyalty.points.expiring');
  return coalesce(cardinality(events), 0);
end $$;

-- The balance as it was at `p_at` (event time): rows until then, less lots due by then and not yet written off.
create or replace function account_balance_at(p_workspace text, p_account text, p_at timestamptz) returns bigint
language plpgsql stable as $$
declare
  a account;
  posted bigint;
  due bigint;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into a from account where workspace = p_workspace and id = p_account;
  if not found then
    return null;
  end if;
  select coalesce(sum(t.amount), 0) into posted
  from ptx t where t.workspace = p_workspace and t.account = p_account and t.at <= p_at;
  select coalesce(sum(l.remaining), 0) into due
  from lot l
  where l.workspace = p_workspace and l.account = p_account and l.open and l.expires_at <= p_at
    and lot_due_at(l, a.activity_extends_to) <= p_at;
  return posted - due;
end $$;

-- A program now warns earlier, or at all: the runs of its accounts must look earlier too. `lots_due_from` may
-- be past already, where what was due then had been spent before: then the account is looked at now. Returns
-- how many.
create or replace function program_rewake(p_workspace text, p_program text, p_at timestamptz) returns int
language plpgsql as $$
declare
  p program;
  n int;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into p from program where workspace = p_workspace and id = p_program;
  update account a set expiry_wake_at = expiry_wake(p, a.lots_due_from, p_at)
  where a.workspace = p_workspace and a.program = p_program
    and a.expiry_wake_at > expiry_wake(p, a.lots_due_from, p_at);
  get diagnostics n = row_count;
  return n;
end $$;
