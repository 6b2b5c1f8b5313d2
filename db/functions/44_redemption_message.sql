-- Moves the deadline: expires_at = max(now, expires_at) + minutes. Pending ones only. Outcomes:
-- extended; refused; replayed; missing.
create or replace function redemption_extend(
  p_workspace text, p_id text, p_minutes int, p_operation text, p_fingerprint text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  d redemption;
  earlier jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into d from redemption where workspace = p_workspace and id = p_id for update;
  earlier := redemption_heard(d, p_operation, p_fingerprint);
  if earlier is not null then
    return earlier;
  end if;
  if d.status <> 'pending' then
    return redemption_settled(d);
  end if;
  perform redemption_message_write(p_workspace, p_operation, p_id, 'extend', p_fingerprint, p_at);
  d.expires_at := greatest(p_at, d.expires_at) + make_interval(mins => p_minutes);
  return jsonb_build_object('outcome', 'extended', 'redemption', redemption_save(d, null, p_at));
end $$;

-- The answer to a message that is not to be obeyed (again): there is no such redemption, or the operation
-- was obeyed before. Null where it is new.
create or replace function redemption_heard(d redemption, p_operation text, p_fingerprint text) returns jsonb
language plpgsql stable as $$
begin
  if d.id is null then
    return '{"outcome": "missing"}';
  end if;
  if exists (select from redemption_message where workspace = d.workspace and operation = p_operation) then
    return redemption_replayed(d, p_operation, p_fingerprint);
  end if;
  return null;
end $$;

-- The refusal of a message that came after the end.
create or replace function redemption_settled(d redemption) returns jsonb
language sql immutable as $$
  select jsonb_build_object('outcome', 'refused', 'redemption', to_jsonb(d),
    'refusal', jsonb_build_object('code', 'redemption_already_settled', 'status', d.status))
$$;
