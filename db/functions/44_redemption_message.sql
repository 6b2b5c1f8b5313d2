-- Moves the deadline: expires_at = max(now, expires_at) + minutes. Pending ones only. Outcomes:
-- extended; refused; replayed; missing.
create or replace function redemption_extend(
  p_workspace text, p_id text, p_minutes int, p_operation text, p_fingerprint text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  d redemption;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into d from redemption where workspace = p_workspace and id = p_id for update;
  if not found then
    return '{"outcome": "missing"}';
  end if;
  if exists (select from redemption_message where workspace = p_workspace and operation = p_operation) then
    return redemption_replayed(d, p_operation, p_fingerprint);
  end if;
  if d.status <> 'pending' then
    return redemption_settled(d);
  end if;
  perform redemption_message_write(p_workspace, p_operation, p_id, 'extend', p_fingerprint, p_at);
  d.expires_at := greatest(p_at, d.expires_at) + make_interval(mins => p_minutes);
  return jsonb_build_object('outcome', 'extended', 'redemption', redemption_save(d, null, p_at));
end $$;

-- Undoes a redemption, all of it or `p_points` of it (smallest unit): points back to the same lots,
-- the artifact void. The status stays until all is returned, then it is reversed. A completed
-- payment keeps its discount. Refused: settled ones, more points than are left, and a pending one
-- whose payment is processing; where that has completed meanwhile the redemption is applied first.
-- Outcomes: reversed; refused; replayed; missing.
create or replace function redemption_reverse(
  p_workspace text, p_id text, p_points bigint, p_reason text, p_operation text, p_fingerprint text,
  p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  d redemption;
  pay payment;
  points bigint;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  d := redemption_locked(p_workspace, p_id);
  if d.id is null then
    return '{"outcome": "missing"}';
  end if;
  if exists (select from redemption_message where workspace = p_workspace and operation = p_operation) then
    return redemption_replayed(d, p_operation, p_fingerprint);
  end if;
  if d.status in ('released', 'reversed') then
    return redemption_settled(d);
  end if;
  points := coalesce(p_points, d.points - d.reversed_points);
  if points > d.points - d.reversed_points then
    return jsonb_build_object('outcome', 'refused', 'redemption', to_jsonb(d), 'refusal', jsonb_build_object(
      'code', 'parameter_invalid', 'param', 'points', 'available', d.points - d.reversed_points));
  end if;
  select * into pay from payment where workspace = p_workspace and id = d.payment;
  if d.status = 'pending' and pay.status = 'completed' then
    d.status := 'applied';
    d.applied_at := p_at;
    perform redemption_save(d, 'loyalty.redemption.applied', p_at);
  elsif d.status = 'pending' and pay.status = 'processing' then
    return jsonb_build_object('outcome', 'refused', 'redemption', to_jsonb(d),
      'refusal', '{"code": "payment_processing"}'::jsonb);
  elsif d.status = 'pending' and points < d.points then
    return jsonb_build_object('outcome', 'refused', 'redemption', to_jsonb(d), 'refusal', jsonb_build_object(
      'code', 'parameter_invalid', 'param', 'points', 'available', d.points));
  end if;
  perform redemption_message_write(p_workspace, p_operation, p_id, 'reverse', p_fingerprint, p_at);
  perform redemption_undo(d, 'reverse', points, p_reason, p_operation, pay, p_at);
  d.reversed_points := d.reversed_points + points;
  d.reason := p_reason;
  if d.reversed_points = d.points then
    d.status := 'reversed';
    d.reversed_at := p_at;
  end if;
  return jsonb_build_object('outcome', 'reversed', 'wakes', expiry_wakes(),
    'redemption', redemption_save(d, 'loyalty.redemption.reversed', p_at));
end $$;

-- The refusal of a message that came after the end.
create or replace function redemption_settled(d redemption) returns jsonb
language sql immutable as $$
  select jsonb_build_object('outcome', 'refused', 'redemption', to_jsonb(d),
    'refusal', jsonb_build_object('code', 'redemption_already_settled', 'status', d.status))
$$;
