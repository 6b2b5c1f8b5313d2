-- Provider events as they are kept: once each, by an allow-list of fields, and for a time.

-- Forgets what up to `p_limit` processed events said that came before `p_before`, the oldest
-- first; returns how many. Ids, types and fingerprints stay: a repeat is still known for one.
create or replace function ledger.inbox_payloads_forget(
  p_before timestamptz, p_limit int
) returns int
language plpgsql security definer as $$
declare
  forgotten int;
begin
  with old as (
    select workspace, endpoint, id from inbox
    where payload <> '{}' and payload <> '{"erased": true}' and processed_at is not null
      and received_at < least(p_before, clock_timestamp())
    order by received_at limit p_limit
    for update skip locked
  )
  update inbox set payload = '{}', facts = facts_kept(facts),
    fingerprint = coalesce(fingerprint, fingerprint_before(inbox.provider, payload))
  from old
  where inbox.workspace = old.workspace and inbox.endpoint = old.endpoint and inbox.id = old.id;
  get diagnostics forgotten = row_count;
  return forgotten;
end $$;

-- Stores a provider's event, once by its endpoint and id. False: it was there. Of one that a
-- provider sent it keeps what `payload_allowed` allows, and a fingerprint of all that it said at
-- `p_content`; null where the event is the product's own, or of a payment whose member was erased.
create or replace function ledger_private.inbox_put(
  p_workspace text, p_id text, p_provider text, p_type text, p_payment text, p_payload jsonb,
  p_at timestamptz, p_endpoint text, p_processed_at timestamptz, p_content jsonb default null
) returns boolean
language plpgsql as $$
declare
  is_own boolean := p_content is null or p_payload = '{"erased": true}';
begin
  insert into inbox (workspace, endpoint, id, provider, type, payment, payload, fingerprint,
    received_at, processed_at)
  values (p_workspace, p_endpoint, p_id, p_provider, p_type, p_payment,
    case when is_own then p_payload else payload_allowed(p_provider, p_payload, p_content) end,
    case when not is_own then event_fingerprint(p_payload, p_content) end,
    p_at, p_processed_at)
  on conflict (workspace, endpoint, id) do nothing;
  return found;
end $$;

-- What of a provider's payload is kept: ids, types, amounts, statuses and times, and of a card its
-- brand and last four digits. Names, addresses, metadata and whatever a provider adds are not in
-- the list. Of a body of any form, by a mapping, only the plain values that the mapping reads.
create or replace function ledger_private.payload_allowed(
  p_provider text, p_payload jsonb, p_content jsonb
) returns jsonb
language plpgsql immutable as $$
begin
  return case p_provider
    when 'sandbox' then fields_allowed(p_payload, '{id,type,created,livemode,data,account,amount,
      amount_charged,amount_refunded,completed_at,created_at,currency,customer,discounts,disputes,
      invoice,payment,redemption,redemptions,refund,refunds,return_redemption,status}', 0)
    when 'stripe' then fields_allowed(p_payload, '{id,object,type,created,livemode,api_version,data,
      previous_attributes,amount,amount_received,amount_captured,amount_capturable,amount_refunded,
      amount_paid,amount_due,amount_total,amount_subtotal,amount_discount,amount_shipping,
      amount_tax,total_details,unit_amount,quantity,price,items,total_count,has_more,currency,
      status,mode,payment_status,captured,paid,refunded,payment_intent,charge,latest_charge,invoice,
      subscription,customer,refunds,disputes,balance_transaction,payment,payments,payment_details,
      order_reference,parent,subscription_details,payment_method_details,card,brand,last4}', 0)
    else (
      select coalesce(jsonb_object_agg(name, value), '{}')
      from (
        select array_to_string(path, '.') as name, p_payload #> path as value
        from (
          select array(select jsonb_array_elements_text(entry)) as path
          from jsonb_array_elements(p_content) entry
        ) read
      ) said
      where jsonb_typeof(value) in ('string', 'number', 'boolean'))
  end;
end $$;

-- A value without the fields of it, and of all within, that have other names than these.
create or replace function ledger_private.fields_allowed(
  p_value jsonb, p_names text[], p_depth int
) returns jsonb
language plpgsql immutable as $$
declare
  deepest constant int := 16; -- no provider nests what is allowed here deeper
begin
  if p_depth > deepest then
    return null;
  elsif jsonb_typeof(p_value) = 'object' then
    return (
      select coalesce(jsonb_object_agg(key, case when jsonb_typeof(value) in ('object', 'array')
        and value not in ('{}', '[]')
        then fields_allowed(value, p_names, p_depth + 1) else value end), '{}')
      from jsonb_each(p_value) where key = any (p_names));
  elsif jsonb_typeof(p_value) = 'array' then
    return (
      select coalesce(jsonb_agg(case when jsonb_typeof(value) in ('object', 'array')
        and value not in ('{}', '[]')
        then fields_allowed(value, p_names, p_depth + 1) else value end order by position), '[]')
      from jsonb_array_elements(p_value) with ordinality entry (value, position));
  end if;
  return p_value;
end $$;

-- An earning trigger's facts once its payload is forgotten: whom it was for, by ids, and how much.
create or replace function ledger_private.facts_kept(p_facts jsonb) returns jsonb
language sql stable as $$
  select p_facts || jsonb_build_object('metadata', jsonb_strip_nulls(jsonb_build_object(
    'loyalty_account', p_facts #> '{metadata,loyalty_account}')))
$$;

-- By what a repeat of an event is known to say the same.
create or replace function ledger_private.event_fingerprint(
  p_payload jsonb, p_paths jsonb
) returns text
language sql stable as $$
  select encode(sha256(convert_to(
    coalesce(event_content(p_payload, p_paths), 'null')::text, 'UTF8')), 'hex')
$$;

-- That of an event from before it was kept, while its payload is whole; null where only the
-- endpoint's mapping says what its content is.
create or replace function ledger_private.fingerprint_before(
  p_provider text, p_payload jsonb
) returns text
language sql stable as $$
  select case p_provider
    when 'sandbox' then event_fingerprint(p_payload, '[["type"], ["created"], ["data"]]')
    when 'stripe' then event_fingerprint(p_payload, '[["type"], ["created"], ["data", "object"]]')
  end
$$;
