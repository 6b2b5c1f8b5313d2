-- The payment of a pending redemption completed: pending -> applied, by compare-and-set; the clock
-- plays no part. For one already released see redemption_late. Outcomes: applied; settled (already
-- terminal); not_attached (the payment is not this redemption's, or has not completed); missing.
create or replace function redemption_apply(p_workspace text, p_id text, p_payment text, p_at timestamptz)
returns jsonb
language plpgsql as $$
declare
  d redemption;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  update redemption r set status = 'applied', applied_at = p_at
  from payment p
  where r.workspace = p_workspace and r.id = p_id and r.status = 'pending' and r.payment = p_payment
    and p.workspace = p_workspace and p.id = p_payment and p.status = 'completed'
  returning r.* into d;
  if found then
    perform event_write(p_workspace, 'loyalty.redemption.applied', p_id, to_jsonb(d), null, p_at);
    return jsonb_build_object('outcome', 'applied', 'redemption', to_jsonb(d));
  end if;
  select * into d from redemption where workspace = p_workspace and id = p_id;
  if not found then
    return '{"outcome": "missing"}';
  end if;
  if d.status = 'released' and d.payment = p_payment then
    return redemption_late(p_workspace, p_id, p_payment, p_at);
  end if;
  return jsonb_build_object('redemption', to_jsonb(d),
    'outcome', case when d.status = 'pending' then 'not_attached' else 'settled' end);
end $$;

-- A payment that the provider charged with the discount although the redemption was released.
-- The program decides: `rehold` takes the points again where they are there; else the redemption
-- is flagged for a person. Once for each redemption.
create or replace function redemption_late(p_workspace text, p_id text, p_payment text, p_at timestamptz)
returns jsonb
language plpgsql as $$
declare
  d redemption := redemption_locked(p_workspace, p_id);
  a account;
  charged boolean;
  rehold boolean;
begin
  select p.status = 'completed' and exists (
      select from jsonb_array_elements(p.discounts) x
      where x ->> 'redemption' = p_id and not x ? 'removed_at')
  into charged
  from payment p where p.workspace = p_workspace and p.id = p_payment;
  if d.status <> 'released' or d.payment <> p_payment or d.late_payment is not null or not charged then
    return jsonb_build_object('outcome', 'settled', 'redemption', to_jsonb(d));
  end if;
  a := lots_expire(account_locked(p_workspace, d.account), p_at);
  select late_payment = 'rehold' into rehold from program where workspace = p_workspace and id = a.program;
  rehold := rehold and a.status = 'active' and (d.points = 0 or a.balance >= d.points);
  d.late_payment := jsonb_build_object(
    'payment', p_payment, 'outcome', case when rehold then 'reheld' else 'flagged' end, 'at', p_at);
  if rehold then
    if d.points > 0 then
      d.transaction := points_spend(a, d, 'rehold:' || p_id, p_at);
    end if;
    d.status := 'applied';
    d.applied_at := p_at;
    if d.took_stock then
      perform stock_move(d, -d.quantity);
    end if;
    perform event_write(p_workspace, 'loyalty.redemption.applied', p_id, to_jsonb(d), null, p_at);
  end if;
  return jsonb_build_object('outcome', case when rehold then 'applied' else 'settled' end,
    'redemption', redemption_save(d, 'loyalty.redemption.late_payment', p_at));
end $$;

-- Gives a pending redemption's points back, by one of three causes: `cancel` (an operation of its
-- own), `payment` (the attached payment failed for good), `deadline` (only where expires_at <= p_at).
-- Looks at the attached payment under its lock: where that has completed it applies instead; while
-- it is processing a cancel is refused; from an open one the discount is taken off again. Outcomes:
-- released; applied; settled; not_due; not_attached; refused; replayed; missing.
create or replace function redemption_release(
  p_workspace text, p_id text, p_cause text, p_payment text, p_operation text, p_fingerprint text,
  p_reason text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  d redemption;
  pay payment;
  applied jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if p_cause = 'deadline' then
    -- unlocked: an early or late wake-up of a settled one costs no lock
    select * into d from redemption where workspace = p_workspace and id = p_id;
    if d.status is distinct from 'pending' or d.expires_at > p_at then
      return redemption_unreleased(d, p_at);
    end if;
  end if;
  d := redemption_locked(p_workspace, p_id);
  if d.id is null then
    return '{"outcome": "missing"}';
  end if;
  if p_cause = 'cancel' and exists (
    select from redemption_message where workspace = p_workspace and operation = p_operation) then
    return redemption_replayed(d, p_operation, p_fingerprint);
  end if;
  if d.status <> 'pending' and p_cause = 'cancel' then
    return redemption_settled(d);
  elsif d.status <> 'pending' or (p_cause = 'deadline' and d.expires_at > p_at) then
    return redemption_unreleased(d, p_at);
  end if;
  if p_cause = 'payment' and d.payment is distinct from p_payment then
    return jsonb_build_object('outcome', 'not_attached', 'redemption', to_jsonb(d));
  end if;
  select * into pay from payment where workspace = p_workspace and id = d.payment;
  if pay.status = 'completed' then
    applied := redemption_apply(p_workspace, p_id, d.payment, p_at);
    return case when p_cause = 'cancel'
      then redemption_settled(jsonb_populate_record(d, applied -> 'redemption')) else applied end;
  end if;
  if pay.status = 'processing' and p_cause = 'cancel' then
    return jsonb_build_object('outcome', 'refused', 'redemption', to_jsonb(d),
      'refusal', '{"code": "payment_processing"}'::jsonb);
  end if;
  if p_cause = 'cancel' then
    perform redemption_message_write(p_workspace, p_operation, p_id, 'cancel', p_fingerprint, p_at);
  end if;
  perform redemption_undo(d, 'release', d.points, p_reason, 'release:' || p_id, pay, p_at, d.quantity);
  d.status := 'released';
  d.released_at := p_at;
  d.reason := p_reason;
  return jsonb_build_object('outcome', 'released', 'redemption', redemption_save(d, 'loyalty.redemption.released', p_at));
end $$;

-- Why a redemption was not released: it is gone, terminal, or not due yet.
create or replace function redemption_unreleased(d redemption, p_at timestamptz) returns jsonb
language sql stable as $$
  select case
    when d.id is null then '{"outcome": "missing"}'::jsonb
    else jsonb_build_object('redemption', to_jsonb(d),
      'outcome', case when d.status = 'pending' then 'not_due' else 'settled' end)
  end
$$;

-- The answer to a message that was obeyed before: the redemption as it is now, or a refusal where
-- the same operation asked for something else.
create or replace function redemption_replayed(d redemption, p_operation text, p_fingerprint text) returns jsonb
language sql stable as $$
  select case
    when m.fingerprint = p_fingerprint and m.redemption = d.id
      then jsonb_build_object('outcome', 'replayed', 'redemption', to_jsonb(d))
    else jsonb_build_object('outcome', 'refused', 'refusal', '{"code": "idempotency_key_reused"}'::jsonb)
  end
  from redemption_message m where m.workspace = d.workspace and m.operation = p_operation
$$;

-- What release and reversal share: points back to the same lots (a gift took none), `p_quantity` of it back to stock, store
-- credit taken back and codes voided, and the discount off a payment still open. All locks are held.
drop function if exists redemption_undo(redemption, text, bigint, text, text, payment, timestamptz);
create or replace function redemption_undo(
  d redemption, p_type text, p_points bigint, p_reason text, p_operation text, pay payment, p_at timestamptz,
  p_quantity int
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
