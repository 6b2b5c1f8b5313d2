-- Redemptions: created, applied, released, reversed; each command once by its operation.

-- What would become of a redemption now, in one statement that writes nothing. Outcomes: judged;
-- missing.
-- @returns Quote
-- @null p_variant
create or replace function ledger.redemption_quote(
  p_workspace text, p_account text, p_reward text, p_variant text, p_quantity int,
  p_default_hold_minutes numeric
) returns jsonb
language plpgsql stable as $$
declare
  a account;
  r reward;
  p program;
  now timestamptz := clock_timestamp();
  available bigint;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into a from account where workspace = p_workspace
    and id = account_survivor(p_workspace, p_account);
  if a.id is null then
    return '{"outcome": "missing", "param": "account"}';
  end if;
  select * into r from reward where workspace = p_workspace and id = p_reward;
  if not found then
    return '{"outcome": "missing", "param": "reward"}';
  end if;
  if r.has_variants or r.tier_costs is not null or p_variant is not null then
    r := reward_offer(r, a, p_variant, false);
    if r.id is null then
      return jsonb_build_object('outcome', 'missing', 'param', 'variant', 'has_variants',
        r.has_variants);
    end if;
  end if;
  select * into p from program where workspace = p_workspace and id = a.program;
  available := account_available(a, now);
  return jsonb_build_object(
    'outcome', 'judged',
    'hold_minutes', redemption_hold_minutes(r, p, p_default_hold_minutes),
    'reward_type', r.type,
    'account', a.id,
    'points', r.cost * p_quantity,
    'available', available,
    'value', r.value,
    'codes', r.codes,
    'decimals', p.decimals,
    'nonsense', redemption_nonsense(a, r, p_quantity, null),
    'refusals', redemption_refusals(a, r, p_quantity, available, now));
end $$;

-- Spends points on a reward: judges and writes, one transaction under the account's lock, once by
-- the redemption's id. Its time is the database's, read under the lock, and so is what it is due
-- at: `p_at` and `p_due_at` are null but for the release before and for tests. Outcomes: created;
-- exists (the stored one as it is now, nothing written); refused; nonsense (nobody could ask for
-- it); missing; codes_needed, where the gift card's codes are to be made and `p_codes` ([{hash,
-- sealed, last4}]) brings too few or known ones. Judged ones bring the program's decimals.
-- @returns RedemptionResult
-- @param p_shipping Record<string, unknown>
-- @param p_metadata Record<string, string>
-- @param p_codes SealedCode[]
-- @null p_variant p_shipping p_codes p_at p_due_at
create or replace function ledger.redemption_create(
  p_workspace text, p_id text, p_account text, p_reward text, p_variant text, p_quantity int,
  p_default_hold_minutes numeric, p_code text, p_fingerprint text, p_shipping jsonb,
  p_metadata jsonb, p_codes jsonb, p_at timestamptz, p_due_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  a account;
  r reward;
  p program;
  d redemption;
  now timestamptz;
  nonsense text;
  refusal jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  a := account_locked(p_workspace, p_account);
  select * into d from redemption where workspace = p_workspace and id = p_id;
  if found then
    return jsonb_build_object('outcome', 'exists', 'redemption', to_jsonb(d));
  elsif a.id is null then
    return '{"outcome": "missing", "param": "account"}';
  end if;
  now := coalesce(p_at, clock_timestamp());
  select * into r from reward where workspace = p_workspace and id = p_reward;
  if not found then
    return '{"outcome": "missing", "param": "reward"}';
  -- where it is gone already nobody waits for another's lock to hear so
  elsif r.inventory >= p_quantity then
    select * into r from reward where workspace = p_workspace and id = p_reward for update;
  end if;
  if r.has_variants or r.tier_costs is not null or p_variant is not null then
    r := reward_offer(r, a, p_variant, true);
    if r.id is null then
      return jsonb_build_object('outcome', 'missing', 'param', 'variant', 'has_variants',
        r.has_variants);
    end if;
  end if;
  select * into p from program where workspace = p_workspace and id = a.program;
  if a.lots_due_from <= now then
    a := lots_expire(a, now);
  end if;
  nonsense := redemption_nonsense(a, r, p_quantity, p_shipping);
  if nonsense is not null then
    return jsonb_build_object('outcome', 'nonsense', 'param', nonsense);
  end if;
  refusal := redemption_refusals(a, r, p_quantity, greatest(a.balance, 0), now) -> 0;
  if refusal is not null then
    return jsonb_build_object('outcome', 'refused', 'refusal', refusal, 'decimals', p.decimals);
  end if;

  d := redemption_draft(p_id, a, r, p_variant, p_quantity, p_fingerprint, p_metadata, now);
  d := redemption_artifact(d, r, p_code, coalesce(p_due_at,
    redemption_due_at(r, redemption_hold_minutes(r, p, p_default_hold_minutes), now)), p_shipping);
  if r.codes is not null then
    d.gift_cards := gift_cards_take(d, r, p_codes, now);
    if d.gift_cards is null and r.codes ? 'pool' then
      return jsonb_build_object('outcome', 'refused', 'refusal',
        '{"code": "reward_out_of_stock"}'::jsonb,
        'decimals', p.decimals);
    elsif d.gift_cards is null then
      return jsonb_build_object('outcome', 'codes_needed', 'codes', r.codes);
    end if;
  end if;
  return jsonb_build_object('outcome', 'created', 'redemption', redemption_insert(d, a, now),
    'decimals', p.decimals);
end $$;

-- The payment of a pending redemption completed: pending -> applied, by compare-and-set; the clock
-- plays no part. For one already released see redemption_late. Outcomes: applied; settled (already
-- terminal); not_attached (the payment is not this redemption's, or has not completed); missing.
-- @returns RedemptionResult
create or replace function ledger.redemption_apply(
  p_workspace text, p_id text, p_payment text, p_at timestamptz
)
returns jsonb
language plpgsql as $$
declare
  d redemption;
  snapshot jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  update redemption r set status = 'applied', applied_at = p_at,
    revision = next_revision(r.revision)
  from payment p
  where r.workspace = p_workspace and r.id = p_id and r.status = 'pending' and r.payment = p_payment
    and p.workspace = p_workspace and p.id = p_payment and p.status = 'completed'
  returning r.* into d;
  if found then
    snapshot := to_jsonb(d);
    perform event_write(p_workspace, 'loyalty.redemption.applied', p_id, snapshot, null, p_at);
    perform redemption_outbox('pending', d, 'completed');
    return redemption_answer('applied', d, snapshot, 'completed');
  end if;
  select * into d from redemption where workspace = p_workspace and id = p_id;
  if not found then
    return '{"outcome": "missing"}';
  end if;
  if d.status = 'released' and d.payment = p_payment then
    return redemption_late(p_workspace, p_id, p_payment, p_at);
  end if;
  return redemption_unchanged(case when d.status = 'pending' then 'not_attached' else 'settled' end,
    d);
end $$;

-- Gives a pending redemption's points back, by one of three causes: `cancel` (an operation of its
-- own), `payment` (the attached payment failed for good), `deadline` (only where expires_at <=
-- p_at, both to the millisecond, and p_at is a time that the database's clock allows). Looks at the
-- attached payment under its lock: where that has completed it applies instead; while it is
-- processing a cancel is refused; from an open one the discount is taken off again. Outcomes:
-- released; applied; settled; not_due; not_attached; refused; replayed; missing.
-- @returns RedemptionResult
-- @param p_cause 'cancel' | 'deadline' | 'payment'
-- @null p_payment p_operation p_fingerprint p_at
create or replace function ledger.redemption_release(
  p_workspace text, p_id text, p_cause text, p_payment text, p_operation text, p_fingerprint text,
  p_reason text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  d redemption;
  pay payment;
  earlier jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if p_cause = 'deadline' then
    -- unlocked: an early or late wake-up of a settled one costs no lock
    select * into d from redemption where workspace = p_workspace and id = p_id;
    if d.status is distinct from 'pending' or not is_due(d.expires_at, p_at) then
      return redemption_unreleased(d);
    end if;
  end if;
  d := redemption_locked(p_workspace, p_id);
  if p_cause = 'cancel' then
    p_at := coalesce(p_at, clock_timestamp());
    earlier := redemption_repeated(p_workspace, d, p_operation, p_fingerprint);
    if earlier is not null then
      return earlier;
    elsif d.status <> 'pending' then
      return redemption_settled(d);
    end if;
  elsif d.status is distinct from 'pending' or (p_cause = 'deadline'
    and not is_due(d.expires_at, p_at)) then
    return redemption_unreleased(d);
  elsif p_cause = 'payment' and d.payment is distinct from p_payment then
    return redemption_unchanged('not_attached', d);
  end if;
  select * into pay from payment where workspace = p_workspace and id = d.payment;
  if p_cause = 'cancel' and pay.status = 'processing' then
    return redemption_refused(d, '{"code": "payment_processing"}');
  elsif pay.status = 'completed' then
    d := redemption_applied(d, p_at);
  else
    if p_cause = 'cancel' then
      perform redemption_message_write(p_workspace, p_operation, p_id, 'cancel', p_fingerprint,
        p_at);
    end if;
    d := redemption_released(d, pay, p_reason, p_at);
  end if;
  perform redemption_outbox('pending', d, pay.status);
  return case when d.status = 'applied' and p_cause = 'cancel' then redemption_settled(d)
    else redemption_answer(d.status, d, to_jsonb(d), pay.status) end;
end $$;

-- Moves the deadline: expires_at = max(now, expires_at) + minutes. Pending ones only. Outcomes:
-- extended; refused; replayed; missing.
-- @returns RedemptionResult
-- @null p_at
create or replace function ledger.redemption_extend(
  p_workspace text, p_id text, p_minutes int, p_operation text, p_fingerprint text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  d redemption;
  earlier jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into d from redemption where workspace = p_workspace and id = p_id for update;
  p_at := coalesce(p_at, clock_timestamp());
  earlier := redemption_repeated(p_workspace, d, p_operation, p_fingerprint);
  if earlier is not null then
    return earlier;
  elsif d.status <> 'pending' then
    return redemption_settled(d);
  end if;
  perform redemption_message_write(p_workspace, p_operation, p_id, 'extend', p_fingerprint, p_at);
  d.expires_at := date_trunc('milliseconds', greatest(p_at,
    d.expires_at) + make_interval(mins => p_minutes));
  d.revision := next_revision(d.revision);
  perform redemption_save(d, null, p_at);
  return redemption_unchanged('extended', d);
end $$;

-- Undoes a redemption: all that is left of it, `p_quantity` of it, or `p_points` of it (smallest
-- unit). Points go back to the same lots, what was to be shipped stays here first, and stock and
-- limits get the quantity back, once. The status stays until all points are returned, then it is
-- reversed and void. A completed payment keeps its discount, which the row says; `p_refund` refunds
-- that (a sandbox payment's) in the same transaction, with `p_refund_event` in the inbox. Refused:
-- settled ones, more than is left, a part of a pending one, one whose payment is processing, a
-- refund that cannot be, store credit that is spent. A pending one whose payment has completed
-- meanwhile is applied first. Outcomes: reversed; refused; replayed; missing.
-- @returns RedemptionResult
-- @null p_points p_quantity p_at p_refund p_refund_event
create or replace function ledger.redemption_reverse(
  p_workspace text, p_id text, p_points bigint, p_quantity int, p_reason text, p_operation text,
  p_fingerprint text, p_at timestamptz, p_refund text, p_refund_event text
) returns jsonb
language plpgsql as $$
declare
  d redemption;
  earlier jsonb;
  pay payment;
  left_points bigint;
  left_quantity int;
  points bigint;
  quantity int;
  was text;
  refusal jsonb;
  refunded jsonb;
  snapshot jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  d := redemption_locked(p_workspace, p_id);
  p_at := coalesce(p_at, clock_timestamp());
  earlier := redemption_repeated(p_workspace, d, p_operation, p_fingerprint);
  if earlier is not null then
    return earlier;
  end if;
  if d.status in ('released', 'reversed') then
    return redemption_settled(d);
  end if;
  left_points := d.points - d.reversed_points;
  left_quantity := d.quantity - d.reversed_quantity;
  points := case when p_quantity < left_quantity
    then least(left_points, d.points / d.quantity * p_quantity)
    when p_quantity is not null then left_points else coalesce(p_points, left_points) end;
  quantity := case when points = left_points then left_quantity else coalesce(p_quantity, 0) end;
  select * into pay from payment where workspace = p_workspace and id = d.payment;
  was := d.status;
  if d.status = 'pending' and pay.status = 'completed' then
    d := redemption_applied(d, p_at);
  end if;
  d := redemption_payment_unaffected(d, pay, points);
  refusal := redemption_reverse_refusal(d, pay, points, p_quantity, p_refund is not null);
  if refusal is null and d.credit is not null then
    refusal := credit_reversal_refusal(d, points, p_at);
  end if;
  if refusal is not null then
    select * into d from redemption where workspace = p_workspace and id = p_id;
    perform redemption_outbox(was, d, pay.status);
    return redemption_refused(d, refusal);
  end if;
  perform redemption_message_write(p_workspace, p_operation, p_id, 'reverse', p_fingerprint, p_at);
  perform redemption_undo(d, 'reverse', points, p_reason, p_operation, pay, p_at, quantity);
  d.reversed_points := d.reversed_points + points;
  d.reversed_quantity := d.reversed_quantity + quantity;
  d.reason := p_reason;
  if p_refund is not null then
    refunded := refund_of_reversal(pay, p_refund, (d.payment_unaffected ->> 'refundable')::bigint,
      p_reason, p_refund_event, p_at);
    d.payment_unaffected := redemption_payment_refunded(d.payment_unaffected, p_refund);
  end if;
  d := redemption_returned(d, quantity, p_at);
  d.revision := next_revision(d.revision);
  snapshot := redemption_save(d, 'loyalty.redemption.reversed', p_at);
  if d.status = 'fulfilled' and was = 'fulfillment_pending' then
    perform event_write(p_workspace, 'loyalty.redemption.fulfilled', p_id, snapshot, null, p_at);
  end if;
  perform redemption_outbox(was, d, pay.status);
  return redemption_answer('reversed', d, snapshot, pay.status)
    || jsonb_build_object('refunded', refunded);
end $$;

-- A till says that the sale of a held redemption went through: pending -> applied, without a
-- payment; the clock plays no part. One that belongs to a payment is that payment's to apply.
-- Outcomes: applied; refused (redemption_already_settled, redemption_already_attached); replayed;
-- missing.
-- @returns RedemptionResult
-- @null p_at
create or replace function ledger.redemption_confirm(
  p_workspace text, p_id text, p_operation text, p_fingerprint text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  d redemption;
  earlier jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  d := redemption_locked(p_workspace, p_id);
  p_at := coalesce(p_at, clock_timestamp());
  earlier := redemption_repeated(p_workspace, d, p_operation, p_fingerprint);
  if earlier is not null then
    return earlier;
  end if;
  if d.status <> 'pending' then
    return redemption_settled(d);
  elsif d.payment is not null then
    return redemption_refused(d, jsonb_build_object('code', 'redemption_already_attached',
      'resource', d.payment));
  end if;
  perform redemption_message_write(p_workspace, p_operation, p_id, 'confirm', p_fingerprint, p_at);
  d := redemption_applied(d, p_at);
  perform redemption_outbox('pending', d, null);
  return redemption_answer('applied', d, to_jsonb(d), null);
end $$;

-- What the reconciler looks for: redemptions that should have ended before `p_before`, the longest
-- overdue first.
create or replace function ledger.net_overdue_redemptions(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, id text, account text, reward text, expires_at timestamptz)
language sql stable security definer as $$
  select d.workspace, d.id, d.account, d.reward, d.expires_at
  from redemption d where d.status = 'pending' and d.expires_at <= p_before
  order by d.expires_at, d.workspace, d.id limit p_limit offset p_skip
$$;

-- What the workflow of a redemption is started with and told; domain/redemption-summary.ts has the
-- types.

-- The type of a redemption's workflow.
create or replace function ledger_private.redemption_workflow(d redemption) returns text
language sql immutable as $$
  select case when d.fulfillment is null then 'redemption' else 'fulfillment' end
$$;

-- What a redemption's workflow is started with.
create or replace function ledger_private.redemption_input(d redemption) returns jsonb
language sql stable as $$
  select jsonb_build_object('workspace', d.workspace, 'redemption', d.id, 'account', d.account,
    'reward', d.reward)
    || case when d.fulfillment is null then jsonb_build_object('releasesAt', iso(d.expires_at))
      else jsonb_build_object('deadline', iso((d.fulfillment ->> 'deadline')::timestamptz)) end
$$;

-- What its row says, beside the status of the payment it is attached to (null: of none).
create or replace function ledger_private.redemption_facts(
  d redemption, p_payment_status text
) returns jsonb
language sql stable as $$
  select jsonb_build_object('status', d.status, 'payment', d.payment, 'paymentStatus',
    p_payment_status,
      'reason', d.reason, 'expiresAt', iso(d.expires_at), 'late', d.late_payment ->> 'outcome')
    || case when d.fulfillment is null then '{}'::jsonb
      else jsonb_build_object('fulfillment', fulfillment_progress(d)) end
$$;

-- Writes, last in its transaction, that a redemption which waited (`p_before`: its status then)
-- waits no more. What still waits, or waited no more before, writes nothing: an extension, a parcel
-- of several, a reversal after the end. Nor does what its own run does (`vinr.run`), which knows
-- it: a signal amid its task would undo that; but a row that is there says the end from then on.
create or replace function ledger_private.redemption_outbox(
  p_before text, d redemption, p_payment_status text
) returns void
language plpgsql as $$
begin
  if p_before not in ('pending', 'fulfillment_pending') or d.status = p_before then
    return;
  end if;
  if current_setting('vinr.run', true) = d.id then
    update workflow_outbox set facts = redemption_facts(d, p_payment_status), revision = d.revision,
      change = 'ended'
    where workspace = d.workspace and workflow_id = d.id;
  else
    perform outbox_write(d.workspace, d.id, redemption_workflow(d), redemption_input(d), null,
      redemption_facts(d, p_payment_status), d.revision, 'ended');
  end if;
end $$;

-- Why this account may not redeem this reward now: every reason, the reward's first; an empty
-- array where it may. The one judge of creation, quotes, gifts and the catalogue. Numbers of
-- points are in the smallest unit.
create or replace function ledger_private.redemption_refusals(
  a account, r reward, p_quantity int, p_available bigint, p_at timestamptz
) returns jsonb
language plpgsql stable as $$
declare
  reasons jsonb := '[]';
  used bigint;
  win tstzrange;
  tiers jsonb;
begin
  if a.status = 'closed' then
    reasons := reasons || '{"code": "account_closed"}'::jsonb;
  end if;
  if not r.active or r.archived_at is not null then
    reasons := reasons || '{"code": "reward_inactive"}'::jsonb;
  end if;
  if r.starts_at > p_at then
    reasons := reasons || jsonb_build_object('code', 'reward_not_started', 'starts_at',
      r.starts_at);
  end if;
  if r.ends_at <= p_at then
    reasons := reasons || jsonb_build_object('code', 'reward_ended', 'ends_at', r.ends_at);
  end if;
  if r.inventory < p_quantity then
    reasons := reasons || jsonb_build_object('code', 'reward_out_of_stock', 'inventory',
      r.inventory);
  elsif r.codes is not null and r.codes ? 'pool'
    and not codes_left(r.workspace, r.codes ->> 'pool', p_quantity) then
    reasons := reasons || '{"code": "reward_out_of_stock"}'::jsonb;
  end if;
  if r.min_tier is not null then
    select tier_config -> 'tiers' into tiers from program where workspace = a.workspace
      and id = a.program;
    if coalesce(tier_rank(tiers, a.tier), -1) < coalesce(tier_rank(tiers, r.min_tier),
      2147483647) then
      reasons := reasons || jsonb_build_object('code', 'tier_required', 'min_tier', r.min_tier,
        'tier', a.tier);
    end if;
  end if;
  if r.per_member_limit is not null then
    win := window_of(r.limit_window, p_at, (
      select expiry_time_zone from program where workspace = r.workspace and id = r.program));
    select coalesce(sum(quantity - reversed_quantity), 0) into used from redemption
    where workspace = a.workspace and account = a.id and reward = r.id
      and status not in ('released', 'reversed')
      and created_at >= coalesce(lower(win), '-infinity');
    if used + p_quantity > r.per_member_limit then
      reasons := reasons
        || (jsonb_build_object('code', 'limit_reached', 'limit', r.per_member_limit, 'used', used)
        || jsonb_strip_nulls(jsonb_build_object('window', nullif(r.limit_window, 'lifetime'),
          'resets_at', upper(win))));
    end if;
  end if;
  if r.cost * p_quantity > p_available then
    reasons := reasons || points_missing(r.cost * p_quantity, p_available);
  end if;
  return reasons;
end $$;

-- Of what nobody could ever ask for, the parameter that is wrong: a reward of another program, a
-- percentage twice, an address for what is not shipped. Null where there is nothing of it.
create or replace function ledger_private.redemption_nonsense(
  a account, r reward, p_quantity int, p_shipping jsonb
) returns text
language sql immutable as $$
  select case
    when r.program <> a.program then 'reward'
    when r.type = 'discount_percent' and p_quantity > 1 then 'quantity'
    when p_shipping is not null and r.type not in ('free_product', 'gift_card', 'partner')
      then 'shipping'
  end
$$;

-- How long a reward's discount waits for its payment, in minutes: the reward's own word, the
-- program's, the default.
create or replace function ledger_private.redemption_hold_minutes(
  r reward, p program, p_default_minutes numeric
) returns numeric
language sql immutable as $$
  select coalesce(r.hold_minutes, p.hold_minutes, p_default_minutes)
$$;

-- What is known of a redemption before what it grants.
create or replace function ledger_private.redemption_draft(
  p_id text, a account, r reward, p_variant text, p_quantity int, p_fingerprint text,
  p_metadata jsonb, p_at timestamptz
) returns redemption
language plpgsql stable as $$
declare
  d redemption;
begin
  d.workspace := a.workspace;
  d.id := p_id;
  d.account := a.id;
  d.reward := r.id;
  d.program := a.program;
  d.points := r.cost * p_quantity;
  d.quantity := p_quantity;
  d.variant := p_variant;
  d.took_stock := r.inventory is not null;
  d.fingerprint := p_fingerprint;
  d.metadata := p_metadata;
  d.created_at := p_at;
  return d;
end $$;

-- When what was redeemed at `p_at` is due: a discount returns its points then, an item is overdue
-- (30 days where the reward does not say: longer than any parcel takes, short enough that nobody's
-- points are forgotten). To the millisecond, as workflows tell time.
create or replace function ledger_private.redemption_due_at(
  r reward, p_hold_minutes numeric, p_at timestamptz
) returns timestamptz
-- as date_trunc is; an immutable one would not be inlined, but planned by each call
language sql stable as $$
  select date_trunc('milliseconds', p_at + case
    when r.type in ('discount_amount', 'discount_percent')
      then make_interval(secs => p_hold_minutes * 60)
    else make_interval(hours => 24 * coalesce((r.fulfillment ->> 'deadlineDays')::int, 30)) end)
$$;

-- Writes a new redemption, whatever brought it: its row, the points and the stock it takes, the
-- credit it grants, its event, whose data it returns, and what its workflow is to be told. The
-- account's lock is held, the balance suffices. Where another request has just written the same id,
-- for another account, all is taken back and tried again (40001).
create or replace function ledger_private.redemption_insert(
  d redemption, a account, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  snapshot jsonb;
begin
  d.reversed_points := 0;
  d.reversed_quantity := 0;
  d.took_stock := coalesce(d.took_stock, false);
  d.revision := next_revision(null);
  if d.points > 0 then
    d.transaction := vinr_id('ptx');
  end if;
  insert into redemption (workspace, id, account, reward, program, status, points, reversed_points,
    quantity, discount, code, fulfillment, credit, payment, transaction, expires_at, applied_at,
    released_at, fulfilled_at, reversed_at, reason, late_payment, fingerprint, metadata, created_at,
    reversed_quantity, overdue_at, payment_unaffected, variant, took_stock, gift_cards, revision)
  values (d.workspace, d.id, d.account, d.reward, d.program, d.status, d.points, d.reversed_points,
    d.quantity, d.discount, d.code, d.fulfillment, d.credit, d.payment, d.transaction, d.expires_at,
    d.applied_at, d.released_at, d.fulfilled_at, d.reversed_at, d.reason, d.late_payment,
    d.fingerprint, d.metadata, d.created_at, d.reversed_quantity, d.overdue_at,
    d.payment_unaffected, d.variant, d.took_stock, d.gift_cards, d.revision)
  on conflict (workspace, id) do nothing;
  if not found then
    raise exception 'redemption % was created meanwhile', d.id using errcode = '40001';
  end if;
  if d.points > 0 then
    perform points_spend(a, d, d.id, p_at);
  end if;
  if d.took_stock then
    perform stock_move(d, -d.quantity);
  end if;
  if d.credit is not null then
    perform credit_issue(a, d, p_at);
  end if;
  snapshot := to_jsonb(d);
  perform event_write(d.workspace, 'loyalty.redemption.created', d.id, snapshot, null, p_at);
  if d.status in ('pending', 'fulfillment_pending') then
    perform outbox_write(d.workspace, d.id, redemption_workflow(d), redemption_input(d),
      coalesce(d.expires_at, d.overdue_at), redemption_facts(d, null), d.revision, 'new');
  end if;
  return snapshot;
end $$;

-- What the redemption grants and the state it starts in, by the reward's type. A discount waits for
-- its payment until `p_expires_at`; store credit, and a gift card that has its codes, is fulfilled
-- at once; everything else waits for its fulfilment, which is overdue from then on.
create or replace function ledger_private.redemption_artifact(
  d redemption, r reward, p_code text, p_expires_at timestamptz, p_shipping jsonb
) returns redemption
language plpgsql stable as $$
begin
  case
    when r.type = 'discount_amount' then
      d.status := 'pending';
      d.code := p_code;
      d.expires_at := p_expires_at;
      d.discount := jsonb_build_object(
        'amount', (r.value ->> 'amount')::bigint * d.quantity, 'currency', r.value ->> 'currency');
    when r.type = 'discount_percent' then
      d.status := 'pending';
      d.code := p_code;
      d.expires_at := p_expires_at;
      d.discount := r.value;
    when r.type = 'store_credit' then
      d.status := 'fulfilled';
      d.fulfilled_at := d.created_at;
      d.credit := jsonb_build_object(
        'amount', (r.value ->> 'amount')::bigint * d.quantity, 'currency', r.value ->> 'currency')
        || jsonb_strip_nulls(jsonb_build_object('expires_at',
          d.created_at + make_interval(days => (r.value ->> 'expiresDays')::int)));
    when r.codes is not null then
      d.status := 'fulfilled';
      d.fulfilled_at := d.created_at;
    else
      d.status := 'fulfillment_pending';
      d.overdue_at := p_expires_at;
      d.fulfillment := r.value || jsonb_build_object(
        'quantity', coalesce((r.value ->> 'quantity')::int, 1) * d.quantity, 'shipping', p_shipping,
        'shipped', 0, 'canceled', 0, 'shipments', '[]'::jsonb, 'deadline', p_expires_at,
        'on_overdue', coalesce(r.fulfillment ->> 'onOverdue', 'notify'));
  end case;
  return d;
end $$;

-- The debit of a redemption (d.transaction, whose id the caller has made), its lots and its event.
-- The account's lock is held, the balance suffices.
create or replace function ledger_private.points_spend(
  a account, d redemption, p_operation text, p_at timestamptz
)
returns void
language plpgsql as $$
declare
  activity timestamptz;
begin
  if a.balance < d.points then
    -- the lock makes this impossible
    raise exception 'redemption % would overdraw account %', d.id, a.id;
  end if;
  if a.activity_extends_to is not null then
    select case when p.expiry_reset_on_activity then points_expiry(p, p_at) end into activity
    from program p where p.workspace = a.workspace and p.id = a.program;
  end if;
  if points_debit(a.workspace, d.transaction, a.id, a.program, 'redeem', d.points, a.balance,
    'redemption', p_operation, null, d.id, null, null, '{}', activity, p_at) is null then
    raise exception 'redemption % has spent its points already', d.id using errcode = '23505';
  end if;
end $$;

-- The redemption with everything it touches locked in the one order: payment, account, redemption.
-- The payment's id is read unlocked, locked, then checked again; where another attached meanwhile
-- the transaction is to be tried again (40001). Null where there is none.
create or replace function ledger_private.redemption_locked(
  p_workspace text, p_id text
) returns redemption
language plpgsql as $$
declare
  d redemption;
  attached text;
begin
  select * into d from redemption where workspace = p_workspace and id = p_id;
  if not found then
    return null;
  end if;
  attached := d.payment;
  if attached is not null then
    perform 1 from payment where workspace = p_workspace and id = attached for update;
  end if;
  perform account_locked(p_workspace, d.account);
  select * into d from redemption where workspace = p_workspace and id = p_id for update;
  if d.payment is distinct from attached then
    raise exception 'redemption % was attached to a payment meanwhile',
      p_id using errcode = '40001';
  end if;
  return d;
end $$;

-- Writes a redemption's new state, under a revision that the caller has taken from `next_revision`,
-- and its event, whose data is the row as it is now.
create or replace function ledger_private.redemption_save(
  d redemption, p_event text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  snapshot jsonb := to_jsonb(d);
begin
  update redemption set
    status = d.status, reversed_points = d.reversed_points, reversed_quantity = d.reversed_quantity,
    payment = d.payment, transaction = d.transaction,
    fulfillment = d.fulfillment, expires_at = d.expires_at, applied_at = d.applied_at,
    released_at = d.released_at, fulfilled_at = d.fulfilled_at, reversed_at = d.reversed_at,
    reason = d.reason, late_payment = d.late_payment, overdue_at = d.overdue_at,
    payment_unaffected = d.payment_unaffected, revision = d.revision
  where workspace = d.workspace and id = d.id;
  if p_event is not null then
    perform event_write(d.workspace, p_event, d.id, snapshot, null, p_at);
  end if;
  return snapshot;
end $$;

-- What the end of its payment means for a redemption attached to it: completed, a pending one is
-- applied, and one already released is late; ended otherwise, a pending one is released. Returns it
-- as it is then; the caller writes the outbox row (redemption_outbox), last. The locks of payment,
-- account and redemption are held.
create or replace function ledger_private.redemption_follow(
  d redemption, pay payment, p_at timestamptz
) returns redemption
language plpgsql as $$
begin
  if d.payment is distinct from pay.id then
    return d;
  end if;
  case
    when pay.status = 'completed' and d.status = 'pending' then
      return redemption_applied(d, p_at);
    when pay.status = 'completed' and d.status = 'released' then
      return redemption_late_settled(d, pay, p_at);
    when pay.status in ('failed', 'canceled', 'expired') and d.status = 'pending' then
      return redemption_released(d, pay, 'payment_' || pay.status, p_at);
    else
      return d;
  end case;
end $$;

-- pending -> applied, with its event. All locks are held.
create or replace function ledger_private.redemption_applied(
  d redemption, p_at timestamptz
) returns redemption
language plpgsql as $$
begin
  d.status := 'applied';
  d.applied_at := p_at;
  d.revision := next_revision(d.revision);
  perform redemption_save(d, 'loyalty.redemption.applied', p_at);
  return d;
end $$;

-- pending -> released: the points, the stock and the discount on a payment still open are given
-- back. All locks are held.
create or replace function ledger_private.redemption_released(
  d redemption, pay payment, p_reason text, p_at timestamptz
)
returns redemption
language plpgsql as $$
begin
  perform redemption_undo(d, 'release', d.points, p_reason, 'release:' || d.id, pay, p_at,
    d.quantity);
  d.status := 'released';
  d.released_at := p_at;
  d.reason := p_reason;
  d.revision := next_revision(d.revision);
  perform redemption_save(d, 'loyalty.redemption.released', p_at);
  return d;
end $$;

-- A payment that the provider charged with the discount although the redemption was released.
-- The program decides: `rehold` takes the points again where they are there; else the redemption
-- is flagged for a person. Once for each redemption. All locks are held.
create or replace function ledger_private.redemption_late_settled(
  d redemption, pay payment, p_at timestamptz
) returns redemption
language plpgsql as $$
declare
  a account;
  rehold boolean;
begin
  if d.status <> 'released' or d.payment is distinct from pay.id or d.late_payment is not null
      or pay.status <> 'completed' or not exists (
        select from jsonb_array_elements(pay.discounts) x
        where x ->> 'redemption' = d.id and not x ? 'removed_at') then
    return d;
  end if;
  a := lots_expire(account_locked(d.workspace, d.account), p_at);
  select late_payment = 'rehold' into rehold from program where workspace = d.workspace
    and id = a.program;
  rehold := rehold and a.status = 'active' and (d.points = 0 or a.balance >= d.points);
  d.late_payment := jsonb_build_object(
    'payment', pay.id, 'outcome', case when rehold then 'reheld' else 'flagged' end, 'at', p_at);
  d.revision := next_revision(d.revision);
  if rehold then
    if d.points > 0 then
      d.transaction := vinr_id('ptx');
      perform points_spend(a, d, 'rehold:' || d.id, p_at);
    end if;
    d.status := 'applied';
    d.applied_at := p_at;
    if d.took_stock then
      perform stock_move(d, -d.quantity);
    end if;
    perform event_write(d.workspace, 'loyalty.redemption.applied', d.id, to_jsonb(d), null, p_at);
  end if;
  perform redemption_save(d, 'loyalty.redemption.late_payment', p_at);
  return d;
end $$;

-- The same under the locks that it takes. Outcomes: applied; settled.
create or replace function ledger_private.redemption_late(
  p_workspace text, p_id text, p_payment text, p_at timestamptz
)
returns jsonb
language plpgsql as $$
declare
  d redemption := redemption_locked(p_workspace, p_id);
  pay payment;
begin
  select * into pay from payment where workspace = p_workspace and id = p_payment;
  if d.status <> 'released' then
    return redemption_unchanged('settled', d);
  end if;
  d := redemption_late_settled(d, pay, p_at);
  return redemption_answer(case d.status when 'applied' then 'applied' else 'settled' end, d,
    to_jsonb(d), pay.status);
end $$;

-- Whether what is due at `p_due_at` is due for one whose clock says `p_at`, both to the
-- millisecond. A clock that is more than a minute ahead of the database's decides nothing; the
-- setting `vinr.test_clock` (on) allows it.
create or replace function ledger_private.is_due(
  p_due_at timestamptz, p_at timestamptz
) returns boolean
language plpgsql stable as $$
begin
  return date_trunc('milliseconds', p_due_at) <= p_at
    and (p_at <= clock_timestamp() + interval '1 minute'
      or coalesce(current_setting('vinr.test_clock', true), '') = 'on');
end $$;

-- Why a redemption was not released: it is gone, terminal, or not due yet.
create or replace function ledger_private.redemption_unreleased(d redemption) returns jsonb
language plpgsql stable as $$
begin
  if d.id is null then
    return '{"outcome": "missing"}';
  end if;
  return redemption_unchanged(case when d.status = 'pending' then 'not_due' else 'settled' end, d);
end $$;

-- What release and reversal share: points back to the same lots (a gift took none), `p_quantity` of
-- it back to stock, store credit taken back and codes voided, and the discount off a payment still
-- open. All locks are held.
create or replace function ledger_private.redemption_undo(
  d redemption, p_type text, p_points bigint, p_reason text, p_operation text, pay payment,
  p_at timestamptz, p_quantity int
) returns ptx
language plpgsql as $$
declare
  a account;
  t ptx;
begin
  a := account_locked(d.workspace, d.account);
  if d.points > 0 then
    t := points_return(a, p_type, d.transaction, p_points, p_reason, p_operation, d.id, p_at);
  end if;
  if p_quantity > 0 and d.took_stock then
    perform stock_move(d, p_quantity);
  end if;
  if d.credit is not null then
    perform credit_reverse(d, p_points, p_at);
  end if;
  if d.gift_cards is not null and p_quantity > 0 then
    perform gift_cards_void(d, p_quantity, p_at);
  end if;
  if pay.status = 'requires_payment' then
    perform payment_discount_remove(pay, d.id, p_at);
  end if;
  return t;
end $$;

-- What every function of a redemption answers: its outcome, the row, and what its workflow is told
-- of it.
create or replace function ledger_private.redemption_answer(
  p_outcome text, d redemption, p_snapshot jsonb, p_payment_status text
)
returns jsonb
language plpgsql stable as $$
begin
  return jsonb_build_object('outcome', p_outcome, 'redemption', p_snapshot, 'revision', d.revision,
    'facts', redemption_facts(d, p_payment_status));
end $$;

-- The answer of a function that changed nothing.
create or replace function ledger_private.redemption_unchanged(
  p_outcome text, d redemption
) returns jsonb
language plpgsql stable as $$
begin
  return redemption_answer(p_outcome, d, to_jsonb(d), case when d.payment is not null then
    (select p.status from payment p where p.workspace = d.workspace and p.id = d.payment) end);
end $$;

-- The answer of a command that was refused: the redemption as it is, and why.
create or replace function ledger_private.redemption_refused(
  d redemption, p_refusal jsonb
) returns jsonb
language plpgsql stable as $$
begin
  return redemption_unchanged('refused', d) || jsonb_build_object('refusal', p_refusal);
end $$;

-- The refusal of a command that came after the end.
create or replace function ledger_private.redemption_settled(d redemption) returns jsonb
language plpgsql stable as $$
begin
  return redemption_refused(d, jsonb_build_object('code', 'redemption_already_settled', 'status',
    d.status));
end $$;

-- The answer to a command whose operation was done before; null: it was not. The same operation of
-- another redemption or content is refused.
create or replace function ledger_private.redemption_repeated(
  p_workspace text, d redemption, p_operation text, p_fingerprint text
)
returns jsonb
language plpgsql stable as $$
declare
  earlier redemption_message;
begin
  select * into earlier from redemption_message where workspace = p_workspace
    and operation = p_operation;
  if earlier.operation is null then
    return case when d.id is null then '{"outcome": "missing"}'::jsonb end;
  elsif earlier.fingerprint = p_fingerprint and earlier.redemption = d.id then
    return redemption_unchanged('replayed', d);
  end if;
  return '{"outcome": "refused", "refusal": {"code": "idempotency_key_reused"}}';
end $$;

-- Remembers a command that is being obeyed, by its operation. Where another redemption has just
-- obeyed the same operation all is taken back, to be refused on another try (40001).
create or replace function ledger_private.redemption_message_write(
  p_workspace text, p_operation text, p_redemption text, p_kind text, p_fingerprint text,
  p_at timestamptz
) returns void
language plpgsql as $$
begin
  insert into redemption_message (workspace, operation, redemption, kind, fingerprint, at)
  values (p_workspace, p_operation, p_redemption, p_kind, p_fingerprint, p_at)
  on conflict (workspace, operation) do nothing;
  if not found then
    raise exception 'operation % was obeyed meanwhile', p_operation using errcode = '40001';
  end if;
end $$;

-- Why so many points, or `p_quantity`, of a redemption cannot be returned now; null where they can.
create or replace function ledger_private.redemption_reverse_refusal(
  d redemption, pay payment, p_points bigint, p_quantity int, p_refund boolean
) returns jsonb
language sql immutable as $$
  select case
    when p_quantity > d.quantity - d.reversed_quantity then jsonb_build_object(
      'code', 'parameter_invalid', 'param', 'quantity', 'left', d.quantity - d.reversed_quantity)
    when d.points = 0 and p_quantity < d.quantity - d.reversed_quantity then
      '{"code": "parameter_invalid", "param": "quantity", "gift": true}'
    when p_points > d.points - d.reversed_points then jsonb_build_object(
      'code', 'parameter_invalid', 'param', 'points', 'available', d.points - d.reversed_points)
    when d.gift_cards is not null and p_quantity is null
      and p_points < d.points - d.reversed_points then
      '{"code": "parameter_invalid", "param": "points", "cards": true}'
    when d.status = 'pending' and pay.status = 'processing' then '{"code": "payment_processing"}'
    when d.status = 'pending' and p_points < d.points then jsonb_build_object(
      'code', 'parameter_invalid', 'param', case when p_quantity is null then 'points'
        else 'quantity' end,
      'whole', true)
    when p_refund and d.payment_unaffected is null then
      '{"code": "parameter_invalid", "param": "refund_payment", "charged": false}'
    when p_refund and (pay.provider <> 'sandbox'
      or (d.payment_unaffected ->> 'refundable')::bigint = 0) then
      jsonb_build_object('code', 'not_reversible', 'status', pay.status)
  end
$$;

-- The state after a return of `p_quantity`: reversed where all points are back. Of an item what was
-- not shipped yet need not be, and with nothing left to ship the rest of it is fulfilled.
create or replace function ledger_private.redemption_returned(
  d redemption, p_quantity int, p_at timestamptz
) returns redemption
language plpgsql immutable as $$
declare
  unshipped int := case when d.status = 'fulfillment_pending' then fulfillment_left(d) end;
begin
  if unshipped is not null then
    d.fulfillment := fulfillment_without(d, least(unshipped,
      p_quantity * ((d.fulfillment ->> 'quantity')::int / d.quantity)));
  end if;
  if redemption_is_returned(d) then
    d.status := 'reversed';
    d.reversed_at := p_at;
    d.overdue_at := null;
  elsif fulfillment_left(d) = 0 and d.status = 'fulfillment_pending' then
    d := fulfillment_done(d, p_at);
  end if;
  return d;
end $$;

-- Whether all points are back; of a gift, which took none, all of its quantity.
create or replace function ledger_private.redemption_is_returned(d redemption) returns boolean
language sql immutable as $$
  select d.reversed_points = d.points and (d.points > 0 or d.reversed_quantity = d.quantity)
$$;

-- What an applied redemption says of its payment once `p_points` more are returned: that keeps its
-- charge. `discounted` is what the points returned took off it; `refundable` what of that is not
-- refunded here yet and could be, as the payment stands now. Minor units.
create or replace function ledger_private.redemption_payment_unaffected(
  d redemption, pay payment, p_points bigint
) returns redemption
language plpgsql immutable as $$
declare
  discounted bigint;
  refunded bigint := coalesce((d.payment_unaffected ->> 'refunded')::bigint, 0);
begin
  if d.status <> 'applied' or pay.status is distinct from 'completed' or not exists (
    select from jsonb_array_elements(pay.discounts) x where x ->> 'redemption' = d.id
      and not x ? 'removed_at') then
    return d;
  end if;
  discounted := div((pay.amount - payment_charge(pay.amount,
    jsonb_build_array(d.discount)))::numeric
    * case when d.points = 0 then 1 else d.reversed_points + p_points end, greatest(d.points, 1));
  d.payment_unaffected := jsonb_build_object('payment', pay.id, 'currency', pay.currency,
    'discounted', discounted,
    'refunded', refunded, 'refundable', greatest(0,
      least(discounted - refunded, pay.amount_charged - pay.amount_refunded)),
    'refunds', coalesce(d.payment_unaffected -> 'refunds', '[]'));
  return d;
end $$;

-- The same once that was refunded.
create or replace function ledger_private.redemption_payment_refunded(
  p_unaffected jsonb, p_refund text
) returns jsonb
language sql immutable as $$
  select p_unaffected || jsonb_build_object('refunded',
    (p_unaffected ->> 'refunded')::bigint + (p_unaffected ->> 'refundable')::bigint,
    'refundable', 0, 'refunds', (p_unaffected -> 'refunds') || to_jsonb(p_refund))
$$;
