-- A till says that the sale of a held redemption went through: pending -> applied, without a payment; the
-- clock plays no part. One that belongs to a payment is that payment's to apply. Outcomes: applied;
-- refused (redemption_already_settled, redemption_already_attached); replayed; missing.
create or replace function redemption_confirm(
  p_workspace text, p_id text, p_operation text, p_fingerprint text, p_at timestamptz
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
  if d.status <> 'pending' then
    return redemption_settled(d);
  elsif d.payment is not null then
    return redemption_refused(d, jsonb_build_object('code', 'redemption_already_attached', 'resource', d.payment));
  end if;
  perform redemption_message_write(p_workspace, p_operation, p_id, 'confirm', p_fingerprint, p_at);
  d := redemption_applied(d, p_at);
  perform redemption_outbox('pending', d, null);
  return redemption_answer('applied', d, to_jsonb(d), null);
end $$;
