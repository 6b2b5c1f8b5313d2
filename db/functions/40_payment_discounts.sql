-- What a payment charges: the amount less the discounts that stand, percentages (of the full
-- amount, rounded down, capped) before fixed amounts, and never below zero. Minor units.
create or replace function payment_charge(p_amount bigint, p_discounts jsonb) returns bigint
language plpgsql immutable as $$
begin
  return (
    select greatest(0, p_amount - coalesce(sum(
      case when x ? 'percent'
        then least(floor(p_amount * (x ->> 'percent')::numeric / 100), coalesce((x ->> 'maxAmount')::numeric, p_amount))
        else (x ->> 'amount')::numeric
      end), 0))::bigint
    from jsonb_array_elements(p_discounts) x
    where not x ? 'removed_at');
end $$;

-- Takes a redemption's discount off an open payment again; the entry stays on record. Where it was
-- the last thing that kept the charge at zero, the payment waits for money again.
create or replace function payment_discount_remove(pay payment, p_redemption text, p_at timestamptz) returns void
language plpgsql as $$
declare
  kept jsonb;
begin
  select coalesce(jsonb_agg(
    case when x ->> 'redemption' = p_redemption and not x ? 'removed_at'
      then x || jsonb_build_object('removed_at', p_at) else x end order by position), '[]')
  into kept
  from jsonb_array_elements(pay.discounts) with ordinality as entry (x, position);
  update payment set discounts = kept, amount_charged = greatest(0, payment_charge(amount, kept) - store_credit)
  where workspace = pay.workspace and id = pay.id;
end $$;

-- The redemptions that references (`{"redemption": id}` or `{"code": code}`) mean, in the order in which they are
-- locked: [{named, id}]. One index each, which a condition on either would not always use.
create or replace function redemptions_named(p_workspace text, p_refs jsonb) returns jsonb
language plpgsql stable as $$
begin
  if p_refs = '[]' then
    return p_refs;
  end if;
  return (
    select jsonb_agg(jsonb_build_object('named', x.named, 'id', x.id) order by x.id collate "C")
    from (
      select coalesce(ref ->> 'redemption', ref ->> 'code') as named, case when ref ? 'redemption' then ref ->> 'redemption'
        else (select d.id from redemption d where d.workspace = p_workspace and d.code = ref ->> 'code') end as id
      from jsonb_array_elements(p_refs) ref
    ) x);
end $$;

-- Attaches one named redemption to a payment being created or
-- introduced, by compare-and-set under the redemption's lock: pending, not expired, no other live
-- payment (open or completed), not another member's, same currency. A payment that comes in already
-- completed (`p_charged`: the provider charged less than its amount) also takes one past its
-- deadline, and is put on record for one already released: it is late. Returns {"entry"},
-- {"refusal"} or null where the same one is named twice.
drop function if exists payment_attach(payment, jsonb, boolean, timestamptz);
create or replace function payment_attach(pay payment, p_named jsonb, p_charged boolean, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
  d redemption;
  a account;
  late boolean;
begin
  select * into d from redemption where workspace = pay.workspace and id = p_named ->> 'id' for update;
  if not found then
    return jsonb_build_object('refusal',
      jsonb_build_object('code', 'resource_missing', 'redemption', p_named ->> 'named'));
  end if;
  if d.payment = pay.id then
    return null;
  end if;
  select * into a from account where workspace = pay.workspace and id = d.account;
  while a.merged_into is not null loop
    select * into a from account where workspace = pay.workspace and id = a.merged_into;
  end loop;
  late := p_charged and d.status = 'released' and d.late_payment is null;
  if d.payment is not null and exists (
    select from payment o where o.workspace = pay.workspace and o.id = d.payment
      and o.status in ('requires_payment', 'processing', 'completed') and not (late and o.status <> 'completed')
  ) and d.status in ('pending', 'applied') then
    return payment_attach_refusal('redemption_already_attached', d, jsonb_build_object('resource', d.payment));
  end if;
  if d.status <> 'pending' and not late then
    return payment_attach_refusal('redemption_already_settled', d, jsonb_build_object('status', d.status));
  end if;
  if d.expires_at <= p_at and not p_charged then
    return payment_attach_refusal('redemption_expired', d, jsonb_build_object('expires_at', d.expires_at));
  end if;
  if pay.customer <> a.customer and a.id is distinct from account_of_customer(a.workspace, a.program, pay.customer)
    or payment_names_another(pay, a) then
    return payment_attach_refusal('redemption_account_mismatch', d, '{}');
  end if;
  if lower(d.discount ->> 'currency') <> pay.currency then
    return payment_attach_refusal('currency_mismatch', d, jsonb_build_object('currency', d.discount ->> 'currency'));
  end if;
  update redemption set payment = pay.id, revision = next_revision(revision)
  where workspace = pay.workspace and id = d.id;
  return jsonb_build_object('entry',
    (d.discount - 'currency') || jsonb_build_object('redemption', d.id, 'code', d.code));
end $$;

-- Whether the payment's metadata, read where its customer has no account in the program, names another
-- member than this one, or nobody.
create or replace function payment_names_another(pay payment, a account) returns boolean
language plpgsql stable as $$
begin
  return pay.metadata ?| '{loyalty_account, client_reference_id}'
    and not exists (select from account_named(pay.workspace, pay.metadata) x where x.id = a.id)
    and (pay.metadata ? 'loyalty_account'
      or exists (select from account_named(pay.workspace, pay.metadata) x where x.program = a.program))
    and not exists (select from account x
      where x.workspace = pay.workspace and x.program = a.program and x.customer = pay.customer);
end $$;

create or replace function payment_attach_refusal(p_code text, d redemption, p_more jsonb) returns jsonb
language sql immutable as $$
  select jsonb_build_object('refusal', jsonb_build_object('code', p_code, 'redemption', d.id) || p_more)
$$;

-- Attaches every one of `p_named` (redemptions_named), in id order of the redemptions (the lock order), and computes
-- the charge. Returns the payment, and the refusals. Writes the redemptions, not the payment.
drop function if exists payment_attach_all(payment, jsonb, boolean, timestamptz);
create or replace function payment_attach_all(
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
create or replace function payment_is_covered(pay payment, p_named jsonb) returns boolean
language plpgsql stable as $$
begin
  return pay.amount = 0 or p_named <> '[]' and payment_charge(pay.amount, (
    select coalesce(jsonb_agg(d.discount), '[]') from redemption d
    where d.workspace = pay.workspace and d.discount is not null
      and d.id in (select x ->> 'id' from jsonb_array_elements(p_named) x))) = 0;
end $$;
