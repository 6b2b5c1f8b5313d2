-- Refunds, as the API makes them and as providers tell of them.

-- Refunds a completed sandbox payment, all that is left of it or `p_amount`, with its event in the
-- inbox as a provider's would be, and does all that follows (payment_change). `p_store_credit` of
-- what the payment spent goes back to the wallet (-1: all of it; by itself too where all the money
-- is refunded). Outcomes: created; replayed. Raises what is refused (VR001): not completed, another
-- provider's, nothing left, more than is left; missing. Where nothing was charged, a refund of 0
-- may return the redemptions that paid, once, and the store credit with them.
-- @returns RefundResult
-- @param p_metadata Record<string, string>
-- @null p_amount p_reason p_key p_at
create or replace function ledger.refund_create(
  p_workspace text, p_id text, p_payment text, p_amount bigint, p_reason text,
  p_return_redemption boolean, p_metadata jsonb, p_route text, p_key text, p_fingerprint text,
  p_event text, p_at timestamptz, p_store_credit bigint default 0
) returns jsonb
language plpgsql as $$
declare
  pay payment;
  r refund;
  earlier idempotency_key;
  at timestamptz := coalesce(p_at, date_trunc('milliseconds', clock_timestamp()));
  created jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if p_key is not null then
    earlier := idempotency_claim(p_workspace, p_route, p_key, p_fingerprint, p_id, at);
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
    perform refuse('{"code": "resource_missing", "param": "payment"}');
  end if;
  created := payment_change(pay, true, refund_change(p_id, p_amount, p_reason, p_return_redemption,
    p_metadata, p_store_credit, p_event), at);
  select * into r from refund where workspace = p_workspace and id = p_id;
  return created || jsonb_build_object('refund', to_jsonb(r));
end $$;

-- Refunds of which a provider tells only the step of a running total (Stripe's `amount_refunded`),
-- whose ids come to light when they fail. A row is one refund; its metadata says by what it is
-- known: `step`, that its step was told; `failed_as`, the id under which its failure was; `fell`, a
-- total that fell by its amount. Of equal amounts it does not matter which is which, and so not in
-- what order they come: as many of an amount stand as there are steps of it less failures.
-- `unlisted` marks a failure whose step is still to come.

-- A step (`id`: charge and total; `step`: its event's id). Where its failure came first it has
-- failed. The same total may be reached again, after a failure.
create or replace function ledger_private.refund_step_put(
  pay payment, r jsonb, p_at timestamptz
) returns void
language plpgsql as $$
begin
  update refund set metadata = metadata - 'unlisted' || '{"step": "true"}'
  where workspace = pay.workspace and id = (
    select x.id from refund x
    where x.workspace = pay.workspace and x.payment = pay.id and x.metadata ? 'unlisted'
      and x.amount = (r ->> 'amount')::bigint
    order by x.created_at, x.id limit 1);
  if found then
    return;
  end if;
  perform refund_step_insert(pay,
    case when exists (select from refund where workspace = pay.workspace and id = r ->> 'id')
      then (r ->> 'id') || '_' || (r ->> 'step') else r ->> 'id' end,
    (r ->> 'amount')::bigint, p_at);
  perform refund_falls_cover(pay, p_at);
end $$;

-- Inserts the refund that a step of its payment's running total is.
create or replace function ledger_private.refund_step_insert(
  pay payment, p_id text, p_amount bigint, p_at timestamptz
) returns void
language sql as $$
  insert into refund (workspace, id, payment, amount, metadata, created_at)
  values (pay.workspace, p_id, pay.id, p_amount, '{"step": "true"}', p_at)
$$;

-- A failure that names no refund known by its id: under an id of its own, or as a total that fell
-- (`step`). It is that of a refund of its amount that has failed already and lacks just this, else
-- of the newest that stands, else of one that is still to come. Told twice it is one.
create or replace function ledger_private.refund_failure_put(
  pay payment, r jsonb, p_at timestamptz
) returns void
language plpgsql as $$
declare
  known_by text := case when r ? 'step' then 'fell' else 'failed_as' end;
begin
  if exists (
    select from refund where workspace = pay.workspace and payment = pay.id
      and metadata ->> known_by = r ->> 'id') then
    return;
  end if;
  update refund set status = 'failed', metadata = metadata
    || jsonb_build_object(known_by, r ->> 'id')
  where workspace = pay.workspace and id = (
    select x.id from refund x
    where x.workspace = pay.workspace and x.payment = pay.id and x.amount = (r ->> 'amount')::bigint
      and x.metadata ?| '{step, unlisted, fell}' and not x.metadata ? known_by
    order by x.status = 'failed' desc, x.created_at desc, x.id desc limit 1);
  if found then
    return;
  end if;
  insert into refund (workspace, id, payment, amount, status, reason, metadata, created_at)
  values (pay.workspace, r ->> 'id', pay.id, (r ->> 'amount')::bigint, 'failed', r ->> 'reason',
    jsonb_build_object('unlisted', 'true', known_by, r ->> 'id'), p_at);
  perform refund_falls_cover(pay, p_at);
end $$;

-- A total that fell by an amount of which no step is known ends the newest steps that stand, as
-- many as it takes; what they were more stands as a step of its own. It waits until there are
-- enough.
create or replace function ledger_private.refund_falls_cover(
  pay payment, p_at timestamptz
) returns void
language plpgsql as $$
declare
  f refund;
  s refund;
  owed bigint;
begin
  for f in
    select * from refund x
    where x.workspace = pay.workspace and x.payment = pay.id and x.metadata ?& '{unlisted, fell}'
      and not x.metadata ? 'failed_as'
    order by x.created_at, x.id
  loop
    owed := f.amount;
    continue when owed > (
      select coalesce(sum(x.amount), 0) from refund x
      where x.workspace = pay.workspace and x.payment = pay.id and x.metadata ? 'step'
        and x.status <> 'failed');
    for s in
      select * from refund x
      where x.workspace = pay.workspace and x.payment = pay.id and x.metadata ? 'step'
        and x.status <> 'failed'
      order by x.created_at desc, x.id desc
    loop
      exit when owed <= 0;
      update refund set status = 'failed', metadata = metadata || jsonb_build_object('fell', f.id)
      where workspace = s.workspace and id = s.id;
      owed := owed - s.amount;
    end loop;
    update refund set metadata = metadata - 'unlisted' where workspace = f.workspace and id = f.id;
    if owed < 0 then
      perform refund_step_insert(pay, f.id || '_rest', -owed, p_at);
    end if;
  end loop;
end $$;

-- Writes what an event says of a payment's refunds and disputes. A refund known is only ever moved
-- on: failed is the end of it, whatever comes later. Not every refund is told by an id of its own:
-- of some only the step of a running total is known (`step`), and a failure may be told where only
-- a step was (`unlisted`); see refund_step_put. `update` moves a refund that is known and makes
-- none. `authorised` is on what may be the release of an authorisation's rest, which is no refund:
-- the first, in their order, of just the amount that was not captured. Returns the payment with its
-- refund columns brought up to date, for the caller to write; it need not be known yet. Where all
-- the money is refunded, the store credit goes back as well, once; a refund that fails afterwards
-- takes none again.
create or replace function ledger_private.payment_refunds_put(
  pay payment, p_refunds jsonb, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  r jsonb;
  released boolean := false;
begin
  for r in select x from jsonb_array_elements(p_refunds) x loop
    if not released and (r ->> 'authorised')::bigint
      - pay.amount_charged = (r ->> 'amount')::bigint then
      released := true;
      continue;
    elsif r ? 'step' and r ->> 'status' = 'failed' then
      perform refund_failure_put(pay, r, p_at);
      continue;
    elsif r ? 'step' then
      perform refund_step_put(pay, r, p_at);
      continue;
    elsif r ? 'unlisted' and not exists (select from refund where workspace = pay.workspace
      and id = r ->> 'id') then
      perform refund_failure_put(pay, r, p_at);
      continue;
    elsif r ? 'update' and not exists (
      select from refund where workspace = pay.workspace and id = r ->> 'id'
        and payment = pay.id) then
      continue;
    end if;
    insert into refund as old (workspace, id, payment, amount, status, kind, reason,
      return_redemption, created_at)
    values (pay.workspace, r ->> 'id', pay.id, (r ->> 'amount')::bigint,
      coalesce(r ->> 'status', 'succeeded'),
      coalesce(r ->> 'kind', 'refund'), r ->> 'reason',
      coalesce((r ->> 'return_redemption')::boolean, false), p_at)
    on conflict (workspace, id) do update set
      status = case when old.status = 'failed' or excluded.status = 'failed' then 'failed'
        when old.status = 'succeeded' then 'succeeded' else excluded.status end,
      return_redemption = old.return_redemption or excluded.return_redemption,
      metadata = case when r ?| '{unlisted, update}' then old.metadata
        else old.metadata - 'unlisted' end
    where old.payment = pay.id;
  end loop;
  select coalesce(sum(x.amount) filter (where x.kind = 'refund' and x.status <> 'failed'), 0),
    coalesce(jsonb_agg(refund_entry(x) order by x.created_at, x.id)
      filter (where x.kind = 'refund'), '[]'),
    coalesce(jsonb_agg(refund_entry(x) order by x.created_at, x.id)
      filter (where x.kind = 'dispute'), '[]')
  into pay.amount_refunded, pay.refunds, pay.disputes
  from refund x where x.workspace = pay.workspace and x.payment = pay.id;
  if pay.store_credit > 0 and pay.amount_charged > 0
    and pay.amount_refunded >= pay.amount_charged then
    pay := credit_return(pay, pay.store_credit, 'refunded', null, p_at);
  end if;
  return pay;
end $$;

-- A refund as its payment's list has it.
create or replace function ledger_private.refund_entry(r refund) returns jsonb
language sql immutable as $$
  select jsonb_build_object('id', r.id, 'amount', r.amount, 'status', r.status)
$$;

-- Whether the payment used redemptions that no refund of it has returned or is returning.
create or replace function ledger_private.payment_can_return(pay payment) returns boolean
language plpgsql stable as $$
begin
  return exists (select from redemption d
      where d.workspace = pay.workspace and d.payment = pay.id
        and d.status in ('pending', 'applied'))
    and not exists (select from refund r
      where r.workspace = pay.workspace and r.payment = pay.id and r.return_redemption
        and r.status <> 'failed');
end $$;

-- A refund as payment_change takes it.
create or replace function ledger_private.refund_change(
  p_id text, p_amount bigint, p_reason text, p_return_redemption boolean, p_metadata jsonb,
  p_store_credit bigint, p_event text
) returns jsonb
language sql immutable as $$
  select jsonb_build_object('kind', 'refund', 'outcome', 'created', 'type', 'payment.refunded',
    'event', p_event,
    'endpoint', '', 'named', '[]'::jsonb, 'refund',
    jsonb_build_object('id', p_id, 'amount', p_amount,
      'reason', p_reason, 'return_redemption', p_return_redemption, 'metadata', p_metadata,
      'store_credit', p_store_credit))
$$;

-- Writes a refund of what the reversal of a redemption gives back. What follows from it is left to
-- the payment's workflow: its accounts come before the redemption, which is locked already. So is
-- the payment.
create or replace function ledger_private.refund_of_reversal(
  pay payment, p_id text, p_amount bigint, p_reason text, p_event text, p_at timestamptz
) returns jsonb
language plpgsql as $$
begin
  return payment_changed(pay, true, refund_change(p_id, p_amount, p_reason, false, '{}', 0,
    p_event), 'unfinished', p_at);
end $$;

-- What a refund that a request asked for says of the payment, and the refund's row.
create or replace function ledger_private.payment_refund(
  pay payment, p_change jsonb, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  asked jsonb := p_change -> 'refund';
  amount bigint := (asked ->> 'amount')::bigint;
  asked_back bigint := (asked ->> 'store_credit')::bigint;
  returns boolean := (asked ->> 'return_redemption')::boolean;
  remaining bigint := pay.amount_charged - pay.amount_refunded;
  credit_before bigint := pay.store_credit;
  -- nothing was charged, and what paid instead can still be given back
  free boolean := pay.amount_charged = 0 and returns and payment_can_return(pay);
  -- store credit to give back
  back bigint := case when asked_back = -1 or asked_back = 0 and free then pay.store_credit
    else asked_back end;
begin
  if pay.status <> 'completed' or pay.provider <> 'sandbox'
    or remaining <= 0 and (amount > 0 or not free and (back = 0 or pay.store_credit = 0)) then
    perform refuse(jsonb_build_object('code', 'not_reversible', 'status',
      case when pay.status = 'completed' and pay.amount_refunded > 0 then 'refunded'
        else pay.status end));
  end if;
  if amount = 0 and remaining > 0 then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'amount', 'remaining',
      remaining));
  end if;
  if amount > remaining then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'amount', 'available',
      remaining));
  end if;
  if asked_back > pay.store_credit then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'store_credit',
      'available', pay.store_credit));
  end if;
  if back > 0 and pay.store_credit > 0 then
    pay := credit_return(pay, back, asked ->> 'id', asked ->> 'id', p_at);
  end if;
  insert into refund (workspace, id, payment, amount, reason, return_redemption, metadata,
    created_at)
  values (pay.workspace, asked ->> 'id', pay.id, coalesce(amount, remaining), asked ->> 'reason',
    returns, asked -> 'metadata', p_at);
  pay := payment_refunds_put(pay, '[]', p_at);
  if pay.store_credit < credit_before then
    update refund set store_credit = credit_before - pay.store_credit
    where workspace = pay.workspace and id = asked ->> 'id';
  end if;
  return pay;
end $$;
