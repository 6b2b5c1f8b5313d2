-- Takes in one verified provider event: the inbox row (unique per workspace, endpoint and event id) and the
-- payment's new status, in one transaction. It moves only what is its endpoint's own (source_of_endpoint). A
-- payment not seen before is introduced, its redemptions attached as at creation; a refused one is recorded
-- on it. `p_payment` is the provider's payment in our own form, or null where the event names none;
-- `p_status` what the event's type says, or null. `p_more` holds what else the event says: `subject` (whom
-- its workflow belongs to where it carries no whole payment), `completed_at` (the provider's time),
-- `refunds`, and `facts` of an earning trigger. `p_content` are the paths in the payload at which it says
-- what happened, as against how it was delivered.
-- Outcomes: received; duplicate (with `conflict` where its content is another than before); ignored (no
-- payment to speak of). `waiting` says that an event of the payment is still unprocessed and its workflow
-- must be told.
drop function if exists payment_receive(text, text, text, text, jsonb, jsonb, text, timestamptz, jsonb);
create or replace function payment_receive(
  p_workspace text, p_provider text, p_endpoint text, p_event text, p_type text, p_payload jsonb, p_payment jsonb,
  p_status text, p_at timestamptz, p_more jsonb, p_content jsonb
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  known boolean;
  named text := coalesce(p_payment ->> 'id', p_more ->> 'subject');
  subject text;
  invoice text := p_payment ->> 'invoice';
  refunds jsonb := coalesce(p_more -> 'refunds', '[]');
  charged bigint := (p_payment ->> 'amount_charged')::bigint;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if named is not null then
    -- a payment that nobody knows yet has no row to lock, and its refund may come at the same moment; nor has an
    -- invoice, which comes before the payment that it names, or that names it
    if invoice is not null then
      perform source_lock(p_workspace, invoice);
      invoice := source_of_endpoint(p_workspace, p_provider, p_endpoint, invoice);
    end if;
    perform source_lock(p_workspace, named);
    subject := source_of_endpoint(p_workspace, p_provider, p_endpoint, named);
  end if;
  if not inbox_put(p_workspace, p_event, p_provider, p_type, subject, p_payload, p_at, p_endpoint) then
    return payment_received_before(p_workspace, p_provider, p_endpoint, p_event, p_type, p_payload, p_content, p_at);
  end if;
  if subject is null then
    update inbox set processed_at = p_at where workspace = p_workspace and endpoint = p_endpoint and id = p_event;
    return '{"outcome": "ignored"}';
  end if;
  if refunds <> '[]' then
    refunds := refunds_of_endpoint(p_workspace, p_provider, p_endpoint, subject, refunds);
  end if;
  if p_payment is null then
    return payment_receive_part(p_workspace, p_provider, p_endpoint, p_event, subject, refunds, p_more -> 'facts', p_at);
  end if;
  insert into payment (workspace, id, provider, endpoint, status, amount, amount_charged, currency, customer, metadata, created_at)
  values (p_workspace, subject, p_provider, p_endpoint, 'requires_payment', (p_payment ->> 'amount')::bigint,
    (p_payment ->> 'amount')::bigint, lower(p_payment ->> 'currency'), p_payment ->> 'customer',
    coalesce(p_payment -> 'metadata', '{}'), p_at)
  on conflict (workspace, id) do nothing;
  known := not found;
  select * into pay from payment where workspace = p_workspace and id = subject for update;
  if pay.endpoint is null then
    update payment set endpoint = p_endpoint where workspace = p_workspace and id = subject;
    pay.endpoint := p_endpoint;
  elsif pay.endpoint <> p_endpoint then
    raise exception 'payment % became another endpoint''s meanwhile', subject using errcode = '40001';
  end if;
  pay.invoice := coalesce(pay.invoice, invoice);
  pay := payment_learn(pay, p_payment, known, p_status, p_at);
  pay := payment_advance(pay, p_status, charged, p_at);
  if pay.completed_at = p_at then
    pay.completed_at := least(p_at, (p_more ->> 'completed_at')::timestamptz);
  end if;
  perform payment_save(pay);
  if p_more ? 'refunds' or not known then
    pay := payment_refunds_put(pay, refunds, p_at);
  end if;
  perform event_write(p_workspace, p_type, pay.id, to_jsonb(pay), null, p_at);
  return payment_outcome(pay, 'received', true);
end $$;

-- Takes in an event that carries no whole payment: refunds of one, which may not be known yet, or an
-- earning trigger.
drop function if exists payment_receive_part(text, text, text, boolean, jsonb, timestamptz);
create or replace function payment_receive_part(
  p_workspace text, p_provider text, p_endpoint text, p_event text, p_subject text, p_refunds jsonb, p_facts jsonb,
  p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  said jsonb := p_facts;
  earned_with text := p_facts ->> 'payment';
begin
  if earned_with is not null then
    perform source_lock(p_workspace, earned_with);
    earned_with := source_of_endpoint(p_workspace, p_provider, p_endpoint, earned_with);
    perform source_claim(p_workspace, p_provider, p_endpoint, earned_with);
    said := said || jsonb_build_object('payment', earned_with);
  end if;
  if said is not null then
    update inbox set facts = said
    where workspace = p_workspace and endpoint = p_endpoint and id = p_event;
  end if;
  select * into pay from payment where workspace = p_workspace and id = p_subject for update;
  perform source_claim(p_workspace, p_provider, p_endpoint, p_subject);
  pay.workspace := p_workspace;
  pay := payment_refunds_put(jsonb_populate_record(pay, jsonb_build_object('id', p_subject)), p_refunds, p_at);
  return jsonb_build_object('outcome', 'received', 'subject', p_subject, 'redemptions', '[]'::jsonb, 'waiting', true);
end $$;

-- The answer to an event whose id its endpoint has used before; it moves nothing. Where it says something
-- else than the first did, it is kept for a person (attention), and answered all the same: asking the
-- provider to try again would change nothing.
create or replace function payment_received_before(
  p_workspace text, p_provider text, p_endpoint text, p_event text, p_type text, p_payload jsonb, p_content jsonb,
  p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  earlier inbox;
  pay payment;
  outcome jsonb;
begin
  select * into earlier from inbox where workspace = p_workspace and endpoint = p_endpoint and id = p_event;
  select * into pay from payment where workspace = p_workspace and id = earlier.payment for update;
  outcome := case when found then payment_outcome(pay, 'duplicate', earlier.processed_at is null)
    else jsonb_build_object('outcome', 'duplicate', 'redemptions', '[]'::jsonb,
      'waiting', earlier.processed_at is null)
      || case when earlier.payment is null then '{}' else jsonb_build_object('subject', earlier.payment) end
    end;
  if event_content(earlier.payload, p_content) is not distinct from event_content(p_payload, p_content) then
    return outcome;
  end if;
  perform attention_note(p_workspace, 'payment_event_conflict', coalesce(earlier.payment, p_event),
    md5(jsonb_build_array(p_endpoint, p_event, event_content(p_payload, p_content))::text),
    jsonb_build_object('provider', p_provider, 'endpoint', p_endpoint, 'event', p_event, 'type', p_type,
      'payment', earlier.payment, 'payload', p_payload),
    p_at);
  return outcome || '{"conflict": true}';
end $$;

-- What a payload says at each of the paths; jsonb is canonical, so that order and spacing do not count.
create or replace function event_content(p_payload jsonb, p_paths jsonb) returns jsonb
language plpgsql immutable as $$
begin
  return (
    select jsonb_agg(p_payload #> array(select jsonb_array_elements_text(x)) order by position)
    from jsonb_array_elements(p_paths) with ordinality as entry (x, position));
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
