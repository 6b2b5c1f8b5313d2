-- When an account's expiry must be checked: for the warning of a lot, then for the lot itself.
-- `account.expiry_wake_at`, its next expiry check, is never later than the first of these; a write that
-- lowers it writes the outbox row of the account's run. What is due is never spendable, however late that is.

-- The first check that a lot due at `p_due` needs, seen from `p_at`: its warning, at once where that
-- day has passed, or without warnings the date itself. Null: never.
create or replace function expiry_check_at(p program, p_due timestamptz, p_at timestamptz) returns timestamptz
language sql immutable as $$
  select case
    when p_due is null or p.expiry_warn_days_before is null or p_due <= p_at then p_due
    else greatest(p_at, (p_due at time zone p.expiry_time_zone
      - make_interval(days => p.expiry_warn_days_before)) at time zone p.expiry_time_zone)
  end
$$;

-- Whether many accounts may share this date: midnights of the program. Their runs look spread out,
-- for the minute's batch has done the work by then.
create or replace function expiry_is_shared(p program, p_at timestamptz) returns boolean
language sql immutable as $$
  select (p_at at time zone p.expiry_time_zone)::time = time '00:00'
$$;

-- How long after a date shared by many accounts this one's run looks: milliseconds, under four hours, the
-- same every time. The rule of domain/expiry-spread.ts (FNV-1a of the id).
create or replace function expiry_spread_ms(p_account text) returns int
language plpgsql immutable as $$
declare
  hash bigint := 2166136261;
begin
  for i in 1..length(p_account) loop
    hash := ((hash # ascii(substr(p_account, i, 1))) * 16777619) & 4294967295;
  end loop;
  return hash % 14400000;
end $$;

-- Writes that the account's run must look at `p_check`, which is earlier than it knows (or than there is one).
-- Nothing where many accounts are written at once: the minute's expiry batch looks at theirs.
create or replace function expiry_check_outbox(a account, p program, p_check timestamptz) returns void
language plpgsql as $$
declare
  shared boolean := expiry_is_shared(p, p_check);
begin
  if current_setting('vinr.expiry_checks', true) = 'by batch' then
    return;
  end if;
  perform outbox_write(a.workspace, 'expiry/' || a.workspace || '/' || a.id, 'accountExpiry',
    jsonb_build_object('workspace', a.workspace, 'account', a.id, 'wakesAt', iso(p_check)),
    p_check + case when shared then make_interval(secs => expiry_spread_ms(a.id) / 1000.0) else '0' end,
    jsonb_build_object('wakesAt', iso(p_check), 'shared', shared), null,
    case when a.expiry_wake_at is null then 'new' else 'changed' end);
end $$;

-- Leaves the expiry checks that this transaction brings forward to the minute's batch: it writes to many
-- accounts, of which each would be a run to start.
create or replace function expiry_checks_by_batch() returns void
language sql as $$
  select set_config('vinr.expiry_checks', 'by batch', true)
$$;

-- When the account's open lots must be looked at: the soonest date or warning of any, of dates warned of
-- already only the date. Null: never.
create or replace function next_expiry_check(a account, p program, p_at timestamptz) returns timestamptz
language plpgsql stable as $$
begin
  return (
    select min(case when w.account is null then expiry_check_at(p, x.due, p_at) else x.due end)
    from (
      select distinct lot_due_at(l, a.activity_extends_to) as due from lot l
      where l.workspace = a.workspace and l.account = a.id and l.open and l.expires_at is not null
    ) x
    left join expiry_warning w on w.workspace = a.workspace and w.account = a.id and w.expires_at = x.due);
end $$;

-- Brings the account's next check forward for lots that came back, unless all they would bring are warnings given before.
create or replace function expiry_check_earlier(a account, p program, p_at timestamptz) returns void
language plpgsql as $$
declare
  earlier timestamptz;
begin
  if a.lots_due_from is null or expiry_check_at(p, a.lots_due_from, p_at) >= a.expiry_wake_at then
    return;
  end if;
  earlier := next_expiry_check(a, p, p_at);
  if earlier >= a.expiry_wake_at then
    return;
  end if;
  update account set expiry_wake_at = earlier where workspace = a.workspace and id = a.id;
  perform expiry_check_outbox(a, p, earlier);
end $$;

-- What the account's run and the reconciler do: expires what is due, warns of what comes up, once for each
-- date, and answers when to look again. A merged account's check is its survivor's, whose run goes on from
-- here; so it does, or begins, where `p_resume` says that the run was lost. Harmless at any time. Outcomes:
-- looked; missing.
drop function if exists account_expire(text, text, timestamptz);
create or replace function account_expire(
  p_workspace text, p_account text, p_at timestamptz, p_resume boolean default false
) returns jsonb
language plpgsql as $$
declare
  a account;
  p program;
  before bigint;
  warned int;
  next_check timestamptz;
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
  select expiry_wake_at into next_check from account where workspace = p_workspace and id = a.id;
  if (p_resume or a.id <> p_account) and next_check is not null then
    perform expiry_check_outbox(a, p, next_check);
  end if;
  return jsonb_build_object('outcome', 'looked', 'account', a.id, 'expired', before - a.balance, 'warned', warned,
    'wakes_at', next_check, 'shared', coalesce(expiry_is_shared(p, next_check), false));
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

-- Warns of what comes up on these accounts, once for each date, and writes when each must be checked
-- next. Their locks are held, and nothing of them is due. Returns how many warnings it gave.
create or replace function expiry_warn(p_workspace text, p_accounts text[], p_at timestamptz) returns int
language plpgsql as $$
declare
  events text[];
begin
  with coming as materialized (
    select a.id as account, a.program, a.customer, a.expiry_wake_at, x.due, x.points, w.account is not null as warned,
      expiry_check_at(p, x.due, p_at) as look, p.expiry_warn_days_before is not null as warns
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
  checks as (
    update account a set expiry_wake_at = c.next
    from (
      select account, min(case when warned or look <= p_at then due else look end) as next from coming group by account
    ) c
    where a.workspace = p_workspace and a.id = c.account and a.expiry_wake_at is distinct from c.next
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

-- A program now warns earlier, or at all: its accounts must be checked earlier too. They may be a million, so
-- none gets an outbox row: the minute's expiry batch checks them, and their runs hear "not due" at the old
-- time. `lots_due_from` may be past already, where what was due then had been spent before: then the account
-- is checked now. Returns how many.
create or replace function program_rewake(p_workspace text, p_program text, p_at timestamptz) returns int
language plpgsql as $$
declare
  p program;
  n int;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into p from program where workspace = p_workspace and id = p_program;
  update account a set expiry_wake_at = expiry_check_at(p, a.lots_due_from, p_at)
  where a.workspace = p_workspace and a.program = p_program
    and a.expiry_wake_at > expiry_check_at(p, a.lots_due_from, p_at);
  get diagnostics n = row_count;
  return n;
end $$;

-- What these functions were called before.
drop function if exists expiry_wake_earlier(account, program, timestamptz);
drop function if exists expiry_note(account, program, timestamptz);
drop function if exists expiry_look(account, program, timestamptz);
drop function if exists expiry_wake(program, timestamptz, timestamptz);
drop function if exists expiry_wakes();
