-- The payment of a pending redemption completed: pending -> applied, by compare-and-set; the clock
-- plays no part. For one already released see redemption_late. Outcomes: applied; settled (already
-- terminal); not_attached (the payment is not this redemption's, or has not completed); missing.
create or replace function redemption_apply(p_workspace text, p_id text, p_payment text, p_at timestamptz)
returns jsonb
language plpgsql as $$
declare
  d redemption;
  snapshot jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  update redemption r set status = 'applied', applied_at = p_at, revision = next_revision(r.revision)
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
  return redemption_unchanged(case when d.status = 'pending' then 'not_attached' else 'settled' end, d);
end $$;

-- What the end of its payment means for a redemption attached to it: completed, a pending one is applied, and one
-- already released is late; ended otherwise, a pending one is released. Returns it as it is then; the caller
-- writes the outbox row (redemption_outbox), last. The locks of payment, account and redemption are held.
create or replace function redemption_follow(d redemption, pay payment, p_at timestamptz) returns redemption
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
create or replace function redemption_applied(d redemption, p_at timestamptz) returns redemption
language plpgsql as $$
begin
  d.status := 'applied';
  d.applied_at := p_at;
  d.revision := next_revision(d.revision);
  perform redemption_save(d, 'loyalty.redemption.applied', p_at);
  return d;
end $$;

-- pending -> released: the points, the stock and the discount on a payment still open are given back. All
-- locks are held.
create or replace function redemption_released(d redemption, pay payment, p_reason text, p_at timestamptz)
returns redemption
language plpgsql as $$
begin
  perform redemption_undo(d, 'release', d.points, p_reason, 'release:' || d.id, pay, p_at, d.quantity);
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
create or replace function redemption_late_settled(d redemption, pay payment, p_at timestamptz) returns redemption
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
  select late_payment = 'rehold' into rehold from program where workspace = d.workspace and id = a.program;
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
create or replace function redemption_late(p_workspace text, p_id text, p_payment text, p_at timestamptz)
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
  return redemption_answer(case d.status when 'applied' then 'applied' else 'settled' end, d, to_jsonb(d), pay.status);
end $$;

-- Gives a pending redemption's points back, by one of three causes: `cancel` (an operation of its
-- own), `payment` (the attached payment failed for good), `deadline` (only where expires_at <= p_at, both to the
-- millisecond, and p_at is a time that the database's clock allows).
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
  elsif d.status is distinct from 'pending' or (p_cause = 'deadline' and not is_due(d.expires_at, p_at)) then
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
      perform redemption_message_write(p_workspace, p_operation, p_id, 'cancel', p_fingerprint, p_at);
    end if;
    d := redemption_released(d, pay, p_reason, p_at);
  end if;
  perform redemption_outbox('pending', d, pay.status);
  return case when d.status = 'applied' and p_cause = 'cancel' then redemption_settled(d)
    else redemption_answer(d.status, d, to_jsonb(d), pay.status) end;
end $$;

-- Whether what is due at `p_due_at` is due for one whose clock says `p_at`, both to the millisecond. A clock that is
-- more than a minute ahead of the database's decides nothing; the setting `vinr.test_clock` (on) allows it.
create or replace function is_due(p_due_at timestamptz, p_at timestamptz) returns boolean
language plpgsql stable as $$
begin
  return date_trunc('milliseconds', p_due_at) <= p_at
    and (p_at <= clock_timestamp() + interval '1 minute' or coalesce(current_setting('vinr.test_clock', true), '') = 'on');
end $$;

-- Why a redemption was not released: it is gone, terminal, or not due yet.
drop function if exists redemption_unreleased(redemption, timestamptz);
create or replace function redemption_unreleased(d redemption) returns jsonb
language plpgsql stable as $$
begin
  if d.id is null then
    return '{"outcome": "missing"}';
  end if;
  return redemption_unchanged(case when d.status = 'pending' then 'not_due' else 'settled' end, d);
end $$;

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
