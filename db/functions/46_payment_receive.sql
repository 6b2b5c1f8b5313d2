-- Takes in one verified provider event: the inbox row (unique per workspace and event id) and the
-- payment's new status, in one transaction. A payment not seen before is introduced, its redemptions
-- attached as at creation; a refused one is recorded on it. `p_payment` is the provider's payment in
-- our own form, or null where the event names none; `p_status` what the event's type says, or null.
-- Outcomes: received; duplicate; ignored (no payment to speak of). `waiting` says that an event of the
-- payment is still unprocessed and its workflow must be told.
create or replace function payment_receive(
  p_workspace text, p_provider text, p_event text, p_type text, p_payload jsonb, p_payment jsonb,
  p_status text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  attached record;
  fresh boolean;
  known boolean;
  charged bigint := (p_payment ->> 'amount_charged')::bigint;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  fresh := inbox_put(p_workspace, p_event, p_provider, p_type, p_payment ->> 'id', p_payload, p_at);
  if p_payment ->> 'id' is null then
    update inbox set processed_at = p_at where workspace = p_workspace and id = p_event and processed_at is null;
    return '{"outcome": "ignored"}';
  end if;
  insert into payment (workspace, id, provider, status, amount, amount_charged, currency, customer, metadata, created_at)
  values (p_workspace, p_payment ->> 'id', p_provider, 'requires_payment', (p_payment ->> 'amount')::bigint,
    (p_payment ->> 'amount')::bigint, lower(p_payment ->> 'currency'), p_payment ->> 'customer',
    coalesce(p_payment -> 'metadata', '{}'), p_at)
  on conflict (workspace, id) do nothing;
  known := not found;
  select * into pay from payment where workspace = p_workspace and id = p_payment ->> 'id' for update;
  if not fresh then
    return payment_outcome(pay, 'duplicate', exists (
      select from inbox where workspace = p_workspace and id = p_event and processed_at is null));
  end if;
  if not known then
    select * into attached from payment_attach_all(pay, coalesce(p_payment -> 'refs', '[]'),
      p_status = 'completed' and charged < pay.amount, p_at);
    pay := attached.pay;
    select coalesce(jsonb_agg(x || jsonb_build_object('at', p_at)), '[]') into pay.refused_discounts
    from jsonb_array_elements(attached.refusals) x;
  else
    pay.customer := coalesce(pay.customer, p_payment ->> 'customer');
  end if;
  pay := payment_advance(pay, p_status, charged, p_at);
  perform payment_save(pay);
  perform event_write(p_workspace, p_type, pay.id, to_jsonb(pay), null, p_at);
  return payment_outcome(pay, 'received', true);
end $$;

-- Marks the payment's waiting events processed, once all that follows from them is done. Returns the payment.
create or replace function payment_processed(p_workspace text, p_id text, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
  pay payment;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into pay from payment where workspace = p_workspace and id = p_id for update;
  if not found then
    return '{"outcome": "missing"}';
  end if;
  update inbox set processed_at = p_at
  where workspace = p_workspace and payment = p_id and processed_at is null;
  return payment_outcome(pay, 'processed', false);
end $$;

-- The payment as it is, with the redemptions to tell and whether an event of it waits; changes nothing.
create or replace function payment_current(p_workspace text, p_id text) returns jsonb
language plpgsql stable as $$
declare
  pay payment;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into pay from payment where workspace = p_workspace and id = p_id;
  if not found then
    return '{"outcome": "missing"}';
  end if;
  return payment_outcome(pay, 'unchanged', exists (
    select from inbox where workspace = p_workspace and payment = p_id and processed_at is null));
end $$;
