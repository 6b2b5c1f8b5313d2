-- Takes in one verified provider event, in one transaction: the inbox row (unique per workspace, endpoint and event
-- id), the payment's new status, and all that follows from it (payment_change). It moves only what is its
-- endpoint's own (source_of_endpoint). A payment not seen before is introduced, its redemptions attached as at
-- creation; a refused one is recorded on it. `p_payment` is the provider's payment in our own form, or null where
-- the event names none; `p_status` what the event's type says, or null. `p_more` holds what else the event says:
-- `subject` (whom its workflow belongs to where it carries no whole payment), `completed_at` (the provider's time),
-- `refunds`, and `facts` of an earning trigger. `p_content` are the paths in the payload at which it says
-- what happened, as against how it was delivered. It came at `p_at`; null: now, to the millisecond, as every other
-- time that the product hands down.
-- Outcomes: received; duplicate (with `conflict` where its content is another than before); ignored (no
-- payment to speak of). `failure` says why what follows could not be done here and is left to its workflow.
create or replace function payment_take_in(
  p_workspace text, p_provider text, p_endpoint text, p_event text, p_type text, p_payload jsonb, p_payment jsonb,
  p_status text, p_at timestamptz, p_more jsonb, p_content jsonb
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  known boolean := false;
  at timestamptz := coalesce(p_at, date_trunc('milliseconds', clock_timestamp()));
  named text := coalesce(p_payment ->> 'id', p_more ->> 'subject');
  subject text;
  invoice text := p_payment ->> 'invoice';
  change jsonb := jsonb_build_object('outcome', 'received', 'type', p_type, 'event', p_event, 'endpoint', p_endpoint);
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
  if not inbox_put(p_workspace, p_event, p_provider, p_type, subject, p_payload, at, p_endpoint, at) then
    return payment_received_before(p_workspace, p_provider, p_endpoint, p_event, p_type, p_payload, p_content, at);
  end if;
  if subject is null then
    return '{"outcome": "ignored"}';
  end if;
  if p_more ? 'refunds' then
    change := change || jsonb_build_object('refunds',
      refunds_of_endpoint(p_workspace, p_provider, p_endpoint, subject, p_more -> 'refunds'));
  end if;
  if p_payment is null then
    return payment_take_in_part(p_workspace, p_provider, p_endpoint, subject, p_more -> 'facts', change, at);
  end if;
  select * into pay from payment where workspace = p_workspace and id = subject for update;
  known := found;
  if not known then
    pay := payment_of(p_workspace, subject, p_provider, (p_payment ->> 'amount')::bigint,
      lower(p_payment ->> 'currency'), p_payment ->> 'customer', coalesce(p_payment -> 'metadata', '{}'), at);
  elsif pay.endpoint <> p_endpoint then
    raise exception 'payment % became another endpoint''s meanwhile', subject using errcode = '40001';
  end if;
  pay.endpoint := p_endpoint;
  pay.invoice := coalesce(pay.invoice, invoice);
  if known then
    pay := payment_learn_names(pay, p_payment);
  end if;
  return payment_change(pay, known, change || jsonb_build_object('kind', 'event', 'payment', p_payment,
    'status', p_status, 'completed_at', p_more -> 'completed_at',
    'named', redemptions_named(p_workspace, coalesce(p_payment -> 'refs', '[]'))), at);
end $$;

-- Takes in an event that carries no whole payment: refunds of one, which may not be known yet, or an
-- earning trigger.
drop function if exists payment_receive_part(text, text, text, text, text, jsonb, jsonb, timestamptz);
create or replace function payment_take_in_part(
  p_workspace text, p_provider text, p_endpoint text, p_subject text, p_facts jsonb, p_change jsonb, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  said jsonb := p_facts;
  earned_with text := p_facts ->> 'payment';
  known boolean;
begin
  if earned_with is not null then
    perform source_lock(p_workspace, earned_with);
    earned_with := source_of_endpoint(p_workspace, p_provider, p_endpoint, earned_with);
    perform source_claim(p_workspace, p_provider, p_endpoint, earned_with);
    said := said || jsonb_build_object('payment', earned_with);
  end if;
  if said is not null then -- what it earns is worked off from here, so that it is found again where that fails
    update inbox set facts = said, processed_at = null
    where workspace = p_workspace and endpoint = p_endpoint and id = p_change ->> 'event';
  end if;
  perform source_claim(p_workspace, p_provider, p_endpoint, p_subject);
  select * into pay from payment where workspace = p_workspace and id = p_subject for update;
  known := found;
  pay.workspace := p_workspace;
  pay.id := p_subject;
  return payment_change(pay, known, p_change || jsonb_build_object('kind', 'part', 'named', '[]'::jsonb,
    'has_facts', said is not null), p_at);
end $$;

-- The answer to an event whose id its endpoint has used before. It moves nothing; what followed from the first and
-- could not be done then is tried again. Where it says something
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
  known boolean;
  outcome jsonb := '{"outcome": "duplicate"}';
begin
  select * into earlier from inbox where workspace = p_workspace and endpoint = p_endpoint and id = p_event;
  if earlier.processed_at is null and earlier.payment is not null then
    select * into pay from payment where workspace = p_workspace and id = earlier.payment for update;
    known := found;
    pay.workspace := p_workspace;
    pay.id := earlier.payment;
    outcome := payment_change(pay, known, '{"kind": "again", "outcome": "duplicate", "named": []}', p_at);
  end if;
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

