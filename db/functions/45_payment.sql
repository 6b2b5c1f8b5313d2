-- How far a payment has come; a status only advances. Completed outranks every failure: what the
-- provider charged was charged, in whatever order its events arrive.
create or replace function payment_rank(p_status text) returns int
language sql immutable as $$
  select case p_status when 'requires_payment' then 0 when 'processing' then 1
    when 'failed' then 2 when 'canceled' then 2 when 'expired' then 2 when 'completed' then 3 end
$$;

-- The payment moved to a status where that is an advance; null says nothing of it. On completion the provider's own charge
-- counts: less than we expected means that it charged with a discount we had taken off (late);
-- more, that it charged without the discounts of redemptions already released.
create or replace function payment_advance(pay payment, p_status text, p_charged bigint, p_at timestamptz)
returns payment
language plpgsql as $$
begin
  if p_status is null or payment_rank(p_status) <= payment_rank(pay.status) then
    return pay;
  end if;
  if pay.store_credit_account is not null then
    pay := credit_follow(pay, p_status, p_at);
  end if;
  pay.status := p_status;
  pay.awaits_confirmation := false;
  if p_status = 'completed' then
    pay.completed_at := p_at;
    if p_charged < pay.amount_charged then
      select coalesce(jsonb_agg(x - 'removed_at' order by position), '[]') into pay.discounts
      from jsonb_array_elements(pay.discounts) with ordinality as entry (x, position);
    elsif p_charged > pay.amount_charged then
      select coalesce(jsonb_agg(
        case when d.status = 'released' and not x ? 'removed_at'
          then x || jsonb_build_object('removed_at', p_at) else x end order by position), '[]')
      into pay.discounts
      from jsonb_array_elements(pay.discounts) with ordinality as entry (x, position)
      left join redemption d on d.workspace = pay.workspace and d.id = x ->> 'redemption';
    end if;
    pay.amount_charged := coalesce(p_charged, pay.amount_charged);
  end if;
  return pay;
end $$;

create or replace function payment_save(pay payment) returns void
language plpgsql as $$
begin
  update payment set status = pay.status, amount = pay.amount, amount_charged = pay.amount_charged, discounts = pay.discounts,
    refused_discounts = pay.refused_discounts, awaits_confirmation = pay.awaits_confirmation,
    metadata = pay.metadata, customer = pay.customer, invoice = pay.invoice, completed_at = pay.completed_at, expires_at = pay.expires_at,
    store_credit = pay.store_credit, store_credit_account = pay.store_credit_account
  where workspace = pay.workspace and id = pay.id;
end $$;

-- The inbox row of an event, once for each endpoint; without one it is the product's own. False where it
-- was there already.
drop function if exists inbox_put(text, text, text, text, text, jsonb, timestamptz);
create or replace function inbox_put(
  p_workspace text, p_id text, p_provider text, p_type text, p_payment text, p_payload jsonb, p_at timestamptz,
  p_endpoint text default ''
) returns boolean
language plpgsql as $$
begin
  insert into inbox (workspace, endpoint, id, provider, type, payment, payload, received_at)
  values (p_workspace, p_endpoint, p_id, p_provider, p_type, p_payment, p_payload, p_at)
  on conflict (workspace, endpoint, id) do nothing;
  return found;
end $$;

-- Creates a sandbox payment, attaches its redemptions, spends store credit on what is left
-- (`p_store_credit`: {account?, amount?}, see credit_spend) and lets it settle as far as its card does,
-- with its event in the inbox, in one transaction. One refused redemption refuses the payment.
-- A charge of zero completes at once. Outcomes: created; replayed; refused.
drop function if exists payment_create(text, text, text, text, text, bigint, text, text, jsonb, jsonb, text, boolean, text,
  timestamptz, timestamptz);
create or replace function payment_create(
  p_workspace text, p_id text, p_route text, p_key text, p_fingerprint text, p_amount bigint, p_currency text,
  p_customer text, p_metadata jsonb, p_refs jsonb, p_status text, p_awaits_confirmation boolean,
  p_event text, p_at timestamptz, p_expires_at timestamptz, p_store_credit jsonb default null
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  a account;
  earlier idempotency_key;
  attached record;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if p_key is not null then
    earlier := idempotency_claim(p_workspace, p_route, p_key, p_fingerprint, p_id, p_at);
    if earlier.key is not null then
      return payment_replayed(earlier, p_fingerprint);
    end if;
  end if;
  pay.workspace := p_workspace;
  pay.id := p_id;
  pay.provider := 'sandbox';
  pay.status := 'requires_payment';
  pay.amount := p_amount;
  pay.amount_charged := p_amount;
  pay.amount_refunded := 0;
  pay.currency := p_currency;
  pay.customer := p_customer;
  pay.store_credit := 0;
  pay.discounts := '[]';
  pay.refused_discounts := '[]';
  pay.refunds := '[]';
  pay.disputes := '[]';
  pay.awaits_confirmation := p_awaits_confirmation;
  pay.metadata := p_metadata;
  pay.created_at := p_at;
  pay.expires_at := p_expires_at;
  pay.revision := next_revision(null);
  insert into payment values (pay.*);
  if p_store_credit is not null then
    a := credit_account(pay, p_store_credit); -- its lock comes before the redemptions'
  end if;
  select * into attached from payment_attach_all(pay, p_refs, false, p_at);
  if attached.refusals <> '[]' then
    raise exception using errcode = 'VR001', message = (attached.refusals -> 0)::text;
  end if;
  pay := attached.pay;
  if p_store_credit is not null then
    pay := credit_spend(pay, a, p_store_credit, p_at);
  end if;
  pay := payment_advance(pay,
    case when pay.amount_charged = 0 then 'completed' else p_status end, null, p_at);
  perform payment_save(pay);
  return payment_told(pay, p_event, 'created', p_at);
end $$;

-- What payment_create would answer, by doing it and taking it all back: nothing is written, and no rule is
-- written twice. Outcomes: created (it would be); replayed. Raises and refuses as payment_create does.
create or replace function payment_create_dry_run(
  p_workspace text, p_id text, p_route text, p_key text, p_fingerprint text, p_amount bigint, p_currency text,
  p_customer text, p_metadata jsonb, p_refs jsonb, p_status text, p_awaits_confirmation boolean,
  p_event text, p_at timestamptz, p_expires_at timestamptz, p_store_credit jsonb
) returns jsonb
language plpgsql as $$
declare
  result jsonb;
begin
  begin
    result := payment_create(p_workspace, p_id, p_route, p_key, p_fingerprint, p_amount, p_currency, p_customer,
      p_metadata, p_refs, p_status, p_awaits_confirmation, p_event, p_at, p_expires_at, p_store_credit);
    raise exception using errcode = 'VR004', message = 'taken back';
  exception when sqlstate 'VR004' then
    null; -- what it answered outlives what it wrote
  end;
  return result;
end $$;

-- The answer to a repeated create: the payment as it is now, or a refusal where the key came with another body.
create or replace function payment_replayed(earlier idempotency_key, p_fingerprint text) returns jsonb
language plpgsql stable as $$
declare
  pay payment;
begin
  if earlier.fingerprint <> p_fingerprint then
    return '{"outcome": "refused", "refusal": {"code": "idempotency_key_reused"}}';
  end if;
  select * into pay from payment where workspace = earlier.workspace and id = earlier.resource;
  return payment_outcome(pay, 'replayed', false);
end $$;

-- What every payment function answers: the row, the redemptions to tell, and whether an event of
-- it still waits in the inbox for the payment's workflow.
create or replace function payment_outcome(pay payment, p_outcome text, p_waiting boolean) returns jsonb
language sql stable as $$
  select jsonb_build_object('outcome', p_outcome, 'payment', to_jsonb(pay),
    'redemptions', payment_redemptions(pay), 'waiting', p_waiting)
$$;

-- A sandbox payment's new state becomes an event in the inbox and one for webhooks, as a provider's would.
create or replace function payment_told(pay payment, p_event text, p_outcome text, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
  type text := 'payment.' || case pay.status when 'requires_payment' then 'created' else pay.status end;
begin
  perform inbox_put(pay.workspace, p_event, 'sandbox', type, pay.id,
    jsonb_build_object('type', type, 'data', jsonb_build_object('id', pay.id)), p_at);
  perform event_write(pay.workspace, type, pay.id, to_jsonb(pay), null, p_at);
  return payment_outcome(pay, p_outcome, true);
end $$;

-- Moves a sandbox payment by a verb (confirm, cancel) or by its own expiry, with its event. Idempotent
-- by status. Outcomes: moved; unchanged (already there); refused; missing; not_due (expiry only).
create or replace function payment_move(
  p_workspace text, p_id text, p_status text, p_event text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  pay payment;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into pay from payment where workspace = p_workspace and id = p_id for update;
  if not found then
    return '{"outcome": "missing"}';
  end if;
  if pay.status = p_status then
    return payment_outcome(pay, 'unchanged', false);
  end if;
  if p_status = 'expired' and pay.status in ('requires_payment', 'processing') and pay.expires_at > p_at then
    return payment_outcome(pay, 'not_due', false);
  end if;
  if pay.status not in ('requires_payment', 'processing') then
    return payment_outcome(pay, 'settled', false);
  end if;
  if pay.status = 'processing' and p_status = 'canceled' then
    return jsonb_build_object('outcome', 'refused', 'refusal', '{"code": "payment_processing"}'::jsonb);
  end if;
  pay := payment_advance(pay, p_status, null, p_at);
  perform payment_save(pay);
  return payment_told(pay, p_event, 'moved', p_at);
end $$;

-- The same asked for by a request: a repeat with its key is answered with the payment as it is now (outcome
-- replayed). A "no" is raised, so that its key stays free: resource_missing; resource_changed with the
-- `status` that it has; payment_processing; idempotency_key_reused.
create or replace function payment_move_asked(
  p_workspace text, p_id text, p_status text, p_event text, p_at timestamptz,
  p_route text, p_key text, p_fingerprint text
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  moved jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if account_request(p_workspace, p_route, p_key, p_fingerprint, p_id, p_at) is not null then
    select * into pay from payment where workspace = p_workspace and id = p_id;
    return payment_outcome(pay, 'replayed', false);
  end if;
  moved := payment_move(p_workspace, p_id, p_status, p_event, p_at);
  case moved ->> 'outcome'
    when 'missing' then perform refuse('{"code": "resource_missing"}');
    when 'settled' then
      perform refuse(jsonb_build_object('code', 'resource_changed', 'status', moved #>> '{payment,status}'));
    when 'refused' then perform refuse(moved -> 'refusal');
    else null;
  end case;
  return moved;
end $$;
