-- What the workflow of a redemption is started with and told; domain/redemption-story.ts has the types.

create or replace function redemption_workflow(d redemption) returns text
language sql immutable as $$
  select case when d.fulfillment is null then 'redemption' else 'fulfillment' end
$$;

create or replace function redemption_input(d redemption) returns jsonb
language sql stable as $$
  select jsonb_build_object('workspace', d.workspace, 'redemption', d.id, 'account', d.account, 'reward', d.reward)
    || case when d.fulfillment is null then jsonb_build_object('releasesAt', iso(d.expires_at))
      else jsonb_build_object('deadline', iso((d.fulfillment ->> 'deadline')::timestamptz)) end
$$;

-- How far an item is on its way.
create or replace function fulfillment_progress(d redemption) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'items', (d.fulfillment ->> 'quantity')::int,
    'shipped', coalesce((d.fulfillment ->> 'shipped')::int, 0),
    'canceled', coalesce((d.fulfillment ->> 'canceled')::int, 0),
    'parcel', nullif(concat_ws(' ', nullif(d.fulfillment ->> 'carrier', ''), nullif(d.fulfillment ->> 'tracking', '')), ''),
    'refunds', coalesce(d.fulfillment ->> 'on_overdue' = 'refund', false),
    'notices', coalesce((d.fulfillment ->> 'overdue_notices')::int, 0),
    'nextAt', iso(d.overdue_at))
$$;

-- What its row says, beside the status of the payment it is attached to (null: of none).
create or replace function redemption_facts(d redemption, p_payment_status text) returns jsonb
language sql stable as $$
  select jsonb_build_object('status', d.status, 'payment', d.payment, 'paymentStatus', p_payment_status,
      'reason', d.reason, 'expiresAt', iso(d.expires_at), 'late', d.late_payment ->> 'outcome')
    || case when d.fulfillment is null then '{}'::jsonb
      else jsonb_build_object('fulfillment', fulfillment_progress(d)) end
$$;

-- Writes, last in its transaction, that a redemption which waited (`p_before`: its status then) waits no more.
-- What still waits, or waited no more before, writes nothing: an extension, a parcel of several, a reversal
-- after the end. Nor does what its own run does (`vinr.run`), which knows it: a signal amid its task would undo that;
-- but a row that is there says the end from then on.
create or replace function redemption_outbox(p_before text, d redemption, p_payment_status text) returns void
language plpgsql as $$
begin
  if p_before not in ('pending', 'fulfillment_pending') or d.status = p_before then
    return;
  end if;
  if current_setting('vinr.run', true) = d.id then
    update workflow_outbox set facts = redemption_facts(d, p_payment_status), revision = d.revision, change = 'ended'
    where workspace = d.workspace and workflow_id = d.id;
  else
    perform outbox_write(d.workspace, d.id, redemption_workflow(d), redemption_input(d), null,
      redemption_facts(d, p_payment_status), d.revision, 'ended');
  end if;
end $$;
