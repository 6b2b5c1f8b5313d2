-- Takes `p_points` from the account's lots, oldest first, for the debit; returns what no lot could fund.
create or replace function lots_take(p_workspace text, p_account text, p_debit text, p_points bigint)
returns bigint
language plpgsql as $$
declare
  l record;
  taken bigint;
  needed bigint := p_points;
  oldest text;
begin
  -- the usual case, in one statement: the oldest lot has enough
  update lot set remaining = remaining - p_points
  where workspace = p_workspace and remaining >= p_points and id = (
    select id from lot where workspace = p_workspace and account = p_account and open
    order by earned_at, id limit 1)
  returning id into oldest;
  if found then
    insert into allocation (workspace, debit, lot, cause, amount)
    values (p_workspace, p_debit, oldest, p_debit, p_points);
    return 0;
  end if;
  for l in
    select id, remaining from lot
    where workspace = p_workspace and account = p_account and open
    order by earned_at, id
  loop
    taken := least(l.remaining, needed);
    update lot set remaining = remaining - taken where workspace = p_workspace and id = l.id;
    insert into allocation (workspace, debit, lot, cause, amount)
    values (p_workspace, p_debit, l.id, p_debit, taken);
    needed := needed - taken;
    exit when needed = 0;
  end loop;
  return needed;
end $$;

-- The debits that no lot has funded, newest first, of the account and of all merged into it, until they
-- make up `p_deficit`. What a debit lacks is derived: its points, less what was returned of it, less its
-- allocations. The rows of a merge are no debits: what was unfunded stays with what caused it; but what was
-- taken over from a former account is one.
create or replace function deficit_debits(
  p_workspace text, p_account text, p_deficit bigint, out debits text[], out lacks bigint[]
)
language plpgsql stable as $$
declare
  member text;
  d record;
  found_total bigint := 0;
begin
  debits := '{}';
  lacks := '{}';
  for member in select account_family(p_workspace, p_account) loop
    for d in
      select t.id, -t.amount
        - coalesce((select sum(r.amount) from ptx r where r.workspace = p_workspace and r.reverses = t.id), 0)
        - coalesce((select sum(x.amount) from allocation x where x.workspace = p_workspace and x.debit = t.id), 0)
        as lacking
      from ptx t
      where t.workspace = p_workspace and t.account = member and t.amount < 0
        and (t.type <> 'merge' or t.source ? 'deficit_from')
      order by t.id desc
    loop
      continue when d.lacking <= 0;
      debits := debits || d.id::text;
      lacks := lacks || d.lacking::bigint;
      found_total := found_total + d.lacking;
      exit when found_total >= p_deficit;
    end loop;
    exit when found_total >= p_deficit;
  end loop;
  if member <> p_account then -- more than one account's: in one order
    select array_agg(x.debit order by x.debit desc), array_agg(x.lacking order by x.debit desc) into debits, lacks
    from (select u.debit collate "C" as debit, u.lacking from unnest(debits, lacks) u (debit, lacking)) x;
  end if;
end $$;

-- Fills the account's deficit from one lot that has something left: allocates from it to the
-- debits that no lot has funded, oldest first.
create or replace function deficit_fill(
  p_workspace text, p_account text, p_lot text, p_points bigint, p_deficit bigint, p_cause text
) returns void
language plpgsql as $$
declare
  owed record;
  unspent bigint := least(p_points, p_deficit);
  taken bigint;
begin
  if unspent <= 0 then
    return;
  end if;
  owed := deficit_debits(p_workspace, p_account, p_deficit);
  for i in reverse cardinality(owed.debits) .. 1 loop
    taken := least(unspent, owed.lacks[i]);
    insert into allocation (workspace, debit, lot, cause, amount)
    values (p_workspace, owed.debits[i], p_lot, p_cause, taken);
    update lot set remaining = remaining - taken where workspace = p_workspace and id = p_lot;
    unspent := unspent - taken;
    exit when unspent = 0;
  end loop;
end $$;

-- Nets `p_points` of a deficit against the account's open lots, oldest first: where a merge brought
-- together what one side owed and the other one had.
create or replace function deficit_net(p_workspace text, p_account text, p_points bigint, p_cause text) returns void
language plpgsql as $$
declare
  owed record;
  l record;
  i int;
  unspent bigint := p_points;
  lacking bigint := 0;
  left_in_lot bigint;
  taken bigint;
begin
  if unspent <= 0 then
    return;
  end if;
  owed := deficit_debits(p_workspace, p_account, 9223372036854775807);
  i := cardinality(owed.debits);
  lacking := owed.lacks[i];
  for l in
    select id, remaining from lot
    where workspace = p_workspace and account = p_account and open
    order by earned_at, id
  loop
    left_in_lot := l.remaining;
    while left_in_lot > 0 and unspent > 0 loop
      taken := least(left_in_lot, lacking, unspent);
      insert into allocation (workspace, debit, lot, cause, amount)
      values (p_workspace, owed.debits[i], l.id, p_cause, taken);
      left_in_lot := left_in_lot - taken;
      unspent := unspent - taken;
      lacking := lacking - taken;
      if lacking = 0 and i > 1 then
        i := i - 1;
        lacking := owed.lacks[i];
      end if;
    end loop;
    update lot set remaining = left_in_lot where workspace = p_workspace and id = l.id;
    exit when unspent = 0;
  end loop;
end $$;

-- Gives back `p_points` of a debit: first what of it no lot had funded, then to the lots it took
-- from, those taken last first. `a` is the account before its balance rises. What a deficit of the
-- account still lacks is filled from what came back. Under `extend` a lot past its date lives
-- `grace_days` from now; under `restore` it keeps its date, and the caller expires it.
create or replace function lots_give_back(
  a account, p program, p_debit text, p_points bigint, p_cause text, p_at timestamptz
) returns void
language plpgsql as $$
declare
  given record;
  back bigint;
  deficit bigint := greatest(-a.balance, 0);
  lacking bigint;
  rest bigint := p_points;
begin
  -- the row that gives back (p_cause) is already written: leave it out of what was returned before
  select -t.amount
    - coalesce((select sum(r.amount) from ptx r
        where r.workspace = a.workspace and r.reverses = t.id and r.id <> p_cause), 0)
    - coalesce((select sum(x.amount) from allocation x where x.workspace = a.workspace and x.debit = t.id), 0)
  into lacking
  from ptx t where t.workspace = a.workspace and t.id = p_debit;
  lacking := least(lacking, rest);
  rest := rest - lacking;
  deficit := deficit - lacking;
  for given in
    select x.lot, sum(x.amount)::bigint as points
    from allocation x join lot l on l.workspace = x.workspace and l.id = x.lot
    where x.workspace = a.workspace and x.debit = p_debit
    group by x.lot, l.earned_at
    having sum(x.amount) > 0
    order by l.earned_at desc, x.lot desc
  loop
    exit when rest = 0;
    back := least(given.points, rest);
    rest := rest - back;
    insert into allocation (workspace, debit, lot, cause, amount)
    values (a.workspace, p_debit, given.lot, p_cause, -back);
    update lot l set
      remaining = l.remaining + back,
      expires_at = case when overdue.yes then p_at + make_interval(days => p.grace_days) else l.expires_at end,
      extends_with_activity = l.extends_with_activity and not overdue.yes
    from (
      select p.expired_return = 'extend' and lot_due_at(o, a.activity_extends_to) <= p_at as yes
      from lot o where o.workspace = a.workspace and o.id = given.lot
    ) overdue
    where l.workspace = a.workspace and l.id = given.lot;
    perform deficit_fill(a.workspace, a.id, given.lot, back, deficit, p_cause);
    deficit := greatest(deficit - back, 0);
  end loop;
  if rest <> 0 then
    raise exception 'debit % has % points less to give back than asked', p_debit, rest;
  end if;
end $$;
