-- Redemptions: created, applied, released, reversed; each command once by its operation.

-- What would become of a redemption now, in one statement that writes nothing. Outcomes: quoted;
-- missing.
-- @returns Quote
-- @null p_variant
create or replace function ledger.redemption_quote(
  p_workspace text, p_account text, p_reward text, p_variant text, p_quantity int,
  p_default_hold_minutes numeric
) returns jsonb
language plpgsql stable as $$
declare
  account_row account;
  reward_row reward;
  program_row program;
  now timestamptz := clock_timestamp();
  available bigint;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into account_row from account where workspace = p_workspace
    and id = account_survivor(p_workspace, p_account);
  if account_row.id is null then
    return '{"outcome": "missing", "param": "account"}';
  end if;
  select * into reward_row from reward where workspace = p_workspace and id = p_reward;
  if not found then
    return '{"outcome": "missing", "param": "reward"}';
  end if;
  if reward_row.has_variants or reward_row.tier_costs is not null or p_variant is not null then
    reward_row := reward_offer(reward_row, account_row, p_variant, false);
    if reward_row.id is null then
      return jsonb_build_object('outcome', 'missing', 'param', 'variant', 'has_variants',
        reward_row.has_variants);
    end if;
  end if;
  select * into program_row from program where workspace = p_workspace and id = account_row.program;
  available := account_available(account_row, now);
  return jsonb_build_object(
    'outcome', 'quoted',
    'hold_minutes', redemption_hold_minutes(reward_row, program_row, p_default_hold_minutes),
    'reward_type', reward_row.type,
    'account', account_row.id,
    'points', reward_row.cost * p_quantity,
    'available', available,
    'value', reward_row.value,
    'codes', reward_row.codes,
    'decimals', program_row.decimals,
    'invalid_param', redemption_invalid_param(account_row, reward_row, p_quantity, null),
    'refusals', redemption_refusals(account_row, reward_row, p_quantity, available, now));
end $$;

-- Spends points on a reward: checks and writes, one transaction under the account's lock, once by
-- the redemption's id. Its time is the database's, read under the lock, and so is what it is due
-- at: `p_at` and `p_due_at` are null but for the release before and for tests. Outcomes: created;
-- exists (the stored one as it is now, nothing written); refused; invalid (nobody could ask for
-- it); missing; codes_needed, where the gift card's codes are to be made and `p_codes` ([{hash,
-- sealed, last4}]) brings too few or known ones. Where points were reckoned with, the answer has
-- the program's decimals.
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
  account_row account;
  reward_row reward;
  program_row program;
  redemption_row redemption;
  now timestamptz;
  invalid_param text;
  refusal jsonb;
begin
  account_row := command_on_account(p_workspace, p_account);
  select * into redemption_row from redemption where workspace = p_workspace and id = p_id;
  if found then
    return jsonb_build_object('outcome', 'exists', 'redemption', to_jsonb(redemption_row));
  elsif account_row.id is null then
    return '{"outcome": "missing", "param": "account"}';
  end if;
  now := coalesce(p_at, clock_timestamp());
  select * into reward_row from reward where workspace = p_workspace and id = p_reward;
  if not found then
    return '{"outcome": "missing", "param": "reward"}';
  -- where it is gone already nobody waits for another's lock to know it
  elsif reward_row.inventory >= p_quantity then
    select * into reward_row from reward where workspace = p_workspace and id = p_reward for update;
  end if;
  if reward_row.has_variants or reward_row.tier_costs is not null or p_variant is not null then
    reward_row := reward_offer(reward_row, account_row, p_variant, true);
    if reward_row.id is null then
      return jsonb_build_object('outcome', 'missing', 'param', 'variant', 'has_variants',
        reward_row.has_variants);
    end if;
  end if;
  select * into program_row from program where workspace = p_workspace and id = account_row.program;
  if account_row.lots_due_from <= now then
    account_row := lots_expire(account_row, now);
  end if;
  invalid_param := redemption_invalid_param(account_row, reward_row, p_quantity, p_shipping);
  if invalid_param is not null then
    return jsonb_build_object('outcome', 'invalid', 'param', invalid_param);
  end if;
  refusal := redemption_refusals(account_row, reward_row, p_quantity,
    greatest(account_row.balance, 0), now) -> 0;
  if refusal is not null then
    return jsonb_build_object('outcome', 'refused', 'refusal', refusal, 'decimals',
      program_row.decimals);
  end if;

  redemption_row := redemption_draft(p_id, account_row, reward_row, p_variant, p_quantity,
    p_fingerprint, p_metadata, now);
  redemption_row := redemption_artifact(redemption_row, reward_row, p_code, coalesce(p_due_at,
    redemption_due_at(reward_row, redemption_hold_minutes(reward_row, program_row,
    p_default_hold_minutes), now)), p_shipping);
  if reward_row.codes is not null then
    redemption_row.gift_cards := gift_cards_take(redemption_row, reward_row, p_codes, now);
    if redemption_row.gift_cards is null and reward_row.codes ? 'pool' then
      return jsonb_build_object('outcome', 'refused', 'refusal',
        '{"code": "reward_out_of_stock"}'::jsonb, 'decimals', program_row.decimals);
    elsif redemption_row.gift_cards is null then
      return jsonb_build_object('outcome', 'codes_needed', 'codes', reward_row.codes);
    end if;
  end if;
  return jsonb_build_object('outcome', 'created', 'redemption',
    redemption_insert(redemption_row, account_row, now), 'decimals', program_row.decimals);
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
  redemption_row redemption;
  snapshot jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  update redemption set status = 'applied', applied_at = p_at,
    revision = next_revision(redemption.revision)
  from payment
  where redemption.workspace = p_workspace and redemption.id = p_id
    and redemption.status = 'pending' and redemption.payment = p_payment
    and payment.workspace = p_workspace and payment.id = p_payment and payment.status = 'completed'
  returning redemption.* into redemption_row;
  if found then
    snapshot := to_jsonb(redemption_row);
    perform event_write(p_workspace, 'loyalty.redemption.applied', p_id, snapshot, null, p_at);
    perform redemption_outbox('pending', redemption_row, 'completed');
    return redemption_answer('applied', redemption_row, snapshot, 'completed');
  end if;
  select * into redemption_row from redemption where workspace = p_workspace and id = p_id;
  if not found then
    return '{"outcome": "missing"}';
  end if;
  if redemption_row.status = 'released' and redemption_row.payment = p_payment then
    return redemption_late(p_workspace, p_id, p_payment, p_at);
  end if;
  return redemption_unchanged(case when redemption_row.status = 'pending'
    then 'not_attached' else 'settled' end, redemption_row);
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
  redemption_row redemption;
  payment_row payment;
  command record;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if p_cause = 'deadline' then
    -- unlocked: a run that is early, or late for a settled one, costs no lock
    select * into redemption_row from redemption where workspace = p_workspace and id = p_id;
    if redemption_row.status is distinct from 'pending'
      or not is_due(redemption_row.expires_at, p_at) then
      return redemption_unreleased(redemption_row);
    end if;
  end if;
  if p_cause = 'cancel' then
    command := redemption_command(p_workspace, p_id, p_operation, p_fingerprint, false);
    redemption_row := command.redemption_row;
    p_at := coalesce(p_at, clock_timestamp());
    if command.answer is not null then
      return command.answer;
    elsif redemption_row.status <> 'pending' then
      return redemption_settled(redemption_row);
    end if;
  else
    redemption_row := redemption_locked(p_workspace, p_id);
  end if;
  if redemption_row.status is distinct from 'pending'
    or (p_cause = 'deadline' and not is_due(redemption_row.expires_at, p_at)) then
    return redemption_unreleased(redemption_row);
  elsif p_cause = 'payment' and redemption_row.payment is distinct from p_payment then
    return redemption_unchanged('not_attached', redemption_row);
  end if;
  select * into payment_row from payment where workspace = p_workspace
    and id = redemption_row.payment;
  if p_cause = 'cancel' and payment_row.status = 'processing' then
    return redemption_refused(redemption_row, '{"code": "payment_processing"}');
  elsif payment_row.status = 'completed' then
    redemption_row := redemption_applied(redemption_row, p_at);
  else
    if p_cause = 'cancel' then
      perform redemption_message_write(p_workspace, p_operation, p_id, 'cancel', p_fingerprint,
        p_at);
    end if;
    redemption_row := redemption_released(redemption_row, payment_row, p_reason, p_at);
  end if;
  perform redemption_outbox('pending', redemption_row, payment_row.status);
  return case when redemption_row.status = 'applied' and p_cause = 'cancel'
    then redemption_settled(redemption_row)
    else redemption_answer(redemption_row.status, redemption_row, to_jsonb(redemption_row),
      payment_row.status) end;
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
  redemption_row redemption;
  command record;
begin
  command := redemption_command(p_workspace, p_id, p_operation, p_fingerprint, true);
  redemption_row := command.redemption_row;
  p_at := coalesce(p_at, clock_timestamp());
  if command.answer is not null then
    return command.answer;
  elsif redemption_row.status <> 'pending' then
    return redemption_settled(redemption_row);
  end if;
  perform redemption_message_write(p_workspace, p_operation, p_id, 'extend', p_fingerprint, p_at);
  redemption_row.expires_at := date_trunc('milliseconds', greatest(p_at,
    redemption_row.expires_at) + make_interval(mins => p_minutes));
  redemption_row.revision := next_revision(redemption_row.revision);
  perform redemption_save(redemption_row, null, p_at);
  return redemption_unchanged('extended', redemption_row);
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
  redemption_row redemption;
  command record;
  payment_row payment;
  left_points bigint;
  left_quantity int;
  points bigint;
  quantity int;
  status_before text;
  refusal jsonb;
  refunded jsonb;
begin
  command := redemption_command(p_workspace, p_id, p_operation, p_fingerprint, false);
  redemption_row := command.redemption_row;
  p_at := coalesce(p_at, clock_timestamp());
  if command.answer is not null then
    return command.answer;
  elsif redemption_row.status in ('released', 'reversed') then
    return redemption_settled(redemption_row);
  end if;
  left_points := redemption_row.points - redemption_row.reversed_points;
  left_quantity := redemption_row.quantity - redemption_row.reversed_quantity;
  points := case when p_quantity < left_quantity
    then least(left_points, redemption_row.points / redemption_row.quantity * p_quantity)
    when p_quantity is not null then left_points else coalesce(p_points, left_points) end;
  quantity := case when points = left_points then left_quantity else coalesce(p_quantity, 0) end;
  select * into payment_row from payment where workspace = p_workspace
    and id = redemption_row.payment;
  status_before := redemption_row.status;
  if redemption_row.status = 'pending' and payment_row.status = 'completed' then
    redemption_row := redemption_applied(redemption_row, p_at);
  end if;
  redemption_row := redemption_payment_unaffected(redemption_row, payment_row, points);
  refusal := coalesce(redemption_reverse_refusal(redemption_row, payment_row, points, p_quantity,
    p_refund is not null), case when redemption_row.credit is not null
    then credit_reversal_refusal(redemption_row, points, p_at) end);
  if refusal is not null then
    select * into redemption_row from redemption where workspace = p_workspace and id = p_id;
    perform redemption_outbox(status_before, redemption_row, payment_row.status);
    return redemption_refused(redemption_row, refusal);
  end if;
  perform redemption_message_write(p_workspace, p_operation, p_id, 'reverse', p_fingerprint, p_at);
  perform redemption_undo(redemption_row, 'reverse', points, p_reason, p_operation, payment_row,
    p_at, quantity);
  redemption_row.reversed_points := redemption_row.reversed_points + points;
  redemption_row.reversed_quantity := redemption_row.reversed_quantity + quantity;
  redemption_row.reason := p_reason;
  if p_refund is not null then
    refunded := refund_of_reversal(payment_row, p_refund,
      (redemption_row.payment_unaffected ->> 'refundable')::bigint, p_reason, p_refund_event, p_at);
    redemption_row.payment_unaffected :=
      redemption_payment_refunded(redemption_row.payment_unaffected, p_refund);
  end if;
  redemption_row := redemption_returned(redemption_row, quantity, p_at);
  redemption_row.revision := next_revision(redemption_row.revision);
  perform redemption_save(redemption_row, 'loyalty.redemption.reversed', p_at);
  if redemption_row.status = 'fulfilled' and status_before = 'fulfillment_pending' then
    perform event_write(p_workspace, 'loyalty.redemption.fulfilled', p_id,
      to_jsonb(redemption_row), null, p_at);
  end if;
  perform redemption_outbox(status_before, redemption_row, payment_row.status);
  return redemption_answer('reversed', redemption_row, to_jsonb(redemption_row),
    payment_row.status) || jsonb_build_object('refunded', refunded);
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
  redemption_row redemption;
  command record;
begin
  command := redemption_command(p_workspace, p_id, p_operation, p_fingerprint, false);
  redemption_row := command.redemption_row;
  p_at := coalesce(p_at, clock_timestamp());
  if command.answer is not null then
    return command.answer;
  end if;
  if redemption_row.status <> 'pending' then
    return redemption_settled(redemption_row);
  elsif redemption_row.payment is not null then
    return redemption_refused(redemption_row, jsonb_build_object('code',
      'redemption_already_attached', 'resource', redemption_row.payment));
  end if;
  perform redemption_message_write(p_workspace, p_operation, p_id, 'confirm', p_fingerprint, p_at);
  redemption_row := redemption_applied(redemption_row, p_at);
  perform redemption_outbox('pending', redemption_row, null);
  return redemption_answer('applied', redemption_row, to_jsonb(redemption_row), null);
end $$;

-- What the reconciler looks for: redemptions that should have ended before `p_before`, the longest
-- overdue first.
create or replace function ledger.redemptions_overdue(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, id text, account text, reward text, expires_at timestamptz)
language sql stable security definer as $$
  select redemption.workspace, redemption.id, redemption.account, redemption.reward,
    redemption.expires_at
  from redemption where redemption.status = 'pending' and redemption.expires_at <= p_before
  order by redemption.expires_at, redemption.workspace, redemption.id limit p_limit offset p_skip
$$;

-- What the workflow of a redemption is started and signalled with; domain/redemption-summary.ts has
-- the types.

-- The type of a redemption's workflow.
create or replace function ledger_private.redemption_workflow(
  redemption_row redemption
) returns text
language sql immutable as $$
  select case when redemption_row.fulfillment is null then 'redemption' else 'fulfillment' end
$$;

-- What a redemption's workflow is started with.
create or replace function ledger_private.redemption_input(redemption_row redemption) returns jsonb
language sql stable as $$
  select jsonb_build_object('workspace', redemption_row.workspace, 'redemption', redemption_row.id,
    'account', redemption_row.account, 'reward', redemption_row.reward)
    || case when redemption_row.fulfillment is null then jsonb_build_object('releasesAt',
    iso(redemption_row.expires_at))
      else jsonb_build_object('deadline',
      iso((redemption_row.fulfillment ->> 'deadline')::timestamptz)) end
$$;

-- What its row says, beside the status of the payment it is attached to (null: of none).
create or replace function ledger_private.redemption_facts(
  redemption_row redemption, p_payment_status text
) returns jsonb
language sql stable as $$
  select jsonb_build_object('status', redemption_row.status, 'payment', redemption_row.payment,
    'paymentStatus', p_payment_status,
      'reason', redemption_row.reason, 'expiresAt', iso(redemption_row.expires_at), 'late',
      redemption_row.late_payment ->> 'outcome')
    || case when redemption_row.fulfillment is null then '{}'::jsonb
      else jsonb_build_object('fulfillment', fulfillment_progress(redemption_row)) end
$$;

-- Writes, last in its transaction, that a redemption which waited (`p_before`: its status then)
-- waits no more. What still waits, or waited no more before, writes nothing: an extension, a parcel
-- of several, a reversal after the end. Nor does what its own run does (`vinr.run`), which knows
-- it: a signal amid its task would undo that; but a row that is there says the end from then on.
create or replace function ledger_private.redemption_outbox(
  p_before text, redemption_row redemption, p_payment_status text
) returns void
language plpgsql as $$
begin
  if p_before not in ('pending', 'fulfillment_pending') or redemption_row.status = p_before then
    return;
  end if;
  if current_setting('vinr.run', true) = redemption_row.id then
    update workflow_outbox set facts = redemption_facts(redemption_row, p_payment_status),
      revision = redemption_row.revision, change = 'ended'
    where workspace = redemption_row.workspace and workflow_id = redemption_row.id;
  else
    perform outbox_write(redemption_row.workspace, redemption_row.id,
      redemption_workflow(redemption_row), redemption_input(redemption_row), null,
      redemption_facts(redemption_row, p_payment_status), redemption_row.revision, 'ended');
  end if;
end $$;

-- Why this account may not redeem this reward now: every reason, the reward's first; an empty
-- array where it may. Creation, quotes, gifts and the catalogue ask nobody else. Numbers of
-- points are in the smallest unit.
create or replace function ledger_private.redemption_refusals(
  account_row account, reward_row reward, p_quantity int, p_available bigint, p_at timestamptz
) returns jsonb
language plpgsql stable as $$
declare
  reasons jsonb := '[]';
  used bigint;
  limit_now tstzrange;
  tiers jsonb;
begin
  if account_row.status = 'closed' then
    reasons := reasons || '{"code": "account_closed"}'::jsonb;
  end if;
  if not reward_row.active or reward_row.archived_at is not null then
    reasons := reasons || '{"code": "reward_inactive"}'::jsonb;
  end if;
  if reward_row.starts_at > p_at then
    reasons := reasons || jsonb_build_object('code', 'reward_not_started', 'starts_at',
      reward_row.starts_at);
  end if;
  if reward_row.ends_at <= p_at then
    reasons := reasons || jsonb_build_object('code', 'reward_ended', 'ends_at', reward_row.ends_at);
  end if;
  if reward_row.inventory < p_quantity then
    reasons := reasons || jsonb_build_object('code', 'reward_out_of_stock', 'inventory',
      reward_row.inventory);
  elsif reward_row.codes is not null and reward_row.codes ? 'pool'
    and not codes_left(reward_row.workspace, reward_row.codes ->> 'pool', p_quantity) then
    reasons := reasons || '{"code": "reward_out_of_stock"}'::jsonb;
  end if;
  if reward_row.min_tier is not null then
    select tier_config -> 'tiers' into tiers from program where workspace = account_row.workspace
      and id = account_row.program;
    if coalesce(tier_rank(tiers, account_row.tier), -1) < coalesce(tier_rank(tiers,
      reward_row.min_tier), 2147483647) then
      reasons := reasons || jsonb_build_object('code', 'tier_required', 'min_tier',
        reward_row.min_tier, 'tier', account_row.tier);
    end if;
  end if;
  if reward_row.per_member_limit is not null then
    limit_now := window_of(reward_row.limit_window, p_at, (
      select expiry_time_zone from program where workspace = reward_row.workspace
        and id = reward_row.program));
    select coalesce(sum(quantity - reversed_quantity), 0) into used from redemption
    where workspace = account_row.workspace and account = account_row.id and reward = reward_row.id
      and status not in ('released', 'reversed')
      and created_at >= coalesce(lower(limit_now), '-infinity');
    if used + p_quantity > reward_row.per_member_limit then
      reasons := reasons
        || (jsonb_build_object('code', 'limit_reached', 'limit', reward_row.per_member_limit,
        'used', used)
        || jsonb_strip_nulls(jsonb_build_object('window', nullif(reward_row.limit_window,
        'lifetime'), 'resets_at', upper(limit_now))));
    end if;
  end if;
  if reward_row.cost * p_quantity > p_available then
    reasons := reasons || points_missing(reward_row.cost * p_quantity, p_available);
  end if;
  return reasons;
end $$;

-- Of what nobody could ever ask for, the parameter that is wrong: a reward of another program, a
-- percentage twice, an address for what is not shipped. Null where there is nothing of it.
create or replace function ledger_private.redemption_invalid_param(
  account_row account, reward_row reward, p_quantity int, p_shipping jsonb
) returns text
language sql immutable as $$
  select case
    when reward_row.program <> account_row.program then 'reward'
    when reward_row.type = 'discount_percent' and p_quantity > 1 then 'quantity'
    when p_shipping is not null and reward_row.type not in ('free_product', 'gift_card', 'partner')
      then 'shipping'
  end
$$;

-- How long a reward's discount waits for its payment, in minutes: the reward's own word, the
-- program's, the default.
create or replace function ledger_private.redemption_hold_minutes(
  reward_row reward, program_row program, p_default_minutes numeric
) returns numeric
language sql immutable as $$
  select coalesce(reward_row.hold_minutes, program_row.hold_minutes, p_default_minutes)
$$;

-- What is known of a redemption before what it grants.
create or replace function ledger_private.redemption_draft(
  p_id text, account_row account, reward_row reward, p_variant text, p_quantity int,
  p_fingerprint text, p_metadata jsonb, p_at timestamptz
) returns redemption
language plpgsql stable as $$
declare
  redemption_row redemption;
begin
  redemption_row.workspace := account_row.workspace;
  redemption_row.id := p_id;
  redemption_row.account := account_row.id;
  redemption_row.reward := reward_row.id;
  redemption_row.program := account_row.program;
  redemption_row.points := reward_row.cost * p_quantity;
  redemption_row.quantity := p_quantity;
  redemption_row.variant := p_variant;
  redemption_row.took_stock := reward_row.inventory is not null;
  redemption_row.fingerprint := p_fingerprint;
  redemption_row.metadata := p_metadata;
  redemption_row.created_at := p_at;
  return redemption_row;
end $$;

-- When what was redeemed at `p_at` is due: a discount returns its points then, an item is overdue
-- (30 days where the reward does not say: longer than any parcel takes, short enough that nobody's
-- points are forgotten). To the millisecond, as workflows have time.
create or replace function ledger_private.redemption_due_at(
  reward_row reward, p_hold_minutes numeric, p_at timestamptz
) returns timestamptz
-- as date_trunc is; an immutable one would not be inlined, but planned by each call
language sql stable as $$
  select date_trunc('milliseconds', p_at + case
    when reward_row.type in ('discount_amount', 'discount_percent')
      then make_interval(secs => p_hold_minutes * 60)
    else make_interval(hours => 24 * coalesce((reward_row.fulfillment ->> 'deadlineDays')::int,
    30)) end)
$$;

-- Writes a new redemption, whatever brought it: its row, the points and the stock it takes, the
-- credit it grants, its event, whose data it returns, and the outbox row of its workflow. The
-- account's lock is held, the balance suffices. Where another request has just written the same id,
-- for another account, all is taken back and tried again (40001).
create or replace function ledger_private.redemption_insert(
  redemption_row redemption, account_row account, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  snapshot jsonb;
begin
  redemption_row.reversed_points := 0;
  redemption_row.reversed_quantity := 0;
  redemption_row.took_stock := coalesce(redemption_row.took_stock, false);
  redemption_row.revision := next_revision(null);
  if redemption_row.points > 0 then
    redemption_row.transaction := vinr_id('ptx');
  end if;
  insert into redemption (workspace, id, account, reward, program, status, points, reversed_points,
    quantity, discount, code, fulfillment, credit, payment, transaction, expires_at, applied_at,
    released_at, fulfilled_at, reversed_at, reason, late_payment, fingerprint, metadata, created_at,
    reversed_quantity, overdue_at, payment_unaffected, variant, took_stock, gift_cards, revision)
  values (redemption_row.workspace, redemption_row.id, redemption_row.account,
    redemption_row.reward, redemption_row.program, redemption_row.status, redemption_row.points,
    redemption_row.reversed_points, redemption_row.quantity, redemption_row.discount,
    redemption_row.code, redemption_row.fulfillment, redemption_row.credit, redemption_row.payment,
    redemption_row.transaction, redemption_row.expires_at, redemption_row.applied_at,
    redemption_row.released_at, redemption_row.fulfilled_at, redemption_row.reversed_at,
    redemption_row.reason, redemption_row.late_payment, redemption_row.fingerprint,
    redemption_row.metadata, redemption_row.created_at, redemption_row.reversed_quantity,
    redemption_row.overdue_at, redemption_row.payment_unaffected, redemption_row.variant,
    redemption_row.took_stock, redemption_row.gift_cards, redemption_row.revision)
  on conflict (workspace, id) do nothing;
  if not found then
    raise exception 'redemption % was created meanwhile', redemption_row.id using errcode = '40001';
  end if;
  if redemption_row.points > 0 then
    perform points_spend(account_row, redemption_row, redemption_row.id, p_at);
  end if;
  if redemption_row.took_stock then
    perform stock_move(redemption_row, -redemption_row.quantity);
  end if;
  if redemption_row.credit is not null then
    perform credit_issue(account_row, redemption_row, p_at);
  end if;
  snapshot := to_jsonb(redemption_row);
  perform event_write(redemption_row.workspace, 'loyalty.redemption.created', redemption_row.id,
    snapshot, null, p_at);
  if redemption_row.status in ('pending', 'fulfillment_pending') then
    perform outbox_write(redemption_row.workspace, redemption_row.id,
      redemption_workflow(redemption_row), redemption_input(redemption_row),
      coalesce(redemption_row.expires_at, redemption_row.overdue_at),
      redemption_facts(redemption_row, null), redemption_row.revision, 'new');
  end if;
  return snapshot;
end $$;

-- What the redemption grants and the state it starts in, by the reward's type. A discount waits for
-- its payment until `p_expires_at`; store credit, and a gift card that has its codes, is fulfilled
-- at once; everything else waits for its fulfilment, which is overdue from then on.
create or replace function ledger_private.redemption_artifact(
  redemption_row redemption, reward_row reward, p_code text, p_expires_at timestamptz,
  p_shipping jsonb
) returns redemption
language plpgsql stable as $$
begin
  case
    when reward_row.type = 'discount_amount' then
      redemption_row.status := 'pending';
      redemption_row.code := p_code;
      redemption_row.expires_at := p_expires_at;
      redemption_row.discount := jsonb_build_object(
        'amount', (reward_row.value ->> 'amount')::bigint * redemption_row.quantity, 'currency',
        reward_row.value ->> 'currency');
    when reward_row.type = 'discount_percent' then
      redemption_row.status := 'pending';
      redemption_row.code := p_code;
      redemption_row.expires_at := p_expires_at;
      redemption_row.discount := reward_row.value;
    when reward_row.type = 'store_credit' then
      redemption_row.status := 'fulfilled';
      redemption_row.fulfilled_at := redemption_row.created_at;
      redemption_row.credit := jsonb_build_object(
        'amount', (reward_row.value ->> 'amount')::bigint * redemption_row.quantity, 'currency',
        reward_row.value ->> 'currency') || jsonb_strip_nulls(jsonb_build_object('expires_at',
        redemption_row.created_at
          + make_interval(days => (reward_row.value ->> 'expiresDays')::int)));
    when reward_row.codes is not null then
      redemption_row.status := 'fulfilled';
      redemption_row.fulfilled_at := redemption_row.created_at;
    else
      redemption_row.status := 'fulfillment_pending';
      redemption_row.overdue_at := p_expires_at;
      redemption_row.fulfillment := reward_row.value || jsonb_build_object(
        'quantity', coalesce((reward_row.value ->> 'quantity')::int, 1) * redemption_row.quantity,
        'shipping', p_shipping,
        'shipped', 0, 'canceled', 0, 'shipments', '[]'::jsonb, 'deadline', p_expires_at,
        'on_overdue', coalesce(reward_row.fulfillment ->> 'onOverdue', 'notify'));
  end case;
  return redemption_row;
end $$;

-- The debit of a redemption, its lots and its event; the caller has made the id of its transaction.
-- The account's lock is held, the balance suffices.
create or replace function ledger_private.points_spend(
  account_row account, redemption_row redemption, p_operation text, p_at timestamptz
)
returns void
language plpgsql as $$
declare
  activity timestamptz;
begin
  if account_row.balance < redemption_row.points then
    -- the lock makes this impossible
    raise exception 'redemption % would overdraw account %', redemption_row.id, account_row.id;
  end if;
  if account_row.activity_extends_to is not null then
    select case when program.expiry_reset_on_activity then points_expiry(program, p_at) end
      into activity
    from program where program.workspace = account_row.workspace
      and program.id = account_row.program;
  end if;
  if points_debit(account_row.workspace, redemption_row.transaction, account_row.id,
    account_row.program, 'redeem', redemption_row.points, account_row.balance,
    'redemption', p_operation, null, redemption_row.id, null, null, '{}', activity,
    p_at) is null then
    raise exception 'redemption % has spent its points already',
      redemption_row.id using errcode = '23505';
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
  redemption_row redemption;
  attached text;
begin
  select * into redemption_row from redemption where workspace = p_workspace and id = p_id;
  if not found then
    return null;
  end if;
  attached := redemption_row.payment;
  if attached is not null then
    perform 1 from payment where workspace = p_workspace and id = attached for update;
  end if;
  perform account_locked(p_workspace, redemption_row.account);
  select * into redemption_row from redemption where workspace = p_workspace
    and id = p_id for update;
  if redemption_row.payment is distinct from attached then
    raise exception 'redemption % was attached to a payment meanwhile',
      p_id using errcode = '40001';
  end if;
  return redemption_row;
end $$;

-- Writes a redemption's new state, under a revision that the caller has taken from `next_revision`,
-- and its event, whose data is the row as it is now.
create or replace function ledger_private.redemption_save(
  redemption_row redemption, p_event text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  snapshot jsonb := to_jsonb(redemption_row);
begin
  update redemption set status = redemption_row.status,
    reversed_points = redemption_row.reversed_points,
    reversed_quantity = redemption_row.reversed_quantity, payment = redemption_row.payment,
    transaction = redemption_row.transaction, fulfillment = redemption_row.fulfillment,
    expires_at = redemption_row.expires_at, applied_at = redemption_row.applied_at,
    released_at = redemption_row.released_at, fulfilled_at = redemption_row.fulfilled_at,
    reversed_at = redemption_row.reversed_at, reason = redemption_row.reason,
    late_payment = redemption_row.late_payment, overdue_at = redemption_row.overdue_at,
    payment_unaffected = redemption_row.payment_unaffected, revision = redemption_row.revision
  where workspace = redemption_row.workspace and id = redemption_row.id;
  if redemption_row.status <> 'fulfillment_pending'
    and redemption_row.fulfillment ? 'overdue_notices' then
    perform attention_settle(redemption_row.workspace, 'fulfillment_overdue', redemption_row.id,
      p_at);
  end if;
  if p_event is not null then
    perform event_write(redemption_row.workspace, p_event, redemption_row.id, snapshot, null, p_at);
  end if;
  return snapshot;
end $$;

-- What the end of its payment means for a redemption attached to it: completed, a pending one is
-- applied, and one already released is late; ended otherwise, a pending one is released. Returns it
-- as it is then; the caller writes the outbox row (redemption_outbox), last. The locks of payment,
-- account and redemption are held.
create or replace function ledger_private.redemption_follow(
  redemption_row redemption, payment_row payment, p_at timestamptz
) returns redemption
language plpgsql as $$
begin
  if redemption_row.payment is distinct from payment_row.id then
    return redemption_row;
  end if;
  case
    when payment_row.status = 'completed' and redemption_row.status = 'pending' then
      return redemption_applied(redemption_row, p_at);
    when payment_row.status = 'completed' and redemption_row.status = 'released' then
      return redemption_late_settled(redemption_row, payment_row, p_at);
    when payment_row.status in ('failed', 'canceled', 'expired')
      and redemption_row.status = 'pending' then
      return redemption_released(redemption_row, payment_row, 'payment_' || payment_row.status,
        p_at);
    else
      return redemption_row;
  end case;
end $$;

-- pending -> applied, with its event. All locks are held.
create or replace function ledger_private.redemption_applied(
  redemption_row redemption, p_at timestamptz
) returns redemption
language plpgsql as $$
begin
  redemption_row.status := 'applied';
  redemption_row.applied_at := p_at;
  redemption_row.revision := next_revision(redemption_row.revision);
  perform redemption_save(redemption_row, 'loyalty.redemption.applied', p_at);
  return redemption_row;
end $$;

-- pending -> released: the points, the stock and the discount on a payment still open are given
-- back. All locks are held.
create or replace function ledger_private.redemption_released(
  redemption_row redemption, payment_row payment, p_reason text, p_at timestamptz
)
returns redemption
language plpgsql as $$
begin
  perform redemption_undo(redemption_row, 'release', redemption_row.points, p_reason, 'release:'
    || redemption_row.id, payment_row, p_at, redemption_row.quantity);
  redemption_row.status := 'released';
  redemption_row.released_at := p_at;
  redemption_row.reason := p_reason;
  redemption_row.revision := next_revision(redemption_row.revision);
  perform redemption_save(redemption_row, 'loyalty.redemption.released', p_at);
  return redemption_row;
end $$;

-- A payment that the provider charged with the discount although the redemption was released.
-- The program decides: `rehold` takes the points again where they are there; else the redemption
-- is flagged for a person. Once for each redemption. All locks are held.
create or replace function ledger_private.redemption_late_settled(
  redemption_row redemption, payment_row payment, p_at timestamptz
) returns redemption
language plpgsql as $$
declare
  account_row account;
  rehold boolean;
begin
  if redemption_row.status <> 'released'
    or redemption_row.payment is distinct from payment_row.id
    or redemption_row.late_payment is not null
      or payment_row.status <> 'completed' or not exists (
        select from jsonb_array_elements(payment_row.discounts) discount
        where discount ->> 'redemption' = redemption_row.id and not discount ? 'removed_at') then
    return redemption_row;
  end if;
  account_row := lots_expire(account_locked(redemption_row.workspace, redemption_row.account),
    p_at);
  select late_payment = 'rehold' into rehold from program where workspace = redemption_row.workspace
    and id = account_row.program;
  rehold := rehold and account_row.status = 'active'
    and (redemption_row.points = 0 or account_row.balance >= redemption_row.points);
  redemption_row.late_payment := jsonb_build_object(
    'payment', payment_row.id, 'outcome', case when rehold then 'reheld' else 'flagged' end, 'at',
    p_at);
  redemption_row.revision := next_revision(redemption_row.revision);
  if rehold then
    if redemption_row.points > 0 then
      redemption_row.transaction := vinr_id('ptx');
      perform points_spend(account_row, redemption_row, 'rehold:' || redemption_row.id, p_at);
    end if;
    redemption_row.status := 'applied';
    redemption_row.applied_at := p_at;
    if redemption_row.took_stock then
      perform stock_move(redemption_row, -redemption_row.quantity);
    end if;
    perform event_write(redemption_row.workspace, 'loyalty.redemption.applied', redemption_row.id,
      to_jsonb(redemption_row), null, p_at);
  end if;
  if not rehold then
    perform attention_note(redemption_row.workspace, 'late_payment', redemption_row.id,
      redemption_row.id, jsonb_build_object('payment', payment_row.id, 'account',
        redemption_row.account), p_at);
  end if;
  perform redemption_save(redemption_row, 'loyalty.redemption.late_payment', p_at);
  return redemption_row;
end $$;

-- The same under the locks that it takes. Outcomes: applied; settled.
create or replace function ledger_private.redemption_late(
  p_workspace text, p_id text, p_payment text, p_at timestamptz
)
returns jsonb
language plpgsql as $$
declare
  redemption_row redemption := redemption_locked(p_workspace, p_id);
  payment_row payment;
begin
  select * into payment_row from payment where workspace = p_workspace and id = p_payment;
  if redemption_row.status <> 'released' then
    return redemption_unchanged('settled', redemption_row);
  end if;
  redemption_row := redemption_late_settled(redemption_row, payment_row, p_at);
  return redemption_answer(case redemption_row.status when 'applied'
    then 'applied' else 'settled' end, redemption_row,
    to_jsonb(redemption_row), payment_row.status);
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
create or replace function ledger_private.redemption_unreleased(
  redemption_row redemption
) returns jsonb
language plpgsql stable as $$
begin
  if redemption_row.id is null then
    return '{"outcome": "missing"}';
  end if;
  return redemption_unchanged(case when redemption_row.status = 'pending'
    then 'not_due' else 'settled' end, redemption_row);
end $$;

-- What release and reversal share: points back to the same lots (a gift took none), `p_quantity` of
-- it back to stock, store credit taken back and codes voided, and the discount off a payment still
-- open. All locks are held.
create or replace function ledger_private.redemption_undo(
  redemption_row redemption, p_type text, p_points bigint, p_reason text, p_operation text,
  payment_row payment, p_at timestamptz, p_quantity int
) returns ptx
language plpgsql as $$
declare
  account_row account;
  ptx_row ptx;
begin
  account_row := account_locked(redemption_row.workspace, redemption_row.account);
  if redemption_row.points > 0 then
    ptx_row := points_return(account_row, p_type, redemption_row.transaction, p_points, p_reason,
      p_operation, redemption_row.id, p_at);
  end if;
  if p_quantity > 0 and redemption_row.took_stock then
    perform stock_move(redemption_row, p_quantity);
  end if;
  if redemption_row.credit is not null then
    perform credit_reverse(redemption_row, p_points, p_at);
  end if;
  if redemption_row.gift_cards is not null and p_quantity > 0 then
    perform gift_cards_void(redemption_row, p_quantity, p_at);
  end if;
  if payment_row.status = 'requires_payment' then
    perform payment_discount_remove(payment_row, redemption_row.id, p_at);
  end if;
  return ptx_row;
end $$;

-- What every function of a redemption answers: its outcome, the row, and what its workflow knows
-- of it.
create or replace function ledger_private.redemption_answer(
  p_outcome text, redemption_row redemption, p_snapshot jsonb, p_payment_status text
)
returns jsonb
language plpgsql stable as $$
begin
  return jsonb_build_object('outcome', p_outcome, 'redemption', p_snapshot, 'revision',
    redemption_row.revision, 'facts', redemption_facts(redemption_row, p_payment_status));
end $$;

-- The answer of a function that changed nothing.
create or replace function ledger_private.redemption_unchanged(
  p_outcome text, redemption_row redemption
) returns jsonb
language plpgsql stable as $$
begin
  return redemption_answer(p_outcome, redemption_row, to_jsonb(redemption_row),
    case when redemption_row.payment is not null then
    (select payment.status from payment where payment.workspace = redemption_row.workspace
      and payment.id = redemption_row.payment) end);
end $$;

-- The answer of a command that was refused: the redemption as it is, and why, its points in the
-- program's decimals.
create or replace function ledger_private.redemption_refused(
  redemption_row redemption, p_refusal jsonb
) returns jsonb
language plpgsql stable as $$
begin
  return redemption_unchanged('refused', redemption_row) || jsonb_build_object(
    'refusal', p_refusal,
    'decimals', (select program.decimals from program
      where program.workspace = redemption_row.workspace and program.id = redemption_row.program));
end $$;

-- The refusal of a command that came after the end.
create or replace function ledger_private.redemption_settled(
  redemption_row redemption
) returns jsonb
language plpgsql stable as $$
begin
  return redemption_refused(redemption_row, jsonb_build_object('code',
    'redemption_already_settled', 'status', redemption_row.status));
end $$;

-- How every command on a redemption begins that comes with an operation: it names the workspace and
-- locks the redemption, with its payment and account (`p_alone`: without). `answer` is what a
-- repeat gets: the redemption as it is now, once the first one has ended; a refusal, where the
-- operation is another redemption's or came with other content; missing. Null: go on, and write the
-- operation (redemption_message_write) where the command is done; one that is refused leaves it
-- free.
create or replace function ledger_private.redemption_command(
  p_workspace text, p_id text, p_operation text, p_fingerprint text, p_alone boolean,
  out redemption_row redemption, out answer jsonb
)
language plpgsql as $$
declare
  earlier redemption_message;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if p_alone then
    select * into redemption_row from redemption where workspace = p_workspace
      and id = p_id for update;
  else
    redemption_row := redemption_locked(p_workspace, p_id);
  end if;
  select * into earlier from redemption_message where workspace = p_workspace
    and operation = p_operation;
  if earlier.operation is null then
    answer := case when redemption_row.id is null then '{"outcome": "missing"}'::jsonb end;
  elsif earlier.fingerprint = p_fingerprint and earlier.redemption = redemption_row.id then
    answer := redemption_unchanged('replayed', redemption_row);
  else
    answer := '{"outcome": "refused", "refusal": {"code": "idempotency_key_reused"}}';
  end if;
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
  redemption_row redemption, payment_row payment, p_points bigint, p_quantity int, p_refund boolean
) returns jsonb
language sql immutable as $$
  select case
    when p_quantity > redemption_row.quantity - redemption_row.reversed_quantity
      then jsonb_build_object(
      'code', 'parameter_invalid', 'param', 'quantity', 'left',
      redemption_row.quantity - redemption_row.reversed_quantity)
    when redemption_row.points = 0
      and p_quantity < redemption_row.quantity - redemption_row.reversed_quantity then
      '{"code": "parameter_invalid", "param": "quantity", "gift": true}'
    when p_points > redemption_row.points - redemption_row.reversed_points then jsonb_build_object(
      'code', 'parameter_invalid', 'param', 'points', 'available',
      redemption_row.points - redemption_row.reversed_points)
    when redemption_row.gift_cards is not null and p_quantity is null
      and p_points < redemption_row.points - redemption_row.reversed_points then
      '{"code": "parameter_invalid", "param": "points", "cards": true}'
    when redemption_row.status = 'pending' and payment_row.status = 'processing'
      then '{"code": "payment_processing"}'
    when redemption_row.status = 'pending' and p_points < redemption_row.points
      then jsonb_build_object(
      'code', 'parameter_invalid', 'param', case when p_quantity is null then 'points'
        else 'quantity' end,
      'whole', true)
    when p_refund and redemption_row.payment_unaffected is null then
      '{"code": "parameter_invalid", "param": "refund_payment", "charged": false}'
    when p_refund and (payment_row.provider <> 'sandbox'
      or (redemption_row.payment_unaffected ->> 'refundable')::bigint = 0) then
      jsonb_build_object('code', 'not_reversible', 'status', payment_row.status)
  end
$$;

-- The state after a return of `p_quantity`: reversed where all points are back. Of an item what was
-- not shipped yet need not be, and with nothing left to ship the rest of it is fulfilled.
create or replace function ledger_private.redemption_returned(
  redemption_row redemption, p_quantity int, p_at timestamptz
) returns redemption
language plpgsql immutable as $$
declare
  unshipped int := case when redemption_row.status = 'fulfillment_pending'
    then fulfillment_left(redemption_row) end;
begin
  if unshipped is not null then
    redemption_row.fulfillment := fulfillment_without(redemption_row, least(unshipped,
      p_quantity * ((redemption_row.fulfillment ->> 'quantity')::int / redemption_row.quantity)));
  end if;
  if redemption_is_returned(redemption_row) then
    redemption_row.status := 'reversed';
    redemption_row.reversed_at := p_at;
    redemption_row.overdue_at := null;
  elsif fulfillment_left(redemption_row) = 0 and redemption_row.status = 'fulfillment_pending' then
    redemption_row := fulfillment_done(redemption_row, p_at);
  end if;
  return redemption_row;
end $$;

-- Whether all points are back; of a gift, which took none, all of its quantity.
create or replace function ledger_private.redemption_is_returned(
  redemption_row redemption
) returns boolean
language sql immutable as $$
  select redemption_row.reversed_points = redemption_row.points
    and (redemption_row.points > 0 or redemption_row.reversed_quantity = redemption_row.quantity)
$$;

-- What an applied redemption says of its payment once `p_points` more are returned: that keeps its
-- charge. `discounted` is what the points returned took off it; `refundable` what of that is not
-- refunded here yet and could be, as the payment stands now. Minor units.
create or replace function ledger_private.redemption_payment_unaffected(
  redemption_row redemption, payment_row payment, p_points bigint
) returns redemption
language plpgsql immutable as $$
declare
  discounted bigint;
  refunded bigint := coalesce((redemption_row.payment_unaffected ->> 'refunded')::bigint, 0);
begin
  if redemption_row.status <> 'applied' or payment_row.status is distinct from 'completed'
    or not exists (
    select from jsonb_array_elements(payment_row.discounts) discount
      where discount ->> 'redemption' = redemption_row.id
      and not discount ? 'removed_at') then
    return redemption_row;
  end if;
  discounted := div((payment_row.amount - payment_charge(payment_row.amount,
    jsonb_build_array(redemption_row.discount)))::numeric
    * case when redemption_row.points = 0
    then 1 else redemption_row.reversed_points + p_points end, greatest(redemption_row.points, 1));
  redemption_row.payment_unaffected := jsonb_build_object('payment', payment_row.id, 'currency',
    payment_row.currency, 'discounted', discounted,
    'refunded', refunded, 'refundable', greatest(0,
      least(discounted - refunded, payment_row.amount_charged - payment_row.amount_refunded)),
    'refunds', coalesce(redemption_row.payment_unaffected -> 'refunds', '[]'));
  return redemption_row;
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
