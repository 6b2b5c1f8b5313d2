-- The share of an award that refunds of `p_refunded` out of `p_charged` take back: proportional,
-- rounded down (for the member), and all of it once everything is refunded.
create or replace function clawback_target(p_points bigint, p_refunded bigint, p_charged bigint) returns bigint
language sql immutable parallel safe as $$
  select case when p_refunded <= 0 then 0 when p_refunded >= p_charged then p_points
    else div(p_points::numeric * p_refunded, p_charged)::bigint end
$$;

-- Brings the clawbacks of one earning in line with the payment's refunds as they stand, refund by
-- refund: each takes the target of all so far minus the targets before it, and one that failed gives
-- back what the target falls by. However often, and in whatever order they came: earning.clawed is
-- the target of those that stand, and never more than was earned. The payment's and the account's
-- locks are held.
create or replace function earning_settle(e earning, pay payment, p_at timestamptz) returns void
language plpgsql as $$
declare
  r record;
  standing bigint;
  refunds int;
  target bigint;
begin
  select coalesce(sum(x.amount), 0), count(*) into standing, refunds
  from clawback c join refund x on x.workspace = c.workspace and x.id = c.refund
  where c.workspace = e.workspace and c.earning = e.id and not c.undone;
  for r in
    select x.*, c.refund is not null as counted
    from refund x left join clawback c on c.workspace = x.workspace and c.refund = x.id and c.earning = e.id
    where x.workspace = pay.workspace and x.payment = pay.id
      and case when c.refund is null then x.status <> 'failed' else x.status = 'failed' and not c.undone end
    order by x.status = 'failed' desc, x.created_at, x.id
  loop
    standing := standing + case when r.counted then -r.amount else r.amount end;
    refunds := refunds + case when r.counted then -1 else 1 end;
    -- a payment that charged nothing is refunded by 0, once its store credit is back as well
    target := case when pay.amount_charged = 0 and pay.store_credit = 0 and refunds > 0 then e.points
      else clawback_target(e.points, standing, pay.amount_charged) end;
    if r.counted then
      perform clawback_undo(e, r.id, e.clawed - target, p_at);
    else
      perform clawback_take(e, r.id, r.kind, target - e.clawed, p_at);
    end if;
    e.clawed := target;
    update earning set clawed = target where workspace = e.workspace and id = e.id;
  end loop;
end $$;

-- Takes a refund's share back. A pending earning only shrinks. Otherwise from the earning's own lot
-- first; what of that lot has expired is not taken again; the rest from the oldest lots, then as a
-- deficit, or forgiven where the program does not allow one.
create or replace function clawback_take(e earning, p_refund text, p_kind text, p_share bigint, p_at timestamptz)
returns void
language plpgsql as $$
declare
  c clawback;
  a account;
  own bigint := 0;
  wanted bigint;
begin
  c.workspace := e.workspace;
  c.earning := e.id;
  c.refund := p_refund;
  c.taken := 0;
  c.shrunk := 0;
  c.expired := 0;
  c.forgiven := 0;
  c.undone := false;
  c.created_at := p_at;
  if e.transaction is null then
    c.shrunk := p_share;
  elsif p_share > 0 then
    a := lots_expire(account_locked(e.workspace, e.account), p_at);
    select least(l.remaining, p_share) into own from lot l
    where l.workspace = e.workspace and l.id = e.transaction and l.account = a.id;
    own := coalesce(own, 0);
    c.expired := least(p_share - own, clawback_expired(e));
    wanted := p_share - c.expired;
    c.taken := case when (select clawback_allow_negative from program where workspace = a.workspace and id = a.program)
      then wanted else least(wanted, greatest(a.balance, 0)) end;
    c.forgiven := wanted - c.taken;
    if c.taken > 0 then
      c.transaction := points_claw(a, e, p_refund, p_kind, own, c.taken, p_at);
      perform deficit_follow(a.workspace, a.id, p_at);
    end if;
  end if;
  insert into clawback values (c.*);
end $$;

-- How much of the earning is gone already, by expiry of its own lot or by a reversal of its ptx, and was
-- not counted by an earlier refund.
create or replace function clawback_expired(e earning) returns bigint
language sql stable as $$
  select greatest(0,
    -- a lot without a date cannot have expired, and one with a date only after it was earned
    case when (select l.expires_at is not null from lot l where l.workspace = e.workspace and l.id = e.transaction) then
      coalesce((select sum(x.amount) from lot l
        join ptx t on t.workspace = l.workspace and t.account in (l.account, e.account) and t.id > l.id and t.type = 'expire'
        join allocation x on x.workspace = t.workspace and x.debit = t.id and x.lot = l.id
        where l.workspace = e.workspace and l.id = e.transaction), 0)
    else 0 end
    - coalesce((select sum(t.amount) from ptx t
      where t.workspace = e.workspace and t.reverses = e.transaction and t.amount < 0), 0)
    - coalesce((select sum(c.expired) from clawback c where c.workspace = e.workspace and c.earning = e.id), 0))::bigint
$$;

-- Writes the clawback: `p_own` points from the earning's lot, the rest oldest-first, then the deficit.
-- The account's lock is held, what was due has expired. Returns the ptx's id.
create or replace function points_claw(
  a account, e earning, p_refund text, p_kind text, p_own bigint, p_points bigint, p_at timestamptz
) returns text
language plpgsql as $$
declare
  debit text := vinr_id('ptx');
begin
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation, payment, refund,
    source, at, created_at)
  values (a.workspace, debit, a.id, a.program, 'clawback', -p_points, a.balance - p_points, p_kind,
    'claw:' || e.id || ':' || p_refund, e.payment, p_refund, clawback_source(e, p_refund, p_kind), p_at, clock_timestamp());
  update account set balance = balance - p_points where workspace = a.workspace and id = a.id;
  if p_own > 0 then
    update lot set remaining = remaining - p_own where workspace = a.workspace and id = e.transaction;
    insert into allocation (workspace, debit, lot, cause, amount) values (a.workspace, debit, e.transaction, debit, p_own);
  end if;
  if p_points > p_own then
    perform lots_take(a.workspace, a.id, debit, p_points - p_own);
  end if;
  perform event_of_ptx(a.workspace, 'loyalty.points.clawed_back', debit, p_at);
  return debit;
end $$;

create or replace function clawback_source(e earning, p_refund text, p_kind text) returns jsonb
language sql immutable as $$
  select jsonb_build_object('refund', p_refund, 'payment', e.payment, 'rule', e.rule)
    || case when p_kind = 'dispute' then jsonb_build_object('dispute', p_refund) else '{}' end
$$;

-- A refund failed: gives back `p_points`, what the target fell by; of its own share first, the point
-- that rounding may lack from the others'. What was forgiven, or had expired, was never taken.
create or replace function clawback_undo(e earning, p_refund text, p_points bigint, p_at timestamptz) returns void
language plpgsql as $$
declare
  c clawback;
  rest bigint := p_points;
  part bigint;
begin
  for c in
    select * from clawback x where x.workspace = e.workspace and x.earning = e.id
    order by x.refund = p_refund desc, x.created_at desc, x.refund desc
  loop
    if c.refund = p_refund then
      c.undone := true;
    end if;
    part := least(rest, c.forgiven);
    c.forgiven := c.forgiven - part;
    rest := rest - part;
    part := least(rest, c.expired);
    c.expired := c.expired - part;
    rest := rest - part;
    part := least(rest, c.shrunk);
    c.shrunk := c.shrunk - part;
    rest := rest - part;
    if part > 0 and e.outcome <> 'pending' then
      perform points_unclaw(e, p_refund, c, part, false, p_at);
    end if;
    part := least(rest, c.taken);
    c.taken := c.taken - part;
    rest := rest - part;
    if part > 0 then
      perform points_unclaw(e, p_refund, c, part, true, p_at);
    end if;
    update clawback set taken = c.taken, shrunk = c.shrunk, expired = c.expired, forgiven = c.forgiven, undone = c.undone
    where workspace = c.workspace and earning = c.earning and refund = c.refund;
  end loop;
  if rest <> 0 then
    raise exception 'earning % has % points less to give back than refund % took', e.id, rest, p_refund;
  end if;
end $$;

-- The points of a failed refund come back, as a positive clawback: to the lots that it took them from,
-- or as a lot of their own where the earning had only shrunk before it was credited.
create or replace function points_unclaw(
  e earning, p_refund text, c clawback, p_points bigint, p_taken boolean, p_at timestamptz
) returns void
language plpgsql as $$
declare
  a account := lots_expire(account_locked(e.workspace, e.account), p_at);
  p program;
  t ptx;
begin
  t.workspace := a.workspace;
  t.id := vinr_id('ptx');
  t.account := a.id;
  t.program := a.program;
  t.type := 'clawback';
  t.amount := p_points;
  t.balance_after := a.balance + p_points;
  t.reason := 'refund_failed';
  t.operation := 'unclaw:' || e.id || ':' || p_refund || ':' || c.refund || case when p_taken then '' else ':shrunk' end;
  t.payment := e.payment;
  t.refund := p_refund;
  t.source := clawback_source(e, p_refund, 'refund');
  t.reverses := case when p_taken then c.transaction end;
  t.metadata := '{}';
  t.at := p_at;
  t.created_at := clock_timestamp();
  select * into p from program where workspace = a.workspace and id = a.program;
  if not p_taken then
    t.expires_at := points_expiry(p, p_at);
  end if;
  insert into ptx values (t.*);
  perform event_of_ptx(a.workspace, 'loyalty.points.reversed', t.id, p_at);
  if not p_taken then
    perform points_credit(a, t, p, false);
    perform deficit_settle(a.workspace, a.id, p_at);
    return;
  end if;
  perform points_came_back(a, p, t, c.transaction, p_at);
end $$;
