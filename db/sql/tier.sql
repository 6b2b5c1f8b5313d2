-- Tiers: what a member has reached, keeps and loses. The walk over a program's members after a
-- change of its tiers. Where it stands is one row, so that whoever goes on with it begins where the
-- last one stopped; judging a member twice changes nothing.

-- The review that a member's workflow waits for: judges the tier at `p_at` and says when to come
-- back (null: never, or the account is merged or gone). `p_resume`: that run was lost, and begins
-- again for the next review. Safe to repeat and to run early or late.
create or replace function ledger.tier_review(
  p_workspace text, p_account text, p_at timestamptz, p_resume boolean default false
) returns jsonb
language plpgsql as $$
declare
  a account;
  p program;
  before text;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || p_account, 0));
  select * into a from account where workspace = p_workspace and id = p_account;
  if a.id is null or a.status = 'merged' then
    return jsonb_build_object('found', false, 'tier', null, 'changed', false, 'review_at', null);
  end if;
  before := a.tier;
  select * into p from program where workspace = p_workspace and id = a.program;
  if p.tier_config is not null then
    a := tier_assess(a, p, p_at, 'qualified');
    if p_resume and a.tier_review_at is not null then
      perform tier_review_outbox(a, 'changed');
    end if;
  elsif a.tier_review_at is not null then
    update account set tier_review_at = null
    where workspace = p_workspace and id = p_account returning * into a;
  end if;
  return jsonb_build_object('found', true, 'tier', a.tier, 'changed',
    a.tier is distinct from before,
    'review_at', a.tier_review_at);
end $$;

-- Sets a member's tier by hand, where the program says that tiers are custom. Idempotent by the
-- request's key. Outcomes: set; unchanged; replayed. Refused: resource_missing; account_merged;
-- parameter_invalid (no such tier, or tiers that points or spend decide).
create or replace function ledger.tier_set(
  p_workspace text, p_account text, p_tier text, p_note text, p_route text, p_key text,
  p_fingerprint text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  a account;
  p program;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if account_request(p_workspace, p_route, p_key, p_fingerprint, p_account, p_at) is not null then
    return account_outcome(p_workspace, p_account, 'replayed');
  end if;
  a := account_to_change(p_workspace, p_account);
  if a.id is null then
    perform refuse(jsonb_build_object('code', 'resource_missing', 'account', p_account));
  end if;
  select * into p from program where workspace = p_workspace and id = a.program;
  if coalesce(tier_qualify_on(p), 'none') <> 'custom'
    or (p_tier is not null and tier_named(p, p_tier) is null) then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'tier',
      'qualify_on', coalesce(tier_qualify_on(p), 'none')));
  end if;
  if a.tier is not distinct from p_tier then
    return account_outcome(p_workspace, p_account, 'unchanged');
  end if;
  perform tier_write(a, p, tier_named(p, p_tier), null, 'set', p_note, p_at);
  return account_outcome(p_workspace, p_account, 'set');
end $$;

-- What the API shows of accounts' tiers beside their name: what counts, what the next tier still
-- needs, and when the present one falls if nothing more is earned. For programs with tiers only;
-- writes nothing.
create or replace function ledger.tier_standing(
  p_workspace text, p_accounts text[], p_at timestamptz
)
returns table (account text, qualify_on text, qualifying bigint, next_tier jsonb,
  next_threshold bigint, lapses_at timestamptz)
language sql stable as $$
  select a.id, tier_qualify_on(p), counts.now, above.tier,
    tier_threshold(p, above.tier), tier_lapses_at(a, p, p_at)
  from account a
  join program p on p.workspace = a.workspace and p.id = a.program and p.tier_config is not null
  cross join lateral (select case when tier_qualify_on(p) <> 'custom'
    then tier_qualifying(a, p, p_at, '0') end as now) counts
  left join lateral (
    select one.value as tier from jsonb_array_elements(p.tier_config -> 'tiers') one
    where (one.value ->> 'rank')::int > coalesce((tier_named(p, a.tier) ->> 'rank')::int, -1)
    order by (one.value ->> 'rank')::int limit 1
  ) above on true
  where a.workspace = p_workspace and a.id = any(p_accounts) and a.status <> 'merged'
$$;

-- Calls for a walk, in the transaction that changes the tiers, and writes the outbox row of its
-- run. One under way starts over.
create or replace function ledger.tier_reassess_begin(
  p_workspace text, p_program text, p_at timestamptz
) returns void
language sql as $$
  insert into tier_reassessment as r (workspace, program, progressed_at)
    values (p_workspace, p_program, p_at)
  on conflict (workspace, program) do update
  set revision = r.revision + 1, through = '', judged = 0, progressed_at = p_at, ended_at = null;
  select tier_reassess_outbox(p_workspace, p_program)
$$;

-- Writes that the run of a program's walk must look at where it stands, or begin again where it was
-- lost.
create or replace function ledger.tier_reassess_outbox(
  p_workspace text, p_program text
) returns void
language plpgsql as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  perform outbox_write(p_workspace, p_workspace || '/' || p_program || '/tiers', 'tierReassessment',
    jsonb_build_object('workspace', p_workspace, 'program', p_program), null, '{}', null,
    'changed');
end $$;

-- The next members to judge, in id order; `accounts` is empty at the end of the walk. Outcomes:
-- open; ended (or never called for). Writes nothing.
create or replace function ledger.tier_reassess_page(
  p_workspace text, p_program text, p_most int
) returns jsonb
language plpgsql as $$
declare
  r tier_reassessment;
  page jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into r from tier_reassessment where workspace = p_workspace and program = p_program;
  if r.program is null or r.ended_at is not null then
    return jsonb_build_object('outcome', 'ended', 'judged', coalesce(r.judged, 0));
  end if;
  select coalesce(jsonb_agg(x.id order by x.id), '[]') into page from (
    select a.id from account a
    where a.workspace = p_workspace and a.program = p_program and a.id > r.through
      and a.status <> 'merged'
    order by a.id limit p_most
  ) x;
  return jsonb_build_object('outcome', 'open', 'revision', r.revision, 'judged', r.judged,
    'accounts', page);
end $$;

-- Judges one member by the program's tiers as they are now: promotion at once, demotion after the
-- grace, which begins now where less counts than the tier asks for. A tier that the program no
-- longer has is replaced, or taken where it has none at all. A transaction of its own: nobody waits
-- for a walk. Returns whether the tier changed.
create or replace function ledger.tier_reassess(
  p_workspace text, p_account text, p_at timestamptz
) returns boolean
language plpgsql as $$
declare
  a account;
  p program;
  before text;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || p_account, 0));
  select * into a from account where workspace = p_workspace and id = p_account;
  if a.id is null or a.status = 'merged' then
    return false;
  end if;
  before := a.tier;
  select * into p from program where workspace = p_workspace and id = a.program;
  if p.tier_config is not null then
    a := tier_assess(a, p, p_at, 'reconfigured');
  elsif a.tier is not null then
    a := tier_write(a, p, null, null, 'reconfigured', null, p_at);
  end if;
  return a.tier is distinct from before;
end $$;

-- Notes how far a walk has come, or (`p_ended`) that it is over. False where the tiers were changed
-- meanwhile: the walk starts over.
create or replace function ledger.tier_reassess_note(
  p_workspace text, p_program text, p_revision int, p_through text, p_judged int, p_ended boolean,
  p_at timestamptz
) returns boolean
language plpgsql as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  update tier_reassessment set through = coalesce(p_through, through), judged = judged + p_judged,
    progressed_at = p_at, ended_at = case when p_ended then p_at end
  where workspace = p_workspace and program = p_program and revision = p_revision
    and ended_at is null;
  return found;
end $$;

-- Walks that stand still since `p_before`, in all workspaces: nobody works on them.
create or replace function ledger.net_stalled_reassessments(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, program text)
language sql stable security definer as $$
  select r.workspace, r.program from tier_reassessment r
  where r.ended_at is null and r.progressed_at <= p_before
  order by r.progressed_at, r.workspace, r.program limit p_limit offset p_skip
$$;

-- What the reconciler looks for: accounts whose tier should have been reviewed before `p_before`,
-- the longest overdue first.
create or replace function ledger.net_overdue_tier_reviews(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, id text)
language sql stable security definer as $$
  select a.workspace, a.id from account a
  where a.tier_review_at <= p_before
  order by a.tier_review_at limit p_limit offset p_skip
$$;

-- What a program's tiers look at; null where it has none.
create or replace function ledger_private.tier_qualify_on(p program) returns text
language sql immutable as $$
  select case when p.tier_config is not null then coalesce(p.tier_config ->> 'qualifyOn',
    'points') end
$$;

-- How long something that happened at `p_from` counts towards a tier: to the end of the day, in the
-- program's time zone, that lies the program's months later; null (for ever) where tiers look at a
-- lifetime.
create or replace function ledger_private.tier_counts_until(
  p program, p_from timestamptz
) returns timestamptz
language sql immutable as $$
  select case when p.tier_config #>> '{period,type}' = 'rolling' then
    local_midnight(((p_from at time zone p.expiry_time_zone)
      + make_interval(months => (p.tier_config #>> '{period,months}')::int))::date + 1,
      p.expiry_time_zone) end
$$;

-- How much longer a fact counts for keeping a tier than for reaching it.
create or replace function ledger_private.tier_grace(p program) returns interval
language sql immutable as $$
  select make_interval(days => coalesce((p.tier_config ->> 'graceDays')::int, 30))
$$;

-- A tier's threshold as it is compared: points in the smallest unit, money in minor units.
create or replace function ledger_private.tier_threshold(p program, p_tier jsonb) returns bigint
language sql immutable as $$
  select case tier_qualify_on(p) when 'spend' then (p_tier ->> 'threshold')::numeric
    else (p_tier ->> 'threshold')::numeric * 10 ^ p.decimals end::bigint
$$;

-- The program's tier of this name; null where it has none.
create or replace function ledger_private.tier_named(p program, p_name text) returns jsonb
language sql immutable as $$
  select tier from jsonb_array_elements(p.tier_config -> 'tiers') tier
    where tier ->> 'name' = p_name
$$;

-- What earning is multiplied by in this tier; 1 where there is none.
create or replace function ledger_private.tier_multiplier(p program, p_tier text) returns numeric
language sql immutable as $$
  select coalesce((tier_named(p, p_tier) ->> 'multiplier')::numeric, 1)
$$;

-- The highest tier that so much reaches; null where none.
create or replace function ledger_private.tier_reached(p program, p_qualifying bigint) returns jsonb
language sql immutable as $$
  select tier from jsonb_array_elements(p.tier_config -> 'tiers') tier
  where tier_threshold(p, tier) <= p_qualifying
  order by (tier ->> 'rank')::int desc limit 1
$$;

-- What may count for a member's tier at `p_at` or, with grace, for keeping it: earned points and
-- positive adjustments of the account and all merged into it, or what its payments charged less
-- what was refunded. Nothing where tiers are set by hand. Rows that no longer count may be among
-- them.
create or replace function ledger_private.tier_facts(a account, p program, p_at timestamptz)
returns table (happened_at timestamptz, amount bigint)
language plpgsql stable as $$
declare
  since timestamptz := '-infinity';
  since_id text := '';
begin
  if p.tier_config #>> '{period,type}' = 'rolling' then
    -- three days cover the rounding to whole days and the time zone
    since := p_at - make_interval(months => (p.tier_config #>> '{period,months}')::int)
      - tier_grace(p) - interval '3 days';
    since_id := vinr_id_from('ptx', since); -- nothing is written before it happens
  end if;
  if tier_qualify_on(p) = 'points' then
    return query select t.at, t.amount from ptx t
      where t.workspace = a.workspace and t.account in (select account_family(a.workspace, a.id))
        and t.id >= since_id and t.amount > 0 and t.type in ('earn', 'adjust') and t.at > since;
  elsif tier_qualify_on(p) = 'spend' then
    return query select s.at, s.amount from tier_spend s
      where s.workspace = a.workspace and s.account = a.id and s.program = p.id and s.at > since;
  end if;
end $$;

-- What counts at `p_at`, facts counting `p_grace` longer than they do. A lifetime's points are kept
-- on the account.
create or replace function ledger_private.tier_qualifying(
  a account, p program, p_at timestamptz, p_grace interval
) returns bigint
language plpgsql stable as $$
begin
  if tier_qualify_on(p) = 'points'
    and p.tier_config #>> '{period,type}' is distinct from 'rolling' then
    return a.lifetime_points;
  end if;
  return (
    select coalesce(sum(f.amount), 0) from tier_facts(a, p, p_at) f
    where p_at < coalesce(tier_counts_until(p, f.happened_at) + p_grace, 'infinity'));
end $$;

-- The date at which the account's tier falls if nothing more is earned, grace included: the first
-- at which what still counts is less than its threshold. Where that is so already (a refund),
-- `p_at` plus the grace, or the earlier date that was set before. Null where it cannot fall.
create or replace function ledger_private.tier_lapses_at(
  a account, p program, p_at timestamptz
) returns timestamptz
language plpgsql stable as $$
declare
  needed bigint := tier_threshold(p, tier_named(p, a.tier));
  falls_at timestamptz;
begin
  if coalesce(needed, 0) <= 0 or tier_qualify_on(p) = 'custom'
    or (tier_qualify_on(p) = 'points'
      and p.tier_config #>> '{period,type}' is distinct from 'rolling') then
    return null;
  end if;
  if tier_qualifying(a, p, p_at, tier_grace(p)) < needed then
    -- to the millisecond, as its run is told of it
    return least(date_trunc('milliseconds', p_at + tier_grace(p)),
      case when a.tier_review_at > p_at then a.tier_review_at end);
  end if;
  select min(ends_at) into falls_at
  from (
    select f.ends_at, sum(f.amount) over () - sum(f.amount) over (order by f.ends_at) as counting
    from (
      select tier_counts_until(p, x.happened_at) + tier_grace(p) as ends_at, x.amount
      from tier_facts(a, p, p_at) x
    ) f
    where f.ends_at > p_at
  ) then_on
  where counting < needed;
  return falls_at;
end $$;

-- Judges the account's tier by what counts at `p_at` and writes what follows: promotion at once,
-- demotion only once its review is due and what still counts, grace included, no longer keeps it. A
-- tier that the program no longer has is replaced. The account's lock is held. Returns the account
-- as it is then.
create or replace function ledger_private.tier_assess(
  a account, p program, p_at timestamptz, p_reason text
) returns account
language plpgsql as $$
declare
  held jsonb := tier_named(p, a.tier);
  reached jsonb;
  qualifying bigint;
  reason text := p_reason;
begin
  if tier_qualify_on(p) = 'custom' then
    if a.tier is null or held is null then
      return tier_write(a, p, tier_reached(p, 0), 0, p_reason, null, p_at);
    end if;
    return tier_write(a, p, held, null, p_reason, null, p_at); -- takes away a review from before
  end if;
  qualifying := tier_qualifying(a, p, p_at, '0');
  reached := tier_reached(p, qualifying);
  if a.tier is not null and held is null then
    reason := 'reconfigured';
  elsif held is not null and coalesce((reached ->> 'rank')::int, -1) <= (held ->> 'rank')::int then
    reached := held;
    if a.tier_review_at <= p_at then
      qualifying := tier_qualifying(a, p, p_at, tier_grace(p));
      if qualifying < tier_threshold(p, held) then
        reached := tier_reached(p, qualifying);
        reason := 'lapsed';
      end if;
    end if;
  end if;
  return tier_write(a, p, reached, qualifying, reason, null, p_at);
end $$;

-- Gives the account this tier (null: none), with its history, its event and the date of its next
-- review, of which the review's run is told where it is earlier than it knows. The same tier again
-- changes the date alone.
create or replace function ledger_private.tier_write(
  a account, p program, p_tier jsonb, p_qualifying bigint, p_reason text, p_note text,
  p_at timestamptz
) returns account
language plpgsql as $$
declare
  before account := a;
  held jsonb := tier_named(p, a.tier);
begin
  a.tier := p_tier ->> 'name';
  if a.tier is distinct from before.tier then
    a.tier_since := p_at;
    a.tier_review_at := null;
  end if;
  a.tier_review_at := tier_lapses_at(a, p, p_at);
  if a.tier is distinct from before.tier
    or a.tier_review_at is distinct from before.tier_review_at then
    update account set tier = a.tier, tier_since = a.tier_since, tier_review_at = a.tier_review_at
    where workspace = a.workspace and id = a.id;
  end if;
  if a.tier_review_at < coalesce(before.tier_review_at, 'infinity') then
    perform tier_review_outbox(a, case when before.tier_review_at is null then 'new'
      else 'changed' end);
  end if;
  if a.tier is not distinct from before.tier then
    return a;
  end if;
  insert into tier_change (workspace, id, account, from_tier, to_tier, reason, note, qualifying,
    created_at)
  values (a.workspace, vinr_id('tch'), a.id, before.tier, a.tier, p_reason, p_note, p_qualifying,
    p_at);
  -- what a member enrols with is no promotion
  if p_reason <> 'enrolled' then
    perform event_write(a.workspace,
      case when p_tier is not null and (p_tier ->> 'rank')::int >= coalesce((held ->> 'rank')::int,
        -1)
        then 'loyalty.tier.upgraded' else 'loyalty.tier.downgraded' end,
      a.id, to_jsonb(a), jsonb_build_object('tier', before.tier), p_at);
  end if;
  return a;
end $$;

-- Writes that the review's run must know of the account's next review.
create or replace function ledger_private.tier_review_outbox(a account, p_change text) returns void
language plpgsql as $$
begin
  perform outbox_write(a.workspace, a.workspace || '/' || a.id || '/tier', 'tierReview',
    jsonb_build_object('workspace', a.workspace, 'account', a.id, 'reviewsAt',
      iso(a.tier_review_at)),
    a.tier_review_at, jsonb_build_object('reviewsAt', iso(a.tier_review_at)), null, p_change);
end $$;

-- After a credit, in a program that has tiers: promotion at once. Whoever holds the highest tier
-- already is left alone; their review's date, set earlier, is moved when it comes.
create or replace function ledger_private.tier_after_credit(
  p_workspace text, p_account text, p program, p_at timestamptz
) returns void
language plpgsql as $$
declare
  a account;
  highest text := (select tier ->> 'name' from jsonb_array_elements(p.tier_config -> 'tiers') tier
    order by (tier ->> 'rank')::int desc limit 1);
begin
  select * into a from account where workspace = p_workspace and id = p_account;
  if a.tier is distinct from highest and (a.tier is null or tier_qualify_on(p) = 'points') then
    perform tier_assess(a, p, p_at, 'qualified');
  end if;
end $$;

-- Takes note of what a payment charged, less what was refunded, towards a tier that spend qualifies
-- for: promotion at once, and where less counts now the review no later than the grace from now.
-- Once for each payment and program; a repeat sets the amount again. Nothing where the program's
-- tiers do not look at spend, or the money is not the program's. `p_on` is when it was paid. The
-- account's lock is held.
create or replace function ledger_private.tier_spend_record(
  a account, p_payment text, p_amount_minor bigint, p_currency text, p_on timestamptz,
  p_at timestamptz
) returns void
language plpgsql as $$
declare
  p program;
  before bigint;
begin
  select * into p from program where workspace = a.workspace and id = a.program;
  if tier_qualify_on(p) is distinct from 'spend' or upper(p_currency) <> upper(p.currency_code) then
    return;
  end if;
  select s.amount into before from tier_spend s
  where s.workspace = a.workspace and s.program = p.id and s.payment = p_payment;
  if before is not distinct from p_amount_minor then
    return;
  end if;
  insert into tier_spend (workspace, program, payment, account, amount, at)
  values (a.workspace, p.id, p_payment, a.id, p_amount_minor, p_on)
  on conflict (workspace, program, payment) do update set amount = excluded.amount,
    account = excluded.account;
  select * into a from account x where x.workspace = a.workspace and x.id = a.id;
  perform tier_assess(a, p, p_at, 'qualified');
end $$;

-- A completed payment, as its refunds leave it, in every program whose tiers look at spend: on the
-- member it was judged to be of (`p_members`, the first time), afterwards on the one it was
-- recorded for.
create or replace function ledger_private.tier_spend_of_payment(
  pay payment, p_members text[], p_at timestamptz
) returns void
language plpgsql as $$
declare
  p program;
  a account;
  member text;
begin
  for p in
    select * from program x where x.workspace = pay.workspace and tier_qualify_on(x) = 'spend'
    order by x.id
  loop
    select s.account into member from tier_spend s
    where s.workspace = pay.workspace and s.program = p.id and s.payment = pay.id;
    if not found then
      select x.id into member from account x
      where x.workspace = pay.workspace and x.id = any(p_members) and x.program = p.id
        and x.status = 'active';
      continue when not found;
    end if;
    a := account_locked(pay.workspace, member);
    perform tier_spend_record(a, pay.id, greatest(0, pay.amount_charged - pay.amount_refunded),
      pay.currency, coalesce(pay.completed_at, p_at), p_at);
  end loop;
end $$;

-- The tier of a merge's survivor: the higher of the two, or what the two together reach.
create or replace function ledger_private.tier_merge(
  s account, t account, p program, p_at timestamptz
) returns account
language plpgsql as $$
declare
  brought jsonb := tier_named(p, s.tier);
begin
  if coalesce((brought ->> 'rank')::int, -1) > coalesce((tier_named(p, t.tier) ->> 'rank')::int,
    -1) then
    t := tier_write(t, p, brought, null, 'merged', null, p_at);
  end if;
  return tier_assess(t, p, p_at, 'merged');
end $$;

-- The rank of a tier by its name; null where the program has no such tier.
create or replace function ledger_private.tier_rank(p_tiers jsonb, p_name text) returns int
language plpgsql immutable as $$
begin
  return (
    select (tier ->> 'rank')::int from jsonb_array_elements(p_tiers) tier
    where tier ->> 'name' = p_name);
end $$;
