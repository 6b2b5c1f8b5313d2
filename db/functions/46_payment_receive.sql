-- Takes in one verified provider event: the inbox row (unique per workspace and event id) and the
-- payment's new status, in one transaction. A payment not seen before is introduced, its redemptions
-- attached as at creation; a refused one is recorded on it. `p_payment` is the provider's payment in
-- our own form, or null where the event names none; `p_status` what the event's type says, or null.
-- `p_more` holds what else the event says: `subject` (whom its workflow belongs to where it carries no whole
-- payment), `completed_at` (the provider's time), `refunds`, and `facts` of an earning trigger.
-- Outcomes: received; duplicate; ignored (no payment to speak of). `waiting` says that an event of the
-- payment is still unprocessed and its workflow must be told.
create or replace function payment_receive(
  p_workspace text, p_provider text, p_event text, p_type text, p_payload jsonb, p_payment jsonb,
  p_status text, p_at timestamptz, p_more jsonb default '{}'
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  attached record;
  fresh boolean;
  known boolean;
  subject text := coalesce(p_payment ->> 'id', p_more ->> 'subject');
  charged bigint := (p_payment ->> 'amount_charged')::bigint;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if subject is not null then
    -- a payment that nobody knows yet has no row to lock, and its refund may come at the same moment
    perform pg_advisory_xact_lock(hashtextextended(p_workspace || subject, 0));
  end if;
  fresh := inbox_put(p_workspace, p_event, p_provider, p_type, subject, p_payload, p_at);
  if subject is null then
    update inbox set processed_at = p_at where workspace = p_workspace and id = p_event and processed_at is null;
    return '{"outcome": "ignored"}';
  end if;
  if p_payment is null then
    return payment_receive_part(p_workspace, p_event, subject, fresh, p_more, p_at);
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
  if not known and p_payment -> 'refs' <> '[]' then
    select * into attached from payment_attach_all(pay, p_payment -> 'refs',
      p_status = 'completed' and charged < pay.amount, p_at);
    pay := attached.pay;
    select coalesce(jsonb_agg(x || jsonb_build_object('at', p_at)), '[]') into pay.refused_discounts
    from jsonb_array_elements(attached.refusals) x;
  elsif known then
    pay.customer := coalesce(pay.customer, p_payment ->> 'customer');
    pay.metadata := case when pay.metadata = '{}' then coalesce(p_payment -> 'metadata', '{}') else pay.metadata end;
  end if;
  pay := payment_advance(pay, p_status, charged, p_at);
  if pay.completed_at = p_at then
    pay.completed_at := least(p_at, (p_more ->> 'completed_at')::timestamptz);
  end if;
  perform payment_save(pay);
  if p_more ? 'refunds' or not known then
    pay := payment_refunds_put(pay, coalesce(p_more -> 'refunds', '[]'), p_at);
  end if;
  perform event_write(p_workspace, p_type, pay.id, to_jsonb(pay), null, p_at);
  return payment_outcome(pay, 'received', true);
end $$;

-- Takes in an event that carries no whole payment: refunds of one, which may not be known yet, or an
-- earning trigger.
create or replace function payment_receive_part(
  p_workspace text, p_event text, p_subject text, p_fresh boolean, p_more jsonb, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  waiting boolean := true;
begin
  select * into pay from payment where workspace = p_workspace and id = p_subject for update;
  if p_fresh then
    update inbox set facts = p_more -> 'facts' where workspace = p_workspace and id = p_event and p_more ? 'facts';
    pay.workspace := p_workspace;
    pay := payment_refunds_put(jsonb_populate_record(pay, jsonb_build_object('id', p_subject)),
      coalesce(p_more -> 'refunds', '[]'), p_at);
  else
    select processed_at is null into waiting from inbox where workspace = p_workspace and id = p_event;
  end if;
  return jsonb_build_object('outcome', case when p_fresh then 'received' else 'duplicate' end,
    'subject', p_subject, 'redemptions', '[]'::jsonb, 'waiting', waiting);
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
    return jsonb_build_object('outcome', 'missing', 'subject', p_id, 'waiting', exists (
      select from inbox where workspace = p_workspace and payment = p_id and processed_at is null));
  end if;
  return payment_outcome(pay, 'unchanged', exists (
    select from inbox where workspace = p_workspace and payment = p_id and processed_at is null));
end $$;
