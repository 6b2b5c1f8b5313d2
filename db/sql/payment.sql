-- A payment's change and all that follows from it are one transaction: its status, what it earns or
-- takes back, and each redemption attached to it applied, released or returned.

-- Creates a sandbox payment, attaches its redemptions, spends store credit on what is left
-- (`p_store_credit`: {account?, amount?}, see credit_spend) and lets it settle as far as its card
-- does, or at once where nothing is left to charge; then does all that follows (payment_change). An
-- open one expires 24 hours after `p_at` (null: now) unless `p_expires_at` says otherwise. A repeat
-- with its key is answered with the payment as it is now. Outcomes: created; replayed; refused.
-- Raises the first refusal of attach or store credit (VR001), so that nothing stays, not even the
-- key.
-- @returns PaymentResult
-- @param p_metadata Record<string, string>
-- @param p_refs RedemptionRef[]
-- @param p_status PaymentStatus
-- @param p_store_credit StoreCreditRequest
-- @null p_key p_customer p_at p_expires_at p_store_credit
create or replace function ledger.payment_create(
  p_workspace text, p_id text, p_route text, p_key text, p_fingerprint text, p_amount bigint,
  p_currency text, p_customer text, p_metadata jsonb, p_refs jsonb, p_status text,
  p_awaits_confirmation boolean, p_event text, p_at timestamptz, p_expires_at timestamptz,
  p_store_credit jsonb default null
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
  return payment_change(pay, false, jsonb_build_object('kind', 'create', 'outcome', 'created',
    'event', p_event,
    'endpoint', '', 'status', p_status, 'named', redemptions_named(p_workspace, p_refs),
    'store_credit', p_store_credit), at);
end $$;

-- Moves a sandbox payment by a verb (confirm, cancel) or by its own expiry, with its event and all
-- that follows. Idempotent by status. Outcomes: moved; unchanged (already there); refused; missing;
-- settled (it has ended otherwise); not_due (expiry only).
-- @returns PaymentResult
-- @param p_status PaymentStatus
-- @null p_at
create or replace function ledger.payment_move(
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
    return jsonb_build_object('outcome', 'refused', 'refusal',
      '{"code": "payment_processing"}'::jsonb);
  end if;
  return payment_change(pay, true, jsonb_build_object('kind', 'move', 'outcome', 'moved', 'event',
    p_event,
    'endpoint', '', 'status', p_status, 'named', '[]'::jsonb), at);
end $$;

-- The same asked for by a request: a repeat with its key is answered with the payment as it is now
-- (outcome replayed). A "no" is raised, so that its key stays free: resource_missing;
-- resource_changed with the `status` that it has; payment_processing; idempotency_key_reused.
-- @returns PaymentResult
-- @param p_status PaymentStatus
-- @null p_at p_key
create or replace function ledger.payment_move_asked(
  p_workspace text, p_id text, p_status text, p_event text, p_at timestamptz, p_route text,
  p_key text, p_fingerprint text
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
      perform refuse(jsonb_build_object('code', 'resource_changed', 'status',
        moved #>> '{payment,status}'));
    when 'refused' then perform refuse(moved -> 'refusal');
    else null;
  end case;
  return moved;
end $$;

-- Takes in one verified provider event, in one transaction: the inbox row (unique per workspace,
-- endpoint and event id), the payment's new status, and all that follows from it (payment_change).
-- It moves only what is its endpoint's own (source_of_endpoint). A payment not seen before is
-- introduced, its redemptions attached as at creation; a refused one is recorded on it. `p_payment`
-- is the provider's payment in our own form, or null where the event names none; `p_status` what
-- the event's type says, or null. `p_more` holds what else the event says: `subject` (whom its
-- workflow belongs to where it carries no whole payment), `completed_at` (the provider's time),
-- `refunds`, and `facts` of an earning trigger. `p_content` are the paths in the payload at which
-- it says what happened, as against how it was delivered. It came at `p_at`; null: now, to the
-- millisecond, as every other time that the product hands down. Outcomes: received; duplicate (with
-- `conflict` where its content is another than before); ignored (no payment to speak of). `failure`
-- says why what follows could not be done here and is left to its workflow.
-- @returns PaymentResult
-- @param p_payload Record<string, unknown>
-- @param p_payment ReportedPayment
-- @param p_status PaymentStatus
-- @param p_more ReportedMore
-- @param p_content ContentPath[]
-- @null p_payment p_status p_at
create or replace function ledger.payment_take_in(
  p_workspace text, p_provider text, p_endpoint text, p_event text, p_type text, p_payload jsonb,
  p_payment jsonb, p_status text, p_at timestamptz, p_more jsonb, p_content jsonb
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  known boolean := false;
  at timestamptz := coalesce(p_at, date_trunc('milliseconds', clock_timestamp()));
  named text := coalesce(p_payment ->> 'id', p_more ->> 'subject');
  subject text;
  invoice text := p_payment ->> 'invoice';
  change jsonb := jsonb_build_object('outcome', 'received', 'type', p_type, 'event', p_event,
    'endpoint', p_endpoint);
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if named is not null then
    -- a payment that nobody knows yet has no row to lock, and its refund may come at the same
    -- moment; nor has an invoice, which comes before the payment that it names, or that names it
    if invoice is not null then
      perform source_lock(p_workspace, invoice);
      invoice := source_of_endpoint(p_workspace, p_provider, p_endpoint, invoice);
    end if;
    perform source_lock(p_workspace, named);
    subject := source_of_endpoint(p_workspace, p_provider, p_endpoint, named);
  end if;
  if not inbox_put(p_workspace, p_event, p_provider, p_type, subject, p_payload, at, p_endpoint,
    at) then
    return payment_received_before(p_workspace, p_provider, p_endpoint, p_event, p_type, p_payload,
      p_content, at);
  end if;
  if subject is null then
    return '{"outcome": "ignored"}';
  end if;
  if p_more ? 'refunds' then
    change := change || jsonb_build_object('refunds',
      refunds_of_endpoint(p_workspace, p_provider, p_endpoint, subject, p_more -> 'refunds'));
  end if;
  if p_payment is null then
    return payment_take_in_part(p_workspace, p_provider, p_endpoint, subject, p_more -> 'facts',
      change, at);
  end if;
  select * into pay from payment where workspace = p_workspace and id = subject for update;
  known := found;
  if not known then
    pay := payment_of(p_workspace, subject, p_provider, (p_payment ->> 'amount')::bigint,
      lower(p_payment ->> 'currency'), p_payment ->> 'customer',
      coalesce(p_payment -> 'metadata', '{}'), at);
  elsif pay.endpoint <> p_endpoint then
    raise exception 'payment % became another endpoint''s meanwhile',
      subject using errcode = '40001';
  end if;
  pay.endpoint := p_endpoint;
  pay.invoice := coalesce(pay.invoice, invoice);
  if known then
    pay := payment_learn_names(pay, p_payment);
  end if;
  return payment_change(pay, known, change || jsonb_build_object('kind', 'event', 'payment',
    p_payment,
    'status', p_status, 'completed_at', p_more -> 'completed_at',
    'named', redemptions_named(p_workspace, coalesce(p_payment -> 'refs', '[]'))), at);
end $$;

-- Works off everything that waits for a source: a payment, or an invoice, subscription or referral
-- that earns by itself. Credits what has matured; its inbox rows are processed then. `matures_at`
-- is when the next pending earning is due. Raises what stands against it. Idempotent. Outcomes:
-- processed.
-- @returns PaymentResult
create or replace function ledger.payment_process(
  p_workspace text, p_id text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  known boolean;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into pay from payment where workspace = p_workspace and id = p_id for update;
  known := found;
  if not known then
    -- as payment_take_in does: the payment of an invoice may come meanwhile
    perform source_lock(p_workspace, p_id);
  end if;
  pay.workspace := p_workspace;
  pay.id := p_id;
  return payment_changed(pay, known, '{"kind": "again", "outcome": "processed", "named": []}',
    'all', p_at);
end $$;

-- The secrets that may speak at a provider's address without an endpoint, oldest first.
-- @column mapping PaymentMapping
-- @null mapping
create or replace function ledger.payment_secrets_find(p_provider text)
returns table (workspace text, livemode boolean, endpoint text, secret text, mapping jsonb)
language sql stable security definer as $$
  select s.workspace, w.livemode, s.endpoint, s.secret, s.mapping
  from payment_secret s join workspace w on w.id = s.workspace
  where s.provider = p_provider and s.shared_address
    and (s.revoked_at is null or s.revoked_at > clock_timestamp())
  order by s.created_at, s.id
$$;

-- The secrets of one endpoint, newest first; none where the provider has no such endpoint.
-- @column mapping PaymentMapping
-- @null mapping
create or replace function ledger.payment_endpoint_secrets(p_provider text, p_endpoint text)
returns table (workspace text, livemode boolean, endpoint text, secret text, mapping jsonb)
language sql stable security definer as $$
  select s.workspace, w.livemode, s.endpoint, s.secret, s.mapping
  from payment_secret s join workspace w on w.id = s.workspace
  where s.endpoint = p_endpoint and s.provider = p_provider
    and (s.revoked_at is null or s.revoked_at > clock_timestamp())
  order by s.created_at desc, s.id desc
$$;

-- What the reconciler looks for: payments with events received before `p_before` of which nothing
-- came, the longest first.
create or replace function ledger.net_unprocessed_payments(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, payment text, expires_at timestamptz)
language sql stable security definer as $$
  select i.workspace, i.payment, p.expires_at
  from inbox i left join payment p on p.workspace = i.workspace and p.id = i.payment
  where i.processed_at is null and i.received_at <= p_before and i.payment is not null
  group by i.workspace, i.payment, p.expires_at
  order by min(i.received_at), i.workspace, i.payment limit p_limit offset p_skip
$$;

-- What the reconciler looks for: open payments that should have expired before `p_before`, the
-- longest overdue first.
create or replace function ledger.net_expired_payments(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, payment text, expires_at timestamptz)
language sql stable security definer as $$
  select p.workspace, p.id, p.expires_at
  from payment p
  where p.expires_at <= p_before and p.status in ('requires_payment', 'processing')
  order by p.expires_at, p.workspace, p.id limit p_limit offset p_skip
$$;

-- What a payment charges: the amount less the discounts that stand, percentages (of the full
-- amount, rounded down, capped) before fixed amounts, and never below zero. Minor units.
create or replace function ledger_private.payment_charge(
  p_amount bigint, p_discounts jsonb
) returns bigint
language plpgsql immutable as $$
begin
  return (
    select greatest(0, p_amount - coalesce(sum(
      case when x ? 'percent'
        then least(div(p_amount * (x ->> 'percent')::numeric, 100),
          coalesce((x ->> 'maxAmount')::numeric, p_amount))
        else (x ->> 'amount')::numeric
      end), 0))::bigint
    from jsonb_array_elements(p_discounts) x
    where not x ? 'removed_at');
end $$;

-- Takes a redemption's discount off an open payment again; the entry stays on record. Where it was
-- the last thing that kept the charge at zero, the payment waits for money again.
create or replace function ledger_private.payment_discount_remove(
  pay payment, p_redemption text, p_at timestamptz
) returns void
language plpgsql as $$
declare
  kept jsonb;
begin
  select coalesce(jsonb_agg(
    case when x ->> 'redemption' = p_redemption and not x ? 'removed_at'
      then x || jsonb_build_object('removed_at', p_at) else x end order by position), '[]')
  into kept
  from jsonb_array_elements(pay.discounts) with ordinality as entry (x, position);
  update payment set discounts = kept, amount_charged = greatest(0,
    payment_charge(amount, kept) - store_credit)
  where workspace = pay.workspace and id = pay.id;
end $$;

-- The redemptions that references (`{"redemption": id}` or `{"code": code}`) mean, in the order in
-- which they are locked: [{named, id}]. One index each, which a condition on either would not
-- always use.
create or replace function ledger_private.redemptions_named(
  p_workspace text, p_refs jsonb
) returns jsonb
language plpgsql stable as $$
begin
  if p_refs = '[]' then
    return p_refs;
  end if;
  return (
    select jsonb_agg(jsonb_build_object('named', x.named, 'id', x.id) order by x.id collate "C")
    from (
      select coalesce(ref ->> 'redemption', ref ->> 'code') as named,
        case when ref ? 'redemption' then ref ->> 'redemption'
        else (select d.id from redemption d where d.workspace = p_workspace
          and d.code = ref ->> 'code') end as id
      from jsonb_array_elements(p_refs) ref
    ) x);
end $$;

-- Attaches one named redemption to a payment being created or
-- introduced, by compare-and-set under the redemption's lock: pending, not expired, no other live
-- payment (open or completed), not another member's, same currency. A payment that comes in already
-- completed (`p_charged`: the provider charged less than its amount) also takes one past its
-- deadline, and is put on record for one already released: it is late. Returns {"entry"},
-- {"refusal"} or null where the same one is named twice.
create or replace function ledger_private.payment_attach(
  pay payment, p_named jsonb, p_charged boolean, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  d redemption;
  a account;
  late boolean;
begin
  select * into d from redemption where workspace = pay.workspace
    and id = p_named ->> 'id' for update;
  if not found then
    return jsonb_build_object('refusal',
      jsonb_build_object('code', 'resource_missing', 'redemption', p_named ->> 'named'));
  end if;
  if d.payment = pay.id then
    return null;
  end if;
  select * into a from account where workspace = pay.workspace
    and id = account_survivor(pay.workspace, d.account);
  late := p_charged and d.status = 'released' and d.late_payment is null;
  if d.payment is not null and exists (
    select from payment o where o.workspace = pay.workspace and o.id = d.payment
      and o.status in ('requires_payment', 'processing', 'completed')
      and not (late and o.status <> 'completed')
  ) and d.status in ('pending', 'applied') then
    return payment_attach_refusal('redemption_already_attached', d,
      jsonb_build_object('resource', d.payment));
  end if;
  if d.status <> 'pending' and not late then
    return payment_attach_refusal('redemption_already_settled', d,
      jsonb_build_object('status', d.status));
  end if;
  if d.expires_at <= p_at and not p_charged then
    return payment_attach_refusal('redemption_expired', d,
      jsonb_build_object('expires_at', d.expires_at));
  end if;
  if pay.customer <> a.customer and a.id is distinct from account_of_customer(a.workspace,
    a.program, pay.customer)
    or payment_names_another(pay, a) then
    return payment_attach_refusal('redemption_account_mismatch', d, '{}');
  end if;
  if lower(d.discount ->> 'currency') <> pay.currency then
    return payment_attach_refusal('currency_mismatch', d,
      jsonb_build_object('currency', d.discount ->> 'currency'));
  end if;
  update redemption set payment = pay.id, revision = next_revision(revision)
  where workspace = pay.workspace and id = d.id;
  return jsonb_build_object('entry',
    (d.discount - 'currency') || jsonb_build_object('redemption', d.id, 'code', d.code));
end $$;

-- Whether the payment's metadata, read where its customer has no account in the program, names
-- another member than this one, or nobody.
create or replace function ledger_private.payment_names_another(
  pay payment, a account
) returns boolean
language plpgsql stable as $$
begin
  return pay.metadata ?| '{loyalty_account, client_reference_id}'
    and not exists (select from account_named(pay.workspace, pay.metadata) x where x.id = a.id)
    and (pay.metadata ? 'loyalty_account'
      or exists (select from account_named(pay.workspace, pay.metadata) x
        where x.program = a.program))
    and not exists (select from account x
      where x.workspace = pay.workspace and x.program = a.program and x.customer = pay.customer);
end $$;

-- Why a redemption is not attached, as payment_attach answers it.
create or replace function ledger_private.payment_attach_refusal(
  p_code text, d redemption, p_more jsonb
) returns jsonb
language sql immutable as $$
  select jsonb_build_object('refusal', jsonb_build_object('code', p_code, 'redemption', d.id)
    || p_more)
$$;

-- Attaches every one of `p_named` (redemptions_named), in id order of the redemptions (the lock
-- order), and computes the charge. Returns the payment, and the refusals. Writes the redemptions,
-- not the payment.
create or replace function ledger_private.payment_attach_all(
  inout pay payment, p_named jsonb, p_charged boolean, p_at timestamptz, out refusals jsonb
)
language plpgsql as $$
declare
  named jsonb;
  result jsonb;
begin
  refusals := '[]';
  for named in select x from jsonb_array_elements(p_named) x loop
    result := payment_attach(pay, named, p_charged, p_at);
    if result ? 'entry' then
      pay.discounts := pay.discounts || (result -> 'entry');
    elsif result ? 'refusal' then
      refusals := refusals || (result -> 'refusal');
    end if;
  end loop;
  pay.amount_charged := payment_charge(pay.amount, pay.discounts);
end $$;

-- Whether the discounts of these redemptions, which never change, leave nothing to charge.
create or replace function ledger_private.payment_is_covered(
  pay payment, p_named jsonb
) returns boolean
language plpgsql stable as $$
begin
  return pay.amount = 0 or p_named <> '[]' and payment_charge(pay.amount, (
    select coalesce(jsonb_agg(d.discount), '[]')
    from (select distinct x ->> 'id' as id from jsonb_array_elements(p_named) x) named
    cross join lateral ( -- one by one: of a jsonb's elements the planner expects a hundred
      select d.discount from redemption d
      where d.workspace = pay.workspace and d.id = named.id and d.discount is not null limit 1
    ) d)) = 0;
end $$;

-- How far a payment has come; a status only advances. Completed outranks every failure: what the
-- provider charged was charged, in whatever order its events arrive.
create or replace function ledger_private.payment_rank(p_status text) returns int
language sql immutable as $$
  select case p_status when 'requires_payment' then 0 when 'processing' then 1
    when 'failed' then 2 when 'canceled' then 2 when 'expired' then 2 when 'completed' then 3 end
$$;

-- The payment moved to a status where that is an advance; null says nothing of it. On completion
-- the provider's own charge counts: less than we expected means that it charged with a discount we
-- had taken off (late); more, that it charged without the discounts of redemptions already
-- released.
create or replace function ledger_private.payment_advance(
  pay payment, p_status text, p_charged bigint, p_at timestamptz
)
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

-- Writes a payment, a new one or one that was there, under a revision that the caller took from
-- next_revision.
create or replace function ledger_private.payment_write(pay payment, p_known boolean) returns void
language plpgsql as $$
begin
  if p_known then
    update payment set status = pay.status, amount = pay.amount,
      amount_charged = pay.amount_charged,
      amount_refunded = pay.amount_refunded, discounts = pay.discounts,
      refused_discounts = pay.refused_discounts,
      refunds = pay.refunds, disputes = pay.disputes, awaits_confirmation = pay.awaits_confirmation,
      award = pay.award, endpoint = pay.endpoint, metadata = pay.metadata, customer = pay.customer,
      invoice = pay.invoice, completed_at = pay.completed_at, expires_at = pay.expires_at,
      store_credit = pay.store_credit, store_credit_account = pay.store_credit_account,
      revision = pay.revision
    where workspace = pay.workspace and id = pay.id;
  else
    insert into payment (workspace, id, provider, status, amount, amount_charged, amount_refunded,
      currency, customer, discounts, refunds, disputes, award, refused_discounts,
      awaits_confirmation, metadata, created_at, completed_at, expires_at, store_credit,
      store_credit_account, endpoint, invoice, revision)
    values (pay.workspace, pay.id, pay.provider, pay.status, pay.amount, pay.amount_charged,
      pay.amount_refunded, pay.currency, pay.customer, pay.discounts, pay.refunds, pay.disputes,
      pay.award, pay.refused_discounts, pay.awaits_confirmation, pay.metadata, pay.created_at,
      pay.completed_at, pay.expires_at, pay.store_credit, pay.store_credit_account, pay.endpoint,
      pay.invoice, pay.revision);
  end if;
end $$;

-- A payment that nobody knows yet. Money in minor units.
create or replace function ledger_private.payment_of(
  p_workspace text, p_id text, p_provider text, p_amount bigint, p_currency text, p_customer text,
  p_metadata jsonb, p_at timestamptz
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

-- Stores a provider's event, once by its endpoint and id. False: it was there.
create or replace function ledger_private.inbox_put(
  p_workspace text, p_id text, p_provider text, p_type text, p_payment text, p_payload jsonb,
  p_at timestamptz, p_endpoint text, p_processed_at timestamptz
) returns boolean
language plpgsql as $$
begin
  insert into inbox (workspace, endpoint, id, provider, type, payment, payload, received_at,
    processed_at)
  values (p_workspace, p_endpoint, p_id, p_provider, p_type, p_payment, p_payload, p_at,
    p_processed_at)
  on conflict (workspace, endpoint, id) do nothing;
  return found;
end $$;

-- What a request to create a payment says of it: its redemptions, all of them or none, and its
-- store credit.
create or replace function ledger_private.payment_open(
  pay payment, p_change jsonb, p_at timestamptz
) returns payment
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
  return payment_advance(pay, case when pay.amount_charged = 0 then 'completed'
    else p_change ->> 'status' end, null, p_at);
end $$;

-- The answer to a repeated create: the payment as it is now, or a refusal where the key came with
-- another body.
create or replace function ledger_private.payment_replayed(
  earlier idempotency_key, p_fingerprint text
) returns jsonb
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
create or replace function ledger_private.payment_outcome(pay payment, p_outcome text) returns jsonb
language sql stable as $$
  select jsonb_build_object('outcome', p_outcome, 'payment', to_jsonb(pay))
$$;

-- What an event tells of a payment beyond its status. One known keeps what it has and learns what
-- it lacks: a customer, an invoice, more metadata, redemptions; for a payment may be told by
-- several events (an intent and its checkout session), in any order, of which only one names them.
-- The payment's row is locked; nothing is written.

-- Whom it names. Comes before the accounts are locked, which follow from it.
create or replace function ledger_private.payment_learn_names(
  pay payment, p_told jsonb
) returns payment
language plpgsql as $$
declare
  before payment := pay;
begin
  pay.customer := coalesce(pay.customer, p_told ->> 'customer');
  pay.metadata := coalesce(p_told -> 'metadata', '{}') || pay.metadata;
  pay.award := payment_award_kept(before, pay);
  return pay;
end $$;

-- Its redemptions, attached as at creation: a refused one is recorded on it, once. Writes the
-- redemptions.
create or replace function ledger_private.payment_learn_redemptions(
  pay payment, p_told jsonb, p_named jsonb, p_status text, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  before payment := pay;
  charged bigint := (p_told ->> 'amount_charged')::bigint;
  attached record;
begin
  if p_named = '[]' then
    return pay;
  end if;
  pay.amount := greatest(pay.amount, (p_told ->> 'amount')::bigint);
  attached := payment_attach_all(pay, p_named, 'completed' in (p_status, pay.status)
    and charged < pay.amount, p_at);
  pay.discounts := (attached.pay).discounts;
  if pay.discounts = before.discounts then
    pay.amount := before.amount;
  elsif pay.status <> 'completed' then -- what a completed one charged is its provider's word
    pay.amount_charged := greatest(0, (attached.pay).amount_charged - pay.store_credit);
  end if;
  select pay.refused_discounts || coalesce(jsonb_agg(x || jsonb_build_object('at', p_at)), '[]')
    into pay.refused_discounts
  from jsonb_array_elements(attached.refusals) x
  where not exists (
    select from jsonb_array_elements(pay.refused_discounts) y
    where y ->> 'redemption' = x ->> 'redemption' and y ->> 'code' = x ->> 'code');
  return pay;
end $$;

-- Everything that an event says: redemptions, status, refunds.
create or replace function ledger_private.payment_told(
  pay payment, p_known boolean, p_change jsonb, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  told jsonb := p_change -> 'payment';
begin
  pay := payment_learn_redemptions(pay, told, p_change -> 'named', p_change ->> 'status', p_at);
  pay := payment_advance(pay, p_change ->> 'status', (told ->> 'amount_charged')::bigint, p_at);
  if pay.completed_at = p_at then
    pay.completed_at := least(p_at, (p_change ->> 'completed_at')::timestamptz);
  end if;
  if p_change ? 'refunds' or not p_known then
    pay := payment_refunds_put(pay, coalesce(p_change -> 'refunds', '[]'), p_at);
  end if;
  return pay;
end $$;

-- What stays of the judgement of a payment that has learned something: null where it is judged
-- again. One that earned nothing is, where it now names somebody; and so are the rules, for the
-- same member, where its metadata says more, unless a rule was added since: such a one earns by a
-- replay only.
create or replace function ledger_private.payment_award_kept(
  before payment, pay payment
) returns text
language plpgsql stable as $$
declare
  same_member boolean := (pay.customer, pay.metadata ->> 'loyalty_account',
    pay.metadata ->> 'client_reference_id')
    is not distinct from
    (before.customer, before.metadata ->> 'loyalty_account',
      before.metadata ->> 'client_reference_id');
begin
  if before.award is null or same_member and pay.metadata = before.metadata then
    return before.award;
  end if;
  if before.award in ('unnamed', 'no_member') then
    return case when same_member then before.award end;
  end if;
  return case when before.award = 'awarded' and not same_member or exists (
      select from earning_rule r
      where r.workspace = pay.workspace and r.trigger = 'payment.completed'
        and r.created_at > greatest(pay.created_at, pay.completed_at))
    then before.award end;
end $$;

-- What the workflow of a payment is started with and told: `status`, `expiresAt` of a sandbox
-- payment, `maturesAt` of its next pending earning, and whether something that follows from its
-- events is not done (`unfinished`).

-- Writes what the payment's workflow must do, or end, earlier than it knows (`p_status_before`
-- null: there was no payment): nothing of one that is done in its own transaction, nor what its own
-- run does (`vinr.run`), which knows it. `p_matures_at`: earlier than was known.
create or replace function ledger_private.payment_outbox(
  pay payment, p_status_before text, p_known boolean, p_matures_at timestamptz, p_unfinished boolean
) returns void
language plpgsql as $$
declare
  is_open boolean := coalesce(pay.expires_at is not null
    and pay.status in ('requires_payment', 'processing'), false);
  was_open boolean := coalesce(pay.expires_at is not null
    and p_status_before in ('requires_payment', 'processing'), false);
  change text := case when p_unfinished or p_matures_at is not null then 'changed'
    when is_open and not p_known then 'new' when was_open and not is_open then 'ended' end;
begin
  if change is not null and (
    p_unfinished or current_setting('vinr.run', true) is distinct from pay.workspace || '/'
    || pay.id) then
    perform source_outbox(pay.workspace, pay.id, pay.status, pay.expires_at, p_matures_at,
      p_unfinished, case when p_unfinished then null when p_matures_at is not null then p_matures_at
        when change = 'new' then pay.expires_at end, pay.revision, change);
  end if;
end $$;

-- The same of whatever may earn: a payment, an invoice, a new account (its welcome). `p_status` is
-- null where it is no payment.
create or replace function ledger_private.source_outbox(
  p_workspace text, p_id text, p_status text, p_expires_at timestamptz, p_matures_at timestamptz,
  p_unfinished boolean, p_start_at timestamptz, p_revision bigint, p_change text
) returns void
language plpgsql as $$
begin
  perform outbox_write(p_workspace, p_workspace || '/' || p_id, 'payment',
    jsonb_build_object('workspace', p_workspace, 'payment', p_id, 'expiresAt', iso(p_expires_at)),
    p_start_at, jsonb_build_object('status', p_status, 'expiresAt', iso(p_expires_at), 'maturesAt',
      iso(p_matures_at),
      'unfinished', p_unfinished),
    p_revision, p_change);
end $$;

-- Ids of providers are known by their endpoint: each moves only what is its own. The first endpoint
-- that names an id has it as it is (`pay_pi_…`), for good; where another names the same, that one's
-- is an id derived from both, always the same. What nobody has sent an event about yet (a payment
-- that the API made, what is from before endpoints) is its provider's, and becomes the first
-- endpoint's that does.

-- Whose an id is; null where nobody's.
create or replace function ledger_private.source_owner_of(
  p_workspace text, p_id text
) returns source_owner
language plpgsql as $$
declare
  owner source_owner;
begin
  select workspace, id, provider, endpoint into owner from payment where workspace = p_workspace
    and id = p_id;
  if not found then
    select * into owner from source_owner where workspace = p_workspace and id = p_id;
  end if;
  return owner;
end $$;

-- Whether a source is this endpoint's to move: its own, its provider's, or nobody's yet.
create or replace function ledger_private.source_is_ours(
  owner source_owner, p_provider text, p_endpoint text
) returns boolean
language sql immutable as $$
  select coalesce(owner.endpoint = p_endpoint, owner.provider = p_provider, true)
$$;

-- Our id of what an endpoint calls `p_named` (a payment, invoice, subscription or referral). The
-- caller holds the lock of that name (source_lock), so that two endpoints' first events do not both
-- get it.
create or replace function ledger_private.source_of_endpoint(
  p_workspace text, p_provider text, p_endpoint text, p_named text
)
returns text
language plpgsql as $$
declare
  candidate text := p_named;
  tries int := 0;
begin
  while not source_is_ours(source_owner_of(p_workspace, candidate), p_provider, p_endpoint) loop
    tries := tries + 1;
    candidate := derived_id('pay', p_endpoint, p_named, tries);
  end loop;
  return candidate;
end $$;

-- Locks what a provider's id names, be it known or not, until the transaction ends.
create or replace function ledger_private.source_lock(p_workspace text, p_named text) returns void
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || p_named, 0));
end $$;

-- From now on the id is this endpoint's.
create or replace function ledger_private.source_claim(
  p_workspace text, p_provider text, p_endpoint text, p_id text
) returns void
language plpgsql as $$
declare
  owner source_owner := source_owner_of(p_workspace, p_id);
begin
  if owner.endpoint is not null then
    return;
  end if;
  update payment set endpoint = p_endpoint where workspace = p_workspace and id = p_id
    and endpoint is null;
  if not found then
    insert into source_owner as old (workspace, id, provider, endpoint)
    values (p_workspace, p_id, p_provider, p_endpoint)
    on conflict (workspace, id) do update set endpoint = excluded.endpoint
      where old.endpoint is null;
  end if;
end $$;

-- The refunds that an event reports of a payment of its endpoint, by our ids: as they are, or where
-- another endpoint's refund has that id, by one derived. Locks their names, in one order.
create or replace function ledger_private.refunds_of_endpoint(
  p_workspace text, p_provider text, p_endpoint text, p_payment text, p_refunds jsonb
) returns jsonb
language plpgsql as $$
declare
  r jsonb;
  named jsonb := '{}';
  candidate text;
  tries int;
  other text;
begin
  for r in select x from jsonb_array_elements(p_refunds) x order by x ->> 'id' collate "C" loop
    candidate := r ->> 'id';
    tries := 0;
    perform source_lock(p_workspace, ' refund ' || candidate);
    loop
      select payment into other from refund where workspace = p_workspace and id = candidate;
      exit when not found or other = p_payment
        or source_is_ours(source_owner_of(p_workspace, other), p_provider, p_endpoint);
      tries := tries + 1;
      candidate := derived_id('re', p_endpoint, r ->> 'id', tries);
    end loop;
    named := named || jsonb_build_object(r ->> 'id', candidate);
  end loop;
  return (
    select coalesce(jsonb_agg(x || jsonb_build_object('id', named ->> (x ->> 'id'))
      order by position), '[]')
    from jsonb_array_elements(p_refunds) with ordinality as entry (x, position));
end $$;

-- Takes in an event that carries no whole payment: refunds of one, which may not be known yet, or
-- an earning trigger.
create or replace function ledger_private.payment_take_in_part(
  p_workspace text, p_provider text, p_endpoint text, p_subject text, p_facts jsonb, p_change jsonb,
  p_at timestamptz
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
  -- what it earns is worked off from here, so that it is found again where that fails
  if said is not null then
    update inbox set facts = said, processed_at = null
    where workspace = p_workspace and endpoint = p_endpoint and id = p_change ->> 'event';
  end if;
  perform source_claim(p_workspace, p_provider, p_endpoint, p_subject);
  select * into pay from payment where workspace = p_workspace and id = p_subject for update;
  known := found;
  pay.workspace := p_workspace;
  pay.id := p_subject;
  return payment_change(pay, known, p_change || jsonb_build_object('kind', 'part', 'named',
    '[]'::jsonb,
    'has_facts', said is not null), p_at);
end $$;

-- The answer to an event whose id its endpoint has used before. It moves nothing; what followed
-- from the first and could not be done then is tried again. Where it says something else than the
-- first did, it is kept for a person (attention), and answered all the same: asking the provider to
-- try again would change nothing.
create or replace function ledger_private.payment_received_before(
  p_workspace text, p_provider text, p_endpoint text, p_event text, p_type text, p_payload jsonb,
  p_content jsonb, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  earlier inbox;
  pay payment;
  known boolean;
  outcome jsonb := '{"outcome": "duplicate"}';
begin
  select * into earlier from inbox where workspace = p_workspace and endpoint = p_endpoint
    and id = p_event;
  if earlier.processed_at is null and earlier.payment is not null then
    select * into pay from payment where workspace = p_workspace
      and id = earlier.payment for update;
    known := found;
    pay.workspace := p_workspace;
    pay.id := earlier.payment;
    outcome := payment_change(pay, known, '{"kind": "again", "outcome": "duplicate", "named": []}',
      p_at);
  end if;
  if event_content(earlier.payload, p_content) is not distinct from event_content(p_payload,
    p_content) then
    return outcome;
  end if;
  perform attention_note(p_workspace, 'payment_event_conflict', coalesce(earlier.payment, p_event),
    md5(jsonb_build_array(p_endpoint, p_event, event_content(p_payload, p_content))::text),
    jsonb_build_object('provider', p_provider, 'endpoint', p_endpoint, 'event', p_event, 'type',
      p_type,
      'payment', earlier.payment, 'payload', p_payload),
    p_at);
  return outcome || '{"conflict": true}';
end $$;

-- What a payload says at each of the paths; jsonb is canonical, so that order and spacing do not
-- count.
create or replace function ledger_private.event_content(
  p_payload jsonb, p_paths jsonb
) returns jsonb
language plpgsql immutable as $$
begin
  return (
    select jsonb_agg(p_payload #> array(select jsonb_array_elements_text(x)) order by position)
    from jsonb_array_elements(p_paths) with ordinality as entry (x, position));
end $$;

-- Changes a payment, whose row is locked or not written yet (`p_known` false), and does all that
-- follows. Where that fails, all is undone and the payment's own change is made again alone: the
-- answer says why in `failure`, the payment's outbox row says that it is unfinished, and its
-- workflow does what follows (payment_process). `p_change`: `kind` (create, move, event, refund;
-- part: an event without a whole payment, which may be unknown; again: nothing new), `outcome`
-- (what is answered), `event` and `endpoint` (its inbox row), `type` (of the event), `named`
-- (redemptions_named), and what its kind needs. Refusals (VR001) undo all of it.
create or replace function ledger_private.payment_change(
  pay payment, p_known boolean, p_change jsonb, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  most_tries constant int := 3; -- then somebody else's turn is longer than this request should wait
  context text;
  failure jsonb;
begin
  if not payment_has_consequences(pay, p_known, p_change) then
    return payment_changed(pay, p_known, p_change, 'alone', p_at);
  end if;
  for try in 1 .. most_tries loop
    begin -- a savepoint, which costs some 10 microseconds
      return payment_changed(pay, p_known, p_change, 'all', p_at);
    exception
      when sqlstate 'VR001' then
        raise;
      when query_canceled or others then -- others leaves a statement's timeout out
        get stacked diagnostics context = pg_exception_context;
        failure := jsonb_build_object('message', sqlerrm, 'code', sqlstate, 'context', context);
        -- rolled back for another's sake, its locks too
        exit when sqlstate not in ('40001', '40P01');
    end;
  end loop;
  return payment_changed(pay, p_known, p_change, 'unfinished', p_at)
    || jsonb_build_object('failure', failure, 'waiting', true);
end $$;

-- The status that the change brings the payment to, as far as it can be told before it is made.
create or replace function ledger_private.payment_status_after(
  pay payment, p_change jsonb
) returns text
language plpgsql stable as $$
begin
  if p_change ->> 'kind' = 'create' and payment_is_covered(pay, p_change -> 'named') then
    return 'completed';
  elsif payment_rank(p_change ->> 'status') > payment_rank(pay.status) then
    return p_change ->> 'status';
  end if;
  return pay.status;
end $$;

-- Whether more follows than the payment's own change: earnings and what refunds take of them, or
-- the end of its redemptions. To attach those is the payment's own.
create or replace function ledger_private.payment_has_consequences(
  pay payment, p_known boolean, p_change jsonb
) returns boolean
language plpgsql stable as $$
declare
  status_after text := payment_status_after(pay, p_change);
begin
  if p_change ->> 'kind' = 'again' or p_change -> 'has_facts' = 'true'
    or status_after = 'completed' then
    return true;
  elsif p_change ->> 'kind' = 'create' and p_change -> 'store_credit' <> 'null' then
    return true; -- it may pay for all of it, which only its balance says
  end if;
  return coalesce(status_after in ('failed', 'canceled', 'expired'), false) and (
    p_change -> 'named' <> '[]' or p_known and exists (
      select from redemption d where d.workspace = pay.workspace and d.payment = pay.id
        and d.status = 'pending'));
end $$;

-- Makes the change as far as `p_mode` says: `all` of it; the payment's own `alone`, from which
-- nothing follows; or `unfinished`, its own too, with what follows left to its workflow. Locks, in
-- this order: the payment (held), enrolment, accounts, redemptions, rewards.
create or replace function ledger_private.payment_changed(
  pay payment, p_known boolean, p_change jsonb, p_mode text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  judgement record;
  before payment;
  status_after text;
  known_to_mature timestamptz;
  matures_at timestamptz;
  snapshot jsonb;
begin
  pay.revision := next_revision(pay.revision);
  before := pay;
  if p_mode = 'all' and (pay.award is not null or p_change ->> 'kind' in ('again', 'part')) then
    known_to_mature := earning_next_maturity(pay.workspace, pay.id);
  end if;
  if p_mode = 'all' and pay.status is not null then
    status_after := payment_status_after(pay, p_change);
    judgement := payment_judgement(pay, status_after = 'completed', false,
      least(p_at, (p_change ->> 'completed_at')::timestamptz), p_at);
    perform payment_accounts_lock(pay, p_known, p_change, judgement.members);
  elsif p_mode = 'alone' and p_change -> 'named' <> '[]' then
    perform payment_accounts_lock(pay, p_known, p_change, '{}');
  elsif pay.store_credit_account is not null then
    perform accounts_lock(pay.workspace, array[pay.store_credit_account::text]);
  end if;
  case p_change ->> 'kind'
    when 'create' then pay := payment_open(pay, p_change, p_at);
    when 'move' then pay := payment_advance(pay, p_change ->> 'status', null, p_at);
    when 'event' then pay := payment_told(pay, p_known, p_change, p_at);
    when 'refund' then pay := payment_refund(pay, p_change, p_at);
    when 'part' then pay := payment_refunds_put(pay, coalesce(p_change -> 'refunds', '[]'), p_at);
    else null;
  end case;
  snapshot := to_jsonb(pay);
  perform payment_event(pay, snapshot, p_change, p_mode, p_at);
  if p_mode = 'all' and pay.status = 'completed' then
    if status_after <> 'completed' then -- its store credit covers all of it
      judgement := payment_judgement(pay, true, false, p_at, p_at);
      perform accounts_lock(pay.workspace, judgement.members);
    end if;
    pay := payment_settle(pay, judgement.judge, judgement.members, judgement.award,
      judgement.metadata, false, p_at);
  end if;
  if pay.status is not null and (p_change ->> 'kind' not in ('part', 'again')
    or pay is distinct from before) then
    perform payment_write(pay, p_known);
  end if;
  if p_mode = 'all' then
    perform payment_redemptions_follow(pay, p_known, p_change, p_at);
    perform earnings_of_events(pay.workspace, pay.id, p_at);
    matures_at := earnings_mature(pay.workspace, pay.id, p_at);
  end if;
  perform payment_outbox(pay, case when p_known then before.status end, p_known,
    case when matures_at < coalesce(known_to_mature, 'infinity') then matures_at end,
      p_mode = 'unfinished');
  return jsonb_build_object('outcome', p_change -> 'outcome', 'subject', pay.id, 'waiting', false,
    'matures_at', iso(matures_at)) || case when pay.status is null then '{}'
    else jsonb_build_object('payment', snapshot) end;
end $$;

-- The event of the change for webhooks, unless it tells of no whole payment (part) or of nothing
-- new (again); a sandbox payment's is in the inbox too, as a provider's is. Where what follows is
-- left to the workflow, the inbox row is not processed.
create or replace function ledger_private.payment_event(
  pay payment, p_snapshot jsonb, p_change jsonb, p_mode text, p_at timestamptz
) returns void
language plpgsql as $$
declare
  type text := coalesce(p_change ->> 'type',
    'payment.' || case pay.status when 'requires_payment' then 'created' else pay.status end);
begin
  if p_change ->> 'kind' in ('create', 'move', 'refund') then
    perform inbox_put(pay.workspace, p_change ->> 'event', 'sandbox', type, pay.id,
      jsonb_build_object('type', type, 'data', jsonb_strip_nulls(jsonb_build_object('id', pay.id,
        'refund', p_change #> '{refund,id}'))),
      p_at, '', case when p_mode <> 'unfinished' then p_at end);
  elsif p_mode = 'unfinished' and p_change ? 'event' then
    update inbox set processed_at = null
    where workspace = pay.workspace and endpoint = p_change ->> 'endpoint'
      and id = p_change ->> 'event';
  end if;
  if p_change ->> 'kind' not in ('part', 'again') then
    perform event_write(pay.workspace, type, pay.id, p_snapshot, null, p_at);
  end if;
end $$;

-- Applies, releases or puts on record each redemption attached to a payment that has ended, and
-- returns those that its refunds asked for. The payment's row is written, the accounts' locks are
-- held; redemptions are locked by id, then the rewards that get stock back.
create or replace function ledger_private.payment_redemptions_follow(
  pay payment, p_known boolean, p_change jsonb, p_at timestamptz
)
returns void
language plpgsql as $$
declare
  d redemption;
  status_before text;
  attached redemption[];
begin
  if pay.status not in ('completed', 'failed', 'canceled', 'expired') or not p_known
    and p_change -> 'named' = '[]' then
    return;
  end if;
  select array_agg(x.r order by (x.r).id) into attached from (
    select r from redemption r
    where r.workspace = pay.workspace and r.payment = pay.id
      and (r.status = 'pending' or r.status = 'released' and r.late_payment is null
        and pay.status = 'completed')
    order by r.id for update
  ) x;
  if attached is not null then
    perform stock_lock(pay.workspace, attached);
    foreach d in array attached loop
      status_before := d.status;
      d := redemption_follow(d, pay, p_at);
      perform redemption_outbox(status_before, d, pay.status);
    end loop;
  end if;
  if exists (select from jsonb_array_elements(pay.refunds) x where x ->> 'status' <> 'failed') then
    perform payment_redemptions_return(pay, p_at);
  end if;
end $$;

-- Reverses the redemptions that a standing refund of the payment asked for.
create or replace function ledger_private.payment_redemptions_return(
  pay payment, p_at timestamptz
) returns void
language plpgsql as $$
declare
  refund_id text;
  d redemption;
  used redemption[];
  operation text;
  reversed jsonb;
begin
  select min(r.id) into refund_id from refund r
  where r.workspace = pay.workspace and r.payment = pay.id and r.return_redemption
    and r.status <> 'failed';
  if refund_id is null then
    return;
  end if;
  select array_agg(x.r order by (x.r).id) into used from (
    select r from redemption r
    where r.workspace = pay.workspace and r.payment = pay.id and r.status in ('pending', 'applied')
    order by r.id for update
  ) x;
  perform stock_lock(pay.workspace, used);
  foreach d in array coalesce(used, '{}') loop
    operation := 'refund:' || refund_id || ':' || d.id;
    reversed := redemption_reverse(pay.workspace, d.id, null, null, 'refund', operation, operation,
      p_at, null, null);
    if reversed ->> 'outcome' not in ('reversed', 'replayed') then
      raise exception 'redemption % of payment % is not returned: %', d.id, pay.id, reversed;
    end if;
  end loop;
end $$;

-- Locks all accounts that a payment's change may touch: those it earns for (`p_members`) or has
-- earned for, the owners of redemptions that are attached or named, the one whose store credit it
-- uses.
create or replace function ledger_private.payment_accounts_lock(
  pay payment, p_known boolean, p_change jsonb, p_members text[]
)
returns void
language plpgsql as $$
declare
  accounts text[] := p_members || pay.store_credit_account::text;
begin
  if p_change -> 'named' <> '[]' then
    accounts := accounts || array(
      select d.account::text from redemption d
      where d.workspace = pay.workspace
        and d.id = any (array(select x ->> 'id' from jsonb_array_elements(p_change -> 'named') x)));
  end if;
  if p_known then
    accounts := accounts || array(
      select d.account::text from redemption d where d.workspace = pay.workspace
        and d.payment = pay.id
      union all
      select e.account from earning e where e.workspace = pay.workspace and e.payment = pay.id
      union all
      select e.account from earning e where e.workspace = pay.workspace and e.source = pay.invoice
      union all
      select s.account from program p
      join tier_spend s on s.workspace = p.workspace and s.program = p.id and s.payment = pay.id
      where p.workspace = pay.workspace and p.tier_config is not null);
  end if;
  if p_change ->> 'kind' = 'create' and p_change -> 'store_credit' <> 'null' then
    accounts := accounts || credit_account_named(pay, p_change -> 'store_credit');
  end if;
  perform accounts_lock(pay.workspace, accounts);
end $$;
