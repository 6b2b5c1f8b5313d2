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

-- Writes a payment, a new one or one that was there, under a revision that the caller took from next_revision.
create or replace function payment_write(pay payment, p_known boolean) returns void
language plpgsql as $$
begin
  if p_known then
    update payment set status = pay.status, amount = pay.amount, amount_charged = pay.amount_charged,
      amount_refunded = pay.amount_refunded, discounts = pay.discounts, refused_discounts = pay.refused_discounts,
      refunds = pay.refunds, disputes = pay.disputes, awaits_confirmation = pay.awaits_confirmation, award = pay.award,
      endpoint = pay.endpoint, metadata = pay.metadata, customer = pay.customer, invoice = pay.invoice,
      completed_at = pay.completed_at, expires_at = pay.expires_at, store_credit = pay.store_credit,
      store_credit_account = pay.store_credit_account, revision = pay.revision
    where workspace = pay.workspace and id = pay.id;
  else
    insert into payment values (pay.*);
  end if;
end $$;

-- A payment that nobody knows yet. Money in minor units.
create or replace function payment_of(
  p_workspace text, p_id text, p_provider text, p_amount bigint, p_currency text, p_customer text, p_metadata jsonb,
  p_at timestamptz
) returns payment
language plpgsql immutable as $$
declare
  pay payment;
begin
  pay.workspace := p_workspace;
  pay.id := p_id;
  pay.provider := p_provider;
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
  pay.awaits_confirmation := false;
  pay.metadata := p_metadata;
  pay.created_at := p_at;
  return pay;
end $$;

-- The inbox row of an event, once for each endpoint; without one it is the product's own. False where it
-- was there already. Written as processed at `p_processed_at`, where what follows is done in this transaction.
drop function if exists inbox_put(text, text, text, text, text, jsonb, timestamptz);
drop function if exists inbox_put(text, text, text, text, text, jsonb, timestamptz, text);
create or replace function inbox_put(
  p_workspace text, p_id text, p_provider text, p_type text, p_payment text, p_payload jsonb, p_at timestamptz,
  p_endpoint text, p_processed_at timestamptz
) returns boolean
language plpgsql as $$
begin
  insert into inbox (workspace, endpoint, id, provider, type, payment, payload, received_at, processed_at)
  values (p_workspace, p_endpoint, p_id, p_provider, p_type, p_payment, p_payload, p_at, p_processed_at)
  on conflict (workspace, endpoint, id) do nothing;
  return found;
end $$;

-- Creates a sandbox payment, attaches its redemptions, spends store credit on what is left
-- (`p_store_credit`: {account?, amount?}, see credit_spend) and lets it settle as far as its card does, or at
-- once where nothing is left to charge; then does all that follows (payment_change). An open one expires 24 hours
-- after `p_at` (null: now) unless `p_expires_at` says otherwise. A repeat with its key is answered with the payment
-- as it is now. Outcomes: created; replayed; refused. Raises the first refusal of attach or store credit (VR001),
-- so that nothing stays, not even the key.
create or replace function payment_create(
  p_workspace text, p_id text, p_route text, p_key text, p_fingerprint text, p_amount bigint, p_currency text,
  p_customer text, p_metadata jsonb, p_refs jsonb, p_status text, p_awaits_confirmation boolean,
  p_event text, p_at timestamptz, p_expires_at timestamptz, p_store_credit jsonb default null
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  at timestamptz := coalesce(p_at, date_trunc('milliseconds', clock_timestamp()));
  earlier idempotency_key;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if p_key is not null then
    earlier := idempotency_claim(p_workspace, p_route, p_key, p_fingerprint, p_id, at);
    if earlier.key is not null then
      return payment_replayed(earlier, p_fingerprint);
    end if;
  end if;
  pay := payment_of(p_workspace, p_id, 'sandbox', p_amount, p_currency, p_customer, p_metadata, at);
  pay.awaits_confirmation := p_awaits_confirmation;
  pay.expires_at := coalesce(p_expires_at, at + interval '24 hours');
  return payment_change(pay, false, jsonb_build_object('kind', 'create', 'outcome', 'created', 'event', p_event,
    'endpoint', '', 'status', p_status, 'named', redemptions_named(p_workspace, p_refs),
    'store_credit', p_store_credit), at);
end $$;

-- What a request to create a payment says of it: its redemptions, all of them or none, and its store credit.
create or replace function payment_open(pay payment, p_change jsonb, p_at timestamptz) returns payment
language plpgsql as $$
declare
  asked jsonb := nullif(p_change -> 'store_credit', 'null');
  wallet account;
  attached record;
begin
  if asked is not null then
    wallet := credit_account(pay, asked); -- its lock comes before the redemptions'
  end if;
  if p_change -> 'named' <> '[]' then
    attached := payment_attach_all(pay, p_change -> 'named', false, p_at);
    if attached.refusals <> '[]' then
      perform refuse(attached.refusals -> 0);
    end if;
    pay := attached.pay;
  end if;
  if asked is not null then
    pay := credit_spend(pay, wallet, asked, p_at);
  end if;
  return payment_advance(pay, case when pay.amount_charged = 0 then 'completed' else p_change ->> 'status' end, null, p_at);
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
  return payment_outcome(pay, 'replayed');
end $$;

-- The answer of a payment function that changed nothing.
drop function if exists payment_outcome(payment, text, boolean);
create or replace function payment_outcome(pay payment, p_outcome text) returns jsonb
language sql stable as $$
  select jsonb_build_object('outcome', p_outcome, 'payment', to_jsonb(pay))
$$;

-- Moves a sandbox payment by a verb (confirm, cancel) or by its own expiry, with its event and all that follows.
-- Idempotent by status. Outcomes: moved; unchanged (already there); refused; missing; settled (it has ended
-- otherwise); not_due (expiry only).
create or replace function payment_move(
  p_workspace text, p_id text, p_status text, p_event text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  at timestamptz := coalesce(p_at, date_trunc('milliseconds', clock_timestamp()));
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into pay from payment where workspace = p_workspace and id = p_id for update;
  if not found then
    return '{"outcome": "missing"}';
  end if;
  if pay.status = p_status then
    return payment_outcome(pay, 'unchanged');
  end if;
  if p_status = 'expired' and pay.status in ('requires_payment', 'processing')
    and date_trunc('milliseconds', pay.expires_at) > at then
    return payment_outcome(pay, 'not_due');
  end if;
  if pay.status not in ('requires_payment', 'processing') then
    return payment_outcome(pay, 'settled');
  end if;
  if pay.status = 'processing' and p_status = 'canceled' then
    return jsonb_build_object('outcome', 'refused', 'refusal', '{"code": "payment_processing"}'::jsonb);
  end if;
  return payment_change(pay, true, jsonb_build_object('kind', 'move', 'outcome', 'moved', 'event', p_event,
    'endpoint', '', 'status', p_status, 'named', '[]'::jsonb), at);
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
  if account_request(p_workspace, p_route, p_key, p_fingerprint, p_id,
    coalesce(p_at, clock_timestamp())) is not null then
    select * into pay from payment where workspace = p_workspace and id = p_id;
    return payment_outcome(pay, 'replayed');
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
