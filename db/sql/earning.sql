-- What payments, invoices and other events earn, and what refunds take back of it.

-- What the account has earned and does not have yet, less what refunds took of it. Smallest unit.
create or replace function ledger.account_pending(p_workspace text, p_account text) returns bigint
language plpgsql stable as $$
begin
  return (
    select coalesce(sum(e.points - e.clawed), 0)::bigint from earning e
    where e.workspace = p_workspace and e.outcome = 'pending'
      and e.account in (select account_family(p_workspace, p_account)));
end $$;

-- The manual award of a completed payment: members as they are now, each rule once for each
-- account. Outcomes: replayed (with what the payment has earned); refused (account_closed);
-- missing; open.
create or replace function ledger.payment_replay_award(
  p_workspace text, p_id text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  judgement record;
  known_to_mature timestamptz;
  matures_at timestamptz;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into pay from payment where workspace = p_workspace and id = p_id for update;
  if not found then
    return '{"outcome": "missing"}';
  end if;
  if pay.status <> 'completed' then
    return payment_outcome(pay, 'open');
  end if;
  judgement := payment_judgement(pay, true, true, null, p_at);
  perform payment_accounts_lock(pay, true, '{"named": []}', judgement.members);
  known_to_mature := earning_next_maturity(p_workspace, p_id);
  pay := payment_settle(pay, judgement.judge, judgement.members, judgement.award,
    judgement.metadata, true, p_at);
  if pay.award = 'account_closed' then
    return '{"outcome": "refused", "refusal": {"code": "account_closed"}}';
  end if;
  pay.revision := next_revision(pay.revision);
  perform payment_write(pay, true);
  matures_at := earnings_mature(p_workspace, p_id, p_at);
  perform payment_outbox(pay, pay.status, true,
    case when matures_at < coalesce(known_to_mature, 'infinity') then matures_at end, false);
  return payment_outcome(pay, 'replayed');
end $$;

-- What the reconciler looks for: sources with earnings that should have matured before `p_before`,
-- the longest overdue first.
create or replace function ledger.net_maturing_earnings(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, source text)
language sql stable security definer as $$
  select e.workspace, e.source from earning e
  where e.outcome = 'pending' and e.matures_at <= p_before
  group by e.workspace, e.source
  order by min(e.matures_at), e.workspace, e.source limit p_limit offset p_skip
$$;

-- n / d for n >= 0, d > 0, rounded once by the program's mode; exact, whatever decimals n and d
-- have.
create or replace function ledger_private.divided(
  p_n numeric, p_d numeric, p_rounding text
) returns numeric
language sql immutable parallel safe as $$
  select div(p_n, p_d) + case p_rounding
    when 'up' then (mod(p_n, p_d) > 0)::int
    when 'nearest' then (2 * mod(p_n, p_d) >= p_d)::int
    else 0 end
$$;

-- What an award gives, in the program's smallest unit; null where it does not name the currency.
-- The rule's and the tier's multiplier multiply each other and the award; all of it is rounded
-- once. No single award is larger than the largest movement (10^12 units).
create or replace function ledger_private.earning_points(
  p_award jsonb, p_multiplier numeric, p_tier_multiplier numeric, p_amount bigint, p_currency text,
  p_decimals int, p_rounding text
) returns bigint
language plpgsql immutable parallel safe as $$
declare
  factor numeric := p_multiplier * p_tier_multiplier * ('1e' || p_decimals)::numeric;
  rate jsonb;
begin
  if p_award ? 'fixed' then
    return least(divided((p_award ->> 'fixed')::numeric * factor, 1, p_rounding), 1000000000000);
  end if;
  rate := case
    when p_award ? 'per_currency' then p_award -> 'per_currency' -> lower(p_currency)
    when p_award #>> '{per_amount,currency}' = lower(p_currency) then p_award -> 'per_amount' end;
  if rate is null or p_amount is null then
    return null;
  end if;
  return least(
    divided((rate ->> 'points')::numeric * p_amount * factor, (rate ->> 'amount')::numeric,
      p_rounding),
    1000000000000);
end $$;

-- Whether a rule speaks of something that happened at `p_on`: within its dates (the start included,
-- the end not), and all of its conditions hold.
create or replace function ledger_private.earning_rule_matches(
  r earning_rule, p_amount bigint, p_currency text, p_metadata jsonb, p_on timestamptz
) returns boolean
language sql immutable as $$
  select coalesce(r.starts_at <= p_on, true) and coalesce(r.ends_at > p_on, true)
    and coalesce(coalesce(p_amount, 0) >= (r.conditions ->> 'min_amount')::bigint, true)
    and (r.conditions ->> 'currency' is null or r.conditions ->> 'currency' = lower(p_currency))
    and coalesce(p_metadata, '{}') @> coalesce(r.conditions -> 'metadata', '{}')
$$;

-- What is left of a rule's cap for the account in the window that `p_on` falls into, in the
-- smallest unit; null where the rule has none. Windows are days, weeks (from Monday) and months of
-- the program's time zone. What refunds took back does not count; what is pending does.
create or replace function ledger_private.earning_cap_left(
  p program, r earning_rule, p_account text, p_on timestamptz
)
returns bigint
language plpgsql stable as $$
declare
  win tstzrange := window_of(r.cap ->> 'window', p_on, p.expiry_time_zone);
  used bigint;
begin
  if r.cap is null then
    return null;
  end if;
  select coalesce(sum(e.points - e.clawed), 0) into used
  from earning e
  where e.workspace = r.workspace and e.rule = r.id and e.outcome <> 'none'
    and e.account in (select account_family(r.workspace, p_account))
    and e.earned_on >= coalesce(lower(win), '-infinity')
    and e.earned_on < coalesce(upper(win), 'infinity');
  return greatest(trunc((r.cap ->> 'points')::numeric * ('1e' || p.decimals)::numeric)::bigint
    - used, 0);
end $$;

-- Every rule of the account's program with this trigger that matches writes its own earning, and
-- its own ptx or, with pending days, the date on which it will. Once for each (source, rule),
-- whoever the source belongs to meanwhile: a repeat writes nothing. The source's lock is held.
-- `p_on` is the provider's time, by which rules are judged; caps and pending days count from when
-- the account was there, if that is later: a payment of before would find each day's cap untouched.
-- `p_again` (a replay) gives another chance to what earned nothing. `p_ptx_source` goes onto the
-- ptx, with the rule as it was beside it. Locks the account. Returns how many rules matched; -1
-- where the account is closed, which earns nothing and is recorded.
create or replace function ledger_private.earning_award(
  p_workspace text, p_account text, p_trigger text, p_source text, p_payment text, p_amount bigint,
  p_currency text, p_metadata jsonb, p_ptx_source jsonb, p_on timestamptz, p_at timestamptz,
  p_again boolean default false
) returns int
language plpgsql as $$
declare
  a account;
  p program;
  r earning_rule;
  e earning;
  tier numeric;
  counted_on timestamptz;
  matched int := 0;
begin
  if not exists (
    select from earning_rule x join account o on o.workspace = x.workspace and o.program = x.program
    where x.workspace = p_workspace and o.id = p_account and x.trigger = p_trigger
      and x.active) then
    return 0;
  end if;
  a := account_locked(p_workspace, p_account);
  -- as points_post does, before points are reckoned in them
  if a.balance = 0 and a.lifetime_points = 0 then
    perform decimals_keep(p_workspace, a.program);
  end if;
  select * into p from program where workspace = p_workspace and id = a.program;
  tier := tier_multiplier(p, a.tier);
  -- not after `p_at`: another payment may have enrolled the customer while this one waited
  counted_on := greatest(p_on, least(greatest(a.created_at, a.enrolled_at), p_at));
  for r in
    select * from earning_rule x
    where x.workspace = p_workspace and x.program = a.program and x.trigger = p_trigger and x.active
      and earning_rule_matches(x, p_amount, p_currency, p_metadata, p_on)
    order by x.created_at, x.id
  loop
    e := null;
    e.points := earning_points(r.award, r.multiplier, tier, p_amount, p_currency, p.decimals,
      p.rounding);
    continue when e.points is null;
    matched := matched + 1;
    continue when exists (
      select from earning x
      where x.workspace = p_workspace and x.source = p_source and x.rule = r.id
        and not (p_again and x.outcome = 'none' and x.clawed = 0));
    e := earning_by_rule(e.points, p, r, a, tier, counted_on, p_at);
    e.source := p_source;
    e.payment := p_payment;
    e.ptx_source := p_ptx_source || jsonb_build_object('rule', r.id);
    if e.outcome = 'earned' then
      e := earning_post(e, p_at);
    end if;
    insert into earning as old (workspace, id, source, payment, rule, account, program, outcome,
      reason, points, clawed, terms, ptx_source, earned_on, matures_at, transaction, created_at)
    values (e.workspace, e.id, e.source, e.payment, e.rule, e.account, e.program, e.outcome,
      e.reason, e.points, e.clawed, e.terms, e.ptx_source, e.earned_on, e.matures_at, e.transaction,
      e.created_at)
    on conflict (workspace, source, rule, account) do update
      set (outcome, reason, points, terms, earned_on,
      matures_at, transaction, created_at) = (excluded.outcome, excluded.reason, excluded.points,
      excluded.terms, excluded.earned_on, excluded.matures_at, excluded.transaction,
      excluded.created_at)
      where old.outcome = 'none';
  end loop;
  return case when a.status = 'closed' and matched > 0 then -1 else matched end;
end $$;

-- What the account earns of `p_points` by one rule, counted at `p_counted_on`: within the rule's
-- cap, at once or after its days, or `none` and why.
create or replace function ledger_private.earning_by_rule(
  p_points bigint, p program, r earning_rule, a account, p_tier numeric, p_counted_on timestamptz,
  p_at timestamptz
) returns earning
language plpgsql as $$
declare
  e earning;
  cap_left bigint := earning_cap_left(p, r, a.id, p_counted_on);
begin
  e.reason := case when a.status = 'closed' then 'account_closed'
    when p_points = 0 then 'nothing_left' when cap_left = 0 then 'cap_reached' end;
  e.points := case when e.reason is null then least(p_points, cap_left) else 0 end;
  e.workspace := r.workspace;
  e.id := vinr_id('ern');
  e.rule := r.id;
  e.account := a.id;
  e.program := a.program;
  e.clawed := 0;
  e.terms := jsonb_build_object('trigger', r.trigger, 'award', r.award, 'multiplier', r.multiplier,
    'tier_multiplier', p_tier, 'cap', r.cap, 'conditions', r.conditions,
    'pendingDays', r.pending_days, 'name', r.name);
  e.earned_on := p_counted_on;
  e.matures_at := p_counted_on + r.pending_days * interval '1 day';
  e.created_at := p_at;
  e.outcome := case when e.reason is not null then 'none' when e.matures_at > p_at then 'pending'
    else 'earned' end;
  return e;
end $$;

-- Credits an earning, less what refunds took of it while it was pending. Returns it with its ptx;
-- `none` where nothing is left, or the account was closed meanwhile.
create or replace function ledger_private.earning_post(e earning, p_at timestamptz) returns earning
language plpgsql as $$
declare
  posted jsonb;
begin
  if e.points = e.clawed then
    e.outcome := 'none';
    e.reason := 'refunded';
    return e;
  end if;
  posted := points_post(e.workspace, e.account, 'earn', e.points - e.clawed,
    coalesce(e.terms ->> 'name', e.terms ->> 'trigger'),
    'earn:' || e.source || ':' || e.rule || ':' || e.account, null, p_at, null, null,
    e.ptx_source || jsonb_build_object('terms', e.terms), '{}', false);
  if posted ->> 'outcome' = 'refused' then
    e.outcome := 'none';
    e.reason := posted #>> '{refusal,code}';
    return e;
  end if;
  e.outcome := 'earned';
  e.transaction := posted #>> '{transaction,id}';
  return e;
end $$;

-- Credits what has become due of a source's pending earnings. The caller holds the source's lock.
-- Returns when the next one matures; null where none waits.
create or replace function ledger_private.earnings_mature(
  p_workspace text, p_source text, p_at timestamptz
) returns timestamptz
language plpgsql as $$
declare
  e earning;
  next_at timestamptz := earning_next_maturity(p_workspace, p_source);
begin
  if next_at is null or next_at > p_at then
    return next_at;
  end if;
  for e in
    select * from earning
    where workspace = p_workspace and source = p_source and outcome = 'pending'
      and matures_at <= p_at
    order by account, id
  loop
    perform account_locked(p_workspace, e.account);
    select * into e from earning where workspace = p_workspace and id = e.id
      and outcome = 'pending';
    continue when not found;
    e := earning_post(e, p_at);
    update earning set outcome = e.outcome, reason = e.reason, transaction = e.transaction
    where workspace = p_workspace and id = e.id;
  end loop;
  return earning_next_maturity(p_workspace, p_source);
end $$;

-- When the next of a source's pending earnings matures; null: none is pending.
create or replace function ledger_private.earning_next_maturity(
  p_workspace text, p_source text
) returns timestamptz
language plpgsql stable as $$
begin
  return (
    select min(matures_at) from earning
    where workspace = p_workspace and source = p_source and outcome = 'pending');
end $$;

-- The welcome: rules with the trigger loyalty.account.created, once for each account, and for each
-- customer in a program, whatever accounts they had there. One that is credited later waits in a
-- workflow of its own.
create or replace function ledger_private.earning_for_new_account(
  a account, p_at timestamptz
) returns int
language plpgsql as $$
declare
  matched int;
  matures_at timestamptz;
begin
  if exists (
    select from accounts_had(a.workspace, a.program, a.customer, a.id) had
    join earning e on e.workspace = a.workspace and e.source = had and e.outcome <> 'none') then
    return 0;
  end if;
  matched := earning_award(a.workspace, a.id, 'loyalty.account.created', a.id, null, null, null,
    '{}',
    '{"event": "loyalty.account.created"}', p_at, p_at);
  if matched > 0 then
    matures_at := earning_next_maturity(a.workspace, a.id);
    if matures_at is not null then
      perform source_outbox(a.workspace, a.id, null, null, matures_at, false, matures_at, null,
        'changed');
    end if;
  end if;
  return matched;
end $$;

-- Whom a payment, invoice or referral belongs to, one account for each program: the customer's (an
-- active one before a closed one; where it was merged and none is left, its survivor), else, where
-- the customer has none in that program or there is no customer, the one that the metadata names.
-- Members at `p_on` only; null leaves that open (a replay), and so does a program that enrols by
-- itself: it would have enrolled the customer then, so that payments racing to be the first all
-- earn.
create or replace function ledger_private.earning_members(
  p_workspace text, p_customer text, p_metadata jsonb, p_on timestamptz
)
returns setof account
language plpgsql stable as $$
declare
  programs text[] := '{}';
  a account;
begin
  if p_customer is not null then
    for a in
      select distinct on (x.program) x.*
      from account o
      join account x on x.workspace = o.workspace and x.id = account_survivor(o.workspace, o.id)
      join program p on p.workspace = x.workspace and p.id = x.program
      where o.workspace = p_workspace and o.customer = p_customer
        and (p_on is null or o.created_at <= p_on or p.auto_enroll)
      order by x.program, x.status <> 'active', o.status = 'merged', x.created_at desc, x.id desc
    loop
      programs := programs || a.program::text;
      return next a;
    end loop;
  end if;
  return query
    select x.* from account_named(p_workspace, p_metadata) x
    where x.program <> all (programs) and (p_on is null or x.created_at <= p_on);
end $$;

-- Enrols a customer into every program that enrols by itself and has no account of theirs, closed
-- ones included: who left is not brought back; nor one where the metadata names a member, who is
-- meant. Returns the new accounts' ids. Concurrent enrolments of one customer make one account.
create or replace function ledger_private.earning_enrol(
  p_workspace text, p_customer text, p_metadata jsonb, p_on timestamptz, p_at timestamptz
) returns setof text
language plpgsql as $$
declare
  p record;
  a account;
begin
  if p_customer is null then
    return;
  end if;
  for p in
    select id from program x
    where x.workspace = p_workspace and x.auto_enroll and not exists (
      select from account o where o.workspace = p_workspace and o.program = x.id
        and o.customer = p_customer)
      and not exists (select from account_named(p_workspace, p_metadata) o where o.program = x.id)
    order by id
  loop
    a := account_enrol(p_workspace, vinr_id('loy'), p.id, p_customer, '{}', least(p_on, p_at),
      p_at);
    continue when a.id is null;
    return next a.id;
  end loop;
end $$;

-- The share of an award that refunds of `p_refunded` out of `p_charged` take back: proportional,
-- rounded down (for the member), and all of it once everything is refunded.
create or replace function ledger_private.clawback_target(
  p_points bigint, p_refunded bigint, p_charged bigint
) returns bigint
language sql immutable parallel safe as $$
  select case when p_refunded <= 0 then 0 when p_refunded >= p_charged then p_points
    else div(p_points::numeric * p_refunded, p_charged)::bigint end
$$;

-- Brings the clawbacks of one earning in line with the payment's refunds as they stand, refund by
-- refund: each takes the target of all so far minus the targets before it, and one that failed
-- gives back what the target falls by. However often, and in whatever order they came:
-- earning.clawed is the target of those that stand, and never more than was earned. The payment's
-- and the account's locks are held.
create or replace function ledger_private.earning_settle(
  e earning, pay payment, p_at timestamptz
) returns void
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
    from refund x left join clawback c on c.workspace = x.workspace and c.refund = x.id
      and c.earning = e.id
    where x.workspace = pay.workspace and x.payment = pay.id
      and case when c.refund is null then x.status <> 'failed' else x.status = 'failed'
        and not c.undone end
    order by x.status = 'failed' desc, x.created_at, x.id
  loop
    standing := standing + case when r.counted then -r.amount else r.amount end;
    refunds := refunds + case when r.counted then -1 else 1 end;
    -- a payment that charged nothing is refunded by 0, once its store credit is back as well
    target := case when pay.amount_charged = 0 and pay.store_credit = 0 and refunds > 0
      then e.points
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
create or replace function ledger_private.clawback_take(
  e earning, p_refund text, p_kind text, p_share bigint, p_at timestamptz
)
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
    c.taken := case when (select clawback_allow_negative from program where workspace = a.workspace
      and id = a.program)
      then wanted else least(wanted, greatest(a.balance, 0)) end;
    c.forgiven := wanted - c.taken;
    if c.taken > 0 then
      c.transaction := points_claw(a, e, p_refund, p_kind, own, c.taken, p_at);
      perform deficit_follow(a.workspace, a.id, p_at);
    end if;
  end if;
  insert into clawback (workspace, earning, refund, taken, shrunk, expired, forgiven, transaction,
    undone, created_at)
  values (c.workspace, c.earning, c.refund, c.taken, c.shrunk, c.expired, c.forgiven, c.transaction,
    c.undone, c.created_at);
end $$;

-- How much of the earning is gone already, by expiry of its own lot or by a reversal of its ptx,
-- and was not counted by an earlier refund.
create or replace function ledger_private.clawback_expired(e earning) returns bigint
language sql stable as $$
  select greatest(0,
    -- a lot without a date cannot have expired, and one with a date only after it was earned
    case when (select l.expires_at is not null from lot l where l.workspace = e.workspace
      and l.id = e.transaction) then
      coalesce((select sum(x.amount) from lot l
        join ptx t on t.workspace = l.workspace and t.account in (l.account, e.account)
          and t.id > l.id and t.type = 'expire'
        join allocation x on x.workspace = t.workspace and x.debit = t.id and x.lot = l.id
        where l.workspace = e.workspace and l.id = e.transaction), 0)
    else 0 end
    - coalesce((select sum(t.amount) from ptx t
      where t.workspace = e.workspace and t.reverses = e.transaction and t.amount < 0), 0)
    - coalesce((select sum(c.expired) from clawback c where c.workspace = e.workspace
      and c.earning = e.id), 0))::bigint
$$;

-- Writes the clawback: `p_own` points from the earning's lot, the rest oldest-first, then the
-- deficit. The account's lock is held, what was due has expired. Returns the ptx's id.
create or replace function ledger_private.points_claw(
  a account, e earning, p_refund text, p_kind text, p_own bigint, p_points bigint, p_at timestamptz
) returns text
language plpgsql as $$
declare
  debit text := vinr_id('ptx');
begin
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation,
    payment, refund, source, at, created_at)
  values (a.workspace, debit, a.id, a.program, 'clawback', -p_points, a.balance - p_points, p_kind,
    'claw:' || e.id || ':' || p_refund, e.payment, p_refund, clawback_source(e, p_refund, p_kind),
    p_at, clock_timestamp());
  update account set balance = balance - p_points where workspace = a.workspace and id = a.id;
  if p_own > 0 then
    update lot set remaining = remaining - p_own where workspace = a.workspace
      and id = e.transaction;
    insert into allocation (workspace, debit, lot, cause, amount)
      values (a.workspace, debit, e.transaction, debit, p_own);
  end if;
  if p_points > p_own then
    perform lots_take(a.workspace, a.id, debit, p_points - p_own);
  end if;
  perform event_of_ptx(a.workspace, 'loyalty.points.clawed_back', debit, p_at);
  return debit;
end $$;

-- What the ptx of a clawback says of its cause.
create or replace function ledger_private.clawback_source(
  e earning, p_refund text, p_kind text
) returns jsonb
language sql immutable as $$
  select jsonb_build_object('refund', p_refund, 'payment', e.payment, 'rule', e.rule)
    || case when p_kind = 'dispute' then jsonb_build_object('dispute', p_refund) else '{}' end
$$;

-- A refund failed: gives back `p_points`, what the target fell by; of its own share first, the
-- point that rounding may lack from the others'. What was forgiven, or had expired, was never
-- taken.
create or replace function ledger_private.clawback_undo(
  e earning, p_refund text, p_points bigint, p_at timestamptz
) returns void
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
    update clawback set taken = c.taken, shrunk = c.shrunk, expired = c.expired,
      forgiven = c.forgiven, undone = c.undone
    where workspace = c.workspace and earning = c.earning and refund = c.refund;
  end loop;
  if rest <> 0 then
    raise exception 'earning % has % points less to give back than refund % took', e.id, rest,
      p_refund;
  end if;
end $$;

-- The points of a failed refund come back, as a positive clawback: to the lots that it took them
-- from, or as a lot of their own where the earning had only shrunk before it was credited.
create or replace function ledger_private.points_unclaw(
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
  t.operation := 'unclaw:' || e.id || ':' || p_refund || ':' || c.refund
    || case when p_taken then '' else ':shrunk' end;
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
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation,
    fingerprint, redemption, payment, refund, source, reverses, batch, expires_at, metadata, at,
    created_at)
  values (t.workspace, t.id, t.account, t.program, t.type, t.amount, t.balance_after, t.reason,
    t.operation, t.fingerprint, t.redemption, t.payment, t.refund, t.source, t.reverses, t.batch,
    t.expires_at, t.metadata, t.at, t.created_at);
  perform event_of_ptx(a.workspace, 'loyalty.points.reversed', t.id, p_at);
  if not p_taken then
    perform points_credit(a, t, p, false);
    perform deficit_settle(a.workspace, a.id, p_at);
    return;
  end if;
  perform points_came_back(a, p, t, c.transaction, p_at);
end $$;

-- A renewal is told twice, as a payment and as an invoice, and earns once. In a program with a rule
-- of `invoice.paid` that may match, a payment that names its invoice leaves it to that; if no such
-- rule matched then, it earns as a payment after all. Where only the invoice names its payment,
-- whichever came first earns.

-- Whether what this payment would earn for the account is its invoice's to earn: it has, or it may
-- when it comes. A part of it that redemptions paid (a checkout session's) is no renewal of its
-- own.
create or replace function ledger_private.payment_left_to_invoice(
  pay payment, a account, p_on timestamptz, p_again boolean
)
returns boolean
language plpgsql stable as $$
begin
  if exists (
    select from earning e
    where e.workspace = pay.workspace and e.payment = pay.id and e.source <> pay.id
      and e.program = a.program
      and e.outcome <> 'none' and e.terms ->> 'trigger' = 'invoice.paid') then
    return true;
  end if;
  if pay.invoice is null then
    return false;
  end if;
  if pay.amount_charged = 0 then
    return true;
  end if;
  return not p_again and invoice_facts(pay.workspace, pay.invoice) is null and exists (
    select from earning_rule x
    where x.workspace = pay.workspace and x.program = a.program and x.trigger = 'invoice.paid'
      and x.active
      and earning_rule_matches(x, pay.amount_charged, pay.currency, x.conditions -> 'metadata',
        p_on)
      and earning_points(x.award, 1, 1, pay.amount_charged, pay.currency, 0, 'down') is not null);
end $$;

-- What an invoice that came in says; null where none has.
create or replace function ledger_private.invoice_facts(
  p_workspace text, p_invoice text
) returns jsonb
language plpgsql stable as $$
begin
  return (
    select i.facts from inbox i
    where i.workspace = p_workspace and i.payment = p_invoice
      and i.facts ->> 'trigger' = 'invoice.paid'
    order by i.received_at, i.id limit 1);
end $$;

-- The payment that names this invoice and paid it; null where none is known.
create or replace function ledger_private.payment_of_invoice(
  p_workspace text, p_invoice text
) returns text
language plpgsql stable as $$
begin
  return (
    select x.id from payment x
    where x.workspace = p_workspace and x.invoice = p_invoice and x.amount_charged > 0
    order by x.created_at, x.id limit 1);
end $$;

-- What the invoice of a payment has earned before it is the payment's from now on, for its refunds
-- to take back. The payment's row is locked.
create or replace function ledger_private.earnings_of_invoice(pay payment) returns void
language plpgsql as $$
begin
  if pay.amount_charged > 0 and invoice_facts(pay.workspace, pay.invoice) is not null then
    update earning set payment = pay.id
    where workspace = pay.workspace and source = pay.invoice and payment is null;
  end if;
end $$;

-- Whom a payment earns for, judged once, at the provider's completion time `p_on` (`p_again`, a
-- replay, judges members as they are now): enrols the customer where a program does so by itself.
-- `judge` is false where it was judged before, or does not complete (`p_completes`). `metadata` is
-- its own beside its invoice's, for its rules to be judged by. Locks no account but one that it
-- enrols; the members are locked before payment_settle.
create or replace function ledger_private.payment_judgement(
  pay payment, p_completes boolean, p_again boolean, p_on timestamptz, p_at timestamptz,
  out judge boolean, out members text[], out award text, out metadata jsonb
)
language plpgsql as $$
declare
  facts jsonb;
  customer text := pay.customer;
  named boolean;
  on_time timestamptz := case when pay.status = 'completed' then coalesce(pay.completed_at, p_at)
    else p_on end;
begin
  judge := false;
  members := '{}';
  metadata := pay.metadata;
  if not p_completes then
    return;
  end if;
  if pay.invoice is not null then
    facts := invoice_facts(pay.workspace, pay.invoice);
    customer := coalesce(customer, facts ->> 'customer');
    metadata := coalesce(facts -> 'metadata', '{}') || metadata;
  end if;
  named := customer is not null or metadata ? 'loyalty_account'
    or metadata ? 'client_reference_id' and exists (select
      from account_named(pay.workspace, metadata));
  judge := p_again or pay.award is null or (pay.award = 'unnamed' and named);
  if not judge then
    return;
  end if;
  if named then
    perform earning_enrol(pay.workspace, customer, metadata, on_time, p_at);
    select coalesce(array_agg(x.id order by x.id), '{}') into members
    from earning_members(pay.workspace, customer, metadata,
      case when not p_again then on_time end) x;
  end if;
  award := case when cardinality(members) > 0 then 'no_rule' when named then 'no_member'
    else 'unnamed' end;
end $$;

-- All that a completed payment as it now stands earns, by payment_judgement: what it should have
-- earned and what its refunds should have taken back, against what is written; the difference is
-- written. The locks of the payment and of all its accounts are held. Returns the payment with its
-- award, which the caller writes. Idempotent.
create or replace function ledger_private.payment_settle(
  pay payment, p_judge boolean, p_members text[], p_award text, p_metadata jsonb, p_again boolean,
  p_at timestamptz
) returns payment
language plpgsql as $$
declare
  m account;
  e earning;
  on_time timestamptz := coalesce(pay.completed_at, p_at);
  matched int;
begin
  if pay.invoice is not null then
    perform earnings_of_invoice(pay);
  end if;
  if p_judge then
    pay.award := p_award;
    for m in select * from account where workspace = pay.workspace and id = any (p_members)
      order by id loop
      continue when payment_left_to_invoice(pay, m, on_time, p_again);
      matched := earning_award(pay.workspace, m.id, 'payment.completed', pay.id, pay.id,
        pay.amount_charged, pay.currency, p_metadata,
        jsonb_build_object('payment', pay.id, 'amount', pay.amount_charged, 'currency',
          pay.currency),
        on_time, p_at, p_again);
      pay.award := case when matched > 0 or pay.award = 'awarded' then 'awarded'
        when matched < 0 then 'account_closed' else pay.award end;
    end loop;
  end if;
  if pay.refunds <> '[]' or pay.disputes <> '[]' then
    for e in
      select * from earning where workspace = pay.workspace and payment = pay.id order by account,
        id
    loop
      perform earning_settle(e, pay, p_at);
    end loop;
  end if;
  perform tier_spend_of_payment(pay, p_members, p_at);
  return pay;
end $$;

-- Works off the events of a source that earn by themselves, and marks all of its inbox rows
-- processed.
create or replace function ledger_private.earnings_of_events(
  p_workspace text, p_source text, p_at timestamptz
) returns void
language plpgsql as $$
declare
  i inbox;
begin
  for i in
    select * from inbox where workspace = p_workspace and payment = p_source
      and processed_at is null
    order by received_at, id
  loop
    if i.facts is not null then
      perform earning_of_event(i, p_at);
    end if;
    update inbox set processed_at = p_at where workspace = p_workspace and endpoint = i.endpoint
      and id = i.id;
  end loop;
end $$;

-- What an event other than a payment's earns, by its facts: trigger, customer, metadata, amount,
-- currency, noun (subscription, invoice, referral) and, where it names one, the payment whose
-- refunds take it back. An invoice that its payment names has it too; and where that has earned in
-- a program, the invoice does not.
create or replace function ledger_private.earning_of_event(i inbox, p_at timestamptz) returns void
language plpgsql as $$
declare
  pay payment;
  m account;
  e earning;
  judgement record;
  members text[];
  paid_by text := coalesce(i.facts ->> 'payment', payment_of_invoice(i.workspace, i.payment));
  on_time timestamptz := least(i.received_at, (i.facts ->> 'at')::timestamptz);
begin
  select * into pay from payment where workspace = i.workspace and id = paid_by for update;
  perform earning_enrol(i.workspace, i.facts ->> 'customer', i.facts -> 'metadata', on_time, p_at);
  select coalesce(array_agg(x.id order by x.id), '{}') into members
  from earning_members(i.workspace, i.facts ->> 'customer', i.facts -> 'metadata', on_time) x;
  if pay.status = 'completed' then
    if pay.invoice = i.payment and pay.award <> 'awarded' then
      pay.award := null; -- what it left to the invoice may be its own after all
    end if;
    judgement := payment_judgement(pay, pay.invoice = i.payment, false, null, p_at);
    perform payment_accounts_lock(pay, true, '{"named": []}', members || judgement.members);
  else
    perform accounts_lock(i.workspace, members || array(
      select x.account::text from earning x where x.workspace = i.workspace
        and x.source = i.payment));
  end if;
  for m in
    select x.* from account x where x.workspace = i.workspace and x.id = any (members) order by x.id
  loop
    continue when i.facts ->> 'trigger' = 'invoice.paid' and exists (
      select from earning x
      where x.workspace = i.workspace and x.payment = paid_by and x.source = paid_by
        and x.program = m.program
        and x.outcome <> 'none');
    perform earning_award(i.workspace, m.id, i.facts ->> 'trigger', i.payment, paid_by,
      (i.facts ->> 'amount')::bigint, i.facts ->> 'currency', i.facts -> 'metadata',
      jsonb_strip_nulls(jsonb_build_object('event', i.id, i.facts ->> 'noun', i.payment, 'payment',
        paid_by,
        'amount', (i.facts ->> 'amount')::bigint, 'currency', i.facts ->> 'currency')),
      on_time, p_at);
  end loop;
  if pay.status = 'completed' and pay.invoice = i.payment then
    pay := payment_settle(pay, judgement.judge, judgement.members, judgement.award,
      judgement.metadata, false, p_at);
    pay.revision := next_revision(pay.revision);
    perform payment_write(pay, true);
    perform payment_outbox(pay, pay.status, true, earning_next_maturity(pay.workspace, pay.id),
      false);
  elsif pay.status = 'completed' then
    for e in
      select * from earning where workspace = i.workspace and source = i.payment
        and payment = pay.id order by account, id
    loop
      perform earning_settle(e, pay, p_at);
    end loop;
  end if;
end $$;
