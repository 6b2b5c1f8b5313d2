-- The first instant of a local date: its midnight, the earlier one where the clock shows it twice,
-- and the first instant after the gap where the clock skips it.
create or replace function local_midnight(p_date date, p_zone text) returns timestamptz
language plpgsql immutable as $$
declare
  at timestamptz := p_date::timestamp at time zone p_zone;
begin
  -- Postgres reads a doubled time as the later one
  if (at - interval '1 hour') at time zone p_zone = p_date::timestamp then
    return at - interval '1 hour';
  end if;
  return at;
end $$;

-- When points earned at `p_earned` expire under the program as it is now; null: never.
-- Months are calendar months in the program's time zone and clamp to the month's end;
-- rounding goes up, so that no point lives shorter than was promised. Fixed: the first local
-- midnight of the date strictly after earning.
create or replace function points_expiry(p program, p_earned timestamptz) returns timestamptz
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
        (make_date(year, month, 1) + interval '1 month - 1 day')::date), p.expiry_time_zone);
      exit when midnight > p_earned;
      year := year + 1;
    end loop;
    return midnight;
  end if;
  return null;
end $$;

-- Expires every lot of the account that is due at `p_at`: one ptx for each due date, its event
-- time that date (or `p_not_before`, for points given back after their date). The account's lock
-- is held. Returns the account as it is then. A due lot is never spendable, however late its
-- workflow: each ledger function calls this first.
create or replace function lots_expire(a account, p_at timestamptz, p_not_before timestamptz default null)
returns account
language plpgsql as $$
declare
  due record;
  row_id text;
begin
  if a.lots_due_from is null or a.lots_due_from > p_at then
    return a;
  end if;
  for due in
    select effective.due_at, sum(effective.remaining)::bigint as points
    from (
      select l.remaining, lot_due_at(l, a.activity_extends_to) as due_at
      from lot l
      where l.workspace = a.workspace and l.account = a.id and l.open and l.expires_at <= p_at
    ) effective
    where effective.due_at <= p_at
    group by effective.due_at
    order by effective.due_at
  loop
    row_id := vinr_id('ptx');
    a.balance := a.balance - due.points;
    insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation, at, created_at)
    values (a.workspace, row_id, a.id, a.program, 'expire', -due.points, a.balance, 'expiry',
      'expire:' || row_id, greatest(due.due_at, p_not_before), clock_timestamp());
    with emptied as (
      update lot l set remaining = 0
      from (
        select o.id, o.remaining from lot o
        where o.workspace = a.workspace and o.account = a.id and o.open
          and lot_due_at(o, a.activity_extends_to) = due.due_at
      ) old
      where l.workspace = a.workspace and l.id = old.id
      returning l.id, old.remaining
    )
    insert into allocation (workspace, debit, lot, cause, amount)
    select a.workspace, row_id, e.id, row_id, e.remaining from emptied e;
    perform event_of_ptx(a.workspace, 'loyalty.points.expired', row_id, p_at);
  end loop;
  select min(lot_due_at(l, a.activity_extends_to)) into a.lots_due_from
  from lot l
  where l.workspace = a.workspace and l.account = a.id and l.open and l.expires_at is not null;
  update account set balance = a.balance, lots_due_from = a.lots_due_from
  where workspace = a.workspace and id = a.id;
  return a;
end $$;
