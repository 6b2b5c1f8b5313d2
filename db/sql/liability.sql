-- What is owed. Ledger writes touch no total: a roll-up, every minute, adds what is new to daily
-- totals by program and part, and a report adds the rows since. Its cost follows the days of a
-- program's life and the last minute's rows, never the history.

-- What points of the smallest unit are worth in minor units, at a value of one whole point, rounded
-- up; what members owe is worth less than nothing.
create or replace function ledger_private.points_worth(
  p_points numeric, p_value numeric, p_decimals int
) returns numeric
language sql immutable parallel safe as $$
  select ceil(p_points * p_value / (10::numeric ^ p_decimals))
$$;

-- The report in the smallest unit: outstanding = earned - spent - expired - clawed back + adjusted,
-- what it costs at the value a point had then (rounded up), and the share of points that expired
-- unspent in the 365 days before. Null where there is no such program.
-- @returns LiabilityReport | null
-- @null p_at
create or replace function ledger.liability_report(
  p_workspace text, p_program text, p_at timestamptz
) returns jsonb
language plpgsql stable as $$
declare
  program_row program;
  value_row point_value;
  sums record;
  breakage record;
  as_of timestamptz := coalesce(p_at, clock_timestamp());
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into program_row from program where workspace = p_workspace and id = p_program;
  if not found then
    return null;
  end if;
  value_row := point_value_at(program_row, as_of);
  select coalesce(sum(amount), 0)::bigint as outstanding,
    coalesce(sum(amount) filter (where part = 'earned'), 0)::bigint as earned,
    coalesce(-sum(amount) filter (where part = 'spent'), 0)::bigint as spent,
    coalesce(-sum(amount) filter (where part = 'expired'), 0)::bigint as expired,
    coalesce(-sum(amount) filter (where part = 'clawed_back'), 0)::bigint as clawed_back,
    coalesce(sum(amount) filter (where part = 'adjusted'), 0)::bigint as adjusted
  into sums from liability_parts(p_workspace, p_program, p_at);
  select * into breakage from breakage_base(p_workspace, p_program, as_of - interval '365 days',
    as_of);
  return jsonb_build_object('outstanding', sums.outstanding, 'earned', sums.earned, 'spent',
    sums.spent, 'expired', sums.expired,
    'clawed_back', sums.clawed_back, 'adjusted', sums.adjusted, 'decimals', program_row.decimals,
    'point_value', value_row.value, 'currency', value_row.currency, 'as_of', as_of,
    'liability_minor', points_worth(sums.outstanding, value_row.value, program_row.decimals),
    'pending', (
      select coalesce(sum(earning.points - earning.clawed), 0)::bigint from earning
      where earning.workspace = p_workspace and earning.program = p_program
        and earning.outcome = 'pending'
        and earning.created_at <= as_of),
    'breakage_rate', case when breakage.expired + breakage.spent > 0
      then round(breakage.expired::numeric / (breakage.expired + breakage.spent), 4) end);
end $$;

-- Opening, movements by part and closing of each period (`day` or `month`, UTC) from `p_from` to
-- before `p_to`, in the smallest unit, and what the closing costs at the value then. Periods
-- without movements are there too.
-- @param p_period 'day' | 'month'
create or replace function ledger.liability_periods(
  p_workspace text, p_program text, p_from date, p_to date, p_period text
) returns table (period date, opening bigint, earned bigint, spent bigint, expired bigint,
clawed_back bigint,
  adjusted bigint, closing bigint, value numeric, currency text, liability_minor numeric)
language plpgsql stable as $$
declare
  program_row program;
  fresh text := vinr_id_from('ptx', coalesce((select through from ledger_rollup), 'epoch'));
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into program_row from program where program.workspace = p_workspace
    and program.id = p_program;
  return query
  with moved as (
    select ledger_total.day, ledger_total.part, ledger_total.amount::numeric from ledger_total
    where ledger_total.workspace = p_workspace and ledger_total.program = p_program
      and ledger_total.day < p_to
    union all
    select (ptx.at at time zone 'UTC')::date, ptx_part(ptx), ptx.amount from ptx
    where ptx.workspace = p_workspace and ptx.program = p_program and ptx.id >= fresh
      and ptx.at < p_to::timestamp at time zone 'UTC'
    union all
    select (lot_due_at(lot, account.activity_extends_to) at time zone 'UTC')::date, 'expired',
      -lot.remaining
    from account join lot on lot.workspace = account.workspace and lot.account = account.id
      and lot.open
    where account.workspace = p_workspace and account.program = p_program
      and account.expiry_wake_at <= clock_timestamp()
      and lot_due_at(lot, account.activity_extends_to) <= least(clock_timestamp(),
        p_to::timestamp at time zone 'UTC' - interval '1 microsecond')
  ),
  periods as (
    select generate_series(date_trunc(p_period, p_from::timestamp), p_to - interval '1 day',
      ('1 ' || p_period)::interval)::date as first
  ),
  sums as (
    select periods.first,
      coalesce(sum(moved.amount) filter (where moved.part = 'earned'), 0) as earned,
      coalesce(-sum(moved.amount) filter (where moved.part = 'spent'), 0) as spent,
      coalesce(-sum(moved.amount) filter (where moved.part = 'expired'), 0) as expired,
      coalesce(-sum(moved.amount) filter (where moved.part = 'clawed_back'), 0) as clawed_back,
      coalesce(sum(moved.amount) filter (where moved.part = 'adjusted'), 0) as adjusted,
      coalesce(sum(moved.amount), 0) as net
    from periods left join moved on moved.day >= periods.first
      and moved.day < periods.first + ('1 ' || p_period)::interval
    group by periods.first
  ),
  before as (select coalesce(sum(moved.amount), 0) as total from moved
    where moved.day < (select min(first) from periods)),
  closed as (
    select sums.*, before.total + sum(sums.net) over (order by sums.first) as closing,
      point_value_at(program_row, (sums.first + ('1 ' || p_period)::interval) at time zone 'UTC'
        - interval '1 microsecond') as value_then
    from sums cross join before
  )
  select closed.first, (closed.closing - closed.net)::bigint, closed.earned::bigint,
    closed.spent::bigint, closed.expired::bigint,
    closed.clawed_back::bigint, closed.adjusted::bigint, closed.closing::bigint,
    (closed.value_then).value, (closed.value_then).currency,
    points_worth(closed.closing, (closed.value_then).value, program_row.decimals)
  from closed order by closed.first;
end $$;

-- A point's value from now on; the first change also notes what it was before.
-- @query
create or replace function ledger.point_value_note(
  program_row program, p_value numeric, p_currency text, p_at timestamptz
) returns void
language plpgsql as $$
begin
  if not exists (select from point_value where workspace = program_row.workspace
    and program = program_row.id) then
    insert into point_value (workspace, program, "from", value, currency)
    values (program_row.workspace, program_row.id,
      least(program_row.created_at, p_at - interval '1 microsecond'), program_row.point_value,
      program_row.currency_code);
  end if;
  insert into point_value (workspace, program, "from", value, currency)
  values (program_row.workspace, program_row.id, p_at, p_value, p_currency)
  on conflict (workspace, program, "from") do update set value = excluded.value,
    currency = excluded.currency;
end $$;

-- Adds to the daily totals every ptx with an id below a time that is certain to be complete: this
-- function notes its own transaction number and the time; a later run, once every transaction up to
-- that number has ended, counts through that time less ten seconds (between an id's making and its
-- row's writing lie microseconds). Ids come from this server's clock; where that is set back,
-- reconcile finds it, and ledger_recount() makes it good. Returns the rows added; one run at a
-- time.
create or replace function ledger.ledger_roll_up() returns int
language plpgsql security definer as $$
declare
  low timestamptz;
  high timestamptz;
  looked_at timestamptz := clock_timestamp();
  rollup_row ledger_rollup;
  workspace_id text;
  added_now int;
  added int := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('ledger_roll_up', 0)) then
    return 0;
  end if;
  insert into ledger_rollup (id, through) values (1, 'epoch') on conflict do nothing;
  select * into rollup_row from ledger_rollup where id = 1;
  low := rollup_row.through;
  high := rollup_row.noted_at - interval '10 seconds';
  if high > low and rollup_row.noted_xid::xid8 < pg_snapshot_xmin(pg_current_snapshot()) then
    for workspace_id in select id from workspace loop
      insert into ledger_total as total (workspace, program, day, part, amount, rows)
      select workspace_id, ptx.program, (ptx.at at time zone 'UTC')::date,
        case when ptx.type = 'reverse' then ptx_part(ptx) else ptx_type_part(ptx.type) end,
          sum(ptx.amount), count(*)
      from ptx
      where ptx.workspace = workspace_id and ptx.id >= vinr_id_from('ptx', low)
        and ptx.id < vinr_id_from('ptx', high)
      group by 2, 3, 4
      on conflict (workspace, program, day, part) do update
        set amount = total.amount + excluded.amount, rows = total.rows + excluded.rows;
      get diagnostics added_now = row_count;
      added := added + added_now;
    end loop;
    update ledger_rollup set through = high, noted_at = null, noted_xid = null where id = 1;
    rollup_row.noted_xid := null;
  end if;
  -- a note from another server's count (a restored dump) never comes true: replace it
  if rollup_row.noted_xid is null or rollup_row.noted_xid::xid8 > pg_current_xact_id() then
    update ledger_rollup set noted_at = looked_at, noted_xid = pg_current_xact_id()::text
      where id = 1;
  end if;
  return added;
end $$;

-- Throws the totals away; the next roll-ups count everything again.
create or replace function ledger_private.ledger_recount() returns void
language sql as $$
  delete from ledger_total;
  delete from ledger_rollup;
$$;

-- Every program, for the daily snapshot.
create or replace function ledger.all_programs() returns table (workspace text, program text)
language sql stable security definer as $$
  select program.workspace, program.id from program order by 1, 2
$$;

-- The day's snapshot of a program's liability as an event, once for each UTC midnight: the id is
-- the day's.
create or replace function ledger.liability_snapshot(
  p_workspace text, p_program text, p_midnight timestamptz
) returns boolean
language plpgsql as $$
declare
  report jsonb := liability_report(p_workspace, p_program, p_midnight)
    || jsonb_build_object('program', p_program);
  event_id text := vinr_id_from('evt', p_midnight) || left(md5(p_workspace || p_program), 9);
begin
  insert into event (workspace, id, type, object, data, created_at)
  values (p_workspace, event_id, 'program.liability.snapshot', p_program, report, clock_timestamp())
  on conflict do nothing;
  if not found then
    return false;
  end if;
  perform webhook_deliver(p_workspace, event_id, 'program.liability.snapshot');
  return true;
end $$;

-- The part of the liability identity that a row belongs to. The reversal of an earn or adjust row
-- counts with that row, the reversal of a redemption with what was spent; merge rows net to
-- nothing.
create or replace function ledger_private.ptx_part(ptx_row ptx) returns text
language sql stable as $$
  select case
    when ptx_row.type <> 'reverse' then ledger_private.ptx_type_part(ptx_row.type)
    when ptx_row.redemption is not null then 'spent'
    else (select ledger_private.ptx_type_part(ptx.type) from ptx
    where ptx.workspace = ptx_row.workspace
      and ptx.id = ptx_row.reverses) end
$$;

-- The same where the type alone says it: every type but `reverse`. Simple enough to be inlined.
create or replace function ledger_private.ptx_type_part(p_type text) returns text
language sql immutable parallel safe as $$
  select case p_type when 'earn' then 'earned' when 'adjust' then 'adjusted' when 'expire'
    then 'expired'
    when 'clawback' then 'clawed_back' when 'merge' then 'merged' else 'spent' end
$$;

-- Signed sums of the program's rows by part, as of `p_at` (event time; null: now), exactly: whole
-- days from the totals, the day of `p_at` and whatever the totals do not count yet from the rows.
create or replace function ledger_private.liability_parts(
  p_workspace text, p_program text, p_at timestamptz
)
returns table (part text, amount bigint)
language plpgsql stable as $$
declare
  -- ids from here on are in no total
  fresh text := vinr_id_from('ptx', coalesce((select through from ledger_rollup), 'epoch'));
  midnight timestamptz := date_trunc('day', p_at, 'UTC');
begin
  return query
  with parts as (
    select ledger_total.part, ledger_total.amount::numeric from ledger_total
    where ledger_total.workspace = p_workspace and ledger_total.program = p_program
      and (p_at is null or ledger_total.day < (p_at at time zone 'UTC')::date)
    union all
    select case when ptx.type = 'reverse' then ptx_part(ptx) else ptx_type_part(ptx.type) end,
      ptx.amount
    from ptx
    where ptx.workspace = p_workspace and ptx.id >= fresh and ptx.program = p_program
      and (p_at is null or ptx.at < midnight)
    union all
    select case when ptx.type = 'reverse' then ptx_part(ptx) else ptx_type_part(ptx.type) end,
      ptx.amount
    from ptx
    where p_at is not null and ptx.workspace = p_workspace and ptx.program = p_program
      and ptx.at >= midnight and ptx.at <= p_at
    union all
    -- due lots that nobody has written off yet count as expired
    select 'expired', -lot.remaining
    from account join lot on lot.workspace = account.workspace and lot.account = account.id
      and lot.open
    where account.workspace = p_workspace and account.program = p_program
      and account.expiry_wake_at <= coalesce(p_at, clock_timestamp())
      and lot.expires_at <= coalesce(p_at, clock_timestamp())
      and lot_due_at(lot, account.activity_extends_to) <= coalesce(p_at, clock_timestamp())
  )
  select parts.part, sum(parts.amount)::bigint from parts group by parts.part;
end $$;

-- The value in force at an instant: the last one from before it, else the first ever noted, else
-- the program's.
create or replace function ledger_private.point_value_at(
  program_row program, p_at timestamptz
) returns point_value
language plpgsql stable as $$
declare
  value_row point_value;
begin
  select * into value_row from point_value where point_value.workspace = program_row.workspace
    and point_value.program = program_row.id
  order by point_value."from" > p_at, case when point_value."from" <= p_at
  then point_value."from" end desc, point_value."from" limit 1;
  value_row.value := coalesce(value_row.value, program_row.point_value);
  value_row.currency := coalesce(value_row.currency, program_row.currency_code);
  return value_row;
end $$;

-- Points expired and spent by redemption since `p_from`, of the totals alone: what breakage is
-- estimated from.
create or replace function ledger_private.breakage_base(
  p_workspace text, p_program text, p_from timestamptz, p_to timestamptz
)
returns table (expired bigint, spent bigint)
language sql stable as $$
  select coalesce(-sum(ledger_total.amount) filter (where ledger_total.part = 'expired'),
    0)::bigint,
    coalesce(-sum(ledger_total.amount) filter (where ledger_total.part = 'spent'), 0)::bigint
  from ledger_total
  where ledger_total.workspace = p_workspace and ledger_total.program = p_program
    and ledger_total.day >= (p_from at time zone 'UTC')::date
    and ledger_total.day < (p_to at time zone 'UTC')::date
$$;
