-- A payment's change and all that follows from it are one transaction: its status, what it earns or
-- takes back, and each redemption attached to it applied, released or returned.

-- Creates a sandbox payment, attaches its redemptions, spends store credit on what is left
-- (`p_store_credit`: {account?, amount?}, see credit_spend) and lets it settle as far as its card
-- does, or at once where nothing is left to charge; then does all that follows (payment_change). An
-- open one expires 24 hours after `p_at` (null: now) unless `p_expires_at` says otherwise. A repeat
-- with its key is answered with the payment as it is now. Outcomes: created; replayed. Raises the
-- first refusal of attach or store credit (VR001), so that nothing stays, not even the key.
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
  payment_row payment;
  at timestamptz := coalesce(p_at, date_trunc('milliseconds', clock_timestamp()));
  earlier text;
begin
  earlier := command_start(p_workspace, p_route, p_key, p_fingerprint, p_id, at);
  if earlier is not null then
    select * into payment_row from payment where workspace = p_workspace and id = earlier;
    return payment_outcome(payment_row, 'replayed');
  end if;
  payment_row := payment_of(p_workspace, p_id, 'sandbox', p_amount, p_currency, p_customer,
    p_metadata, at);
  payment_row.awaits_confirmation := p_awaits_confirmation;
  payment_row.expires_at := coalesce(p_expires_at, at + interval '24 hours');
  return payment_change(payment_row, false, jsonb_build_object('kind', 'create', 'outcome',
    'created', 'event', p_event,
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
  payment_row payment;
  at timestamptz := coalesce(p_at, date_trunc('milliseconds', clock_timestamp()));
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into payment_row from payment where workspace = p_workspace and id = p_id for update;
  if not found then
    return '{"outcome": "missing"}';
  end if;
  if payment_row.status = p_status then
    return payment_outcome(payment_row, 'unchanged');
  end if;
  if p_status = 'expired' and payment_row.status in ('requires_payment', 'processing')
    and date_trunc('milliseconds', payment_row.expires_at) > at then
    return payment_outcome(payment_row, 'not_due');
  end if;
  if payment_row.status not in ('requires_payment', 'processing') then
    return payment_outcome(payment_row, 'settled');
  end if;
  if payment_row.status = 'processing' and p_status = 'canceled' then
    return jsonb_build_object('outcome', 'refused', 'refusal',
      '{"code": "payment_processing"}'::jsonb);
  end if;
  return payment_change(payment_row, true, jsonb_build_object('kind', 'move', 'outcome', 'moved',
    'event', p_event,
    'endpoint', '', 'status', p_status, 'named', '[]'::jsonb), at);
end $$;

-- The same by a request: a repeat with its key is answered with the payment as it is now
-- (outcome replayed). A "no" is raised, so that its key stays free: resource_missing;
-- resource_changed with the `status` that it has; payment_processing; idempotency_key_reused.
-- @returns PaymentResult
-- @param p_status PaymentStatus
-- @null p_at p_key
create or replace function ledger.payment_move_request(
  p_workspace text, p_id text, p_status text, p_event text, p_at timestamptz, p_route text,
  p_key text, p_fingerprint text
) returns jsonb
language plpgsql as $$
declare
  payment_row payment;
  moved jsonb;
begin
  if command_start(p_workspace, p_route, p_key, p_fingerprint, p_id,
    coalesce(p_at, clock_timestamp())) is not null then
    select * into payment_row from payment where workspace = p_workspace and id = p_id;
    return payment_outcome(payment_row, 'replayed');
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
-- @param p_content readonly ContentPath[]
-- @null p_payment p_status p_at
create or replace function ledger.payment_take_in(
  p_workspace text, p_provider text, p_endpoint text, p_event text, p_type text, p_payload jsonb,
  p_payment jsonb, p_status text, p_at timestamptz, p_more jsonb, p_content jsonb
) returns jsonb
language plpgsql as $$
declare
  payment_row payment;
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
  if not inbox_put(p_workspace, p_event, p_provider, p_type, subject,
    payload_kept(p_workspace, subject, p_payload), at, p_endpoint, at, p_content) then
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
  select * into payment_row from payment where workspace = p_workspace and id = subject for update;
  known := found;
  if not known then
    payment_row := payment_of(p_workspace, subject, p_provider, (p_payment ->> 'amount')::bigint,
      lower(p_payment ->> 'currency'), p_payment ->> 'customer',
      coalesce(p_payment -> 'metadata', '{}'), at);
  elsif payment_row.endpoint <> p_endpoint then
    raise exception 'payment % became another endpoint''s meanwhile',
      subject using errcode = '40001';
  end if;
  payment_row.endpoint := p_endpoint;
  payment_row.invoice := coalesce(payment_row.invoice, invoice);
  if known then
    payment_row := payment_learn_names(payment_row, p_payment);
  end if;
  return payment_change(payment_row, known, change || jsonb_build_object('kind', 'event', 'payment',
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
  payment_row payment;
  known boolean;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into payment_row from payment where workspace = p_workspace and id = p_id for update;
  known := found;
  if not known then
    -- as payment_take_in does: the payment of an invoice may come meanwhile
    perform source_lock(p_workspace, p_id);
  end if;
  payment_row.workspace := p_workspace;
  payment_row.id := p_id;
  return payment_changed(payment_row, known,
    '{"kind": "again", "outcome": "processed", "named": []}', 'all', p_at);
end $$;

-- The secrets that may speak at a provider's address without an endpoint, oldest first.
-- @column mapping PaymentMapping
-- @null mapping
create or replace function ledger.payment_secrets_find(p_provider text)
returns table (workspace text, livemode boolean, endpoint text, secret text, mapping jsonb)
language sql stable security definer as $$
  select payment_secret.workspace, workspace.livemode, payment_secret.endpoint,
    payment_secret.secret, payment_secret.mapping
  from payment_secret join workspace on workspace.id = payment_secret.workspace
  where payment_secret.provider = p_provider and payment_secret.shared_address
    and (payment_secret.revoked_at is null or payment_secret.revoked_at > clock_timestamp())
  order by payment_secret.created_at, payment_secret.id
$$;

-- The secrets of one endpoint, newest first; none where the provider has no such endpoint.
-- @column mapping PaymentMapping
-- @null mapping
create or replace function ledger.payment_endpoint_secrets(p_provider text, p_endpoint text)
returns table (workspace text, livemode boolean, endpoint text, secret text, mapping jsonb)
language sql stable security definer as $$
  select payment_secret.workspace, workspace.livemode, payment_secret.endpoint,
    payment_secret.secret, payment_secret.mapping
  from payment_secret join workspace on workspace.id = payment_secret.workspace
  where payment_secret.endpoint = p_endpoint and payment_secret.provider = p_provider
    and (payment_secret.revoked_at is null or payment_secret.revoked_at > clock_timestamp())
  order by payment_secret.created_at desc, payment_secret.id desc
$$;

-- What the reconciler looks for: payments with events received before `p_before` of which nothing
-- came, the longest first.
create or replace function ledger.payments_unprocessed(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, payment text, expires_at timestamptz)
language sql stable security definer as $$
  select inbox.workspace, inbox.payment, payment.expires_at
  from inbox left join payment on payment.workspace = inbox.workspace and payment.id = inbox.payment
  where inbox.processed_at is null and inbox.received_at <= p_before and inbox.payment is not null
  group by inbox.workspace, inbox.payment, payment.expires_at
  order by min(inbox.received_at), inbox.workspace, inbox.payment limit p_limit offset p_skip
$$;

-- What the reconciler looks for: open payments that should have expired before `p_before`, the
-- longest overdue first.
create or replace function ledger.payments_overdue(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, payment text, expires_at timestamptz)
language sql stable security definer as $$
  select payment.workspace, payment.id, payment.expires_at
  from payment
  where payment.expires_at <= p_before and payment.status in ('requires_payment', 'processing')
  order by payment.expires_at, payment.workspace, payment.id limit p_limit offset p_skip
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
      case when discount ? 'percent'
        then least(div(p_amount * (discount ->> 'percent')::numeric, 100),
          coalesce((discount ->> 'maxAmount')::numeric, p_amount))
        else (discount ->> 'amount')::numeric
      end), 0))::bigint
    from jsonb_array_elements(p_discounts) discount
    where not discount ? 'removed_at');
end $$;

-- Takes a redemption's discount off an open payment again; the entry stays on record. Where it was
-- the last thing that kept the charge at zero, the payment waits for money again.
create or replace function ledger_private.payment_discount_remove(
  payment_row payment, p_redemption text, p_at timestamptz
) returns void
language plpgsql as $$
declare
  kept jsonb;
begin
  select coalesce(jsonb_agg(
    case when discount ->> 'redemption' = p_redemption and not discount ? 'removed_at'
      then discount || jsonb_build_object('removed_at', p_at) else discount end order by position),
      '[]')
  into kept
  from jsonb_array_elements(payment_row.discounts) with ordinality as entry (discount, position);
  update payment set discounts = kept,
    amount_charged = greatest(0, payment_charge(amount, kept) - store_credit)
  where workspace = payment_row.workspace and id = payment_row.id;
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
    select jsonb_agg(jsonb_build_object('named', resolved.named, 'id', resolved.id)
      order by resolved.id collate "C")
    from (
      select coalesce(ref ->> 'redemption', ref ->> 'code') as named,
        case when ref ? 'redemption' then ref ->> 'redemption'
        else (select redemption.id from redemption where redemption.workspace = p_workspace
          and redemption.code = ref ->> 'code') end as id
      from jsonb_array_elements(p_refs) ref
    ) resolved);
end $$;

-- Attaches one named redemption to a payment being created or
-- introduced, by compare-and-set under the redemption's lock: pending, not expired, no other live
-- payment (open or completed), not another member's, same currency. A payment that comes in already
-- completed (`p_charged`: the provider charged less than its amount) also takes one past its
-- deadline, and is put on record for one already released: it is late. Returns {"entry"},
-- {"refusal"} or null where the same one is named twice.
create or replace function ledger_private.payment_attach(
  payment_row payment, p_named jsonb, p_charged boolean, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  redemption_row redemption;
  account_row account;
  late boolean;
begin
  select * into redemption_row from redemption where workspace = payment_row.workspace
    and id = p_named ->> 'id' for update;
  if not found then
    return jsonb_build_object('refusal',
      jsonb_build_object('code', 'resource_missing', 'redemption', p_named ->> 'named'));
  end if;
  if redemption_row.payment = payment_row.id then
    return null;
  end if;
  select * into account_row from account where workspace = payment_row.workspace
    and id = account_survivor(payment_row.workspace, redemption_row.account);
  late := p_charged and redemption_row.status = 'released' and redemption_row.late_payment is null;
  if redemption_row.payment is not null and exists (
    select from payment other where other.workspace = payment_row.workspace
      and other.id = redemption_row.payment
      and other.status in ('requires_payment', 'processing', 'completed')
      and not (late and other.status <> 'completed')
  ) and redemption_row.status in ('pending', 'applied') then
    return payment_attach_refusal('redemption_already_attached', redemption_row,
      jsonb_build_object('resource', redemption_row.payment));
  end if;
  if redemption_row.status <> 'pending' and not late then
    return payment_attach_refusal('redemption_already_settled', redemption_row,
      jsonb_build_object('status', redemption_row.status));
  end if;
  if redemption_row.expires_at <= p_at and not p_charged then
    return payment_attach_refusal('redemption_expired', redemption_row,
      jsonb_build_object('expires_at', redemption_row.expires_at));
  end if;
  if (case when payment_row.customer <> account_row.customer then
      account_row.id is distinct from account_of_customer(account_row.workspace,
        account_row.program, payment_row.customer) end)
    or payment_names_another(payment_row, account_row) then
    return payment_attach_refusal('redemption_account_mismatch', redemption_row, '{}');
  end if;
  if lower(redemption_row.discount ->> 'currency') <> payment_row.currency then
    return payment_attach_refusal('currency_mismatch', redemption_row,
      jsonb_build_object('currency', redemption_row.discount ->> 'currency'));
  end if;
  update redemption set payment = payment_row.id, revision = next_revision(revision)
  where workspace = payment_row.workspace and id = redemption_row.id;
  return jsonb_build_object('entry',
    (redemption_row.discount - 'currency') || jsonb_build_object('redemption', redemption_row.id,
    'code', redemption_row.code));
end $$;

-- Whether the payment's metadata, read where its customer has no account in the program, names
-- another member than this one, or nobody.
create or replace function ledger_private.payment_names_another(
  payment_row payment, account_row account
) returns boolean
language plpgsql stable as $$
begin
  return payment_row.metadata ?| '{loyalty_account, client_reference_id}'
    and not exists (select from account_named(payment_row.workspace,
    payment_row.metadata) candidate where candidate.id = account_row.id)
    and (payment_row.metadata ? 'loyalty_account'
      or exists (select from account_named(payment_row.workspace, payment_row.metadata) candidate
        where candidate.program = account_row.program))
    and not exists (select from account candidate
      where candidate.workspace = payment_row.workspace
        and candidate.program = account_row.program and candidate.customer = payment_row.customer);
end $$;

-- Why a redemption is not attached, as payment_attach answers it.
create or replace function ledger_private.payment_attach_refusal(
  p_code text, redemption_row redemption, p_more jsonb
) returns jsonb
language sql immutable as $$
  select jsonb_build_object('refusal', jsonb_build_object('code', p_code, 'redemption',
    redemption_row.id) || p_more)
$$;

-- Attaches every one of `p_named` (redemptions_named), in id order of the redemptions (the lock
-- order), and computes the charge. Returns the payment, and the refusals. Writes the redemptions,
-- not the payment.
create or replace function ledger_private.payment_attach_all(
  inout payment_row payment, p_named jsonb, p_charged boolean, p_at timestamptz, out refusals jsonb
)
language plpgsql as $$
declare
  named jsonb;
  result jsonb;
begin
  refusals := '[]';
  for named in select item from jsonb_array_elements(p_named) item loop
    result := payment_attach(payment_row, named, p_charged, p_at);
    if result ? 'entry' then
      payment_row.discounts := payment_row.discounts || (result -> 'entry');
    elsif result ? 'refusal' then
      refusals := refusals || (result -> 'refusal');
    end if;
  end loop;
  payment_row.amount_charged := payment_charge(payment_row.amount, payment_row.discounts);
end $$;

-- Whether the discounts of these redemptions, which never change, leave nothing to charge.
create or replace function ledger_private.payment_is_covered(
  payment_row payment, p_named jsonb
) returns boolean
language plpgsql stable as $$
begin
  return payment_row.amount = 0 or p_named <> '[]' and payment_charge(payment_row.amount, (
    select coalesce(jsonb_agg(granted.discount), '[]')
    from (select distinct item ->> 'id' as id from jsonb_array_elements(p_named) item) named
    cross join lateral ( -- one by one: of a jsonb's elements the planner expects a hundred
      select granted.discount from redemption granted
      where granted.workspace = payment_row.workspace and granted.id = named.id
        and granted.discount is not null limit 1
    ) granted)) = 0;
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
  payment_row payment, p_status text, p_charged bigint, p_at timestamptz
)
returns payment
language plpgsql as $$
begin
  if p_status is null or payment_rank(p_status) <= payment_rank(payment_row.status) then
    return payment_row;
  end if;
  if payment_row.store_credit_account is not null then
    payment_row := credit_follow(payment_row, p_status, p_at);
  end if;
  payment_row.status := p_status;
  payment_row.awaits_confirmation := false;
  if p_status = 'completed' then
    payment_row.completed_at := p_at;
    if p_charged < payment_row.amount_charged then
      select coalesce(jsonb_agg(discount - 'removed_at' order by position), '[]')
        into payment_row.discounts
      from jsonb_array_elements(payment_row.discounts) with ordinality as entry (discount,
        position);
    elsif p_charged > payment_row.amount_charged then
      select coalesce(jsonb_agg(
        case when redemption.status = 'released' and not discount ? 'removed_at'
          then discount || jsonb_build_object('removed_at', p_at) else discount end
          order by position), '[]')
      into payment_row.discounts
      from jsonb_array_elements(payment_row.discounts) with ordinality as entry (discount, position)
      left join redemption on redemption.workspace = payment_row.workspace
      and redemption.id = discount ->> 'redemption';
    end if;
    payment_row.amount_charged := coalesce(p_charged, payment_row.amount_charged);
  end if;
  return payment_row;
end $$;

-- Writes a payment, a new one or one that was there, under a revision that the caller took from
-- next_revision.
create or replace function ledger_private.payment_write(
  payment_row payment, p_known boolean
) returns void
language plpgsql as $$
begin
  if p_known then
    update payment set status = payment_row.status, amount = payment_row.amount,
      amount_charged = payment_row.amount_charged, amount_refunded = payment_row.amount_refunded,
      discounts = payment_row.discounts, refused_discounts = payment_row.refused_discounts,
      refunds = payment_row.refunds, disputes = payment_row.disputes,
      awaits_confirmation = payment_row.awaits_confirmation, award = payment_row.award,
      endpoint = payment_row.endpoint, metadata = payment_row.metadata,
      customer = payment_row.customer, invoice = payment_row.invoice,
      completed_at = payment_row.completed_at, expires_at = payment_row.expires_at,
      store_credit = payment_row.store_credit,
      store_credit_account = payment_row.store_credit_account, revision = payment_row.revision,
      judged_at = payment_row.judged_at
    where workspace = payment_row.workspace and id = payment_row.id;
  else
    insert into payment (workspace, id, provider, status, amount, amount_charged, amount_refunded,
      currency, customer, discounts, refunds, disputes, award, refused_discounts,
      awaits_confirmation, metadata, created_at, completed_at, expires_at, store_credit,
      store_credit_account, endpoint, invoice, revision, judged_at)
    values (payment_row.workspace, payment_row.id, payment_row.provider, payment_row.status,
      payment_row.amount, payment_row.amount_charged, payment_row.amount_refunded,
      payment_row.currency, payment_row.customer, payment_row.discounts, payment_row.refunds,
      payment_row.disputes, payment_row.award, payment_row.refused_discounts,
      payment_row.awaits_confirmation, payment_row.metadata, payment_row.created_at,
      payment_row.completed_at, payment_row.expires_at, payment_row.store_credit,
      payment_row.store_credit_account, payment_row.endpoint, payment_row.invoice,
      payment_row.revision, payment_row.judged_at);
  end if;
end $$;

-- A payment that nobody knows yet. Money in minor units.
create or replace function ledger_private.payment_of(
  p_workspace text, p_id text, p_provider text, p_amount bigint, p_currency text, p_customer text,
  p_metadata jsonb, p_at timestamptz
) returns payment
language plpgsql immutable as $$
declare
  payment_row payment;
begin
  payment_row.workspace := p_workspace;
  payment_row.id := p_id;
  payment_row.provider := p_provider;
  payment_row.status := 'requires_payment';
  payment_row.amount := p_amount;
  payment_row.amount_charged := p_amount;
  payment_row.amount_refunded := 0;
  payment_row.currency := p_currency;
  payment_row.customer := p_customer;
  payment_row.store_credit := 0;
  payment_row.discounts := '[]';
  payment_row.refused_discounts := '[]';
  payment_row.refunds := '[]';
  payment_row.disputes := '[]';
  payment_row.awaits_confirmation := false;
  payment_row.metadata := p_metadata;
  payment_row.created_at := p_at;
  return payment_row;
end $$;

-- What a request to create a payment says of it: its redemptions, all of them or none, and its
-- store credit.
create or replace function ledger_private.payment_open(
  payment_row payment, p_change jsonb, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  request jsonb := nullif(p_change -> 'store_credit', 'null');
  wallet account;
  attached record;
begin
  if request is not null then
    wallet := credit_account(payment_row, request); -- its lock comes before the redemptions'
  end if;
  if p_change -> 'named' <> '[]' then
    attached := payment_attach_all(payment_row, p_change -> 'named', false, p_at);
    if attached.refusals <> '[]' then
      perform refuse(attached.refusals -> 0);
    end if;
    payment_row := attached.payment_row;
  end if;
  if request is not null then
    payment_row := credit_spend(payment_row, wallet, request, p_at);
  end if;
  return payment_advance(payment_row, case when payment_row.amount_charged = 0 then 'completed'
    else p_change ->> 'status' end, null, p_at);
end $$;

-- The answer of a payment function that changed nothing.
create or replace function ledger_private.payment_outcome(
  payment_row payment, p_outcome text
) returns jsonb
language sql stable as $$
  select jsonb_build_object('outcome', p_outcome, 'payment', to_jsonb(payment_row))
$$;

-- What an event says of a payment beyond its status. One known keeps what it has and learns what
-- it lacks: a customer, an invoice, more metadata, redemptions; for a payment may be reported by
-- several events (an intent and its checkout session), in any order, of which only one names them.
-- The payment's row is locked; nothing is written.

-- Whom it names. Comes before the accounts are locked, which follow from it.
create or replace function ledger_private.payment_learn_names(
  payment_row payment, p_reported jsonb
) returns payment
language plpgsql as $$
declare
  before payment := payment_row;
begin
  if payment_row.erased_at is not null then
    return payment_row;
  end if;
  payment_row.customer := coalesce(payment_row.customer, p_reported ->> 'customer');
  payment_row.metadata := coalesce(p_reported -> 'metadata', '{}') || payment_row.metadata;
  payment_row.award := payment_award_kept(before, payment_row);
  return payment_row;
end $$;

-- Its redemptions, attached as at creation: a refused one is recorded on it, once. Writes the
-- redemptions.
create or replace function ledger_private.payment_learn_redemptions(
  payment_row payment, p_reported jsonb, p_named jsonb, p_status text, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  before payment := payment_row;
  charged bigint := (p_reported ->> 'amount_charged')::bigint;
  attached record;
begin
  if p_named = '[]' then
    return payment_row;
  end if;
  payment_row.amount := greatest(payment_row.amount, (p_reported ->> 'amount')::bigint);
  attached := payment_attach_all(payment_row, p_named, 'completed' in (p_status, payment_row.status)
    and charged < payment_row.amount, p_at);
  payment_row.discounts := (attached.payment_row).discounts;
  if payment_row.discounts = before.discounts then
    payment_row.amount := before.amount;
  elsif payment_row.status <> 'completed' then
    -- what a completed one charged is its provider's word
    payment_row.amount_charged := greatest(0,
    (attached.payment_row).amount_charged - payment_row.store_credit);
  end if;
  select payment_row.refused_discounts || coalesce(jsonb_agg(refusal
    || jsonb_build_object('at', p_at)), '[]')
    into payment_row.refused_discounts
  from jsonb_array_elements(attached.refusals) refusal
  where not exists (
    select from jsonb_array_elements(payment_row.refused_discounts) earlier
    where earlier ->> 'redemption' = refusal ->> 'redemption'
      and earlier ->> 'code' = refusal ->> 'code');
  perform attention_note(payment_row.workspace, 'discount_refused', payment_row.id,
    concat_ws(':', payment_row.id, refusal ->> 'redemption', refusal ->> 'code'), refusal - 'at',
    p_at)
  from jsonb_array_elements(payment_row.refused_discounts) with ordinality refused (refusal, no)
  where no > jsonb_array_length(before.refused_discounts);
  return payment_row;
end $$;

-- Everything that an event says: redemptions, status, refunds.
create or replace function ledger_private.payment_learn(
  payment_row payment, p_known boolean, p_change jsonb, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  reported jsonb := p_change -> 'payment';
begin
  payment_row := payment_learn_redemptions(payment_row, reported, p_change -> 'named',
    p_change ->> 'status', p_at);
  payment_row := payment_advance(payment_row, p_change ->> 'status',
    (reported ->> 'amount_charged')::bigint, p_at);
  if payment_row.completed_at = p_at then
    payment_row.completed_at := least(p_at, (p_change ->> 'completed_at')::timestamptz);
  end if;
  -- those of one that nobody knew may have come before it
  if p_change ? 'refunds' or not p_known and exists (
    select from refund where workspace = payment_row.workspace and payment = payment_row.id) then
    payment_row := payment_refunds_put(payment_row, coalesce(p_change -> 'refunds', '[]'), p_at);
  end if;
  return payment_row;
end $$;

-- What stays of the award of a payment that has learned something: null where it is reckoned
-- again. One that earned nothing is, where it now names somebody; and so are the rules, for the
-- same member, where its metadata says more, unless a rule was added since: such a one earns by a
-- replay only.
create or replace function ledger_private.payment_award_kept(
  before payment, payment_row payment
) returns text
language plpgsql stable as $$
declare
  same_member boolean := (payment_row.customer, payment_row.metadata ->> 'loyalty_account',
    payment_row.metadata ->> 'client_reference_id')
    is not distinct from
    (before.customer, before.metadata ->> 'loyalty_account',
      before.metadata ->> 'client_reference_id');
begin
  if before.award is null or same_member and payment_row.metadata = before.metadata then
    return before.award;
  end if;
  if before.award in ('unnamed', 'no_member') then
    return case when same_member then before.award end;
  end if;
  return case when before.award = 'awarded' and not same_member or exists (
      select from earning_rule
      where earning_rule.workspace = payment_row.workspace
        and earning_rule.trigger = 'payment.completed'
        and earning_rule.created_at > greatest(payment_row.created_at, payment_row.completed_at))
    then before.award end;
end $$;

-- What the workflow of a payment is started and signalled with: `status`, `expiresAt` of a sandbox
-- payment, `maturesAt` of its next pending earning, and whether something that follows from its
-- events is not done (`unfinished`).

-- Writes what the payment's workflow must do, or end, earlier than it knows (`p_status_before`
-- null: there was no payment): nothing of one that is done in its own transaction, nor what its own
-- run does (`vinr.run`), which knows it. `p_matures_at`: earlier than was known.
create or replace function ledger_private.payment_outbox(
  payment_row payment, p_status_before text, p_known boolean, p_matures_at timestamptz,
  p_unfinished boolean
) returns void
language plpgsql as $$
declare
  is_open boolean := coalesce(payment_row.expires_at is not null
    and payment_row.status in ('requires_payment', 'processing'), false);
  was_open boolean := coalesce(payment_row.expires_at is not null
    and p_status_before in ('requires_payment', 'processing'), false);
  change text := case when p_unfinished or p_matures_at is not null then 'changed'
    when is_open and not p_known then 'new' when was_open and not is_open then 'ended' end;
begin
  if change is not null and (
    p_unfinished or current_setting('vinr.run', true) is distinct from payment_row.workspace || '/'
    || payment_row.id) then
    perform source_outbox(payment_row.workspace, payment_row.id, payment_row.status,
      payment_row.expires_at, p_matures_at,
      p_unfinished, case when p_unfinished then null when p_matures_at is not null then p_matures_at
        when change = 'new' then payment_row.expires_at end, payment_row.revision, change);
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
  reported jsonb;
  named jsonb := '{}';
  candidate text;
  tries int;
  other text;
begin
  for reported in select item from jsonb_array_elements(p_refunds) item
    order by item ->> 'id' collate "C" loop
    candidate := reported ->> 'id';
    tries := 0;
    perform source_lock(p_workspace, ' refund ' || candidate);
    loop
      select payment into other from refund where workspace = p_workspace and id = candidate;
      exit when not found or other = p_payment
        or source_is_ours(source_owner_of(p_workspace, other), p_provider, p_endpoint);
      tries := tries + 1;
      candidate := derived_id('re', p_endpoint, reported ->> 'id', tries);
    end loop;
    named := named || jsonb_build_object(reported ->> 'id', candidate);
  end loop;
  return (
    select coalesce(jsonb_agg(item || jsonb_build_object('id', named ->> (item ->> 'id'))
      order by position), '[]')
    from jsonb_array_elements(p_refunds) with ordinality as entry (item, position));
end $$;

-- Takes in an event that carries no whole payment: refunds of one, which may not be known yet, or
-- an earning trigger.
create or replace function ledger_private.payment_take_in_part(
  p_workspace text, p_provider text, p_endpoint text, p_subject text, p_facts jsonb, p_change jsonb,
  p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  payment_row payment;
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
  select * into payment_row from payment where workspace = p_workspace
    and id = p_subject for update;
  known := found;
  payment_row.workspace := p_workspace;
  payment_row.id := p_subject;
  return payment_change(payment_row, known, p_change || jsonb_build_object('kind', 'part', 'named',
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
  said text;
  payment_row payment;
  known boolean;
  outcome jsonb := '{"outcome": "duplicate"}';
begin
  select * into earlier from inbox where workspace = p_workspace and endpoint = p_endpoint
    and id = p_event;
  if earlier.processed_at is null and earlier.payment is not null then
    select * into payment_row from payment where workspace = p_workspace
      and id = earlier.payment for update;
    known := found;
    payment_row.workspace := p_workspace;
    payment_row.id := earlier.payment;
    outcome := payment_change(payment_row, known,
      '{"kind": "again", "outcome": "duplicate", "named": []}', p_at);
  end if;
  -- one from before fingerprints has its payload whole, or says nothing any more; and nobody can
  -- say whether what was erased was otherwise
  said := coalesce(earlier.fingerprint,
    case when earlier.payload <> '{}' then event_fingerprint(earlier.payload, p_content) end);
  if said is null or said = event_fingerprint(p_payload, p_content)
    or earlier.payload = '{"erased": true}' then
    return outcome;
  end if;
  perform attention_note(p_workspace, 'payment_event_conflict', coalesce(earlier.payment, p_event),
    md5(jsonb_build_array(p_endpoint, p_event, event_content(p_payload, p_content))::text),
    jsonb_build_object('provider', p_provider, 'endpoint', p_endpoint, 'event', p_event, 'type',
      p_type,
      'payment', earlier.payment, 'payload', payload_allowed(p_provider, p_payload, p_content)),
    p_at);
  return outcome || '{"conflict": true}';
end $$;

-- What is kept of an event's payload: nothing where it is of a payment whose member was erased.
create or replace function ledger_private.payload_kept(
  p_workspace text, p_subject text, p_payload jsonb
) returns jsonb
language plpgsql stable as $$
begin
  return case when exists (select from payment where workspace = p_workspace and id = p_subject
    and erased_at is not null) then '{"erased": true}' else p_payload end;
end $$;

-- What a payload says at each of the paths; jsonb is canonical, so that order and spacing do not
-- count.
create or replace function ledger_private.event_content(
  p_payload jsonb, p_paths jsonb
) returns jsonb
language plpgsql immutable as $$
begin
  return (
    select jsonb_agg(p_payload #> array(select jsonb_array_elements_text(path)) order by position)
    from jsonb_array_elements(p_paths) with ordinality as entry (path, position));
end $$;

-- Changes a payment, whose row is locked or not written yet (`p_known` false), and does all that
-- follows. Where that fails, all is undone and the payment's own change is made again alone: the
-- answer says why in `failure`, the payment's outbox row says that it is unfinished, and its
-- workflow does what follows (payment_process). `p_change`: `kind` (create, move, event, refund;
-- part: an event without a whole payment, which may be unknown; again: nothing new), `outcome`
-- (what is answered), `event` and `endpoint` (its inbox row), `type` (of the event), `named`
-- (redemptions_named), and what its kind needs. Refusals (VR001) undo all of it.
create or replace function ledger_private.payment_change(
  payment_row payment, p_known boolean, p_change jsonb, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  most_tries constant int := 3; -- then somebody else's turn is longer than this request should wait
  context text;
  failure jsonb;
begin
  if not payment_has_consequences(payment_row, p_known, p_change) then
    return payment_changed(payment_row, p_known, p_change, 'alone', p_at);
  end if;
  for try in 1 .. most_tries loop
    begin -- a savepoint, which costs some 10 microseconds
      return payment_changed(payment_row, p_known, p_change, 'all', p_at);
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
  return payment_changed(payment_row, p_known, p_change, 'unfinished', p_at)
    || jsonb_build_object('failure', failure, 'waiting', true);
end $$;

-- The status that the change brings the payment to, as far as it can be reported before it is made.
create or replace function ledger_private.payment_status_after(
  payment_row payment, p_change jsonb
) returns text
language plpgsql stable as $$
begin
  if p_change ->> 'kind' = 'create' and payment_is_covered(payment_row, p_change -> 'named') then
    return 'completed';
  elsif payment_rank(p_change ->> 'status') > payment_rank(payment_row.status) then
    return p_change ->> 'status';
  end if;
  return payment_row.status;
end $$;

-- Whether more follows than the payment's own change: earnings and what refunds take of them, or
-- the end of its redemptions. To attach those is the payment's own.
create or replace function ledger_private.payment_has_consequences(
  payment_row payment, p_known boolean, p_change jsonb
) returns boolean
language plpgsql stable as $$
declare
  status_after text := payment_status_after(payment_row, p_change);
begin
  if p_change ->> 'kind' = 'again' or p_change -> 'has_facts' = 'true'
    or status_after = 'completed' then
    return true;
  elsif p_change ->> 'kind' = 'create' and p_change -> 'store_credit' <> 'null' then
    return true; -- it may pay for all of it, which only its balance says
  end if;
  return coalesce(status_after in ('failed', 'canceled', 'expired'), false) and (
    p_change -> 'named' <> '[]' or p_known and exists (
      select from redemption where redemption.workspace = payment_row.workspace
        and redemption.payment = payment_row.id
        and redemption.status = 'pending'));
end $$;

-- Makes the change as far as `p_mode` says: `all` of it; the payment's own `alone`, from which
-- nothing follows; or `unfinished`, its own too, with what follows left to its workflow. Locks, in
-- this order: the payment (held), enrolment, accounts, redemptions, rewards.
create or replace function ledger_private.payment_changed(
  payment_row payment, p_known boolean, p_change jsonb, p_mode text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  award_due record;
  before payment;
  status_after text;
  known_to_mature timestamptz;
  matures_at timestamptz;
  snapshot jsonb;
begin
  payment_row.revision := next_revision(payment_row.revision);
  before := payment_row;
  if p_mode = 'all' and (payment_row.award is not null or p_change ->> 'kind' in ('again',
    'part')) then
    known_to_mature := earning_next_maturity(payment_row.workspace, payment_row.id);
  end if;
  if p_mode = 'all' and payment_row.status is not null then
    status_after := payment_status_after(payment_row, p_change);
    award_due := payment_award_due(payment_row, status_after = 'completed', false,
      least(p_at, (p_change ->> 'completed_at')::timestamptz), p_at);
    perform payment_accounts_lock(payment_row, p_known, p_change, award_due.members);
  elsif p_mode = 'alone' and p_change -> 'named' <> '[]' then
    perform payment_accounts_lock(payment_row, p_known, p_change, '{}');
  elsif payment_row.store_credit_account is not null then
    perform accounts_lock(payment_row.workspace, array[payment_row.store_credit_account::text]);
  end if;
  case p_change ->> 'kind'
    when 'create' then payment_row := payment_open(payment_row, p_change, p_at);
    when 'move' then payment_row := payment_advance(payment_row, p_change ->> 'status', null, p_at);
    when 'event' then payment_row := payment_learn(payment_row, p_known, p_change, p_at);
    when 'refund' then payment_row := payment_refund(payment_row, p_change, p_at);
    when 'part' then payment_row := payment_refunds_put(payment_row,
      coalesce(p_change -> 'refunds', '[]'), p_at);
    else null;
  end case;
  snapshot := to_jsonb(payment_row);
  perform payment_event(payment_row, snapshot, p_change, p_mode, p_at);
  if p_mode = 'all' and payment_row.status = 'completed' then
    if status_after <> 'completed' then -- its store credit covers all of it
      award_due := payment_award_due(payment_row, true, false, p_at, p_at);
      perform accounts_lock(payment_row.workspace, award_due.members);
    end if;
    payment_row := payment_settle(payment_row, award_due.awards, award_due.members, award_due.award,
      award_due.metadata, false, p_at);
  end if;
  if payment_row.status is not null and (p_change ->> 'kind' not in ('part', 'again')
    or payment_row is distinct from before) then
    perform payment_write(payment_row, p_known);
  end if;
  if p_mode = 'all' then
    perform payment_redemptions_follow(payment_row, p_known, p_change, p_at);
    perform earnings_of_events(payment_row.workspace, payment_row.id, p_at);
    matures_at := earnings_mature(payment_row.workspace, payment_row.id, p_at);
  end if;
  perform payment_outbox(payment_row, case when p_known then before.status end, p_known,
    case when matures_at < coalesce(known_to_mature, 'infinity') then matures_at end,
      p_mode = 'unfinished');
  return jsonb_build_object('outcome', p_change -> 'outcome', 'subject', payment_row.id, 'waiting',
    false, 'matures_at', iso(matures_at)) || case when payment_row.status is null then '{}'
    else jsonb_build_object('payment', snapshot) end;
end $$;

-- The event of the change for webhooks, unless it is of no whole payment (part) or of nothing
-- new (again); a sandbox payment's is in the inbox too, as a provider's is. Where what follows is
-- left to the workflow, the inbox row is not processed.
create or replace function ledger_private.payment_event(
  payment_row payment, p_snapshot jsonb, p_change jsonb, p_mode text, p_at timestamptz
) returns void
language plpgsql as $$
declare
  type text := coalesce(p_change ->> 'type',
    'payment.' || case payment_row.status when 'requires_payment'
    then 'created' else payment_row.status end);
begin
  if p_change ->> 'kind' in ('create', 'move', 'refund') then
    perform inbox_put(payment_row.workspace, p_change ->> 'event', 'sandbox', type, payment_row.id,
      jsonb_build_object('type', type, 'data', jsonb_strip_nulls(jsonb_build_object('id',
      payment_row.id, 'refund', p_change #> '{refund,id}'))),
      p_at, '', case when p_mode <> 'unfinished' then p_at end);
  elsif p_mode = 'unfinished' and p_change ? 'event' then
    update inbox set processed_at = null
    where workspace = payment_row.workspace and endpoint = p_change ->> 'endpoint'
      and id = p_change ->> 'event';
  end if;
  if p_change ->> 'kind' not in ('part', 'again') then
    perform event_write(payment_row.workspace, type, payment_row.id, p_snapshot, null, p_at);
  end if;
end $$;

-- Applies, releases or puts on record each redemption attached to a payment that has ended, and
-- returns those that its refunds asked for. The payment's row is written, the accounts' locks are
-- held; redemptions are locked by id, then the rewards that get stock back.
create or replace function ledger_private.payment_redemptions_follow(
  payment_row payment, p_known boolean, p_change jsonb, p_at timestamptz
)
returns void
language plpgsql as $$
declare
  redemption_row redemption;
  status_before text;
  attached redemption[];
begin
  if payment_row.status not in ('completed', 'failed', 'canceled', 'expired') or not p_known
    and p_change -> 'named' = '[]' then
    return;
  end if;
  select array_agg(locked.redemption order by (locked.redemption).id) into attached from (
    select redemption from redemption
    where redemption.workspace = payment_row.workspace and redemption.payment = payment_row.id
      and (redemption.status = 'pending' or redemption.status = 'released'
      and redemption.late_payment is null
        and payment_row.status = 'completed')
    order by redemption.id for update
  ) locked;
  if attached is not null then
    if cardinality(attached) > 1 then
      perform stock_lock(payment_row.workspace, attached);
    end if;
    foreach redemption_row in array attached loop
      status_before := redemption_row.status;
      redemption_row := redemption_follow(redemption_row, payment_row, p_at);
      perform redemption_outbox(status_before, redemption_row, payment_row.status);
    end loop;
  end if;
  if exists (select from jsonb_array_elements(payment_row.refunds) reported
    where reported ->> 'status' <> 'failed') then
    perform payment_redemptions_return(payment_row, p_at);
  end if;
end $$;

-- Reverses the redemptions that a standing refund of the payment asked for.
create or replace function ledger_private.payment_redemptions_return(
  payment_row payment, p_at timestamptz
) returns void
language plpgsql as $$
declare
  refund_id text;
  redemption_row redemption;
  used redemption[];
  operation text;
  reversed jsonb;
begin
  select min(refund.id) into refund_id from refund
  where refund.workspace = payment_row.workspace and refund.payment = payment_row.id
    and refund.return_redemption
    and refund.status <> 'failed';
  if refund_id is null then
    return;
  end if;
  select array_agg(locked.redemption order by (locked.redemption).id) into used from (
    select redemption from redemption
    where redemption.workspace = payment_row.workspace and redemption.payment = payment_row.id
      and redemption.status in ('pending', 'applied')
    order by redemption.id for update
  ) locked;
  if cardinality(used) > 1 then
    perform stock_lock(payment_row.workspace, used);
  end if;
  foreach redemption_row in array coalesce(used, '{}') loop
    operation := 'refund:' || refund_id || ':' || redemption_row.id;
    reversed := redemption_reverse(payment_row.workspace, redemption_row.id, null, null, 'refund',
      operation, operation, p_at, null, null);
    if reversed ->> 'outcome' not in ('reversed', 'replayed') then
      raise exception 'redemption % of payment % is not returned: %', redemption_row.id,
        payment_row.id, reversed;
    end if;
  end loop;
end $$;

-- Locks all accounts that a payment's change may touch: those it earns for (`p_members`) or has
-- earned for, the owners of redemptions that are attached or named, the one whose store credit it
-- uses.
create or replace function ledger_private.payment_accounts_lock(
  payment_row payment, p_known boolean, p_change jsonb, p_members text[]
)
returns void
language plpgsql as $$
declare
  accounts text[] := p_members || payment_row.store_credit_account::text;
begin
  if p_change -> 'named' <> '[]' then
    accounts := accounts || array(
      select redemption.account::text from redemption
      where redemption.workspace = payment_row.workspace
        and redemption.id = any (array(select item ->> 'id'
        from jsonb_array_elements(p_change -> 'named') item)));
  end if;
  if p_known then
    accounts := accounts || array(
      select redemption.account::text from redemption
        where redemption.workspace = payment_row.workspace
        and redemption.payment = payment_row.id
      union all
      select earning.account from earning where earning.workspace = payment_row.workspace
        and earning.payment = payment_row.id
      union all
      select earning.account from earning where earning.workspace = payment_row.workspace
        and earning.source = payment_row.invoice
      union all
      select tier_spend.account from program
      join tier_spend on tier_spend.workspace = program.workspace
      and tier_spend.program = program.id and tier_spend.payment = payment_row.id
      where program.workspace = payment_row.workspace and program.tier_config is not null);
  end if;
  if p_change ->> 'kind' = 'create' and p_change -> 'store_credit' <> 'null' then
    accounts := accounts || credit_account_named(payment_row, p_change -> 'store_credit');
  end if;
  perform accounts_lock(payment_row.workspace, accounts);
end $$;
