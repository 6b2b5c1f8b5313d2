-- What every function of a redemption answers: its outcome, the row, and what its workflow is told of it.
create or replace function redemption_answer(p_outcome text, d redemption, p_snapshot jsonb, p_payment_status text)
returns jsonb
language plpgsql stable as $$
begin
  return jsonb_build_object('outcome', p_outcome, 'redemption', p_snapshot, 'revision', d.revision,
    'facts', redemption_facts(d, p_payment_status));
end $$;

-- The answer of a function that changed nothing.
create or replace function redemption_unchanged(p_outcome text, d redemption) returns jsonb
language plpgsql stable as $$
begin
  return redemption_answer(p_outcome, d, to_jsonb(d), case when d.payment is not null then
    (select p.status from payment p where p.workspace = d.workspace and p.id = d.payment) end);
end $$;

create or replace function redemption_refused(d redemption, p_refusal jsonb) returns jsonb
language plpgsql stable as $$
begin
  return redemption_unchanged('refused', d) || jsonb_build_object('refusal', p_refusal);
end $$;

-- The refusal of a command that came after the end.
create or replace function redemption_settled(d redemption) returns jsonb
language plpgsql stable as $$
begin
  return redemption_refused(d, jsonb_build_object('code', 'redemption_already_settled', 'status', d.status));
end $$;

-- The answer to a command that is not to be obeyed (again): its operation was before, by this redemption or
-- another, or there is no such redemption (`d` is null). Null where it is new. The redemption's lock is held.
drop function if exists redemption_heard(redemption, text, text);
drop function if exists redemption_replayed(redemption, text, text);
create or replace function redemption_repeated(p_workspace text, d redemption, p_operation text, p_fingerprint text)
returns jsonb
language plpgsql stable as $$
declare
  earlier redemption_message;
begin
  select * into earlier from redemption_message where workspace = p_workspace and operation = p_operation;
  if earlier.operation is null then
    return case when d.id is null then '{"outcome": "missing"}'::jsonb end;
  elsif earlier.fingerprint = p_fingerprint and earlier.redemption = d.id then
    return redemption_unchanged('replayed', d);
  end if;
  return '{"outcome": "refused", "refusal": {"code": "idempotency_key_reused"}}';
end $$;

-- Remembers a command that is being obeyed, by its operation. Where another redemption has just obeyed the same
-- operation all is taken back, to be refused on another try (40001).
create or replace function redemption_message_write(
  p_workspace text, p_operation text, p_redemption text, p_kind text, p_fingerprint text, p_at timestamptz
) returns void
language plpgsql as $$
begin
  insert into redemption_message (workspace, operation, redemption, kind, fingerprint, at)
  values (p_workspace, p_operation, p_redemption, p_kind, p_fingerprint, p_at)
  on conflict (workspace, operation) do nothing;
  if not found then
    raise exception 'operation % was obeyed meanwhile', p_operation using errcode = '40001';
  end if;
end $$;

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
  p_at := coalesce(p_at, clock_timestamp());
  earlier := redemption_repeated(p_workspace, d, p_operation, p_fingerprint);
  if earlier is not null then
    return earlier;
  elsif d.status <> 'pending' then
    return redemption_settled(d);
  end if;
  perform redemption_message_write(p_workspace, p_operation, p_id, 'extend', p_fingerprint, p_at);
  d.expires_at := date_trunc('milliseconds', greatest(p_at, d.expires_at) + make_interval(mins => p_minutes));
  d.revision := next_revision(d.revision);
  perform redemption_save(d, null, p_at);
  return redemption_unchanged('extended', d);
end $$;
