-- Undoes a redemption: all that is left of it, `p_quantity` of it, or `p_points` of it (smallest unit).
-- Points go back to the same lots, what was to be shipped stays here first, and stock and limits get the
-- quantity back, once. The status stays until all points are returned, then it is reversed and void. A
-- completed payment keeps its discount, which the row says; `p_refund` refunds that (a sandbox payment's)
-- in the same transaction, with `p_refund_event` in the inbox. Refused: settled ones, more than is left, a
-- part of a pending one, one whose payment is processing, a refund that cannot be, store credit that is
-- spent. A pending one whose payment has completed meanwhile is applied first. Outcomes: reversed; refused; replayed; missing.
drop function if exists redemption_reverse(text, text, bigint, text, text, text, timestamptz);
create or replace function redemption_reverse(
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
  points := case when p_quantity < left_quantity then least(left_points, d.points / d.quantity * p_quantity)
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
    refunded := refund_of_reversal(pay, p_refund, (d.payment_unaffected ->> 'refundable')::bigint, p_reason,
      p_refund_event, p_at);
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

-- Why so many points, or `p_quantity`, of a redemption cannot be returned now; null where they can.
create or replace function redemption_reverse_refusal(
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
    when d.gift_cards is not null and p_quantity is null and p_points < d.points - d.reversed_points then
      '{"code": "parameter_invalid", "param": "points", "cards": true}'
    when d.status = 'pending' and pay.status = 'processing' then '{"code": "payment_processing"}'
    when d.status = 'pending' and p_points < d.points then jsonb_build_object(
      'code', 'parameter_invalid', 'param', case when p_quantity is null then 'points' else 'quantity' end,
      'whole', true)
    when p_refund and d.payment_unaffected is null then
      '{"code": "parameter_invalid", "param": "refund_payment", "charged": false}'
    when p_refund and (pay.provider <> 'sandbox' or (d.payment_unaffected ->> 'refundable')::bigint = 0) then
      jsonb_build_object('code', 'not_reversible', 'status', pay.status)
  end
$$;

-- The state after a return of `p_quantity`: reversed where all points are back. Of an item what was not
-- shipped yet need not be, and with nothing left to ship the rest of it is fulfilled.
create or replace function redemption_returned(d redemption, p_quantity int, p_at timestamptz) returns redemption
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
create or replace function redemption_is_returned(d redemption) returns boolean
language sql immutable as $$
  select d.reversed_points = d.points and (d.points > 0 or d.reversed_quantity = d.quantity)
$$;

-- What an applied redemption says of its payment once `p_points` more are returned: that keeps its charge.
-- `discounted` is what the points returned took off it; `refundable` what of that is not refunded here yet
-- and could be, as the payment stands now. Minor units.
create or replace function redemption_payment_unaffected(d redemption, pay payment, p_points bigint) returns redemption
language plpgsql immutable as $$
declare
  discounted bigint;
  refunded bigint := coalesce((d.payment_unaffected ->> 'refunded')::bigint, 0);
begin
  if d.status <> 'applied' or pay.status is distinct from 'completed' or not exists (
    select from jsonb_array_elements(pay.discounts) x where x ->> 'redemption' = d.id and not x ? 'removed_at') then
    return d;
  end if;
  discounted := trunc((pay.amount - payment_charge(pay.amount, jsonb_build_array(d.discount)))::numeric
    * case when d.points = 0 then 1 else d.reversed_points + p_points end / greatest(d.points, 1));
  d.payment_unaffected := jsonb_build_object('payment', pay.id, 'currency', pay.currency, 'discounted', discounted,
    'refunded', refunded, 'refundable', greatest(0, least(discounted - refunded, pay.amount_charged - pay.amount_refunded)),
    'refunds', coalesce(d.payment_unaffected -> 'refunds', '[]'));
  return d;
end $$;

-- The same once that was refunded.
create or replace function redemption_payment_refunded(p_unaffected jsonb, p_refund text) returns jsonb
language sql immutable as $$
  select p_unaffected || jsonb_build_object('refunded', (p_unaffected ->> 'refunded')::bigint + (p_unaffected ->> 'refundable')::bigint,
    'refundable', 0, 'refunds', (p_unaffected -> 'refunds') || to_jsonb(p_refund))
$$;
