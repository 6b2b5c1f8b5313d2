-- What the workflow of a payment is started with and told: `status`, `expiresAt` of a sandbox payment, `maturesAt`
-- of its next pending earning, and whether something that follows from its events is not done (`unfinished`).

-- Writes what the payment's workflow must do, or end, earlier than it knows (`p_status_before` null: there was no
-- payment): nothing of one that is done in its own transaction, nor what its own run does (`vinr.run`), which knows
-- it. `p_matures_at`: earlier than was known.
create or replace function payment_outbox(
  pay payment, p_status_before text, p_known boolean, p_matures_at timestamptz, p_unfinished boolean
) returns void
language plpgsql as $$
declare
  is_open boolean := coalesce(pay.expires_at is not null and pay.status in ('requires_payment', 'processing'), false);
  was_open boolean := coalesce(pay.expires_at is not null and p_status_before in ('requires_payment', 'processing'), false);
  change text := case when p_unfinished or p_matures_at is not null then 'changed'
    when is_open and not p_known then 'new' when was_open and not is_open then 'ended' end;
begin
  if change is not null and (
    p_unfinished or current_setting('vinr.run', true) is distinct from pay.workspace || '/' || pay.id) then
    perform source_outbox(pay.workspace, pay.id, pay.status, pay.expires_at, p_matures_at, p_unfinished,
      case when p_unfinished then null when p_matures_at is not null then p_matures_at
        when change = 'new' then pay.expires_at end, pay.revision, change);
  end if;
end $$;

-- The same of whatever may earn: a payment, an invoice, a new account (its welcome). `p_status` is null where it is
-- no payment.
create or replace function source_outbox(
  p_workspace text, p_id text, p_status text, p_expires_at timestamptz, p_matures_at timestamptz, p_unfinished boolean,
  p_start_at timestamptz, p_revision bigint, p_change text
) returns void
language plpgsql as $$
begin
  perform outbox_write(p_workspace, p_workspace || '/' || p_id, 'payment',
    jsonb_build_object('workspace', p_workspace, 'payment', p_id, 'expiresAt', iso(p_expires_at)), p_start_at,
    jsonb_build_object('status', p_status, 'expiresAt', iso(p_expires_at), 'maturesAt', iso(p_matures_at),
      'unfinished', p_unfinished),
    p_revision, p_change);
end $$;
