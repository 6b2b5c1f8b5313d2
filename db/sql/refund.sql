-- Refunds, as the API makes them and as providers report them.

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
  payment_row payment;
  refund_row refund;
  earlier text;
  at timestamptz := coalesce(p_at, date_trunc('milliseconds', clock_timestamp()));
  created jsonb;
begin
  earlier := command_start(p_workspace, p_route, p_key, p_fingerprint, p_id, at);
  if earlier is not null then
    select * into refund_row from refund where workspace = p_workspace and id = earlier;
    return jsonb_build_object('outcome', 'replayed', 'refund', to_jsonb(refund_row));
  end if;
  select * into payment_row from payment where workspace = p_workspace
    and id = p_payment for update;
  if not found then
    perform refuse('{"code": "resource_missing", "param": "payment"}');
  end if;
  created := payment_change(payment_row, true, refund_change(p_id, p_amount, p_reason,
    p_return_redemption, p_metadata, p_store_credit, p_event), at);
  select * into refund_row from refund where workspace = p_workspace and id = p_id;
  return created || jsonb_build_object('refund', to_jsonb(refund_row));
end $$;

-- Refunds of which a provider reports only the step of a running total (Stripe's
-- `amount_refunded`), whose ids come to light when they fail. A row is one refund; its metadata
-- says by what it is known: `step`, that its step was reported; `failed_as`, the id under which its
-- failure was; `fell`, a total that fell by its amount. Of equal amounts it does not matter which
-- is which, and so not in what order they come: as many of an amount stand as there are steps of it
-- less failures. `unlisted` marks a failure whose step is still to come.

-- A step (`id`: charge and total; `step`: its event's id). Where its failure came first it has
-- failed. The same total may be reached again, after a failure.
create or replace function ledger_private.refund_step_put(
  payment_row payment, reported jsonb, p_at timestamptz
) returns void
language plpgsql as $$
begin
  update refund set metadata = metadata - 'unlisted' || '{"step": "true"}'
  where workspace = payment_row.workspace and id = (
    select candidate.id from refund candidate
    where candidate.workspace = payment_row.workspace and candidate.payment = payment_row.id
      and candidate.metadata ? 'unlisted'
      and candidate.amount = (reported ->> 'amount')::bigint
    order by candidate.created_at, candidate.id limit 1);
  if found then
    return;
  end if;
  perform refund_step_insert(payment_row,
    case when exists (select from refund where workspace = payment_row.workspace
      and id = reported ->> 'id')
      then (reported ->> 'id') || '_' || (reported ->> 'step') else reported ->> 'id' end,
    (reported ->> 'amount')::bigint, p_at);
  perform refund_falls_cover(payment_row, p_at);
end $$;

-- Inserts the refund that a step of its payment's running total is.
create or replace function ledger_private.refund_step_insert(
  payment_row payment, p_id text, p_amount bigint, p_at timestamptz
) returns void
language sql as $$
  insert into refund (workspace, id, payment, amount, metadata, created_at)
  values (payment_row.workspace, p_id, payment_row.id, p_amount, '{"step": "true"}', p_at)
$$;

-- A failure that names no refund known by its id: under an id of its own, or as a total that fell
-- (`step`). It is that of a refund of its amount that has failed already and lacks just this, else
-- of the newest that stands, else of one that is still to come. Reported twice it is one.
create or replace function ledger_private.refund_failure_put(
  payment_row payment, reported jsonb, p_at timestamptz
) returns void
language plpgsql as $$
declare
  known_by text := case when reported ? 'step' then 'fell' else 'failed_as' end;
begin
  if exists (
    select from refund where workspace = payment_row.workspace and payment = payment_row.id
      and metadata ->> known_by = reported ->> 'id') then
    return;
  end if;
  update refund set status = 'failed',
    metadata = metadata || jsonb_build_object(known_by, reported ->> 'id')
  where workspace = payment_row.workspace and id = (
    select candidate.id from refund candidate
    where candidate.workspace = payment_row.workspace and candidate.payment = payment_row.id
      and candidate.amount = (reported ->> 'amount')::bigint
      and candidate.metadata ?| '{step, unlisted, fell}' and not candidate.metadata ? known_by
    order by candidate.status = 'failed' desc, candidate.created_at desc,
    candidate.id desc limit 1);
  if found then
    return;
  end if;
  insert into refund (workspace, id, payment, amount, status, reason, metadata, created_at)
  values (payment_row.workspace, reported ->> 'id', payment_row.id, (reported ->> 'amount')::bigint,
    'failed', reported ->> 'reason',
    jsonb_build_object('unlisted', 'true', known_by, reported ->> 'id'), p_at);
  perform refund_falls_cover(payment_row, p_at);
end $$;

-- A total that fell by an amount of which no step is known ends the newest steps that stand, as
-- many as it takes; what they were more stands as a step of its own. It waits until there are
-- enough.
create or replace function ledger_private.refund_falls_cover(
  payment_row payment, p_at timestamptz
) returns void
language plpgsql as $$
declare
  fall refund;
  step_row refund;
  owed bigint;
begin
  for fall in
    select * from refund candidate
    where candidate.workspace = payment_row.workspace and candidate.payment = payment_row.id
      and candidate.metadata ?& '{unlisted, fell}'
      and not candidate.metadata ? 'failed_as'
    order by candidate.created_at, candidate.id
  loop
    owed := fall.amount;
    continue when owed > (
      select coalesce(sum(candidate.amount), 0) from refund candidate
      where candidate.workspace = payment_row.workspace and candidate.payment = payment_row.id
        and candidate.metadata ? 'step'
        and candidate.status <> 'failed');
    for step_row in
      select * from refund candidate
      where candidate.workspace = payment_row.workspace and candidate.payment = payment_row.id
        and candidate.metadata ? 'step'
        and candidate.status <> 'failed'
      order by candidate.created_at desc, candidate.id desc
    loop
      exit when owed <= 0;
      update refund set status = 'failed',
        metadata = metadata || jsonb_build_object('fell', fall.id)
      where workspace = step_row.workspace and id = step_row.id;
      owed := owed - step_row.amount;
    end loop;
    update refund set metadata = metadata - 'unlisted' where workspace = fall.workspace
      and id = fall.id;
    if owed < 0 then
      perform refund_step_insert(payment_row, fall.id || '_rest', -owed, p_at);
    end if;
  end loop;
end $$;

-- Writes what an event says of a payment's refunds and disputes. A refund known is only ever moved
-- on: failed is the end of it, whatever comes later. Not every refund is reported by an id of its
-- own: of some only the step of a running total is known (`step`), and a failure may be reported
-- where only a step was (`unlisted`); see refund_step_put. `update` moves a refund that is known
-- and makes none. `authorised` is on what may be the release of an authorisation's rest, which is
-- no refund: the first, in their order, of just the amount that was not captured. Returns the
-- payment with its refund columns brought up to date, for the caller to write; it need not be known
-- yet. Where all the money is refunded, the store credit goes back as well, once; a refund that
-- fails afterwards takes none again.
create or replace function ledger_private.payment_refunds_put(
  payment_row payment, p_refunds jsonb, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  reported jsonb;
  released boolean := false;
begin
  for reported in select entry from jsonb_array_elements(p_refunds) entry loop
    if not released and (reported ->> 'authorised')::bigint
      - payment_row.amount_charged = (reported ->> 'amount')::bigint then
      released := true;
      continue;
    elsif reported ? 'step' and reported ->> 'status' = 'failed' then
      perform refund_failure_put(payment_row, reported, p_at);
      continue;
    elsif reported ? 'step' then
      perform refund_step_put(payment_row, reported, p_at);
      continue;
    elsif reported ? 'unlisted' and not exists (select from refund
      where workspace = payment_row.workspace
      and id = reported ->> 'id') then
      perform refund_failure_put(payment_row, reported, p_at);
      continue;
    elsif reported ? 'update' and not exists (
      select from refund where workspace = payment_row.workspace and id = reported ->> 'id'
        and payment = payment_row.id) then
      continue;
    end if;
    insert into refund as old (workspace, id, payment, amount, status, kind, reason,
      return_redemption, created_at)
    values (payment_row.workspace, reported ->> 'id', payment_row.id,
      (reported ->> 'amount')::bigint, coalesce(reported ->> 'status', 'succeeded'),
      coalesce(reported ->> 'kind', 'refund'), reported ->> 'reason',
      coalesce((reported ->> 'return_redemption')::boolean, false), p_at)
    on conflict (workspace, id) do update set
      status = case when old.status = 'failed' or excluded.status = 'failed' then 'failed'
        when old.status = 'succeeded' then 'succeeded' else excluded.status end,
      return_redemption = old.return_redemption or excluded.return_redemption,
      metadata = case when reported ?| '{unlisted, update}' then old.metadata
        else old.metadata - 'unlisted' end
    where old.payment = payment_row.id;
  end loop;
  select coalesce(sum(entry.amount) filter (where entry.kind = 'refund'
    and entry.status <> 'failed'), 0),
    coalesce(jsonb_agg(refund_entry(entry) order by entry.created_at, entry.id)
      filter (where entry.kind = 'refund'), '[]'),
    coalesce(jsonb_agg(refund_entry(entry) order by entry.created_at, entry.id)
      filter (where entry.kind = 'dispute'), '[]')
  into payment_row.amount_refunded, payment_row.refunds, payment_row.disputes
  from refund entry where entry.workspace = payment_row.workspace
    and entry.payment = payment_row.id;
  if payment_row.store_credit > 0 and payment_row.amount_charged > 0
    and payment_row.amount_refunded >= payment_row.amount_charged then
    payment_row := credit_return(payment_row, payment_row.store_credit, 'refunded', null, p_at);
  end if;
  return payment_row;
end $$;

-- A refund as its payment's list has it.
create or replace function ledger_private.refund_entry(refund_row refund) returns jsonb
language sql immutable as $$
  select jsonb_build_object('id', refund_row.id, 'amount', refund_row.amount, 'status',
    refund_row.status)
$$;

-- Whether the payment used redemptions that no refund of it has returned or is returning.
create or replace function ledger_private.payment_can_return(payment_row payment) returns boolean
language plpgsql stable as $$
begin
  return exists (select from redemption
      where redemption.workspace = payment_row.workspace and redemption.payment = payment_row.id
        and redemption.status in ('pending', 'applied'))
    and not exists (select from refund
      where refund.workspace = payment_row.workspace and refund.payment = payment_row.id
        and refund.return_redemption
        and refund.status <> 'failed');
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
  payment_row payment, p_id text, p_amount bigint, p_reason text, p_event text, p_at timestamptz
) returns jsonb
language plpgsql as $$
begin
  return payment_changed(payment_row, true, refund_change(p_id, p_amount, p_reason, false, '{}', 0,
    p_event), 'unfinished', p_at);
end $$;

-- What a refund that a request asked for says of the payment, and the refund's row.
create or replace function ledger_private.payment_refund(
  payment_row payment, p_change jsonb, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  request jsonb := p_change -> 'refund';
  amount bigint := (request ->> 'amount')::bigint;
  credit_requested bigint := (request ->> 'store_credit')::bigint;
  returns boolean := (request ->> 'return_redemption')::boolean;
  remaining bigint := payment_row.amount_charged - payment_row.amount_refunded;
  credit_before bigint := payment_row.store_credit;
  -- nothing was charged, and what paid instead can still be given back
  free boolean := payment_row.amount_charged = 0 and returns and payment_can_return(payment_row);
  -- store credit to give back
  back bigint := case when credit_requested = -1 or credit_requested = 0 and free
    then payment_row.store_credit else credit_requested end;
begin
  if payment_row.status <> 'completed' or payment_row.provider <> 'sandbox'
    or remaining <= 0 and (amount > 0 or not free and (back = 0
    or payment_row.store_credit = 0)) then
    perform refuse(jsonb_build_object('code', 'not_reversible', 'status',
      case when payment_row.status = 'completed' and payment_row.amount_refunded > 0 then 'refunded'
        else payment_row.status end));
  end if;
  if amount = 0 and remaining > 0 then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'amount', 'remaining',
      remaining));
  end if;
  if amount > remaining then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'amount', 'available',
      remaining));
  end if;
  if credit_requested > payment_row.store_credit then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'store_credit',
      'available', payment_row.store_credit));
  end if;
  if back > 0 and payment_row.store_credit > 0 then
    payment_row := credit_return(payment_row, back, request ->> 'id', request ->> 'id', p_at);
  end if;
  insert into refund (workspace, id, payment, amount, reason, return_redemption, metadata,
    created_at)
  values (payment_row.workspace, request ->> 'id', payment_row.id, coalesce(amount, remaining),
    request ->> 'reason', returns, request -> 'metadata', p_at);
  payment_row := payment_refunds_put(payment_row, '[]', p_at);
  if payment_row.store_credit < credit_before then
    update refund set store_credit = credit_before - payment_row.store_credit
    where workspace = payment_row.workspace and id = request ->> 'id';
  end if;
  return payment_row;
end $$;
