-- What payments, invoices and other events earn, and what refunds take back of it.

-- What the account has earned and does not have yet, less what refunds took of it. Smallest unit.
-- @query
create or replace function ledger.account_pending(p_workspace text, p_account text) returns bigint
language plpgsql stable as $$
begin
  return (
    select coalesce(sum(points - clawed), 0)::bigint from earning
    where workspace = p_workspace and outcome = 'pending'
      and account in (select account_family(p_workspace, p_account)));
end $$;

-- The manual award of a completed payment: members as they are now, each rule once for each
-- account. Outcomes: replayed (with what the payment has earned); refused (account_closed);
-- missing; open.
-- @returns PaymentResult
create or replace function ledger.payment_replay_award(
  p_workspace text, p_id text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  payment_row payment;
  award_due record;
  known_to_mature timestamptz;
  matures_at timestamptz;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into payment_row from payment where workspace = p_workspace and id = p_id for update;
  if not found then
    return '{"outcome": "missing"}';
  end if;
  if payment_row.status <> 'completed' then
    return payment_outcome(payment_row, 'open') || jsonb_build_object('refusal', jsonb_build_object(
      'code', 'resource_changed', 'status', payment_row.status, 'earns', false));
  end if;
  award_due := payment_award_due(payment_row, true, true, null, p_at);
  perform payment_accounts_lock(payment_row, true, '{"named": []}', award_due.members);
  known_to_mature := earning_next_maturity(p_workspace, p_id);
  payment_row := payment_settle(payment_row, award_due.awards, award_due.members, award_due.award,
    award_due.metadata, true, p_at);
  if payment_row.award = 'account_closed' then
    return '{"outcome": "refused", "refusal": {"code": "account_closed"}}';
  end if;
  payment_row.revision := next_revision(payment_row.revision);
  perform payment_write(payment_row, true);
  matures_at := earnings_mature(p_workspace, p_id, p_at);
  perform payment_outbox(payment_row, payment_row.status, true,
    case when matures_at < coalesce(known_to_mature, 'infinity') then matures_at end, false);
  return payment_outcome(payment_row, 'replayed');
end $$;

-- What the reconciler looks for: sources with earnings that should have matured before `p_before`,
-- the longest overdue first.
create or replace function ledger.earnings_overdue(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, source text)
language sql stable security definer as $$
  select workspace, source from earning
  where outcome = 'pending' and matures_at <= p_before
  group by workspace, source
  order by min(matures_at), workspace, source limit p_limit offset p_skip
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

-- The first reason why a rule does not speak of something that happened at `p_on`; null where it
-- does: active, within its dates (the start included, the end not), and all of its conditions hold.
create or replace function ledger_private.earning_rule_mismatch(
  rule_row earning_rule, p_amount bigint, p_currency text, p_metadata jsonb, p_on timestamptz
) returns text
language sql immutable as $$
  select case
    when not rule_row.active then 'rule_inactive'
    when rule_row.starts_at > p_on then 'not_started'
    when rule_row.ends_at <= p_on then 'ended'
    when coalesce(p_amount, 0) < (rule_row.conditions ->> 'min_amount')::bigint
      then 'below_min_amount'
    when rule_row.conditions ->> 'currency' is distinct from lower(p_currency)
      and rule_row.conditions ->> 'currency' is not null then 'other_currency'
    when not coalesce(p_metadata, '{}') @> coalesce(rule_row.conditions -> 'metadata', '{}')
      then 'metadata_differs'
  end
$$;

-- Whether a rule speaks of something that happened at `p_on`.
create or replace function ledger_private.earning_rule_matches(
  rule_row earning_rule, p_amount bigint, p_currency text, p_metadata jsonb, p_on timestamptz
) returns boolean
language sql immutable as $$
  select earning_rule_mismatch(rule_row, p_amount, p_currency, p_metadata, p_on) is null
$$;

-- What is left of a rule's cap for the account in the window that `p_on` falls into, in the
-- smallest unit; null where the rule has none. Windows are days, weeks (from Monday) and months of
-- the program's time zone. What refunds took back does not count; what is pending does. `p_made_by`
-- leaves out what was earned after it, for answers about the past; null leaves out nothing.
create or replace function ledger_private.earning_cap_left(
  program_row program, rule_row earning_rule, p_account text, p_on timestamptz,
  p_made_by timestamptz
)
returns bigint
language plpgsql stable as $$
declare
  cap_window tstzrange := window_of(rule_row.cap ->> 'window', p_on, program_row.expiry_time_zone);
  used bigint;
begin
  if rule_row.cap is null then
    return null;
  end if;
  select coalesce(sum(points - clawed), 0) into used
  from earning
  where workspace = rule_row.workspace and rule = rule_row.id and outcome <> 'none'
    and account in (select account_family(rule_row.workspace, p_account))
    and earned_on >= coalesce(lower(cap_window), '-infinity')
    and earned_on < coalesce(upper(cap_window), 'infinity')
    and (p_made_by is null or created_at <= p_made_by);
  return greatest(
    trunc((rule_row.cap ->> 'points')::numeric * ('1e' || program_row.decimals)::numeric)::bigint
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
  account_row account;
  program_row program;
  rule_row earning_rule;
  earning_row earning;
  tier_factor numeric;
  counted_on timestamptz;
  matched int := 0;
begin
  if not exists (
    select from earning_rule join account on account.workspace = earning_rule.workspace
      and account.program = earning_rule.program
    where earning_rule.workspace = p_workspace and account.id = p_account
      and earning_rule.trigger = p_trigger and earning_rule.active) then
    return 0;
  end if;
  account_row := account_locked(p_workspace, p_account);
  -- as points_post does, before points are reckoned in them
  if account_row.balance = 0 and account_row.lifetime_points = 0 then
    perform decimals_keep(p_workspace, account_row.program);
  end if;
  select * into program_row from program where workspace = p_workspace and id = account_row.program;
  tier_factor := tier_multiplier(program_row, account_row.tier);
  counted_on := earning_counted_on(account_row, p_on, p_at);
  for rule_row in
    select * from earning_rule
    where earning_rule.workspace = p_workspace and earning_rule.program = account_row.program
      and earning_rule.trigger = p_trigger and earning_rule.active
    order by earning_rule.created_at, earning_rule.id
  loop
    earning_row := earning_decision(program_row, rule_row, account_row, tier_factor, p_amount,
      p_currency, p_metadata, p_on, counted_on, p_at, null);
    continue when earning_row.terms is null;
    matched := matched + 1;
    continue when exists (
      select from earning
      where workspace = p_workspace and source = p_source and rule = rule_row.id
        and not (p_again and outcome = 'none' and clawed = 0));
    earning_row.source := p_source;
    earning_row.payment := p_payment;
    earning_row.ptx_source := p_ptx_source || jsonb_build_object('rule', rule_row.id);
    if earning_row.outcome = 'earned' then
      earning_row := earning_post(earning_row, p_at);
    end if;
    perform earning_write(earning_row);
  end loop;
  return case when account_row.status = 'closed' and matched > 0 then -1 else matched end;
end $$;

-- Writes an earning in place of one of its source, rule and account that earned nothing.
create or replace function ledger_private.earning_write(earning_row earning) returns void
language plpgsql as $$
begin
  insert into earning as old (workspace, id, source, payment, rule, account, program, outcome,
    reason, points, clawed, terms, ptx_source, earned_on, matures_at, transaction, created_at, tier,
    rounding, uncapped, cap_left)
  values (earning_row.workspace, earning_row.id, earning_row.source, earning_row.payment,
    earning_row.rule, earning_row.account, earning_row.program, earning_row.outcome,
    earning_row.reason, earning_row.points, earning_row.clawed, earning_row.terms,
    earning_row.ptx_source, earning_row.earned_on, earning_row.matures_at,
    earning_row.transaction, earning_row.created_at, earning_row.tier, earning_row.rounding,
    earning_row.uncapped, earning_row.cap_left)
  on conflict (workspace, source, rule, account) do update
    set outcome = excluded.outcome, reason = excluded.reason, points = excluded.points,
      terms = excluded.terms, earned_on = excluded.earned_on, matures_at = excluded.matures_at,
      transaction = excluded.transaction, created_at = excluded.created_at, tier = excluded.tier,
      rounding = excluded.rounding, uncapped = excluded.uncapped, cap_left = excluded.cap_left
    where old.outcome = 'none';
end $$;

-- What the account earns by one rule of something that happened at `p_on`, counted at
-- `p_counted_on`: at once or after its days, within the rule's cap, or `none` and the first reason
-- why. Whoever earns, asks what would be earned or why nothing was, asks this. It writes nothing.
-- `terms`, the rule as it is, are null where it does not speak of it at all. `p_made_by`: see
-- earning_cap_left.
create or replace function ledger_private.earning_decision(
  program_row program, rule_row earning_rule, account_row account, p_tier_factor numeric,
  p_amount bigint, p_currency text, p_metadata jsonb, p_on timestamptz, p_counted_on timestamptz,
  p_at timestamptz, p_made_by timestamptz
) returns earning
language plpgsql as $$
declare
  earning_row earning;
begin
  earning_row.workspace := rule_row.workspace;
  earning_row.rule := rule_row.id;
  earning_row.account := account_row.id;
  earning_row.program := program_row.id;
  earning_row.points := 0;
  earning_row.clawed := 0;
  earning_row.outcome := 'none';
  earning_row.reason := earning_rule_mismatch(rule_row, p_amount, p_currency, p_metadata, p_on);
  if earning_row.reason is not null then
    return earning_row;
  end if;
  earning_row.uncapped := earning_points(rule_row.award, rule_row.multiplier, p_tier_factor,
    p_amount, p_currency, program_row.decimals, program_row.rounding);
  if earning_row.uncapped is null then
    earning_row.reason := 'currency_not_awarded';
    return earning_row;
  end if;
  earning_row.id := vinr_id('ern');
  earning_row.terms := earning_terms(rule_row, p_tier_factor);
  earning_row.tier := account_row.tier;
  earning_row.rounding := program_row.rounding;
  earning_row.cap_left := earning_cap_left(program_row, rule_row, account_row.id, p_counted_on,
    p_made_by);
  earning_row.earned_on := p_counted_on;
  earning_row.matures_at := p_counted_on + rule_row.pending_days * interval '1 day';
  earning_row.created_at := p_at;
  earning_row.reason := case when account_row.status = 'closed' then 'account_closed'
    when earning_row.uncapped = 0 then 'nothing_left'
    when earning_row.cap_left = 0 then 'cap_reached' end;
  if earning_row.reason is null then
    earning_row.points := least(earning_row.uncapped, earning_row.cap_left);
    earning_row.outcome := case when earning_row.matures_at > p_at then 'pending'
      else 'earned' end;
  end if;
  return earning_row;
end $$;

-- A rule as an earning keeps it, with the multiplier of the member's tier.
create or replace function ledger_private.earning_terms(
  rule_row earning_rule, p_tier_factor numeric
) returns jsonb
language sql immutable as $$
  select jsonb_build_object('trigger', rule_row.trigger, 'award', rule_row.award, 'multiplier',
    rule_row.multiplier, 'tier_multiplier', p_tier_factor, 'cap', rule_row.cap, 'conditions',
    rule_row.conditions, 'pendingDays', rule_row.pending_days, 'name', rule_row.name)
$$;

-- When something that happened at `p_on` counts: then, or when the account was there, if that is
-- later; not after `p_at`, for another payment may have enrolled the customer while this one
-- waited.
create or replace function ledger_private.earning_counted_on(
  account_row account, p_on timestamptz, p_at timestamptz
) returns timestamptz
language sql immutable as $$
  select greatest(p_on, least(greatest(account_row.created_at, account_row.enrolled_at), p_at))
$$;

-- Credits an earning, less what refunds took of it while it was pending. Returns it with its ptx;
-- `none` where nothing is left, or the account was closed meanwhile.
create or replace function ledger_private.earning_post(
  earning_row earning, p_at timestamptz
) returns earning
language plpgsql as $$
declare
  posted jsonb;
begin
  if earning_row.points = earning_row.clawed then
    earning_row.outcome := 'none';
    earning_row.reason := 'refunded';
    return earning_row;
  end if;
  posted := points_post(earning_row.workspace, earning_row.account, 'earn',
    earning_row.points - earning_row.clawed,
    coalesce(earning_row.terms ->> 'name', earning_row.terms ->> 'trigger'),
    'earn:' || earning_row.source || ':' || earning_row.rule || ':' || earning_row.account, null,
    p_at, null, null,
    earning_row.ptx_source || jsonb_build_object('terms', earning_row.terms), '{}', false);
  if posted ->> 'outcome' = 'refused' then
    earning_row.outcome := 'none';
    earning_row.reason := posted #>> '{refusal,code}';
    return earning_row;
  end if;
  earning_row.outcome := 'earned';
  earning_row.transaction := posted #>> '{transaction,id}';
  return earning_row;
end $$;

-- Credits what has become due of a source's pending earnings. The caller holds the source's lock.
-- Returns when the next one matures; null where none waits.
create or replace function ledger_private.earnings_mature(
  p_workspace text, p_source text, p_at timestamptz
) returns timestamptz
language plpgsql as $$
declare
  earning_row earning;
  next_at timestamptz := earning_next_maturity(p_workspace, p_source);
begin
  if next_at is null or next_at > p_at then
    return next_at;
  end if;
  for earning_row in
    select * from earning
    where workspace = p_workspace and source = p_source and outcome = 'pending'
      and matures_at <= p_at
    order by account, id
  loop
    perform account_locked(p_workspace, earning_row.account);
    select * into earning_row from earning where workspace = p_workspace and id = earning_row.id
      and outcome = 'pending';
    continue when not found;
    earning_row := earning_post(earning_row, p_at);
    update earning set outcome = earning_row.outcome, reason = earning_row.reason,
      transaction = earning_row.transaction
    where workspace = p_workspace and id = earning_row.id;
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
  account_row account, p_at timestamptz
) returns int
language plpgsql as $$
declare
  matched int;
  matures_at timestamptz;
begin
  if exists (
    select from accounts_had(account_row.workspace, account_row.program, account_row.customer,
      account_row.id) had
    join earning on earning.workspace = account_row.workspace and earning.source = had
      and earning.outcome <> 'none') then
    return 0;
  end if;
  matched := earning_award(account_row.workspace, account_row.id, 'loyalty.account.created',
    account_row.id, null, null, null, '{}',
    '{"event": "loyalty.account.created"}', p_at, p_at);
  if matched > 0 then
    matures_at := earning_next_maturity(account_row.workspace, account_row.id);
    if matures_at is not null then
      perform source_outbox(account_row.workspace, account_row.id, null, null, matures_at, false,
        matures_at, null, 'changed');
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
  account_row account;
begin
  if p_customer is not null then
    for account_row in
      -- survivors first: under row security no function of another row looks into an index. Nor
      -- does a text of another collation, which all arguments have of a row's own workspace.
      with former as materialized (
        select account_survivor(workspace, id) as survivor, status, created_at from account
        where workspace = p_workspace and customer = p_customer collate "default"
      )
      select distinct on (survivor.program) survivor.*
      from former
      join account survivor on survivor.workspace = p_workspace and survivor.id = former.survivor
      join program on program.workspace = survivor.workspace and program.id = survivor.program
      where (p_on is null or former.created_at <= p_on or program.auto_enroll)
      order by survivor.program, survivor.status <> 'active', former.status = 'merged',
        survivor.created_at desc, survivor.id desc
    loop
      programs := programs || account_row.program::text;
      return next account_row;
    end loop;
  end if;
  return query
    select named.* from account_named(p_workspace, p_metadata) named
    where named.program <> all (programs) and (p_on is null or named.created_at <= p_on);
end $$;

-- The programs that enrol this customer by themselves: those that have no account of theirs, closed
-- ones included: who left is not brought back; nor one where the metadata names a member, who is
-- meant.
create or replace function ledger_private.programs_enrolling(
  p_workspace text, p_customer text, p_metadata jsonb
) returns setof program
language sql stable as $$
  select * from program
  where program.workspace = p_workspace and program.auto_enroll
    and not exists (select from account where account.workspace = p_workspace
      and account.program = program.id and account.customer = p_customer collate "default")
    and not exists (select from account_named(p_workspace, p_metadata) named
      where named.program = program.id)
$$;

-- Enrols a customer into every program that enrols them by itself. Returns the new accounts' ids.
-- Concurrent enrolments of one customer make one account.
create or replace function ledger_private.earning_enrol(
  p_workspace text, p_customer text, p_metadata jsonb, p_on timestamptz, p_at timestamptz
) returns setof text
language plpgsql as $$
declare
  enrolling record;
  account_row account;
begin
  if p_customer is null then
    return;
  end if;
  for enrolling in
    select id from programs_enrolling(p_workspace, p_customer, p_metadata) order by id
  loop
    account_row := account_enrol(p_workspace, vinr_id('loy'), enrolling.id, p_customer, '{}',
      least(p_on, p_at), p_at);
    continue when account_row.id is null;
    return next account_row.id;
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
  earning_row earning, payment_row payment, p_at timestamptz
) returns void
language plpgsql as $$
declare
  refund_row record;
  standing bigint;
  refunds int;
  target bigint;
begin
  select coalesce(sum(refund.amount), 0), count(*) into standing, refunds
  from clawback join refund on refund.workspace = clawback.workspace and refund.id = clawback.refund
  where clawback.workspace = earning_row.workspace and clawback.earning = earning_row.id
    and not clawback.undone;
  for refund_row in
    select refund.*, clawback.refund is not null as counted
    from refund left join clawback on clawback.workspace = refund.workspace
      and clawback.refund = refund.id and clawback.earning = earning_row.id
    where refund.workspace = payment_row.workspace and refund.payment = payment_row.id
      and case when clawback.refund is null then refund.status <> 'failed'
        else refund.status = 'failed' and not clawback.undone end
    order by refund.status = 'failed' desc, refund.created_at, refund.id
  loop
    standing := standing + case when refund_row.counted then -refund_row.amount
      else refund_row.amount end;
    refunds := refunds + case when refund_row.counted then -1 else 1 end;
    -- a payment that charged nothing is refunded by 0, once its store credit is back as well
    target := case when payment_row.amount_charged = 0 and payment_row.store_credit = 0
      and refunds > 0
      then earning_row.points
      else clawback_target(earning_row.points, standing, payment_row.amount_charged) end;
    if refund_row.counted then
      perform clawback_undo(earning_row, refund_row.id, earning_row.clawed - target, p_at);
    else
      perform clawback_take(earning_row, refund_row.id, refund_row.kind,
        target - earning_row.clawed, p_at);
    end if;
    earning_row.clawed := target;
    update earning set clawed = target where workspace = earning_row.workspace
      and id = earning_row.id;
  end loop;
end $$;

-- Takes a refund's share back. A pending earning only shrinks. Otherwise from the earning's own lot
-- first; what of that lot has expired is not taken again; the rest from the oldest lots, then as a
-- deficit, or forgiven where the program does not allow one.
create or replace function ledger_private.clawback_take(
  earning_row earning, p_refund text, p_kind text, p_share bigint, p_at timestamptz
)
returns void
language plpgsql as $$
declare
  clawback_row clawback;
  account_row account;
  from_own_lot bigint := 0;
  wanted bigint;
begin
  clawback_row.workspace := earning_row.workspace;
  clawback_row.earning := earning_row.id;
  clawback_row.refund := p_refund;
  clawback_row.taken := 0;
  clawback_row.shrunk := 0;
  clawback_row.expired := 0;
  clawback_row.forgiven := 0;
  clawback_row.undone := false;
  clawback_row.created_at := p_at;
  if earning_row.transaction is null then
    clawback_row.shrunk := p_share;
  elsif p_share > 0 then
    account_row := lots_expire(account_locked(earning_row.workspace, earning_row.account), p_at);
    select least(remaining, p_share) into from_own_lot from lot
    where workspace = earning_row.workspace and id = earning_row.transaction
      and account = account_row.id;
    from_own_lot := coalesce(from_own_lot, 0);
    clawback_row.expired := least(p_share - from_own_lot, clawback_expired(earning_row));
    wanted := p_share - clawback_row.expired;
    clawback_row.taken := case
      when (select clawback_allow_negative from program
        where workspace = account_row.workspace and id = account_row.program) then wanted
      else least(wanted, greatest(account_row.balance, 0)) end;
    clawback_row.forgiven := wanted - clawback_row.taken;
    if clawback_row.taken > 0 then
      clawback_row.transaction := points_claw(account_row, earning_row, p_refund, p_kind,
        from_own_lot, clawback_row.taken, p_at);
      perform deficit_follow(account_row.workspace, account_row.id, p_at);
    end if;
  end if;
  insert into clawback (workspace, earning, refund, taken, shrunk, expired, forgiven, transaction,
    undone, created_at)
  values (clawback_row.workspace, clawback_row.earning, clawback_row.refund, clawback_row.taken,
    clawback_row.shrunk, clawback_row.expired, clawback_row.forgiven, clawback_row.transaction,
    clawback_row.undone, clawback_row.created_at);
end $$;

-- How much of the earning is gone already, by expiry of its own lot or by a reversal of its ptx,
-- and was not counted by an earlier refund.
create or replace function ledger_private.clawback_expired(earning_row earning) returns bigint
language sql stable as $$
  select greatest(0,
    -- a lot without a date cannot have expired, and one with a date only after it was earned
    case when (select expires_at is not null from lot where workspace = earning_row.workspace
      and id = earning_row.transaction) then
      coalesce((select sum(allocation.amount) from lot
        join ptx on ptx.workspace = lot.workspace
          and ptx.account in (lot.account, earning_row.account)
          and ptx.id > lot.id and ptx.type = 'expire'
        join allocation on allocation.workspace = ptx.workspace and allocation.debit = ptx.id
          and allocation.lot = lot.id
        where lot.workspace = earning_row.workspace and lot.id = earning_row.transaction), 0)
    else 0 end
    - coalesce((select sum(amount) from ptx
      where workspace = earning_row.workspace and reverses = earning_row.transaction
        and amount < 0), 0)
    - coalesce((select sum(expired) from clawback where workspace = earning_row.workspace
      and earning = earning_row.id), 0))::bigint
$$;

-- Writes the clawback: `p_own` points from the earning's lot, the rest oldest-first, then the
-- deficit. The account's lock is held, what was due has expired. Returns the ptx's id.
create or replace function ledger_private.points_claw(
  account_row account, earning_row earning, p_refund text, p_kind text, p_own bigint,
  p_points bigint, p_at timestamptz
) returns text
language plpgsql as $$
declare
  debit text := vinr_id('ptx');
begin
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation,
    payment, refund, source, at, created_at)
  values (account_row.workspace, debit, account_row.id, account_row.program, 'clawback', -p_points,
    account_row.balance - p_points, p_kind, 'claw:' || earning_row.id || ':' || p_refund,
    earning_row.payment, p_refund, clawback_source(earning_row, p_refund, p_kind),
    p_at, clock_timestamp());
  update account set balance = balance - p_points where workspace = account_row.workspace
    and id = account_row.id;
  if p_own > 0 then
    update lot set remaining = remaining - p_own where workspace = account_row.workspace
      and id = earning_row.transaction;
    insert into allocation (workspace, debit, lot, cause, amount)
      values (account_row.workspace, debit, earning_row.transaction, debit, p_own);
  end if;
  if p_points > p_own then
    perform lots_take(account_row.workspace, account_row.id, debit, p_points - p_own);
  end if;
  perform event_of_ptx(account_row.workspace, 'loyalty.points.clawed_back', debit, p_at);
  return debit;
end $$;

-- What the ptx of a clawback says of its cause.
create or replace function ledger_private.clawback_source(
  earning_row earning, p_refund text, p_kind text
) returns jsonb
language sql immutable as $$
  select jsonb_build_object('refund', p_refund, 'payment', earning_row.payment, 'rule',
    earning_row.rule)
    || case when p_kind = 'dispute' then jsonb_build_object('dispute', p_refund) else '{}' end
$$;

-- A refund failed: gives back `p_points`, what the target fell by; of its own share first, the
-- point that rounding may lack from the others'. What was forgiven, or had expired, was never
-- taken.
create or replace function ledger_private.clawback_undo(
  earning_row earning, p_refund text, p_points bigint, p_at timestamptz
) returns void
language plpgsql as $$
declare
  clawback_row clawback;
  rest bigint := p_points;
  part bigint;
begin
  for clawback_row in
    select * from clawback where clawback.workspace = earning_row.workspace
      and clawback.earning = earning_row.id
    order by clawback.refund = p_refund desc, clawback.created_at desc, clawback.refund desc
  loop
    if clawback_row.refund = p_refund then
      clawback_row.undone := true;
    end if;
    part := least(rest, clawback_row.forgiven);
    clawback_row.forgiven := clawback_row.forgiven - part;
    rest := rest - part;
    part := least(rest, clawback_row.expired);
    clawback_row.expired := clawback_row.expired - part;
    rest := rest - part;
    part := least(rest, clawback_row.shrunk);
    clawback_row.shrunk := clawback_row.shrunk - part;
    rest := rest - part;
    if part > 0 and earning_row.outcome <> 'pending' then
      perform points_unclaw(earning_row, p_refund, clawback_row, part, false, p_at);
    end if;
    part := least(rest, clawback_row.taken);
    clawback_row.taken := clawback_row.taken - part;
    rest := rest - part;
    if part > 0 then
      perform points_unclaw(earning_row, p_refund, clawback_row, part, true, p_at);
    end if;
    update clawback set taken = clawback_row.taken, shrunk = clawback_row.shrunk,
      expired = clawback_row.expired, forgiven = clawback_row.forgiven, undone = clawback_row.undone
    where workspace = clawback_row.workspace and earning = clawback_row.earning
      and refund = clawback_row.refund;
  end loop;
  if rest <> 0 then
    raise exception 'earning % has % points less to give back than refund % took', earning_row.id,
      rest, p_refund;
  end if;
end $$;

-- The points of a failed refund come back, as a positive clawback: to the lots that it took them
-- from, or as a lot of their own where the earning had only shrunk before it was credited.
create or replace function ledger_private.points_unclaw(
  earning_row earning, p_refund text, clawback_row clawback, p_points bigint, p_taken boolean,
  p_at timestamptz
) returns void
language plpgsql as $$
declare
  account_row account := lots_expire(account_locked(earning_row.workspace, earning_row.account),
    p_at);
  program_row program;
  ptx_row ptx;
begin
  ptx_row.workspace := account_row.workspace;
  ptx_row.id := vinr_id('ptx');
  ptx_row.account := account_row.id;
  ptx_row.program := account_row.program;
  ptx_row.type := 'clawback';
  ptx_row.amount := p_points;
  ptx_row.balance_after := account_row.balance + p_points;
  ptx_row.reason := 'refund_failed';
  ptx_row.operation := 'unclaw:' || earning_row.id || ':' || p_refund || ':' || clawback_row.refund
    || case when p_taken then '' else ':shrunk' end;
  ptx_row.payment := earning_row.payment;
  ptx_row.refund := p_refund;
  ptx_row.source := clawback_source(earning_row, p_refund, 'refund');
  ptx_row.reverses := case when p_taken then clawback_row.transaction end;
  ptx_row.metadata := '{}';
  ptx_row.at := p_at;
  ptx_row.created_at := clock_timestamp();
  select * into program_row from program where workspace = account_row.workspace
    and id = account_row.program;
  if not p_taken then
    ptx_row.expires_at := points_expiry(program_row, p_at);
  end if;
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation,
    fingerprint, redemption, payment, refund, source, reverses, batch, expires_at, metadata, at,
    created_at)
  values (ptx_row.workspace, ptx_row.id, ptx_row.account, ptx_row.program, ptx_row.type,
    ptx_row.amount, ptx_row.balance_after, ptx_row.reason, ptx_row.operation, ptx_row.fingerprint,
    ptx_row.redemption, ptx_row.payment, ptx_row.refund, ptx_row.source, ptx_row.reverses,
    ptx_row.batch, ptx_row.expires_at, ptx_row.metadata, ptx_row.at, ptx_row.created_at);
  perform event_of_ptx(account_row.workspace, 'loyalty.points.reversed', ptx_row.id, p_at);
  if not p_taken then
    perform points_credit(account_row, ptx_row, program_row, false);
    perform deficit_settle(account_row.workspace, account_row.id, p_at);
    return;
  end if;
  perform points_came_back(account_row, program_row, ptx_row, clawback_row.transaction, p_at);
end $$;

-- A renewal is told twice, as a payment and as an invoice, and earns once. In a program with a rule
-- of `invoice.paid` that may match, a payment that names its invoice leaves it to that; if no such
-- rule matched then, it earns as a payment after all. Where only the invoice names its payment,
-- whichever came first earns.

-- Whether what this payment would earn for the account is its invoice's to earn: it has, or it may
-- when it comes. A part of it that redemptions paid (a checkout session's) is no renewal of its
-- own.
create or replace function ledger_private.payment_left_to_invoice(
  payment_row payment, account_row account, p_on timestamptz, p_again boolean
)
returns boolean
language plpgsql stable as $$
begin
  if exists (
    select from earning
    where workspace = payment_row.workspace and payment = payment_row.id
      and source <> payment_row.id and program = account_row.program
      and outcome <> 'none' and terms ->> 'trigger' = 'invoice.paid') then
    return true;
  end if;
  if payment_row.invoice is null then
    return false;
  end if;
  if payment_row.amount_charged = 0 then
    return true;
  end if;
  return not p_again and invoice_facts(payment_row.workspace, payment_row.invoice) is null
    and exists (
    select from earning_rule
    where workspace = payment_row.workspace and program = account_row.program
      and trigger = 'invoice.paid' and active
      and earning_rule_matches(earning_rule, payment_row.amount_charged, payment_row.currency,
        conditions -> 'metadata', p_on)
      and earning_points(award, 1, 1, payment_row.amount_charged, payment_row.currency, 0,
        'down') is not null);
end $$;

-- What an invoice that came in says; null where none has.
create or replace function ledger_private.invoice_facts(
  p_workspace text, p_invoice text
) returns jsonb
language plpgsql stable as $$
begin
  return (
    select facts from inbox
    where workspace = p_workspace and payment = p_invoice
      and facts ->> 'trigger' = 'invoice.paid'
    order by received_at, id limit 1);
end $$;

-- The payment that names this invoice and paid it; null where none is known.
create or replace function ledger_private.payment_of_invoice(
  p_workspace text, p_invoice text
) returns text
language plpgsql stable as $$
begin
  return (
    select id from payment
    where workspace = p_workspace and invoice = p_invoice and amount_charged > 0
    order by created_at, id limit 1);
end $$;

-- What the invoice of a payment has earned before it is the payment's from now on, for its refunds
-- to take back. The payment's row is locked.
create or replace function ledger_private.earnings_of_invoice(payment_row payment) returns void
language plpgsql as $$
begin
  if payment_row.amount_charged > 0
    and invoice_facts(payment_row.workspace, payment_row.invoice) is not null then
    update earning set payment = payment_row.id
    where workspace = payment_row.workspace and source = payment_row.invoice and payment is null;
  end if;
end $$;

-- Whom a payment earns for, judged once, at the provider's completion time `p_on` (`p_again`, a
-- replay, judges members as they are now): enrols the customer where a program does so by itself.
-- `awards` is false where it was judged before, or does not complete (`p_completes`). `metadata` is
-- its own beside its invoice's, for its rules to be judged by. Locks no account but one that it
-- enrols; the members are locked before payment_settle.
create or replace function ledger_private.payment_award_due(
  payment_row payment, p_completes boolean, p_again boolean, p_on timestamptz, p_at timestamptz,
  out awards boolean, out members text[], out award text, out metadata jsonb
)
language plpgsql as $$
declare
  facts jsonb;
  customer text := payment_row.customer;
  named boolean;
  on_time timestamptz := case when payment_row.status = 'completed'
    then coalesce(payment_row.completed_at, p_at)
    else p_on end;
begin
  awards := false;
  members := '{}';
  metadata := payment_row.metadata;
  if not p_completes then
    return;
  end if;
  if payment_row.invoice is not null then
    facts := invoice_facts(payment_row.workspace, payment_row.invoice);
    customer := coalesce(customer, facts ->> 'customer');
    metadata := coalesce(facts -> 'metadata', '{}') || metadata;
  end if;
  named := customer is not null or metadata ? 'loyalty_account'
    or metadata ? 'client_reference_id' and exists (select
      from account_named(payment_row.workspace, metadata));
  awards := p_again or payment_row.award is null or (payment_row.award = 'unnamed' and named);
  if not awards then
    return;
  end if;
  if named then
    perform earning_enrol(payment_row.workspace, customer, metadata, on_time, p_at);
    select coalesce(array_agg(member.id order by member.id), '{}') into members
    from earning_members(payment_row.workspace, customer, metadata,
      case when not p_again then on_time end) member;
  end if;
  award := case when cardinality(members) > 0 then 'no_rule' when named then 'no_member'
    else 'unnamed' end;
end $$;

-- All that a completed payment as it now stands earns, by payment_award_due: what it should have
-- earned and what its refunds should have taken back, against what is written; the difference is
-- written. The locks of the payment and of all its accounts are held. Returns the payment with its
-- award, which the caller writes. Idempotent.
create or replace function ledger_private.payment_settle(
  payment_row payment, p_awards boolean, p_members text[], p_award text, p_metadata jsonb,
  p_again boolean, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  account_row account;
  earning_row earning;
  on_time timestamptz := coalesce(payment_row.completed_at, p_at);
  matched int;
begin
  if payment_row.invoice is not null then
    perform earnings_of_invoice(payment_row);
  end if;
  if p_awards then
    payment_row.award := p_award;
    payment_row.judged_at := p_at;
    for account_row in
      select * from account where workspace = payment_row.workspace and id = any (p_members)
      order by id
    loop
      continue when payment_left_to_invoice(payment_row, account_row, on_time, p_again);
      matched := earning_award(payment_row.workspace, account_row.id, 'payment.completed',
        payment_row.id, payment_row.id, payment_row.amount_charged, payment_row.currency,
        p_metadata,
        jsonb_build_object('payment', payment_row.id, 'amount', payment_row.amount_charged,
          'currency', payment_row.currency),
        on_time, p_at, p_again);
      payment_row.award := case when matched > 0 or payment_row.award = 'awarded' then 'awarded'
        when matched < 0 then 'account_closed' else payment_row.award end;
    end loop;
  end if;
  if payment_row.refunds <> '[]' or payment_row.disputes <> '[]' then
    for earning_row in
      select * from earning where workspace = payment_row.workspace
        and payment = payment_row.id order by account, id
    loop
      perform earning_settle(earning_row, payment_row, p_at);
    end loop;
  end if;
  if exists (select from program where workspace = payment_row.workspace
    and tier_config is not null) then
    perform tier_spend_of_payment(payment_row, p_members, p_at);
  end if;
  return payment_row;
end $$;

-- Works off the events of a source that earn by themselves, and marks all of its inbox rows
-- processed.
create or replace function ledger_private.earnings_of_events(
  p_workspace text, p_source text, p_at timestamptz
) returns void
language plpgsql as $$
declare
  inbox_row inbox;
begin
  for inbox_row in
    select * from inbox where workspace = p_workspace and payment = p_source
      and processed_at is null
    order by received_at, id
  loop
    if inbox_row.facts is not null then
      perform earning_of_event(inbox_row, p_at);
    end if;
    update inbox set processed_at = p_at where workspace = p_workspace
      and endpoint = inbox_row.endpoint and id = inbox_row.id;
  end loop;
end $$;

-- What an event other than a payment's earns, by its facts: trigger, customer, metadata, amount,
-- currency, noun (subscription, invoice, referral) and, where it names one, the payment whose
-- refunds take it back. An invoice that its payment names has it too; and where that has earned in
-- a program, the invoice does not.
create or replace function ledger_private.earning_of_event(
  inbox_row inbox, p_at timestamptz
) returns void
language plpgsql as $$
declare
  payment_row payment;
  account_row account;
  earning_row earning;
  award_due record;
  members text[];
  paid_by text := coalesce(inbox_row.facts ->> 'payment',
    payment_of_invoice(inbox_row.workspace, inbox_row.payment));
  on_time timestamptz := least(inbox_row.received_at, (inbox_row.facts ->> 'at')::timestamptz);
begin
  select * into payment_row from payment where workspace = inbox_row.workspace
    and id = paid_by for update;
  perform earning_enrol(inbox_row.workspace, inbox_row.facts ->> 'customer',
    inbox_row.facts -> 'metadata', on_time, p_at);
  select coalesce(array_agg(member.id order by member.id), '{}') into members
  from earning_members(inbox_row.workspace, inbox_row.facts ->> 'customer',
    inbox_row.facts -> 'metadata', on_time) member;
  if payment_row.status = 'completed' then
    if payment_row.invoice = inbox_row.payment and payment_row.award <> 'awarded' then
      payment_row.award := null; -- what it left to the invoice may be its own after all
    end if;
    award_due := payment_award_due(payment_row, payment_row.invoice = inbox_row.payment, false,
      null, p_at);
    perform payment_accounts_lock(payment_row, true, '{"named": []}', members || award_due.members);
  else
    perform accounts_lock(inbox_row.workspace, members || array(
      select account::text from earning where workspace = inbox_row.workspace
        and source = inbox_row.payment));
  end if;
  for account_row in
    select * from account where workspace = inbox_row.workspace and id = any (members) order by id
  loop
    continue when inbox_row.facts ->> 'trigger' = 'invoice.paid' and exists (
      select from earning
      where workspace = inbox_row.workspace and payment = paid_by and source = paid_by
        and program = account_row.program
        and outcome <> 'none');
    perform earning_award(inbox_row.workspace, account_row.id, inbox_row.facts ->> 'trigger',
      inbox_row.payment, paid_by, (inbox_row.facts ->> 'amount')::bigint,
      inbox_row.facts ->> 'currency', inbox_row.facts -> 'metadata',
      jsonb_strip_nulls(jsonb_build_object('event', inbox_row.id,
        inbox_row.facts ->> 'noun', inbox_row.payment, 'payment', paid_by,
        'amount', (inbox_row.facts ->> 'amount')::bigint,
        'currency', inbox_row.facts ->> 'currency')),
      on_time, p_at);
  end loop;
  if payment_row.status = 'completed' and payment_row.invoice = inbox_row.payment then
    payment_row := payment_settle(payment_row, award_due.awards, award_due.members, award_due.award,
      award_due.metadata, false, p_at);
    payment_row.revision := next_revision(payment_row.revision);
    perform payment_write(payment_row, true);
    perform payment_outbox(payment_row, payment_row.status, true,
      earning_next_maturity(payment_row.workspace, payment_row.id),
      false);
  elsif payment_row.status = 'completed' then
    for earning_row in
      select * from earning where workspace = inbox_row.workspace and source = inbox_row.payment
        and payment = payment_row.id order by account, id
    loop
      perform earning_settle(earning_row, payment_row, p_at);
    end loop;
  end if;
end $$;
