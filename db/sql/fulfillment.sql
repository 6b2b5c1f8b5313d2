-- What a redemption has shipped or handed out, up to its deadline.

-- A parcel left, with all items or `p_quantity` of them. When the last one is on its way the
-- redemption is fulfilled, by compare-and-set under its lock. Refused: what has nothing to ship,
-- settled ones, more items than are left. Outcomes: fulfilled; shipped (some are left); refused;
-- replayed; missing.
-- @returns RedemptionResult
-- @null p_quantity p_tracking p_carrier p_at
create or replace function ledger.fulfillment_ship(
  p_workspace text, p_id text, p_quantity int, p_tracking text, p_carrier text, p_operation text,
  p_fingerprint text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  d redemption;
  earlier jsonb;
  left_to_ship int;
  parcel jsonb;
  snapshot jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into d from redemption where workspace = p_workspace and id = p_id for update;
  p_at := coalesce(p_at, clock_timestamp());
  earlier := redemption_repeated(p_workspace, d, p_operation, p_fingerprint);
  if earlier is not null then
    return earlier;
  end if;
  if d.fulfillment is null then
    return redemption_refused(d, '{"code": "parameter_invalid", "param": "id", "ships": false}');
  end if;
  if d.status <> 'fulfillment_pending' then
    return redemption_settled(d);
  end if;
  left_to_ship := fulfillment_left(d);
  if p_quantity > left_to_ship then
    return redemption_refused(d,
      jsonb_build_object('code', 'parameter_invalid', 'param', 'quantity', 'left', left_to_ship));
  end if;
  perform redemption_message_write(p_workspace, p_operation, p_id, 'fulfill', p_fingerprint, p_at);
  parcel := jsonb_build_object('quantity', coalesce(p_quantity, left_to_ship), 'tracking',
    p_tracking,
    'carrier', p_carrier, 'at', p_at);
  d.fulfillment := d.fulfillment || jsonb_build_object(
    'shipped', coalesce((d.fulfillment ->> 'shipped')::int, 0) + (parcel ->> 'quantity')::int,
    'shipments', coalesce(d.fulfillment -> 'shipments', '[]') || parcel,
    'tracking', p_tracking, 'carrier', p_carrier);
  d.revision := next_revision(d.revision);
  if fulfillment_left(d) > 0 then
    return redemption_answer('shipped', d, redemption_save(d, null, p_at), null);
  end if;
  d := fulfillment_done(d, p_at);
  snapshot := redemption_save(d, 'loyalty.redemption.fulfilled', p_at);
  perform redemption_outbox('fulfillment_pending', d, null);
  return redemption_answer('fulfilled', d, snapshot, null);
end $$;

-- Writes that the run of an item which still waits must know of its next date: it was lost. Nothing
-- where it waits no more.
create or replace function ledger.fulfillment_resume(p_workspace text, p_id text) returns void
language plpgsql as $$
declare
  d redemption;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into d from redemption where workspace = p_workspace and id = p_id for update;
  if d.status = 'fulfillment_pending' then
    perform outbox_write(p_workspace, p_id, redemption_workflow(d), redemption_input(d),
      d.overdue_at, redemption_facts(d, null), d.revision, 'changed');
  end if;
end $$;

-- What follows from a deadline that has passed (as is_due has it), by the policy that
-- held when it was redeemed. `notify` writes the event and is due again every 24 hours; a late look
-- writes one event, not one for each day missed. `refund` returns what was not shipped. Outcomes:
-- notified; reversed; not_due; settled; missing.
-- @returns RedemptionResult
create or replace function ledger.fulfillment_overdue(
  p_workspace text, p_id text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  d redemption;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  -- unlocked: an early or late wake-up of a settled one costs no lock
  select * into d from redemption where workspace = p_workspace and id = p_id;
  if d.status = 'fulfillment_pending' and is_due(coalesce(d.overdue_at, p_at), p_at) then
    d := redemption_locked(p_workspace, p_id);
  end if;
  if d.id is null then
    return '{"outcome": "missing"}';
  elsif d.status <> 'fulfillment_pending' then
    return redemption_unchanged('settled', d);
  elsif not is_due(coalesce(d.overdue_at, p_at), p_at) then
    return redemption_unchanged('not_due', d);
  end if;
  if d.fulfillment ->> 'on_overdue' = 'refund' then
    return fulfillment_give_up(d, 'fulfillment_overdue', 'overdue:' || p_id, p_at);
  end if;
  d.fulfillment := d.fulfillment || jsonb_build_object(
    'overdue_notices', coalesce((d.fulfillment ->> 'overdue_notices')::int, 0) + 1);
  d.overdue_at := coalesce(d.overdue_at, p_at);
  d.overdue_at := d.overdue_at
    + (floor(extract(epoch from p_at - d.overdue_at) / 86400) + 1) * interval '24 hours';
  d.revision := next_revision(d.revision);
  return redemption_answer('notified', d, redemption_save(d,
    'loyalty.redemption.fulfillment_overdue', p_at), null);
end $$;

-- An operator gave it up: what was not shipped is returned, once for each operation. Outcomes:
-- reversed; refused; replayed; missing.
-- @returns RedemptionResult
-- @null p_at
create or replace function ledger.fulfillment_cancel(
  p_workspace text, p_id text, p_reason text, p_operation text, p_fingerprint text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  d redemption;
  earlier jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  d := redemption_locked(p_workspace, p_id);
  p_at := coalesce(p_at, clock_timestamp());
  earlier := redemption_repeated(p_workspace, d, p_operation, p_fingerprint);
  if earlier is not null then
    return earlier;
  end if;
  if d.status <> 'fulfillment_pending' then
    return redemption_settled(d);
  end if;
  perform redemption_message_write(p_workspace, p_operation, p_id, 'reverse', p_fingerprint, p_at);
  return fulfillment_give_up(d, p_reason, p_operation, p_at);
end $$;

-- What the reconciler looks for: items that should have been fulfilled before `p_before`, the
-- longest overdue first.
create or replace function ledger.net_overdue_fulfillments(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, id text)
language sql stable security definer as $$
  select d.workspace, d.id
  from redemption d where d.status = 'fulfillment_pending' and d.overdue_at <= p_before
  order by d.overdue_at, d.workspace, d.id limit p_limit offset p_skip
$$;

-- How far an item is on its way.
create or replace function ledger_private.fulfillment_progress(d redemption) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'items', (d.fulfillment ->> 'quantity')::int,
    'shipped', coalesce((d.fulfillment ->> 'shipped')::int, 0),
    'canceled', coalesce((d.fulfillment ->> 'canceled')::int, 0),
    'parcel',
    nullif(concat_ws(' ', nullif(d.fulfillment ->> 'carrier', ''),
      nullif(d.fulfillment ->> 'tracking', '')), ''),
    'refunds', coalesce(d.fulfillment ->> 'on_overdue' = 'refund', false),
    'notices', coalesce((d.fulfillment ->> 'overdue_notices')::int, 0),
    'nextAt', iso(d.overdue_at))
$$;

-- Items that are still to be shipped: neither on their way nor returned before they were.
create or replace function ledger_private.fulfillment_left(d redemption) returns int
language sql immutable as $$
  select (d.fulfillment ->> 'quantity')::int - coalesce((d.fulfillment ->> 'shipped')::int, 0)
    - coalesce((d.fulfillment ->> 'canceled')::int, 0)
$$;

-- So many items need not be shipped any more.
create or replace function ledger_private.fulfillment_without(
  d redemption, p_items int
) returns jsonb
language sql immutable as $$
  select d.fulfillment || jsonb_build_object('canceled',
    coalesce((d.fulfillment ->> 'canceled')::int, 0) + p_items)
$$;

-- Nothing is left to ship.
create or replace function ledger_private.fulfillment_done(
  d redemption, p_at timestamptz
) returns redemption
language plpgsql immutable as $$
begin
  d.status := 'fulfilled';
  d.fulfilled_at := p_at;
  d.overdue_at := null;
  return d;
end $$;

-- Nothing more of it will be shipped. All locks are held. Points for the items that were not,
-- rounded up, come back; with nothing shipped all that is left of them. What was shipped stays
-- fulfilled.
create or replace function ledger_private.fulfillment_give_up(
  d redemption, p_reason text, p_operation text, p_at timestamptz
)
returns jsonb
language plpgsql as $$
declare
  items int := (d.fulfillment ->> 'quantity')::int;
  unshipped int := fulfillment_left(d);
  shipped int := coalesce((d.fulfillment ->> 'shipped')::int, 0);
  points bigint := d.points - d.reversed_points;
  returned int := d.quantity - d.reversed_quantity;
  snapshot jsonb;
begin
  if shipped > 0 then
    points := least(points, divided(d.points::numeric * unshipped, items, 'up'));
    if d.reversed_points + points < d.points or d.points = 0 then
      returned := least(returned, unshipped / (items / d.quantity));
    end if;
  end if;
  perform redemption_undo(d, 'reverse', points, p_reason, p_operation, null, p_at, returned);
  d.reversed_points := d.reversed_points + points;
  d.reversed_quantity := d.reversed_quantity + returned;
  d.fulfillment := fulfillment_without(d, unshipped);
  d.reason := p_reason;
  d.overdue_at := null;
  if redemption_is_returned(d) then
    d.status := 'reversed';
    d.reversed_at := p_at;
  else
    d := fulfillment_done(d, p_at);
  end if;
  d.revision := next_revision(d.revision);
  snapshot := redemption_save(d, 'loyalty.redemption.reversed', p_at);
  if d.status = 'fulfilled' then
    perform event_write(d.workspace, 'loyalty.redemption.fulfilled', d.id, snapshot, null, p_at);
  end if;
  perform redemption_outbox('fulfillment_pending', d, null);
  return redemption_answer('reversed', d, snapshot, null);
end $$;
