-- What an event tells of a payment beyond its status. One not seen before (`p_known` false) has its redemptions
-- attached as at creation. One known keeps what it has and learns what it lacks: a customer, more metadata,
-- redemptions; for a payment may be told by several events (an intent and its checkout session), in any order,
-- of which only one names them. A refused redemption is recorded on it, once. The payment's row is locked; the
-- caller saves it.
create or replace function payment_learn(
  pay payment, p_payment jsonb, p_known boolean, p_status text, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  before payment := pay;
  refs jsonb := coalesce(p_payment -> 'refs', '[]');
  charged bigint := (p_payment ->> 'amount_charged')::bigint;
  attached record;
begin
  if p_known then
    pay.customer := coalesce(pay.customer, p_payment ->> 'customer');
    pay.metadata := coalesce(p_payment -> 'metadata', '{}') || pay.metadata;
    pay.award := payment_award_kept(before, pay);
    if pay.award is distinct from before.award then
      update payment set award = pay.award where workspace = pay.workspace and id = pay.id;
    end if;
  end if;
  if refs = '[]' then
    return pay;
  end if;
  pay.amount := greatest(pay.amount, (p_payment ->> 'amount')::bigint);
  select * into attached from payment_attach_all(pay, refs,
    'completed' in (p_status, pay.status) and charged < pay.amount, p_at);
  pay.discounts := (attached.pay).discounts;
  if pay.discounts = before.discounts then
    pay.amount := before.amount;
  elsif pay.status <> 'completed' then -- what a completed one charged is its provider's word
    pay.amount_charged := greatest(0, (attached.pay).amount_charged - pay.store_credit);
  end if;
  select pay.refused_discounts || coalesce(jsonb_agg(x || jsonb_build_object('at', p_at)), '[]') into pay.refused_discounts
  from jsonb_array_elements(attached.refusals) x
  where not exists (
    select from jsonb_array_elements(pay.refused_discounts) y
    where y ->> 'redemption' = x ->> 'redemption' and y ->> 'code' = x ->> 'code');
  return pay;
end $$;

-- What stays of the judgement of a payment that has learned something: null where it is judged again. One that
-- earned nothing is, where it now names somebody; and so are the rules, for the same member, where its metadata
-- says more, unless a rule was added since: such a one earns by a replay only.
create or replace function payment_award_kept(before payment, pay payment) returns text
language plpgsql stable as $$
declare
  same_member boolean := (pay.customer, pay.metadata ->> 'loyalty_account', pay.metadata ->> 'client_reference_id')
    is not distinct from
    (before.customer, before.metadata ->> 'loyalty_account', before.metadata ->> 'client_reference_id');
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
