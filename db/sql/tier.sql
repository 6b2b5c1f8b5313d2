-- Tiers: what a member has reached, keeps and loses. The walk over a program's members after a
-- change of its tiers. Where it stands is one row, so that whoever goes on with it begins where the
-- last one stopped; judging a member twice changes nothing.

-- The review that a member's workflow waits for: judges the tier at `p_at` and says when to come
-- back (null: never, or the account is merged or gone). `p_resume`: that run was lost, and begins
-- again for the next review. Safe to repeat and to run early or late.
-- @returns TierReviewResult
create or replace function ledger.tier_review(
  p_workspace text, p_account text, p_at timestamptz, p_resume boolean default false
) returns jsonb
language plpgsql as $$
declare
  account_row account;
  program_row program;
  before text;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || p_account, 0));
  select * into account_row from account where workspace = p_workspace and id = p_account;
  if account_row.id is null or account_row.status = 'merged' then
    return jsonb_build_object('found', false, 'tier', null, 'changed', false, 'review_at', null);
  end if;
  before := account_row.tier;
  select * into program_row from program where workspace = p_workspace and id = account_row.program;
  if program_row.tier_config is not null then
    account_row := tier_assess(account_row, program_row, p_at, 'qualified');
    if p_resume and account_row.tier_review_at is not null then
      perform tier_review_outbox(account_row, 'changed');
    end if;
  elsif account_row.tier_review_at is not null then
    update account set tier_review_at = null
    where workspace = p_workspace and id = p_account returning * into account_row;
  end if;
  return jsonb_build_object('found', true, 'tier', account_row.tier, 'changed',
    account_row.tier is distinct from before,
    'review_at', account_row.tier_review_at);
end $$;

-- Sets a member's tier by hand, where the program says that tiers are custom. Idempotent by the
-- request's key. Outcomes: set; unchanged; replayed. Refused: resource_missing; account_merged;
-- parameter_invalid (no such tier, or tiers that points or spend decide).
-- @returns AccountAnswer
-- @null p_tier p_note p_key
create or replace function ledger.tier_set(
  p_workspace text, p_account text, p_tier text, p_note text, p_route text, p_key text,
  p_fingerprint text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  account_row account;
  program_row program;
begin
  if command_start(p_workspace, p_route, p_key, p_fingerprint, p_account, p_at) is not null then
    return account_outcome(p_workspace, p_account, 'replayed');
  end if;
  account_row := account_to_change(p_workspace, p_account);
  if account_row.id is null then
    perform refuse(jsonb_build_object('code', 'resource_missing', 'account', p_account));
  end if;
  select * into program_row from program where workspace = p_workspace and id = account_row.program;
  if coalesce(tier_qualify_on(program_row), 'none') <> 'custom'
    or (p_tier is not null and tier_named(program_row, p_tier) is null) then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'tier',
      'qualify_on', coalesce(tier_qualify_on(program_row), 'none')));
  end if;
  if account_row.tier is not distinct from p_tier then
    return account_outcome(p_workspace, p_account, 'unchanged');
  end if;
  perform tier_write(account_row, program_row, tier_named(program_row, p_tier), null, 'set', p_note,
    p_at);
  return account_outcome(p_workspace, p_account, 'set');
end $$;

-- What the API shows of accounts' tiers beside their name: what counts, what the next tier still
-- needs, and when the present one falls if nothing more is earned. For programs with tiers only;
-- writes nothing.
-- @column qualify_on QualifyOn
-- @column next_tier NextTier
-- @null qualifying next_tier next_threshold lapses_at
create or replace function ledger.tier_standing(
  p_workspace text, p_accounts text[], p_at timestamptz default clock_timestamp()
)
returns table (account text, qualify_on text, qualifying bigint, next_tier jsonb,
  next_threshold bigint, lapses_at timestamptz)
language sql stable as $$
  select account_row.id, tier_qualify_on(program_row), counts.now, above.tier,
    tier_threshold(program_row, above.tier), tier_lapses_at(account_row, program_row, p_at)
  from account account_row
  join program program_row on program_row.workspace = account_row.workspace
    and program_row.id = account_row.program and program_row.tier_config is not null
  cross join lateral (select case when tier_qualify_on(program_row) <> 'custom'
    then tier_qualifying(account_row, program_row, p_at, '0') end as now) counts
  left join lateral (
    select one.value as tier from jsonb_array_elements(program_row.tier_config -> 'tiers') one
    where (one.value ->> 'rank')::int > coalesce((tier_named(program_row,
      account_row.tier) ->> 'rank')::int, -1)
    order by (one.value ->> 'rank')::int limit 1
  ) above on true
  where account_row.workspace = p_workspace and account_row.id = any(p_accounts)
    and account_row.status <> 'merged'
$$;

-- Calls for a walk, in the transaction that changes the tiers, and writes the outbox row of its
-- run. One under way starts over.
create or replace function ledger.tier_reassess_start(
  p_workspace text, p_program text, p_at timestamptz
) returns void
language sql as $$
  insert into tier_reassessment as walk (workspace, program, progressed_at)
    values (p_workspace, p_program, p_at)
  on conflict (workspace, program) do update
  set revision = walk.revision + 1, through = '', judged = 0, progressed_at = p_at, ended_at = null;
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
-- @returns ReassessmentPage
create or replace function ledger.tier_reassess_page(
  p_workspace text, p_program text, p_most int
) returns jsonb
language plpgsql as $$
declare
  walk tier_reassessment;
  page jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into walk from tier_reassessment where workspace = p_workspace and program = p_program;
  if walk.program is null or walk.ended_at is not null then
    return jsonb_build_object('outcome', 'ended', 'judged', coalesce(walk.judged, 0));
  end if;
  select coalesce(jsonb_agg(member.id order by member.id), '[]') into page from (
    select id from account
    where workspace = p_workspace and program = p_program and id > walk.through
      and status <> 'merged'
    order by id limit p_most
  ) member;
  return jsonb_build_object('outcome', 'open', 'revision', walk.revision, 'judged', walk.judged,
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
  account_row account;
  program_row program;
  before text;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || p_account, 0));
  select * into account_row from account where workspace = p_workspace and id = p_account;
  if account_row.id is null or account_row.status = 'merged' then
    return false;
  end if;
  before := account_row.tier;
  select * into program_row from program where workspace = p_workspace and id = account_row.program;
  if program_row.tier_config is not null then
    account_row := tier_assess(account_row, program_row, p_at, 'reconfigured');
  elsif account_row.tier is not null then
    account_row := tier_write(account_row, program_row, null, null, 'reconfigured', null, p_at);
  end if;
  return account_row.tier is distinct from before;
end $$;

-- Notes how far a walk has come, or (`p_ended`) that it is over. False where the tiers were changed
-- meanwhile: the walk starts over.
-- @null p_through
create or replace function ledger.tier_reassess_note(
  p_workspace text, p_program text, p_revision int, p_through text, p_assessed int, p_ended boolean,
  p_at timestamptz
) returns boolean
language plpgsql as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  update tier_reassessment set through = coalesce(p_through, through), judged = judged + p_assessed,
    progressed_at = p_at, ended_at = case when p_ended then p_at end
  where workspace = p_workspace and program = p_program and revision = p_revision
    and ended_at is null;
  return found;
end $$;

-- Walks that stand still since `p_before`, in all workspaces: nobody works on them.
create or replace function ledger.reassessments_stalled(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, program text)
language sql stable security definer as $$
  select workspace, program from tier_reassessment
  where ended_at is null and progressed_at <= p_before
  order by progressed_at, workspace, program limit p_limit offset p_skip
$$;

-- What the reconciler looks for: accounts whose tier should have been reviewed before `p_before`,
-- the longest overdue first.
create or replace function ledger.tier_reviews_overdue(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, id text)
language sql stable security definer as $$
  select workspace, id from account
  where tier_review_at <= p_before
  order by tier_review_at limit p_limit offset p_skip
$$;

-- What a program's tiers look at; null where it has none.
create or replace function ledger_private.tier_qualify_on(program_row program) returns text
language sql immutable as $$
  select case when program_row.tier_config is not null
    then coalesce(program_row.tier_config ->> 'qualifyOn',
    'points') end
$$;

-- How long something that happened at `p_from` counts towards a tier: to the end of the day, in the
-- program's time zone, that lies the program's months later; null (for ever) where tiers look at a
-- lifetime.
create or replace function ledger_private.tier_counts_until(
  program_row program, p_from timestamptz
) returns timestamptz
language sql immutable as $$
  select case when program_row.tier_config #>> '{period,type}' = 'rolling' then
    local_midnight(((p_from at time zone program_row.expiry_time_zone)
      + make_interval(months => (program_row.tier_config #>> '{period,months}')::int))::date + 1,
      program_row.expiry_time_zone) end
$$;

-- How much longer a fact counts for keeping a tier than for reaching it.
create or replace function ledger_private.tier_grace(program_row program) returns interval
language sql immutable as $$
  select make_interval(days => coalesce((program_row.tier_config ->> 'graceDays')::int, 30))
$$;

-- A tier's threshold as it is compared: points in the smallest unit, money in minor units.
create or replace function ledger_private.tier_threshold(
  program_row program, p_tier jsonb
) returns bigint
language sql immutable as $$
  select case tier_qualify_on(program_row) when 'spend' then (p_tier ->> 'threshold')::numeric
    else (p_tier ->> 'threshold')::numeric * 10 ^ program_row.decimals end::bigint
$$;

-- The program's tier of this name; null where it has none.
create or replace function ledger_private.tier_named(program_row program, p_name text) returns jsonb
language sql immutable as $$
  select tier from jsonb_array_elements(program_row.tier_config -> 'tiers') tier
    where tier ->> 'name' = p_name
$$;

-- What earning is multiplied by in this tier; 1 where there is none.
create or replace function ledger_private.tier_multiplier(
  program_row program, p_tier text
) returns numeric
language sql immutable as $$
  select coalesce((tier_named(program_row, p_tier) ->> 'multiplier')::numeric, 1)
$$;

-- The highest tier that so much reaches; null where none.
create or replace function ledger_private.tier_reached(
  program_row program, p_qualifying bigint
) returns jsonb
language sql immutable as $$
  select tier from jsonb_array_elements(program_row.tier_config -> 'tiers') tier
  where tier_threshold(program_row, tier) <= p_qualifying
  order by (tier ->> 'rank')::int desc limit 1
$$;

-- What may count for a member's tier at `p_at` or, with grace, for keeping it: earned points and
-- positive adjustments of the account and all merged into it, or what its payments charged less
-- what was refunded. Nothing where tiers are set by hand. Rows that no longer count may be among
-- them.
create or replace function ledger_private.tier_facts(account_row account, program_row program,
  p_at timestamptz)
returns table (happened_at timestamptz, amount bigint)
language plpgsql stable as $$
declare
  since timestamptz := '-infinity';
  since_id text := '';
begin
  if program_row.tier_config #>> '{period,type}' = 'rolling' then
    -- three days cover the rounding to whole days and the time zone
    since := p_at - make_interval(months => (program_row.tier_config #>> '{period,months}')::int)
      - tier_grace(program_row) - interval '3 days';
    since_id := vinr_id_from('ptx', since); -- nothing is written before it happens
  end if;
  if tier_qualify_on(program_row) = 'points' then
    return query select ptx.at, ptx.amount from ptx
      where ptx.workspace = account_row.workspace
        and ptx.account in (select account_family(account_row.workspace, account_row.id))
        and ptx.id >= since_id and ptx.amount > 0 and ptx.type in ('earn', 'adjust')
        and ptx.at > since;
  elsif tier_qualify_on(program_row) = 'spend' then
    return query select tier_spend.at, tier_spend.amount from tier_spend
      where tier_spend.workspace = account_row.workspace and tier_spend.account = account_row.id
        and tier_spend.program = program_row.id and tier_spend.at > since;
  end if;
end $$;

-- What counts at `p_at`, facts counting `p_grace` longer than they do. A lifetime's points are kept
-- on the account.
create or replace function ledger_private.tier_qualifying(
  account_row account, program_row program, p_at timestamptz, p_grace interval
) returns bigint
language plpgsql stable as $$
begin
  if tier_qualify_on(program_row) = 'points'
    and program_row.tier_config #>> '{period,type}' is distinct from 'rolling' then
    return account_row.lifetime_points;
  end if;
  return (
    select coalesce(sum(fact.amount), 0) from tier_facts(account_row, program_row, p_at) fact
    where p_at < coalesce(tier_counts_until(program_row, fact.happened_at) + p_grace, 'infinity'));
end $$;

-- The date at which the account's tier falls if nothing more is earned, grace included: the first
-- at which what still counts is less than its threshold. Where that is so already (a refund),
-- `p_at` plus the grace, or the earlier date that was set before. Null where it cannot fall.
create or replace function ledger_private.tier_lapses_at(
  account_row account, program_row program, p_at timestamptz
) returns timestamptz
language plpgsql stable as $$
declare
  needed bigint := tier_threshold(program_row, tier_named(program_row, account_row.tier));
  falls_at timestamptz;
begin
  if coalesce(needed, 0) <= 0 or tier_qualify_on(program_row) = 'custom'
    or (tier_qualify_on(program_row) = 'points'
      and program_row.tier_config #>> '{period,type}' is distinct from 'rolling') then
    return null;
  end if;
  if tier_qualifying(account_row, program_row, p_at, tier_grace(program_row)) < needed then
    -- to the millisecond, as its run is told of it
    return least(date_trunc('milliseconds', p_at + tier_grace(program_row)),
      case when account_row.tier_review_at > p_at then account_row.tier_review_at end);
  end if;
  select min(ends_at) into falls_at
  from (
    select counted.ends_at, sum(counted.amount) over ()
      - sum(counted.amount) over (order by counted.ends_at) as counting
    from (
      select tier_counts_until(program_row, fact.happened_at) + tier_grace(program_row) as ends_at,
        fact.amount
      from tier_facts(account_row, program_row, p_at) fact
    ) counted
    where counted.ends_at > p_at
  ) then_on
  where counting < needed;
  return falls_at;
end $$;

-- Judges the account's tier by what counts at `p_at` and writes what follows: promotion at once,
-- demotion only once its review is due and what still counts, grace included, no longer keeps it. A
-- tier that the program no longer has is replaced. The account's lock is held. Returns the account
-- as it is then.
create or replace function ledger_private.tier_assess(
  account_row account, program_row program, p_at timestamptz, p_reason text
) returns account
language plpgsql as $$
declare
  held jsonb := tier_named(program_row, account_row.tier);
  reached jsonb;
  qualifying bigint;
  reason text := p_reason;
begin
  if tier_qualify_on(program_row) = 'custom' then
    if account_row.tier is null or held is null then
      return tier_write(account_row, program_row, tier_reached(program_row, 0), 0, p_reason, null,
        p_at);
    end if;
    return tier_write(account_row, program_row, held, null, p_reason, null,
      p_at); -- takes away a review from before
  end if;
  qualifying := tier_qualifying(account_row, program_row, p_at, '0');
  reached := tier_reached(program_row, qualifying);
  if account_row.tier is not null and held is null then
    reason := 'reconfigured';
  elsif held is not null and coalesce((reached ->> 'rank')::int, -1) <= (held ->> 'rank')::int then
    reached := held;
    if account_row.tier_review_at <= p_at then
      qualifying := tier_qualifying(account_row, program_row, p_at, tier_grace(program_row));
      if qualifying < tier_threshold(program_row, held) then
        reached := tier_reached(program_row, qualifying);
        reason := 'lapsed';
      end if;
    end if;
  end if;
  return tier_write(account_row, program_row, reached, qualifying, reason, null, p_at);
end $$;

-- Gives the account this tier (null: none), with its history, its event and the date of its next
-- review, of which the review's run is told where it is earlier than it knows. The same tier again
-- changes the date alone.
create or replace function ledger_private.tier_write(
  account_row account, program_row program, p_tier jsonb, p_qualifying bigint, p_reason text,
  p_note text, p_at timestamptz
) returns account
language plpgsql as $$
declare
  before account := account_row;
  held jsonb := tier_named(program_row, account_row.tier);
begin
  account_row.tier := p_tier ->> 'name';
  if account_row.tier is distinct from before.tier then
    account_row.tier_since := p_at;
    account_row.tier_review_at := null;
  end if;
  account_row.tier_review_at := tier_lapses_at(account_row, program_row, p_at);
  if account_row.tier is distinct from before.tier
    or account_row.tier_review_at is distinct from before.tier_review_at then
    update account set tier = account_row.tier, tier_since = account_row.tier_since,
      tier_review_at = account_row.tier_review_at
    where workspace = account_row.workspace and id = account_row.id;
  end if;
  if account_row.tier_review_at < coalesce(before.tier_review_at, 'infinity') then
    perform tier_review_outbox(account_row, case when before.tier_review_at is null then 'new'
      else 'changed' end);
  end if;
  if account_row.tier is not distinct from before.tier then
    return account_row;
  end if;
  insert into tier_change (workspace, id, account, from_tier, to_tier, reason, note, qualifying,
    created_at)
  values (account_row.workspace, vinr_id('tch'), account_row.id, before.tier, account_row.tier,
    p_reason, p_note, p_qualifying, p_at);
  -- what a member enrols with is no promotion
  if p_reason <> 'enrolled' then
    perform event_write(account_row.workspace,
      case when p_tier is not null and (p_tier ->> 'rank')::int >= coalesce((held ->> 'rank')::int,
        -1)
        then 'loyalty.tier.upgraded' else 'loyalty.tier.downgraded' end,
      account_row.id, to_jsonb(account_row), jsonb_build_object('tier', before.tier), p_at);
  end if;
  return account_row;
end $$;

-- Writes that the review's run must know of the account's next review.
create or replace function ledger_private.tier_review_outbox(
  account_row account, p_change text
) returns void
language plpgsql as $$
begin
  perform outbox_write(account_row.workspace, account_row.workspace || '/' || account_row.id
    || '/tier', 'tierReview', jsonb_build_object('workspace', account_row.workspace, 'account',
      account_row.id, 'reviewsAt', iso(account_row.tier_review_at)),
    account_row.tier_review_at, jsonb_build_object('reviewsAt', iso(account_row.tier_review_at)),
    null, p_change);
end $$;

-- After a credit, in a program that has tiers: promotion at once. Whoever holds the highest tier
-- already is left alone; their review's date, set earlier, is moved when it comes.
create or replace function ledger_private.tier_after_credit(
  p_workspace text, p_account text, program_row program, p_at timestamptz
) returns void
language plpgsql as $$
declare
  account_row account;
  highest text := (select tier ->> 'name'
    from jsonb_array_elements(program_row.tier_config -> 'tiers') tier
    order by (tier ->> 'rank')::int desc limit 1);
begin
  select * into account_row from account where workspace = p_workspace and id = p_account;
  if account_row.tier is distinct from highest
    and (account_row.tier is null or tier_qualify_on(program_row) = 'points') then
    perform tier_assess(account_row, program_row, p_at, 'qualified');
  end if;
end $$;

-- Takes note of what a payment charged, less what was refunded, towards a tier that spend qualifies
-- for: promotion at once, and where less counts now the review no later than the grace from now.
-- Once for each payment and program; a repeat sets the amount again. Nothing where the program's
-- tiers do not look at spend, or the money is not the program's. `p_on` is when it was paid. The
-- account's lock is held.
create or replace function ledger_private.tier_spend_record(
  account_row account, p_payment text, p_amount_minor bigint, p_currency text, p_on timestamptz,
  p_at timestamptz
) returns void
language plpgsql as $$
declare
  program_row program;
  before bigint;
begin
  select * into program_row from program where workspace = account_row.workspace
    and id = account_row.program;
  if tier_qualify_on(program_row) is distinct from 'spend'
    or upper(p_currency) <> upper(program_row.currency_code) then
    return;
  end if;
  select amount into before from tier_spend
  where workspace = account_row.workspace and program = program_row.id and payment = p_payment;
  if before is not distinct from p_amount_minor then
    return;
  end if;
  insert into tier_spend (workspace, program, payment, account, amount, at)
  values (account_row.workspace, program_row.id, p_payment, account_row.id, p_amount_minor, p_on)
  on conflict (workspace, program, payment) do update set amount = excluded.amount,
    account = excluded.account;
  select * into account_row from account where workspace = account_row.workspace
    and id = account_row.id;
  perform tier_assess(account_row, program_row, p_at, 'qualified');
end $$;

-- A completed payment, as its refunds leave it, in every program whose tiers look at spend: on the
-- member it was judged to be of (`p_members`, the first time), afterwards on the one it was
-- recorded for.
create or replace function ledger_private.tier_spend_of_payment(
  payment_row payment, p_members text[], p_at timestamptz
) returns void
language plpgsql as $$
declare
  program_row program;
  account_row account;
  member text;
begin
  for program_row in
    select * from program where program.workspace = payment_row.workspace
      and tier_qualify_on(program) = 'spend'
    order by program.id
  loop
    select tier_spend.account into member from tier_spend
    where tier_spend.workspace = payment_row.workspace and tier_spend.program = program_row.id
      and tier_spend.payment = payment_row.id;
    if not found then
      select id into member from account
      where workspace = payment_row.workspace and id = any(p_members) and program = program_row.id
        and status = 'active';
      continue when not found;
    end if;
    account_row := account_locked(payment_row.workspace, member);
    perform tier_spend_record(account_row, payment_row.id,
      greatest(0, payment_row.amount_charged - payment_row.amount_refunded),
      payment_row.currency, coalesce(payment_row.completed_at, p_at), p_at);
  end loop;
end $$;

-- The tier of a merge's survivor: the higher of the two, or what the two together reach.
create or replace function ledger_private.tier_merge(
  source_row account, target_row account, program_row program, p_at timestamptz
) returns account
language plpgsql as $$
declare
  brought jsonb := tier_named(program_row, source_row.tier);
begin
  if coalesce((brought ->> 'rank')::int, -1) > coalesce((tier_named(program_row,
    target_row.tier) ->> 'rank')::int, -1) then
    target_row := tier_write(target_row, program_row, brought, null, 'merged', null, p_at);
  end if;
  return tier_assess(target_row, program_row, p_at, 'merged');
end $$;

-- The rank of a tier by its name; null where the program has no such tier.
create or replace function ledger_private.tier_rank(p_tiers jsonb, p_name text) returns int
language plpgsql immutable as $$
begin
  return (
    select (tier ->> 'rank')::int from jsonb_array_elements(p_tiers) tier
    where tier ->> 'name' = p_name);
end $$;
