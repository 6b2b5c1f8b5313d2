-- Writes what an event says of a payment's refunds and disputes. A refund known is only ever moved on:
-- failed is the end of it, whatever comes later. Not every refund is told by an id of its own: of some only
-- the step of a running total is known (`step`), and a failure may be told where only a step was
-- (`unlisted`); see refund_step_put. `update` moves a refund that is known and makes none. `authorised` is
-- on what may be the release of an authorisation's rest, which is no refund: the first, in their order, of just
-- the amount that was not captured. Returns the payment with its
-- refund columns brought up to date; it need not be known yet. Where all the money is refunded, the store
-- credit goes back as well, once; a refund that fails afterwards takes none again.
create or replace function payment_refunds_put(pay payment, p_refunds jsonb, p_at timestamptz) returns payment
language plpgsql as $$
declare
  r jsonb;
  released boolean := false;
begin
  for r in select x from jsonb_array_elements(p_refunds) x loop
    if not released and (r ->> 'authorised')::bigint - pay.amount_charged = (r ->> 'amount')::bigint then
      released := true;
      continue;
    elsif r ? 'step' and r ->> 'status' = 'failed' then
      perform refund_failure_put(pay, r, p_at);
      continue;
    elsif r ? 'step' then
      perform refund_step_put(pay, r, p_at);
      continue;
    elsif r ? 'unlisted' and not exists (select from refund where workspace = pay.workspace and id = r ->> 'id') then
      perform refund_failure_put(pay, r, p_at);
      continue;
    elsif r ? 'update' and not exists (
      select from refund where workspace = pay.workspace and id = r ->> 'id' and payment = pay.id) then
      continue;
    end if;
    insert into refund as old (workspace, id, payment, amount, status, kind, reason, return_redemption, created_at)
    values (pay.workspace, r ->> 'id', pay.id, (r ->> 'amount')::bigint, coalesce(r ->> 'status', 'succeeded'),
      coalesce(r ->> 'kind', 'refund'), r ->> 'reason', coalesce((r ->> 'return_redemption')::boolean, false), p_at)
    on conflict (workspace, id) do update set
      status = case when old.status = 'failed' or excluded.status = 'failed' then 'failed'
        when old.status = 'succeeded' then 'succeeded' else excluded.status end,
      return_redemption = old.return_redemption or excluded.return_redemption,
      metadata = case when r ?| '{unlisted, update}' then old.metadata else old.metadata - 'unlisted' end
    where old.payment = pay.id;
  end loop;
  select coalesce(sum(x.amount) filter (where x.kind = 'refund' and x.status <> 'failed'), 0),
    coalesce(jsonb_agg(refund_entry(x) order by x.created_at, x.id) filter (where x.kind = 'refund'), '[]'),
    coalesce(jsonb_agg(refund_entry(x) order by x.created_at, x.id) filter (where x.kind = 'dispute'), '[]')
  into pay.amount_refunded, pay.refunds, pay.disputes
  from refund x where x.workspace = pay.workspace and x.payment = pay.id;
  if pay.store_credit > 0 and pay.amount_charged > 0 and pay.amount_refunded >= pay.amount_charged then
    pay := credit_return(pay, pay.store_credit, 'refunded', null, p_at);
  end if;
  update payment set amount_refunded = pay.amount_refunded, refunds = pay.refunds, disputes = pay.disputes,
    store_credit = pay.store_credit
  where workspace = pay.workspace and id = pay.id;
  return pay;
end $$;

create or replace function refund_entry(r refund) returns jsonb
language sql immutable as $$
  select jsonb_build_object('id', r.id, 'amount', r.amount, 'status', r.status)
$$;

-- Whether the payment used redemptions that no refund of it has returned or is returning.
create or replace function payment_can_return(pay payment) returns boolean
language plpgsql stable as $$
begin
  return exists (select from redemption d
      where d.workspace = pay.workspace and d.payment = pay.id and d.status in ('pending', 'applied'))
    and not exists (select from refund r
      where r.workspace = pay.workspace and r.payment = pay.id and r.return_redemption and r.status <> 'failed');
end $$;

-- Refunds a completed sandbox payment, all that is left of it or `p_amount`, with its event in the
-- inbox as a provider's would be. `p_store_credit` of what the payment spent goes back to the wallet (-1:
-- all of it; by itself too where all the money is refunded). Outcomes: created; replayed; refused (not
-- completed, another provider's, nothing left, more than is left); missing. Where nothing was charged, a refund of
-- 0 may return the redemptions that paid, once, and the store credit with them.
drop function if exists refund_create(text, text, text, bigint, text, boolean, jsonb, text, text, text, text, timestamptz);
create or replace function refund_create(
  p_workspace text, p_id text, p_payment text, p_amount bigint, p_reason text, p_return_redemption boolean,
  p_metadata jsonb, p_route text, p_key text, p_fingerprint text, p_event text, p_at timestamptz,
  p_store_credit bigint default 0
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  r refund;
  earlier idempotency_key;
  remaining bigint;
  credit_before bigint;
  back bigint; -- store credit to give back
  free boolean; -- nothing was charged, and what paid instead can still be given back
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if p_key is not null then
    earlier := idempotency_claim(p_workspace, p_route, p_key, p_fingerprint, p_id, p_at);
    if earlier.key is not null then
      if earlier.fingerprint <> p_fingerprint then
        return '{"outcome": "refused", "refusal": {"code": "idempotency_key_reused"}}';
      end if;
      select * into r from refund where workspace = p_workspace and id = earlier.resource;
      return jsonb_build_object('outcome', 'replayed', 'refund', to_jsonb(r));
    end if;
  end if;
  select * into pay from payment where workspace = p_workspace and id = p_payment for update;
  if not found then
    raise exception using errcode = 'VR001', message = '{"code": "resource_missing", "param": "payment"}';
  end if;
  remaining := pay.amount_charged - pay.amount_refunded;
  free := pay.amount_charged = 0 and p_return_redemption and payment_can_return(pay);
  back := case when p_store_credit = -1 or p_store_credit = 0 and free then pay.store_credit else p_store_credit end;
  if pay.status <> 'completed' or pay.provider <> 'sandbox'
    or remaining <= 0 and (p_amount > 0 or not free and (back = 0 or pay.store_credit = 0)) then
    raise exception using errcode = 'VR001', message = jsonb_build_object('code', 'not_reversible', 'status',
      case when pay.status = 'completed' and pay.amount_refunded > 0 then 'refunded' else pay.status end)::text;
  end if;
  if p_amount = 0 and remaining > 0 then
    raise exception using errcode = 'VR001', message = jsonb_build_object(
      'code', 'parameter_invalid', 'param', 'amount', 'remaining', remaining)::text;
  end if;
  if p_amount > remaining then
    raise exception using errcode = 'VR001', message = jsonb_build_object(
      'code', 'parameter_invalid', 'param', 'amount', 'available', remaining)::text;
  end if;
  if p_store_credit > pay.store_credit then
    raise exception using errcode = 'VR001', message = jsonb_build_object(
      'code', 'parameter_invalid', 'param', 'store_credit', 'available', pay.store_credit)::text;
  end if;
  credit_before := pay.store_credit;
  if back > 0 and pay.store_credit > 0 then
    pay := credit_return(pay, back, p_id, p_id, p_at);
  end if;
  insert into refund (workspace, id, payment, amount, reason, return_redemption, metadata, created_at)
  values (p_workspace, p_id, p_payment, coalesce(p_amount, remaining), p_reason, p_return_redemption, p_metadata, p_at)
  returning * into r;
  pay := payment_refunds_put(pay, '[]', p_at);
  if pay.store_credit < credit_before then
    update refund set store_credit = credit_before - pay.store_credit
    where workspace = p_workspace and id = p_id
    returning * into r;
  end if;
  perform inbox_put(p_workspace, p_event, 'sandbox', 'payment.refunded', pay.id,
    jsonb_build_object('type', 'payment.refunded', 'data', jsonb_build_object('id', pay.id, 'refund', r.id)), p_at);
  perform event_write(p_workspace, 'payment.refunded', pay.id, to_jsonb(pay), null, p_at);
  return payment_outcome(pay, 'created', true) || jsonb_build_object('refund', to_jsonb(r));
end $$;
