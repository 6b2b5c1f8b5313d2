-- What an event tells of a payment beyond its status. One known keeps what it has and learns what it lacks: a
-- customer, an invoice, more metadata, redemptions; for a payment may be told by several events (an intent and its
-- checkout session), in any order, of which only one names them. The payment's row is locked; nothing is written.

-- Whom it names. Comes before the accounts are locked, which follow from it.
create or replace function payment_learn_names(pay payment, p_told jsonb) returns payment
language plpgsql as $$
declare
  before payment := pay;
begin
  pay.customer := coalesce(pay.customer, p_told ->> 'customer');
  pay.metadata := coalesce(p_told -> 'metadata', '{}') || pay.metadata;
  pay.award := payment_award_kept(before, pay);
  return pay;
end $$;

-- Its redemptions, attached as at creation: a refused one is recorded on it, once. Writes the redemptions.
drop function if exists payment_learn(payment, jsonb, boolean, text, timestamptz);
create or replace function payment_learn_redemptions(
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
  attached := payment_attach_all(pay, p_named, 'completed' in (p_status, pay.status) and charged < pay.amount, p_at);
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

-- Everything that an event says: redemptions, status, refunds.
create or replace function payment_told(pay payment, p_known boolean, p_change jsonb, p_at timestamptz) returns payment
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
