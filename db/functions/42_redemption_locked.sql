-- The redemption with everything it touches locked in the one order: payment, account, redemption.
-- The payment's id is read unlocked, locked, then checked again; where another attached meanwhile
-- the transaction is to be tried again (40001). Null where there is none.
create or replace function redemption_locked(p_workspace text, p_id text) returns redemption
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
    raise exception 'redemption % was attached to a payment meanwhile', p_id using errcode = '40001';
  end if;
  return d;
end $$;

-- Writes a redemption's new state, under a revision that the caller has taken from `next_revision`, and its event,
-- whose data is the row as it is now.
create or replace function redemption_save(d redemption, p_event text, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
  snapshot jsonb := to_jsonb(d);
begin
  update redemption set
    status = d.status, reversed_points = d.reversed_points, reversed_quantity = d.reversed_quantity, payment = d.payment, transaction = d.transaction,
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
