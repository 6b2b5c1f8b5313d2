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
  redemption_row redemption;
  command record;
  left_to_ship int;
  parcel jsonb;
  snapshot jsonb;
begin
  command := redemption_command(p_workspace, p_id, p_operation, p_fingerprint, true);
  redemption_row := command.redemption_row;
  p_at := coalesce(p_at, clock_timestamp());
  if command.answer is not null then
    return command.answer;
  end if;
  if redemption_row.fulfillment is null then
    return redemption_refused(redemption_row,
      '{"code": "parameter_invalid", "param": "id", "ships": false}');
  end if;
  if redemption_row.status <> 'fulfillment_pending' then
    return redemption_settled(redemption_row);
  end if;
  left_to_ship := fulfillment_left(redemption_row);
  if p_quantity > left_to_ship then
    return redemption_refused(redemption_row,
      jsonb_build_object('code', 'parameter_invalid', 'param', 'quantity', 'left', left_to_ship));
  end if;
  perform redemption_message_write(p_workspace, p_operation, p_id, 'fulfill', p_fingerprint, p_at);
  parcel := jsonb_build_object('quantity', coalesce(p_quantity, left_to_ship), 'tracking',
    p_tracking,
    'carrier', p_carrier, 'at', p_at);
  redemption_row.fulfillment := redemption_row.fulfillment || jsonb_build_object(
    'shipped', coalesce((redemption_row.fulfillment ->> 'shipped')::int, 0)
      + (parcel ->> 'quantity')::int,
    'shipments', coalesce(redemption_row.fulfillment -> 'shipments', '[]') || parcel,
    'tracking', p_tracking, 'carrier', p_carrier);
  redemption_row.revision := next_revision(redemption_row.revision);
  if fulfillment_left(redemption_row) > 0 then
    return redemption_answer('shipped', redemption_row,
      redemption_save(redemption_row, null, p_at), null);
  end if;
  redemption_row := fulfillment_done(redemption_row, p_at);
  snapshot := redemption_save(redemption_row, 'loyalty.redemption.fulfilled', p_at);
  perform redemption_outbox('fulfillment_pending', redemption_row, null);
  return redemption_answer('fulfilled', redemption_row, snapshot, null);
end $$;

-- Writes that the run of an item which still waits must know of its next date: it was lost. Nothing
-- where it waits no more.
create or replace function ledger.fulfillment_resume(p_workspace text, p_id text) returns void
language plpgsql as $$
declare
  redemption_row redemption;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into redemption_row from redemption where workspace = p_workspace
    and id = p_id for update;
  if redemption_row.status = 'fulfillment_pending' then
    perform outbox_write(p_workspace, p_id, redemption_workflow(redemption_row),
      redemption_input(redemption_row), redemption_row.overdue_at,
      redemption_facts(redemption_row, null), redemption_row.revision, 'changed');
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
  redemption_row redemption;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  -- unlocked: a run that is early, or late for a settled one, costs no lock
  select * into redemption_row from redemption where workspace = p_workspace and id = p_id;
  if redemption_row.status = 'fulfillment_pending'
    and is_due(coalesce(redemption_row.overdue_at, p_at), p_at) then
    redemption_row := redemption_locked(p_workspace, p_id);
  end if;
  if redemption_row.id is null then
    return '{"outcome": "missing"}';
  elsif redemption_row.status <> 'fulfillment_pending' then
    return redemption_unchanged('settled', redemption_row);
  elsif not is_due(coalesce(redemption_row.overdue_at, p_at), p_at) then
    return redemption_unchanged('not_due', redemption_row);
  end if;
  if redemption_row.fulfillment ->> 'on_overdue' = 'refund' then
    return fulfillment_give_up(redemption_row, 'fulfillment_overdue', 'overdue:' || p_id, p_at);
  end if;
  perform attention_raise(p_workspace, 'fulfillment_overdue', p_id, jsonb_build_object('account',
    redemption_row.account, 'reward', redemption_row.reward),
    coalesce(redemption_row.overdue_at, p_at));
  redemption_row.fulfillment := redemption_row.fulfillment || jsonb_build_object(
    'overdue_notices', coalesce((redemption_row.fulfillment ->> 'overdue_notices')::int, 0) + 1);
  redemption_row.overdue_at := coalesce(redemption_row.overdue_at, p_at);
  redemption_row.overdue_at := redemption_row.overdue_at
    + (floor(extract(epoch from p_at - redemption_row.overdue_at) / 86400) + 1)
    * interval '24 hours';
  redemption_row.revision := next_revision(redemption_row.revision);
  return redemption_answer('notified', redemption_row,
    redemption_save(redemption_row, 'loyalty.redemption.fulfillment_overdue', p_at), null);
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
  redemption_row redemption;
  command record;
begin
  command := redemption_command(p_workspace, p_id, p_operation, p_fingerprint, false);
  redemption_row := command.redemption_row;
  p_at := coalesce(p_at, clock_timestamp());
  if command.answer is not null then
    return command.answer;
  end if;
  if redemption_row.status <> 'fulfillment_pending' then
    return redemption_settled(redemption_row);
  end if;
  perform redemption_message_write(p_workspace, p_operation, p_id, 'reverse', p_fingerprint, p_at);
  return fulfillment_give_up(redemption_row, p_reason, p_operation, p_at);
end $$;

-- What the reconciler looks for: items that should have been fulfilled before `p_before`, the
-- longest overdue first.
create or replace function ledger.fulfillments_overdue(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, id text)
language sql stable security definer as $$
  select redemption.workspace, redemption.id
  from redemption where redemption.status = 'fulfillment_pending'
    and redemption.overdue_at <= p_before
  order by redemption.overdue_at, redemption.workspace, redemption.id limit p_limit offset p_skip
$$;

-- How far an item is on its way.
create or replace function ledger_private.fulfillment_progress(
  redemption_row redemption
) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'items', (redemption_row.fulfillment ->> 'quantity')::int,
    'shipped', coalesce((redemption_row.fulfillment ->> 'shipped')::int, 0),
    'canceled', coalesce((redemption_row.fulfillment ->> 'canceled')::int, 0),
    'parcel',
    nullif(concat_ws(' ', nullif(redemption_row.fulfillment ->> 'carrier', ''),
      nullif(redemption_row.fulfillment ->> 'tracking', '')), ''),
    'refunds', coalesce(redemption_row.fulfillment ->> 'on_overdue' = 'refund', false),
    'notices', coalesce((redemption_row.fulfillment ->> 'overdue_notices')::int, 0),
    'nextAt', iso(redemption_row.overdue_at))
$$;

-- Items that are still to be shipped: neither on their way nor returned before they were.
create or replace function ledger_private.fulfillment_left(redemption_row redemption) returns int
language sql immutable as $$
  select (redemption_row.fulfillment ->> 'quantity')::int
    - coalesce((redemption_row.fulfillment ->> 'shipped')::int, 0)
    - coalesce((redemption_row.fulfillment ->> 'canceled')::int, 0)
$$;

-- So many items need not be shipped any more.
create or replace function ledger_private.fulfillment_without(
  redemption_row redemption, p_items int
) returns jsonb
language sql immutable as $$
  select redemption_row.fulfillment || jsonb_build_object('canceled',
    coalesce((redemption_row.fulfillment ->> 'canceled')::int, 0) + p_items)
$$;

-- Nothing is left to ship.
create or replace function ledger_private.fulfillment_done(
  redemption_row redemption, p_at timestamptz
) returns redemption
language plpgsql immutable as $$
begin
  redemption_row.status := 'fulfilled';
  redemption_row.fulfilled_at := p_at;
  redemption_row.overdue_at := null;
  return redemption_row;
end $$;

-- Nothing more of it will be shipped. All locks are held. Points for the items that were not,
-- rounded up, come back; with nothing shipped all that is left of them. What was shipped stays
-- fulfilled.
create or replace function ledger_private.fulfillment_give_up(
  redemption_row redemption, p_reason text, p_operation text, p_at timestamptz
)
returns jsonb
language plpgsql as $$
declare
  items int := (redemption_row.fulfillment ->> 'quantity')::int;
  unshipped int := fulfillment_left(redemption_row);
  shipped int := coalesce((redemption_row.fulfillment ->> 'shipped')::int, 0);
  points bigint := redemption_row.points - redemption_row.reversed_points;
  returned int := redemption_row.quantity - redemption_row.reversed_quantity;
  snapshot jsonb;
begin
  if shipped > 0 then
    points := least(points, divided(redemption_row.points::numeric * unshipped, items, 'up'));
    if redemption_row.reversed_points + points < redemption_row.points
      or redemption_row.points = 0 then
      returned := least(returned, unshipped / (items / redemption_row.quantity));
    end if;
  end if;
  perform redemption_undo(redemption_row, 'reverse', points, p_reason, p_operation, null, p_at,
    returned);
  redemption_row.reversed_points := redemption_row.reversed_points + points;
  redemption_row.reversed_quantity := redemption_row.reversed_quantity + returned;
  redemption_row.fulfillment := fulfillment_without(redemption_row, unshipped);
  redemption_row.reason := p_reason;
  redemption_row.overdue_at := null;
  if redemption_is_returned(redemption_row) then
    redemption_row.status := 'reversed';
    redemption_row.reversed_at := p_at;
  else
    redemption_row := fulfillment_done(redemption_row, p_at);
  end if;
  redemption_row.revision := next_revision(redemption_row.revision);
  snapshot := redemption_save(redemption_row, 'loyalty.redemption.reversed', p_at);
  if redemption_row.status = 'fulfilled' then
    perform event_write(redemption_row.workspace, 'loyalty.redemption.fulfilled',
      redemption_row.id, snapshot, null, p_at);
  end if;
  perform redemption_outbox('fulfillment_pending', redemption_row, null);
  return redemption_answer('reversed', redemption_row, snapshot, null);
end $$;
