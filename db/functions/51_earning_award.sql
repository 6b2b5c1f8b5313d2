-- Every rule of the account's program with this trigger that matches writes its own earning, and its
-- own ptx or, with pending days, the date on which it will. Once for each (source, rule), whoever the
-- source belongs to meanwhile: a repeat writes nothing. The source's lock is held. `p_on` is the provider's
-- time, by which rules are judged; caps and pending days count from when the account was there, if that is
-- later: a payment of before would find each day's cap untouched. `p_again` (a replay) gives another chance to what earned
-- nothing. `p_ptx_source` goes onto the ptx, with the rule as it was beside it. Locks the account.
-- Returns how many rules matched; -1 where the account is closed, which earns nothing and is recorded.
create or replace function earning_award(
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
  cap_left bigint;
  counted_on timestamptz;
  matched int := 0;
begin
  if not exists (
    select from earning_rule x join account o on o.workspace = x.workspace and o.program = x.program
    where x.workspace = p_workspace and o.id = p_account and x.trigger = p_trigger and x.active) then
    return 0;
  end if;
  a := account_locked(p_workspace, p_account);
  if a.balance = 0 and a.lifetime_points = 0 then -- as points_post does, before points are reckoned in them
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
    e.points := earning_points(r.award, r.multiplier, tier, p_amount, p_currency, p.decimals, p.rounding);
    continue when e.points is null;
    matched := matched + 1;
    continue when exists (
      select from earning x
      where x.workspace = p_workspace and x.source = p_source and x.rule = r.id
        and not (p_again and x.outcome = 'none' and x.clawed = 0));
    cap_left := earning_cap_left(p, r, a.id, counted_on);
    e.reason := case when a.status = 'closed' then 'account_closed' when e.points = 0 then 'nothing_left'
      when cap_left = 0 then 'cap_reached' end;
    e.points := case when e.reason is null then least(e.points, cap_left) else 0 end;
    e.workspace := p_workspace;
    e.id := vinr_id('ern');
    e.source := p_source;
    e.payment := p_payment;
    e.rule := r.id;
    e.account := a.id;
    e.program := a.program;
    e.clawed := 0;
    e.terms := jsonb_build_object('trigger', r.trigger, 'award', r.award, 'multiplier', r.multiplier,
      'tier_multiplier', tier, 'cap', r.cap, 'conditions', r.conditions, 'pendingDays', r.pending_days, 'name', r.name);
    e.ptx_source := p_ptx_source || jsonb_build_object('rule', r.id);
    e.earned_on := counted_on;
    e.matures_at := counted_on + r.pending_days * interval '1 day';
    e.created_at := p_at;
    e.outcome := case when e.reason is not null then 'none' when e.matures_at > p_at then 'pending' else 'earned' end;
    if e.outcome = 'earned' then
      e := earning_post(e, p_at);
    end if;
    insert into earning as old values (e.*)
    on conflict (workspace, source, rule, account) do update set (outcome, reason, points, terms, earned_on,
      matures_at, transaction, created_at) = (excluded.outcome, excluded.reason, excluded.points, excluded.terms,
      excluded.earned_on, excluded.matures_at, excluded.transaction, excluded.created_at)
      where old.outcome = 'none';
  end loop;
  return case when a.status = 'closed' and matched > 0 then -1 else matched end;
end $$;

-- Credits an earning, less what refunds took of it while it was pending. Returns it with its ptx;
-- `none` where nothing is left, or the account was closed meanwhile.
create or replace function earning_post(e earning, p_at timestamptz) returns earning
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
create or replace function earnings_mature(p_workspace text, p_source text, p_at timestamptz) returns timestamptz
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
    where workspace = p_workspace and source = p_source and outcome = 'pending' and matures_at <= p_at
    order by account, id
  loop
    perform account_locked(p_workspace, e.account);
    select * into e from earning where workspace = p_workspace and id = e.id and outcome = 'pending';
    continue when not found;
    e := earning_post(e, p_at);
    update earning set outcome = e.outcome, reason = e.reason, transaction = e.transaction
    where workspace = p_workspace and id = e.id;
  end loop;
  return earning_next_maturity(p_workspace, p_source);
end $$;

create or replace function earning_next_maturity(p_workspace text, p_source text) returns timestamptz
language plpgsql stable as $$
begin
  return (
    select min(matures_at) from earning
    where workspace = p_workspace and source = p_source and outcome = 'pending');
end $$;

-- What the account has earned and does not have yet, less what refunds took of it. Smallest unit.
create or replace function account_pending(p_workspace text, p_account text) returns bigint
language plpgsql stable as $$
begin
  return (
    select coalesce(sum(e.points - e.clawed), 0)::bigint from earning e
    where e.workspace = p_workspace and e.outcome = 'pending'
      and e.account in (select account_family(p_workspace, p_account)));
end $$;

-- The welcome: rules with the trigger loyalty.account.created, once for each account, and for each customer
-- in a program, whatever accounts they had there. One that is credited later waits in a workflow of its own.
drop function if exists earning_for_new_account(text, text, timestamptz);
create or replace function earning_for_new_account(a account, p_at timestamptz) returns int
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
  matched := earning_award(a.workspace, a.id, 'loyalty.account.created', a.id, null, null, null, '{}',
    '{"event": "loyalty.account.created"}', p_at, p_at);
  if matched > 0 then
    matures_at := earning_next_maturity(a.workspace, a.id);
    if matures_at is not null then
      perform source_outbox(a.workspace, a.id, null, null, matures_at, false, matures_at, null, 'changed');
    end if;
  end if;
  return matched;
end $$;
