-- When an account's expiry must be checked: for the warning of a lot, then for the lot itself.
-- `account.expiry_wake_at`, its next expiry check, is never later than the first of these; a write
-- that lowers it writes the outbox row of the account's run. What is due is never spendable,
-- however late that is.

-- What the account's run and the reconciler do: expires what is due, warns of what comes up, once
-- for each date, and answers when the next check is due. A merged account's check is its
-- survivor's, whose run goes on from here; so it does, or begins, where `p_resume` says that the
-- run was lost. Harmless at any time. Outcomes: checked; missing.
-- @returns ExpiryCheck
create or replace function ledger.account_expire(
  p_workspace text, p_account text, p_at timestamptz, p_resume boolean default false
) returns jsonb
language plpgsql as $$
declare
  account_row account;
  program_row program;
  before bigint;
  warned int;
  next_check timestamptz;
begin
  account_row := command_on_account(p_workspace, p_account);
  if account_row.id is null then
    return '{"outcome": "missing"}';
  end if;
  before := account_row.balance;
  account_row := lots_expire(account_row, p_at);
  warned := expiry_warn(p_workspace, array[account_row.id], p_at);
  select * into program_row from program where workspace = p_workspace and id = account_row.program;
  select expiry_wake_at into next_check from account where workspace = p_workspace
    and id = account_row.id;
  if (p_resume or account_row.id <> p_account) and next_check is not null then
    perform expiry_check_outbox(account_row, program_row, next_check);
  end if;
  return jsonb_build_object('outcome', 'checked', 'account', account_row.id, 'expired',
    before - account_row.balance, 'warned', warned,
    'next_check_at', next_check,
    'shared', coalesce(expiry_is_shared(program_row, next_check), false));
end $$;

-- The same for many accounts of a workspace at once, which is what the minute's batch does.
-- Accounts that another transaction holds are left for the next turn. Returns how many were
-- checked.
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
-- @null result
create or replace function ledger.account_balance_at(
  p_workspace text, p_account text, p_at timestamptz
) returns bigint
language plpgsql stable as $$
declare
  account_row account;
  posted bigint;
  due bigint;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into account_row from account where workspace = p_workspace and id = p_account;
  if not found then
    return null;
  end if;
  select coalesce(sum(ptx.amount), 0) into posted
  from ptx where ptx.workspace = p_workspace and ptx.account = p_account and ptx.at <= p_at;
  select coalesce(sum(remaining), 0) into due
  from lot
  where workspace = p_workspace and account = p_account and open and expires_at <= p_at
    and lot_due_at(lot, account_row.activity_extends_to) <= p_at;
  return posted - due;
end $$;

-- A program now warns earlier, or at all: its accounts must be checked earlier too. They may be a
-- million, so none gets an outbox row: the minute's expiry batch checks them, and their runs hear
-- "not due" at the old time. `lots_due_from` may be past already, where what was due then had been
-- spent before: then the account is checked now. Returns how many.
create or replace function ledger.expiry_checks_earlier(
  p_workspace text, p_program text, p_at timestamptz
) returns int
language plpgsql as $$
declare
  program_row program;
  moved int;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into program_row from program where workspace = p_workspace and id = p_program;
  update account set expiry_wake_at = expiry_check_at(program_row, account.lots_due_from, p_at)
  where account.workspace = p_workspace and account.program = p_program
    and account.expiry_wake_at > expiry_check_at(program_row, account.lots_due_from, p_at);
  get diagnostics moved = row_count;
  return moved;
end $$;

-- Accounts whose expiry should have been checked before `p_before`, the longest overdue first.
-- Many share a date: among them the order is the index's own, which reads no more of them than it
-- gives.
create or replace function ledger.expiry_checks_overdue(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, account text)
language sql stable security definer as $$
  select workspace, id from account
  where expiry_wake_at <= p_before and merged_into is null
  order by expiry_wake_at limit p_limit offset p_skip
$$;

-- When a lot is due: its own date, or the account's last activity plus months where it extends with
-- activity.
-- @query
create or replace function ledger.lot_due_at(
  lot_row lot, p_activity_extends_to timestamptz
) returns timestamptz
language sql immutable parallel safe as $$
  select case when lot_row.extends_with_activity
    then greatest(lot_row.expires_at, p_activity_extends_to)
    else lot_row.expires_at end
$$;

-- When points earned at `p_earned` expire under the program as it is now; null: never.
-- Months are calendar months in the program's time zone and clamp to the month's end;
-- rounding goes up, so that no point lives shorter than was promised. Fixed: the end of the named
-- day, which is the local midnight after it; the first that is strictly after earning.
create or replace function ledger_private.points_expiry(
  program_row program, p_earned timestamptz
) returns timestamptz
language plpgsql immutable as $$
declare
  local timestamp := p_earned at time zone program_row.expiry_time_zone;
  rounded timestamp;
  midnight timestamptz;
  month int;
  year int;
begin
  if program_row.expiry_mode = 'rolling' then
    local := local + make_interval(months => program_row.expiry_months);
    rounded := date_trunc(program_row.expiry_round_to, local);
    if rounded < local then
      rounded := rounded + ('1 ' || program_row.expiry_round_to)::interval;
    end if;
    return local_midnight(rounded::date, program_row.expiry_time_zone);
  elsif program_row.expiry_mode = 'fixed' then
    month := split_part(program_row.expiry_fixed_date, '-', 1)::int;
    year := extract(year from local)::int;
    loop
      -- 29 February is the month's last day where the year has none
      midnight := local_midnight(least(
        make_date(year, month, 1) + (split_part(program_row.expiry_fixed_date, '-', 2)::int - 1),
        (make_date(year, month, 1) + interval '1 month - 1 day')::date) + 1,
        program_row.expiry_time_zone);
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
  account_row account, p_at timestamptz, p_not_before timestamptz default null
)
returns account
language plpgsql as $$
begin
  if account_row.lots_due_from is null or account_row.lots_due_from > p_at then
    return account_row;
  end if;
  perform lots_expire_of(account_row.workspace, array[account_row.id], p_at, p_not_before);
  select * into account_row from account where workspace = account_row.workspace
    and id = account_row.id;
  return account_row;
end $$;

-- The same for all lots of these accounts, by one statement: on each account one ptx for each due
-- date, its event time that date (or `p_not_before`, for points given back after their date). Its
-- actor is the date, whoever comes upon it. The accounts' locks are held.
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
    select id, program, balance, activity_extends_to from account
    where workspace = p_workspace and id = any (p_accounts) and lots_due_from <= p_at
  ),
  due as materialized (
    select lot.id as lot, lot.account, lot.remaining,
      lot_due_at(lot, accounts.activity_extends_to) as due_at
    from accounts
    join lot on lot.workspace = p_workspace and lot.account = accounts.id and lot.open
      and lot.expires_at <= p_at
    where lot_due_at(lot, accounts.activity_extends_to) <= p_at
  ),
  movements as materialized (
    select vinr_id_after('ptx', from_here,
        row_number() over (order by dated.account, dated.due_at)) as id,
      dated.*, accounts.program,
      accounts.balance - sum(dated.points) over (partition by dated.account
        order by dated.due_at) as balance_after
    from (select account, due_at, sum(remaining)::bigint as points from due group by account,
      due_at) dated
    join accounts on accounts.id = dated.account
  ),
  rows as (
    insert into ptx (workspace, id, account, program, type, amount, balance_after, reason,
      operation, at, created_at, actor)
    select p_workspace, id, account, program, 'expire', -points, balance_after, 'expiry',
      'expire:' || id, greatest(due_at, p_not_before), clock_timestamp(),
      '{"type": "system", "id": "expiry"}'
    from movements
  ),
  emptied as (
    update lot set remaining = 0 from due where lot.workspace = p_workspace and lot.id = due.lot
  ),
  allocations as (
    insert into allocation (workspace, debit, lot, cause, amount)
    select p_workspace, movements.id, due.lot, movements.id, due.remaining
    from due join movements on movements.account = due.account and movements.due_at = due.due_at
  ),
  balances as (
    update account set
      balance = account.balance - coalesce((select sum(points) from movements
        where account = account.id), 0),
      lots_due_from = (
        select min(lot_due_at(lot, account.activity_extends_to)) from lot
        where workspace = p_workspace and account = account.id and open and expires_at is not null
          and lot_due_at(lot, account.activity_extends_to) > p_at)
    from accounts where account.workspace = p_workspace and account.id = accounts.id
  ),
  events_written as (
    insert into event (workspace, id, type, object, created_at, actor)
    select p_workspace, 'evt' || substr(id, 4), 'loyalty.points.expired', id, p_at, null
    from movements
    returning id
  )
  select array_agg(id) into events from events_written;
  perform webhook_deliver_all(p_workspace, events, 'loyalty.points.expired');
end $$;

-- The first check that a lot due at `p_due` needs, seen from `p_at`: its warning, at once where
-- that day has passed, or without warnings the date itself. Null: never.
create or replace function ledger_private.expiry_check_at(
  program_row program, p_due timestamptz, p_at timestamptz
) returns timestamptz
language sql immutable as $$
  select case
    when p_due is null or program_row.expiry_warn_days_before is null or p_due <= p_at then p_due
    else greatest(p_at, (p_due at time zone program_row.expiry_time_zone
      - make_interval(days => program_row.expiry_warn_days_before))
      at time zone program_row.expiry_time_zone)
  end
$$;

-- Whether many accounts may share this date: midnights of the program. Their runs check spread
-- out, for the minute's batch has done the work by then.
create or replace function ledger_private.expiry_is_shared(
  program_row program, p_at timestamptz
) returns boolean
language sql immutable as $$
  select (p_at at time zone program_row.expiry_time_zone)::time = time '00:00'
$$;

-- How long after a date shared by many accounts this one's run checks: milliseconds, under four
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

-- Writes that the account's run must check at `p_check`, which is earlier than it knows (or than
-- there is one). Nothing where many accounts are written at once: the minute's expiry batch checks
-- theirs.
create or replace function ledger_private.expiry_check_outbox(
  account_row account, program_row program, p_check timestamptz
) returns void
language plpgsql as $$
declare
  shared boolean := expiry_is_shared(program_row, p_check);
begin
  if current_setting('vinr.expiry_checks', true) = 'by batch' then
    return;
  end if;
  perform outbox_write(account_row.workspace, 'expiry/' || account_row.workspace || '/'
    || account_row.id, 'accountExpiry', jsonb_build_object('workspace', account_row.workspace,
      'account', account_row.id, 'wakesAt', iso(p_check)),
      p_check + case when shared
      then make_interval(secs => expiry_spread_ms(account_row.id) / 1000.0)
      else '0' end,
    jsonb_build_object('wakesAt', iso(p_check), 'shared', shared), null,
    case when account_row.expiry_wake_at is null then 'new' else 'changed' end);
end $$;

-- Leaves the expiry checks that this transaction brings forward to the minute's batch: it writes to
-- many accounts, of which each would be a run to start.
create or replace function ledger_private.expiry_checks_by_batch() returns void
language sql as $$
  select set_config('vinr.expiry_checks', 'by batch', true)
$$;

-- When the account's open lots must be checked: the soonest date or warning of any, of dates
-- warned of already only the date. Null: never.
create or replace function ledger_private.next_expiry_check(
  account_row account, program_row program, p_at timestamptz
) returns timestamptz
language plpgsql stable as $$
begin
  return (
    select min(case when warning.account is null then expiry_check_at(program_row, dated.due, p_at)
      else dated.due end)
    from (
      select distinct lot_due_at(lot, account_row.activity_extends_to) as due from lot
      where workspace = account_row.workspace and account = account_row.id and open
        and expires_at is not null
    ) dated
    left join expiry_warning warning on warning.workspace = account_row.workspace
      and warning.account = account_row.id and warning.expires_at = dated.due);
end $$;

-- Brings the account's next check forward for lots that came back, unless all they would bring are
-- warnings given before.
create or replace function ledger_private.expiry_check_earlier(
  account_row account, program_row program, p_at timestamptz
) returns void
language plpgsql as $$
declare
  earlier timestamptz;
begin
  if account_row.lots_due_from is null or expiry_check_at(program_row, account_row.lots_due_from,
    p_at) >= account_row.expiry_wake_at then
    return;
  end if;
  earlier := next_expiry_check(account_row, program_row, p_at);
  if earlier >= account_row.expiry_wake_at then
    return;
  end if;
  update account set expiry_wake_at = earlier where workspace = account_row.workspace
    and id = account_row.id;
  perform expiry_check_outbox(account_row, program_row, earlier);
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
    select account.id as account, account.program, account.customer, account.expiry_wake_at,
      dated.due, dated.points, warning.account is not null as warned,
      expiry_check_at(program_row, dated.due, p_at) as check_at,
      program_row.expiry_warn_days_before is not null as warns
    from account
    join program program_row on program_row.workspace = account.workspace
      and program_row.id = account.program
    left join lateral (
      select lot_due_at(lot, account.activity_extends_to) as due, sum(remaining)::bigint as points
      from lot
      where workspace = account.workspace and account = account.id and open
        and expires_at is not null
      group by 1
    ) dated on true
    left join expiry_warning warning on warning.workspace = account.workspace
      and warning.account = account.id and warning.expires_at = dated.due
    where account.workspace = p_workspace and account.id = any (p_accounts)
  ),
  near as materialized (
    select * from coming where warns and not warned and check_at <= p_at
  ),
  warnings as (
    insert into expiry_warning (workspace, account, expires_at, points, warned_at)
    select p_workspace, account, due, points, p_at from near
  ),
  checks as (
    update account set expiry_wake_at = next_check.next
    from (
      select account, min(case when warned or check_at <= p_at then due else check_at end) as next
      from coming group by account
    ) next_check
    where account.workspace = p_workspace and account.id = next_check.account
      and account.expiry_wake_at is distinct from next_check.next
  ),
  events_written as (
    insert into event (workspace, id, type, object, data, created_at)
    select p_workspace, vinr_id('evt'), 'loyalty.points.expiring', account, jsonb_build_object(
      'account', account, 'program', program, 'customer', customer, 'points', points, 'expires_at',
      due), p_at
    from near
    returning id
  )
  select array_agg(id) into events from events_written;
  perform webhook_deliver_all(p_workspace, events, 'loyalty.points.expiring');
  return coalesce(cardinality(events), 0);
end $$;
