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

-- The zone that a bare date is a day of: the program's, else that of the account's program, else prog_default's.
create or replace function day_zone(p_workspace text, p_program text, p_account text) returns text
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

-- When points earned at `p_earned` expire under the program as it is now; null: never.
-- Months are calendar months in the program's time zone and clamp to the month's end;
-- rounding goes up, so that no point lives shorter than was promised. Fixed: the end of the named
-- day, which is the local midnight after it; the first that is strictly after earning.
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
create or replace function lots_expire(a account, p_at timestamptz, p_not_before timestamptz default null)
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
create or replace function lots_expire_of(
  p_workspace text, p_accounts text[], p_at timestamptz, p_not_before timestamptz default null
) returns void
language plpgsql as $$
declare
  from_here timestamptz := clock_timestamp(); -- under the locks: later than any id on these accounts
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
    select vinr_id_after('ptx', from_here, row_number() over (order by d.account, d.due_at)) as id, d.*,
      a.program, a.balance - sum(d.points) over (partition by d.account order by d.due_at) as balance_after
    from (select account, due_at, sum(remaining)::bigint as points from due group by account, due_at) d
    join accounts a on a.id = d.account
  ),
  rows as (
    insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation, at, created_at)
    select p_workspace, id, account, program, 'expire', -points, balance_after, 'expiry', 'expire:' || id,
      greatest(due_at, p_not_before), clock_timestamp()
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
      balance = a.balance - coalesce((select sum(m.points) from movements m where m.account = a.id), 0),
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
