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
  p program;
  v point_value;
  s record;
  b record;
  as_of timestamptz := coalesce(p_at, clock_timestamp());
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into p from program where workspace = p_workspace and id = p_program;
  if not found then
    return null;
  end if;
  v := point_value_at(p, as_of);
  select coalesce(sum(amount), 0)::bigint as outstanding,
    coalesce(sum(amount) filter (where part = 'earned'), 0)::bigint as earned,
    coalesce(-sum(amount) filter (where part = 'spent'), 0)::bigint as spent,
    coalesce(-sum(amount) filter (where part = 'expired'), 0)::bigint as expired,
    coalesce(-sum(amount) filter (where part = 'clawed_back'), 0)::bigint as clawed_back,
    coalesce(sum(amount) filter (where part = 'adjusted'), 0)::bigint as adjusted
  into s from liability_parts(p_workspace, p_program, p_at);
  select * into b from breakage_base(p_workspace, p_program, as_of - interval '365 days', as_of);
  return jsonb_build_object('outstanding', s.outstanding, 'earned', s.earned, 'spent', s.spent,
    'expired', s.expired,
    'clawed_back', s.clawed_back, 'adjusted', s.adjusted, 'decimals', p.decimals,
    'point_value', v.value, 'currency', v.currency, 'as_of', as_of,
    'liability_minor', points_worth(s.outstanding, v.value, p.decimals),
    'pending', (
      select coalesce(sum(e.points - e.clawed), 0)::bigint from earning e
      where e.workspace = p_workspace and e.program = p_program and e.outcome = 'pending'
        and e.created_at <= as_of),
    'breakage_rate', case when b.expired + b.spent > 0
      then round(b.expired::numeric / (b.expired + b.spent), 4) end);
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
  p program;
  fresh text := vinr_id_from('ptx', coalesce((select through from ledger_rollup), 'epoch'));
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into p from program x where x.workspace = p_workspace and x.id = p_program;
  return query
  with moved as (
    select l.day, l.part, l.amount::numeric from ledger_total l
    where l.workspace = p_workspace and l.program = p_program and l.day < p_to
    union all
    select (t.at at time zone 'UTC')::date, ptx_part(t), t.amount from ptx t
    where t.workspace = p_workspace and t.program = p_program and t.id >= fresh
      and t.at < p_to::timestamp at time zone 'UTC'
    union all
    select (lot_due_at(l, a.activity_extends_to) at time zone 'UTC')::date, 'expired', -l.remaining
    from account a join lot l on l.workspace = a.workspace and l.account = a.id and l.open
    where a.workspace = p_workspace and a.program = p_program
      and a.expiry_wake_at <= clock_timestamp()
      and lot_due_at(l, a.activity_extends_to) <= least(clock_timestamp(),
        p_to::timestamp at time zone 'UTC' - interval '1 microsecond')
  ),
  periods as (
    select generate_series(date_trunc(p_period, p_from::timestamp), p_to - interval '1 day',
      ('1 ' || p_period)::interval)::date as first
  ),
  sums as (
    select q.first,
      coalesce(sum(m.amount) filter (where m.part = 'earned'), 0) as earned,
      coalesce(-sum(m.amount) filter (where m.part = 'spent'), 0) as spent,
      coalesce(-sum(m.amount) filter (where m.part = 'expired'), 0) as expired,
      coalesce(-sum(m.amount) filter (where m.part = 'clawed_back'), 0) as clawed_back,
      coalesce(sum(m.amount) filter (where m.part = 'adjusted'), 0) as adjusted,
      coalesce(sum(m.amount), 0) as net
    from periods q left join moved m on m.day >= q.first
      and m.day < q.first + ('1 ' || p_period)::interval
    group by q.first
  ),
  before as (select coalesce(sum(m.amount), 0) as total from moved m
    where m.day < (select min(first) from periods)),
  closed as (
    select s.*, b.total + sum(s.net) over (order by s.first) as closing,
      point_value_at(p, (s.first + ('1 ' || p_period)::interval) at time zone 'UTC'
        - interval '1 microsecond') as v
    from sums s cross join before b
  )
  select c.first, (c.closing - c.net)::bigint, c.earned::bigint, c.spent::bigint, c.expired::bigint,
    c.clawed_back::bigint, c.adjusted::bigint, c.closing::bigint, (c.v).value, (c.v).currency,
    points_worth(c.closing, (c.v).value, p.decimals)
  from closed c order by c.first;
end $$;

-- A point's value from now on; the first change also notes what it was before.
-- @query
create or replace function ledger.point_value_note(
  p program, p_value numeric, p_currency text, p_at timestamptz
) returns void
language plpgsql as $$
begin
  if not exists (select from point_value where workspace = p.workspace and program = p.id) then
    insert into point_value (workspace, program, "from", value, currency)
    values (p.workspace, p.id, least(p.created_at, p_at - interval '1 microsecond'), p.point_value,
      p.currency_code);
  end if;
  insert into point_value (workspace, program, "from", value, currency)
  values (p.workspace, p.id, p_at, p_value, p_currency)
  on conflict (workspace, program, "from") do update set value = excluded.value,
    currency = excluded.currency;
end $$;

-- Adds to the daily totals every ptx with an id below a time that is certain to be complete: this
-- function notes its own transaction number and the time; a later run, once every transaction up to
-- that number has ended, counts through that time less ten seconds (between an id's making and its
-- row's writing lie microseconds). Ids come from this server's clock; where that is set back,
-- reconcile tells, and ledger_recount() mends. Returns the rows added; one run at a time.
create or replace function ledger.ledger_roll_up() returns int
language plpgsql security definer as $$
declare
  low timestamptz;
  high timestamptz;
  looked_at timestamptz := clock_timestamp();
  r ledger_rollup;
  w text;
  n int;
  added int := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('ledger_roll_up', 0)) then
    return 0;
  end if;
  insert into ledger_rollup (id, through) values (1, 'epoch') on conflict do nothing;
  select * into r from ledger_rollup where id = 1;
  low := r.through;
  high := r.noted_at - interval '10 seconds';
  if high > low and r.noted_xid::xid8 < pg_snapshot_xmin(pg_current_snapshot()) then
    for w in select id from workspace loop
      insert into ledger_total as l (workspace, program, day, part, amount, rows)
      select w, t.program, (t.at at time zone 'UTC')::date,
        case when t.type = 'reverse' then ptx_part(t) else ptx_type_part(t.type) end, sum(t.amount),
          count(*)
      from ptx t
      where t.workspace = w and t.id >= vinr_id_from('ptx', low)
        and t.id < vinr_id_from('ptx', high)
      group by 2, 3, 4
      on conflict (workspace, program, day, part) do update
        set amount = l.amount + excluded.amount, rows = l.rows + excluded.rows;
      get diagnostics n = row_count;
      added := added + n;
    end loop;
    update ledger_rollup set through = high, noted_at = null, noted_xid = null where id = 1;
    r.noted_xid := null;
  end if;
  -- a note from another server's count (a restored dump) never comes true: replace it
  if r.noted_xid is null or r.noted_xid::xid8 > pg_current_xact_id() then
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
  select p.workspace, p.id from program p order by 1, 2
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
create or replace function ledger_private.ptx_part(t ptx) returns text
language sql stable as $$
  select case
    when t.type <> 'reverse' then ledger_private.ptx_type_part(t.type)
    when t.redemption is not null then 'spent'
    else (select ledger_private.ptx_type_part(r.type) from ptx r where r.workspace = t.workspace
      and r.id = t.reverses) end
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
    select l.part, l.amount::numeric from ledger_total l
    where l.workspace = p_workspace and l.program = p_program
      and (p_at is null or l.day < (p_at at time zone 'UTC')::date)
    union all
    select case when t.type = 'reverse' then ptx_part(t) else ptx_type_part(t.type) end, t.amount
    from ptx t
    where t.workspace = p_workspace and t.id >= fresh and t.program = p_program
      and (p_at is null or t.at < midnight)
    union all
    select case when t.type = 'reverse' then ptx_part(t) else ptx_type_part(t.type) end, t.amount
    from ptx t
    where p_at is not null and t.workspace = p_workspace and t.program = p_program
      and t.at >= midnight and t.at <= p_at
    union all
    -- due lots that nobody has written off yet count as expired
    select 'expired', -l.remaining
    from account a join lot l on l.workspace = a.workspace and l.account = a.id and l.open
    where a.workspace = p_workspace and a.program = p_program
      and a.expiry_wake_at <= coalesce(p_at, clock_timestamp())
      and l.expires_at <= coalesce(p_at, clock_timestamp())
      and lot_due_at(l, a.activity_extends_to) <= coalesce(p_at, clock_timestamp())
  )
  select parts.part, sum(parts.amount)::bigint from parts group by parts.part;
end $$;

-- The value in force at an instant: the last one from before it, else the first ever noted, else
-- the program's.
create or replace function ledger_private.point_value_at(
  p program, p_at timestamptz
) returns point_value
language plpgsql stable as $$
declare
  v point_value;
begin
  select * into v from point_value x where x.workspace = p.workspace and x.program = p.id
  order by x."from" > p_at, case when x."from" <= p_at then x."from" end desc, x."from" limit 1;
  v.value := coalesce(v.value, p.point_value);
  v.currency := coalesce(v.currency, p.currency_code);
  return v;
end $$;

-- Points expired and spent by redemption since `p_from`, of the totals alone: what breakage is
-- estimated from.
create or replace function ledger_private.breakage_base(
  p_workspace text, p_program text, p_from timestamptz, p_to timestamptz
)
returns table (expired bigint, spent bigint)
language sql stable as $$
  select coalesce(-sum(l.amount) filter (where l.part = 'expired'), 0)::bigint,
    coalesce(-sum(l.amount) filter (where l.part = 'spent'), 0)::bigint
  from ledger_total l
  where l.workspace = p_workspace and l.program = p_program
    and l.day >= (p_from at time zone 'UTC')::date and l.day < (p_to at time zone 'UTC')::date
$$;
