-- Writes a debit: its ptx `p_id`, the balance after it, its event, and the lots it takes from, oldest first; what no lot
-- can fund is a deficit. The account's lock is held and `p_balance` is its balance before. `p_activity`: until
-- when it extends the account's lots; null: it does not. Returns the ptx; null where `p_operation` was
-- written before, and then writes nothing.
create or replace function points_debit(
  p_workspace text, p_id text, p_account text, p_program text, p_type text, p_points bigint, p_balance bigint, p_reason text,
  p_operation text, p_fingerprint text, p_redemption text, p_source jsonb, p_batch text, p_metadata jsonb,
  p_activity timestamptz, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  event_id text := 'evt' || substr(p_id, 4); -- as in event_of_ptx
  event_type text := case p_type when 'clawback' then 'loyalty.points.clawed_back' else 'loyalty.points.spent' end;
  posted jsonb;
  oldest_lot text;
  has_endpoints boolean;
begin
  -- One statement, the usual case whole: of what a debit costs, starting its statements is a third.
  with moved as (
    insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation, fingerprint,
      redemption, payment, refund, source, batch, metadata, at, created_at)
    values (p_workspace, p_id, p_account, p_program, p_type, -p_points, p_balance - p_points, p_reason, p_operation,
      p_fingerprint, p_redemption, p_source ->> 'payment', p_source ->> 'refund', p_source, p_batch, p_metadata,
      p_at, clock_timestamp())
    on conflict (workspace, operation) do nothing
    returning *
  ),
  taken as (
    update lot set remaining = remaining - p_points
    where workspace = p_workspace and remaining >= p_points and exists (select from moved) and id = (
      select id from lot where workspace = p_workspace and account = p_account and open
      order by earned_at, id limit 1)
    returning id
  ),
  allocated as (
    insert into allocation (workspace, debit, lot, cause, amount)
    select p_workspace, p_id, id, p_id, p_points from taken
  ),
  balanced as (
    update account set balance = p_balance - p_points, activity_extends_to = greatest(activity_extends_to, p_activity)
    where workspace = p_workspace and id = p_account and exists (select from moved)
  ),
  told as (
    insert into event (workspace, id, type, object, created_at)
    select p_workspace, event_id, event_type, p_id, p_at from moved
  )
  select to_jsonb(m), (select id from taken),
    exists (select from webhook_endpoint e where e.workspace = p_workspace and e.status = 'enabled')
  into posted, oldest_lot, has_endpoints
  from moved m;
  if posted is not null and oldest_lot is null then
    perform lots_take(p_workspace, p_account, p_id, p_points);
  end if;
  if posted is not null and has_endpoints then
    perform webhook_deliver_all(p_workspace, array[event_id], event_type);
  end if;
  return posted;
end $$;
