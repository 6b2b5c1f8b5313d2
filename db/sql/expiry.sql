-- When an account's expiry must be checked: for the warning of a lot, then for the lot itself.
-- `account.expiry_wake_at`, its next expiry check, is never later than the first of these; a write
-- that lowers it writes the outbox row of the account's run. What is due is never spendable,
-- however late that is.

-- The zone that a bare date is a day of: the program's, else that of the account's program, else
-- prog_default's.
create or replace function ledger.day_zone(
  p_workspace text, p_program text, p_account text
) returns text
language plpgsql stable as $$
declare
  zone text;
begin
  select p.expiry_time_zone into zone from program p
  where p.workspace = p_workspace and p.id = any (array[p_program, 'prog_default',
    (select a.program from account a where a.workspace = p_workspace and a.id = p_account)])
  order by p.id = p_program desc nulls last, p.id = 'prog_default' limit 1;
  return coalesce(zone, 'UTC');
end $$;

-- What the account's run and the reconciler do: expires what is due, warns of what comes up, once
-- for each date, and answers when to look again. A merged account's check is its survivor's, whose
-- run goes on from here; so it does, or begins, where `p_resume` says that the run was lost.
-- Harmless at any time. Outcomes: looked; missing.
create or replace function ledger.account_expire(
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
  return jsonb_build_object('outcome', 'looked', 'account', a.id, 'expired', before - a.balance,
    'warned', warned,
    'wakes_at', next_check, 'shared', coalesce(expiry_is_shared(p, next_check), false));
end $$;

-- The same for many accounts of a workspace at once, which is what the minute's batch does.
-- Accounts that another transaction holds are left for the next turn. Returns how many were looked
-- at.
create or replace function ledger.accounts_expire(
  p_workspace text, p_accounts text[], p_at timestamptz
) returns int
language plpgsql as $$
declare
  held text[];
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select array_agg(id) into held
  from unnest(p_accounts) id
  where pg_try_advisory_xact_lock(hashtextextended(p_workspace || id, 0));
  select array_agg(id) into held -- under the lock: no longer another's
  from account where workspace = p_workspace and id = any (held) and merged_into is null;
  perform lots_expire_of(p_workspace, held, p_at);
  perform expiry_warn(p_workspace, held, p_at);
  return coalesce(cardinality(held), 0);
end $$;

-- The balance as it was at `p_at` (event time): rows until then, less lots due by then and not yet
-- written off.
create or replace function ledger.account_balance_at(
  p_workspace text, p_account text, p_at timestamptz
) returns bigint
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

-- A program now warns earlier, or at all: its accounts must be checked earlier too. They may be a
-- million, so none gets an outbox row: the minute's expiry batch checks them, and their runs hear
-- "not due" at the old time. `lots_due_from` may be past already, where what was due then had been
-- spent before: then the account is checked now. Returns how many.
create or replace function ledger.program_rewake(
  p_workspace text, p_program text, p_at timestamptz
) returns int
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

-- Accounts whose expiry should have been looked at before `p_before`, the longest overdue first.
-- Many share a date: among them the order is the index's own, which reads no more of them than it
-- gives.
create or replace function ledger.net_due_expiries(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, account text)
language sql stable security definer as $$
  select a.workspace, a.id from account a
  where a.expiry_wake_at <= p_before and a.merged_into is null
  order by a.expiry_wake_at limit p_limit offset p_skip
$$;

-- When points earned at `p_earned` expire under the program as it is now; null: never.
-- Months are calendar months in the program's time zone and clamp to the month's end;
-- rounding goes up, so that no point lives shorter than was promised. Fixed: the end of the named
-- day, which is the local midnight after it; the first that is strictly after earning.
create or replace function ledger_private.points_expiry(
  p program, p_earned timestamptz
) returns timestamptz
language plpgsql immutable as $$
declare
  local timestamp := p_earned at time zone p.expiry_time_zone;
  rounded timestamp;
  midnight timestamptz;
  month int;
  year int;
begin
  if p.expiry_mode = 'rolling' then
    local := local + make_interval(months => p.expiry_months);
    rounded := date_trunc(p.expiry_round_to, local);
    if rounded < local then
      rounded := rounded + ('1 ' || p.expiry_round_to)::interval;
    end if;
    return local_midnight(rounded::date, p.expiry_time_zone);
  elsif p.expiry_mode = 'fixed' then
    month := split_part(p.expiry_fixed_date, '-', 1)::int;
    year := extract(year from local)::int;
    loop
      -- 29 February is the month's last day where the year has none
      midnight := local_midnight(least(
        make_date(year, month, 1) + (split_part(p.expiry_fixed_date, '-', 2)::int - 1),
        (make_date(year, month, 1) + interval '1 month - 1 day')::date) + 1, p.expiry_time_zone);
      exit when midnight > p_earned;
      year := year + 1;
    end loop;
    return midnight;
  end if;
  return null;
end $$;

-- Expires every lot of the account that is due at `p_at`. The account's lock is held. Returns the
-- account as it is then. A due lot is never spendable, however late its workflow: each ledger
-- function calls this first.
create or replace function ledger_private.lots_expire(
  a account, p_at timestamptz, p_not_before timestamptz default null
)
returns account
language plpgsql as $$
begin
  if a.lots_due_from is null or a.lots_due_from > p_at then
    return a;
  end if;
  perform lots_expire_of(a.workspace, array[a.id], p_at, p_not_before);
  select * into a from account where workspace = a.workspace and id = a.id;
  return a;
end $$;

-- The same for all lots of these accounts, by one statement: on each account one ptx for each due
-- date, its event time that date (or `p_not_before`, for points given back after their date). The
-- accounts' locks are held.
create or replace function ledger_private.lots_expire_of(
  p_workspace text, p_accounts text[], p_at timestamptz, p_not_before timestamptz default null
) returns void
language plpgsql as $$
declare
  -- under the locks: later than any id on these accounts
  from_here timestamptz := clock_timestamp();
  events text[];
begin
  with accounts as materialized (
    select a.id, a.program, a.balance, a.activity_extends_to from account a
    where a.workspace = p_workspace and a.id = any (p_accounts) and a.lots_due_from <= p_at
  ),
  due as materialized (
    select l.id as lot, l.account, l.remaining, lot_due_at(l, a.activity_extends_to) as due_at
    from accounts a
    join lot l on l.workspace = p_workspace and l.account = a.id and l.open and l.expires_at <= p_at
    where lot_due_at(l, a.activity_extends_to) <= p_at
  ),
  movements as materialized (
    select vinr_id_after('ptx', from_here, row_number() over (order by d.account, d.due_at)) as id,
      d.*, a.program, a.balance - sum(d.points) over (partition by d.account
        order by d.due_at) as balance_after
    from (select account, due_at, sum(remaining)::bigint as points from due group by account,
      due_at) d
    join accounts a on a.id = d.account
  ),
  rows as (
    insert into ptx (workspace, id, account, program, type, amount, balance_after, reason,
      operation, at, created_at)
    select p_workspace, id, account, program, 'expire', -points, balance_after, 'expiry',
      'expire:' || id, greatest(due_at, p_not_before), clock_timestamp()
    from movements
  ),
  emptied as (
    update lot l set remaining = 0 from due d where l.workspace = p_workspace and l.id = d.lot
  ),
  allocations as (
    insert into allocation (workspace, debit, lot, cause, amount)
    select p_workspace, m.id, d.lot, m.id, d.remaining
    from due d join movements m on m.account = d.account and m.due_at = d.due_at
  ),
  balances as (
    update account a set
      balance = a.balance - coalesce((select sum(m.points) from movements m where m.account = a.id),
        0),
      lots_due_from = (
        select min(lot_due_at(l, a.activity_extends_to)) from lot l
        where l.workspace = p_workspace and l.account = a.id and l.open and l.expires_at is not null
          and lot_due_at(l, a.activity_extends_to) > p_at)
    from accounts x where a.workspace = p_workspace and a.id = x.id
  ),
  told as (
    insert into event (workspace, id, type, object, created_at)
    select p_workspace, 'evt' || substr(id, 4), 'loyalty.points.expired', id, p_at from movements
    returning id
  )
  select array_agg(id) into events from told;
  perform webhook_deliver_all(p_workspace, events, 'loyalty.points.expired');
end $$;

-- The first check that a lot due at `p_due` needs, seen from `p_at`: its warning, at once where
-- that day has passed, or without warnings the date itself. Null: never.
create or replace function ledger_private.expiry_check_at(
  p program, p_due timestamptz, p_at timestamptz
) returns timestamptz
language sql immutable as $$
  select case
    when p_due is null or p.expiry_warn_days_before is null or p_due <= p_at then p_due
    else greatest(p_at, (p_due at time zone p.expiry_time_zone
      - make_interval(days => p.expiry_warn_days_before)) at time zone p.expiry_time_zone)
  end
$$;

-- Whether many accounts may share this date: midnights of the program. Their runs look spread out,
-- for the minute's batch has done the work by then.
create or replace function ledger_private.expiry_is_shared(
  p program, p_at timestamptz
) returns boolean
language sql immutable as $$
  select (p_at at time zone p.expiry_time_zone)::time = time '00:00'
$$;

-- How long after a date shared by many accounts this one's run looks: milliseconds, under four
-- hours, the same every time. The rule of domain/expiry.ts (FNV-1a of the id).
create or replace function ledger_private.expiry_spread_ms(p_account text) returns int
language plpgsql immutable as $$
declare
  hash bigint := 2166136261;
begin
  for i in 1..length(p_account) loop
    hash := ((hash # ascii(substr(p_account, i, 1))) * 16777619) & 4294967295;
  end loop;
  return hash % 14400000;
end $$;

-- Writes that the account's run must look at `p_check`, which is earlier than it knows (or than
-- there is one). Nothing where many accounts are written at once: the minute's expiry batch looks
-- at theirs.
create or replace function ledger_private.expiry_check_outbox(
  a account, p program, p_check timestamptz
) returns void
language plpgsql as $$
declare
  shared boolean := expiry_is_shared(p, p_check);
begin
  if current_setting('vinr.expiry_checks', true) = 'by batch' then
    return;
  end if;
  perform outbox_write(a.workspace, 'expiry/' || a.workspace || '/' || a.id, 'accountExpiry',
    jsonb_build_object('workspace', a.workspace, 'account', a.id, 'wakesAt', iso(p_check)),
    p_check + case when shared then make_interval(secs => expiry_spread_ms(a.id) / 1000.0)
      else '0' end,
    jsonb_build_object('wakesAt', iso(p_check), 'shared', shared), null,
    case when a.expiry_wake_at is null then 'new' else 'changed' end);
end $$;

-- Leaves the expiry checks that this transaction brings forward to the minute's batch: it writes to
-- many accounts, of which each would be a run to start.
create or replace function ledger_private.expiry_checks_by_batch() returns void
language sql as $$
  select set_config('vinr.expiry_checks', 'by batch', true)
$$;

-- When the account's open lots must be looked at: the soonest date or warning of any, of dates
-- warned of already only the date. Null: never.
create or replace function ledger_private.next_expiry_check(
  a account, p program, p_at timestamptz
) returns timestamptz
language plpgsql stable as $$
begin
  return (
    select min(case when w.account is null then expiry_check_at(p, x.due, p_at) else x.due end)
    from (
      select distinct lot_due_at(l, a.activity_extends_to) as due from lot l
      where l.workspace = a.workspace and l.account = a.id and l.open and l.expires_at is not null
    ) x
    left join expiry_warning w on w.workspace = a.workspace and w.account = a.id
      and w.expires_at = x.due);
end $$;

-- Brings the account's next check forward for lots that came back, unless all they would bring are
-- warnings given before.
create or replace function ledger_private.expiry_check_earlier(
  a account, p program, p_at timestamptz
) returns void
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

-- Warns of what comes up on these accounts, once for each date, and writes when each must be
-- checked next. Their locks are held, and nothing of them is due. Returns how many warnings it
-- gave.
create or replace function ledger_private.expiry_warn(
  p_workspace text, p_accounts text[], p_at timestamptz
) returns int
language plpgsql as $$
declare
  events text[];
begin
  with coming as materialized (
    select a.id as account, a.program, a.customer, a.expiry_wake_at, x.due, x.points,
      w.account is not null as warned, expiry_check_at(p, x.due, p_at) as look,
      p.expiry_warn_days_before is not null as warns
    from account a
    join program p on p.workspace = a.workspace and p.id = a.program
    left join lateral (
      select lot_due_at(l, a.activity_extends_to) as due, sum(l.remaining)::bigint as points
      from lot l
      where l.workspace = a.workspace and l.account = a.id and l.open and l.expires_at is not null
      group by 1
    ) x on true
    left join expiry_warning w on w.workspace = a.workspace and w.account = a.id
      and w.expires_at = x.due
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
      select account, min(case when warned or look <= p_at then due else look end) as next
      from coming group by account
    ) c
    where a.workspace = p_workspace and a.id = c.account
      and a.expiry_wake_at is distinct from c.next
  ),
  told as (
    insert into event (workspace, id, type, object, data, created_at)
    select p_workspace, vinr_id('evt'), 'loyalty.points.expiring', account, jsonb_build_object(
      'account', account, 'program', program, 'customer', customer, 'points', points, 'expires_at',
      due), p_at
    from near
    returning id
  )
  select array_agg(id) into events from told;
  perform webhook_deliver_all(p_workspace, events, 'loyalty.points.expiring');
  return coalesce(cardinality(events), 0);
end $$;
