-- Approvals: commands above their asker's limit, which wait for another person.

-- Keeps a command that waits for an approval, and starts its run, once by its id: a repeat finds
-- the one that is there. `p_command`: what approval_carry_out will do. The reminder is due half-way
-- to `p_expires_at`.
-- @returns ApprovalAnswer
-- @param p_kind ApprovalKind
-- @param p_command Record<string, unknown>
-- @param p_effect ApprovalEffect
-- @param p_actor Maker
-- @null p_account p_batch p_reason p_ceiling
create or replace function ledger.approval_request(
  p_workspace text, p_id text, p_kind text, p_account text, p_batch text, p_reason text,
  p_command jsonb, p_effect jsonb, p_ceiling bigint, p_fingerprint text, p_actor jsonb,
  p_at timestamptz, p_expires_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  approval_row approval;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  insert into approval (workspace, id, kind, account, batch, reason, command, effect, ceiling,
    fingerprint, requested_by, created_at, reminds_at, expires_at, revision)
  values (p_workspace, p_id, p_kind, p_account, p_batch, p_reason, p_command, p_effect, p_ceiling,
    p_fingerprint, p_actor, p_at, p_at + (p_expires_at - p_at) / 2, p_expires_at,
    next_revision(null))
  on conflict (workspace, id) do nothing
  returning * into approval_row;
  if approval_row.id is null then
    select * into approval_row from approval where workspace = p_workspace and id = p_id;
    return jsonb_build_object('outcome', 'replayed', 'approval', to_jsonb(approval_row));
  end if;
  perform approval_outbox(approval_row, 'new');
  return jsonb_build_object('outcome', 'requested', 'approval', to_jsonb(approval_row));
end $$;

-- Approves a pending approval and does what it showed, in this transaction: once, by the operation
-- that its request had. Refused, with nothing changed: approval_already_settled; resource_changed
-- where what was shown no longer holds; and whatever the ledger refuses of the command. An import
-- or a reversal is `approved` until its run has come to its end. `p_alone`: by its asker.
-- @returns ApprovalAnswer
-- @param p_actor Maker
-- @null p_note
create or replace function ledger.approval_approve(
  p_workspace text, p_id text, p_actor jsonb, p_note text, p_alone boolean, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  approval_row approval := approval_pending_locked(p_workspace, p_id, p_at);
begin
  if approval_row.id is null then
    return '{"outcome": "missing"}';
  end if;
  approval_row.confirmed_alone := p_alone;
  if approval_row.kind = 'adjustment' then
    approval_row.result := approval_post_points(approval_row, p_at);
    return approval_settled(approval_row, 'done', p_actor, p_note, p_at);
  end if;
  approval_row.result := approval_row.command ->> 'bulk';
  if approval_row.kind = 'import' then
    perform approval_import(approval_row, p_at);
  else
    perform approval_reverse_batch(approval_row, p_at);
  end if;
  return approval_settled(approval_row, 'approved', p_actor, p_note, p_at);
end $$;

-- Ends a pending approval without its effect. Refused: approval_already_settled.
-- @returns ApprovalAnswer
-- @param p_status 'declined' | 'withdrawn'
-- @param p_actor Maker
-- @null p_note
create or replace function ledger.approval_close(
  p_workspace text, p_id text, p_status text, p_actor jsonb, p_note text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  approval_row approval := approval_pending_locked(p_workspace, p_id, p_at);
begin
  if approval_row.id is null then
    return '{"outcome": "missing"}';
  end if;
  return approval_settled(approval_row, p_status, p_actor, p_note, p_at);
end $$;

-- Does what is due of a pending approval: the reminder, as an event and for the list of what needs
-- a person, once, or its expiry. Returns what its run waits for from then on; a clock that is far
-- ahead does nothing. `p_resume` begins a run that was lost.
-- @returns ApprovalFacts
create or replace function ledger.approval_advance(
  p_workspace text, p_id text, p_at timestamptz, p_resume boolean default false
) returns jsonb
language plpgsql as $$
declare
  approval_row approval;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into approval_row from approval where workspace = p_workspace and id = p_id for update;
  if approval_row.status is distinct from 'pending' then
    return approval_facts(approval_row);
  end if;
  if is_due(approval_row.expires_at, p_at) then
    perform approval_settled(approval_row, 'expired', null, null, p_at);
    approval_row.status := 'expired';
    return approval_facts(approval_row);
  end if;
  if is_due(approval_row.reminds_at, p_at) and approval_row.reminded_at is null then
    update approval set reminded_at = p_at, revision = next_revision(revision)
    where workspace = p_workspace and id = p_id returning * into approval_row;
    perform event_write(p_workspace, 'approval.reminder', p_id, to_jsonb(approval_row)
      - array['command', 'reason', 'note', 'revision'], null, p_at);
    perform attention_raise(p_workspace, 'approval_waiting', p_id, jsonb_build_object('kind',
      approval_row.kind, 'effect', approval_row.effect, 'expires_at', approval_row.expires_at),
      p_at);
  end if;
  if p_resume then
    perform approval_outbox(approval_row, 'changed');
  end if;
  return approval_facts(approval_row);
end $$;

-- Pending approvals whose reminder or end was due before `p_before`.
create or replace function ledger.approvals_overdue(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, id text)
language sql stable security definer as $$
  select workspace, id from approval
  where status = 'pending'
    and case when reminded_at is null then reminds_at else expires_at end <= p_before
  order by expires_at, workspace, id limit p_limit offset p_skip
$$;

-- The pending approval, locked. All null where there is none; refused: approval_already_settled, as
-- one is whose time is over.
create or replace function ledger_private.approval_pending_locked(
  p_workspace text, p_id text, p_at timestamptz
) returns approval
language plpgsql as $$
declare
  approval_row approval;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into approval_row from approval where workspace = p_workspace and id = p_id for update;
  if approval_row.status <> 'pending' then
    perform refuse(jsonb_build_object('code', 'approval_already_settled', 'status',
      approval_row.status));
  elsif approval_row.expires_at <= p_at then
    perform refuse('{"code": "approval_already_settled", "status": "expired"}');
  end if;
  return approval_row;
end $$;

-- Writes the outcome, and that the run has nothing to wait for any more. The rows of an import that
-- is not to be are dropped.
create or replace function ledger_private.approval_settled(
  approval_row approval, p_status text, p_actor jsonb, p_note text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  settled approval;
begin
  update approval set status = p_status, settled_by = p_actor, settled_at = p_at, note = p_note,
    result = approval_row.result, confirmed_alone = approval_row.confirmed_alone,
    revision = next_revision(revision)
  where workspace = approval_row.workspace and id = approval_row.id
  returning * into settled;
  if settled.kind = 'import' and p_status <> 'approved' then
    update bulk_chunk set posted_at = p_at, rows = '[]'
    where workspace = settled.workspace and bulk = settled.command ->> 'bulk'
      and posted_at is null;
    update bulk set status = 'canceled', completed_at = p_at, progressed_at = p_at
    where workspace = settled.workspace and id = settled.command ->> 'bulk' and status = 'waiting';
  end if;
  perform attention_settle(settled.workspace, 'approval_waiting', settled.id, p_at);
  perform approval_outbox(settled, 'ended');
  return jsonb_build_object('outcome', 'settled', 'approval', to_jsonb(settled));
end $$;

-- Posts the movements of an adjustment as its request would have. Returns the transaction's id
-- where it is one. Refused: resource_changed, where an account was merged, a program counts in
-- other decimals, or the date that a credit was to expire at has passed.
create or replace function ledger_private.approval_post_points(
  approval_row approval, p_at timestamptz
) returns text
language plpgsql as $$
declare
  movements jsonb := approval_row.command -> 'rows';
  one jsonb := movements -> 0;
  posted jsonb;
begin
  if exists (
    select from jsonb_array_elements(movements) movement
    where (movement ->> 'expires_at')::timestamptz <= p_at) then
    perform approval_changed('expires_at');
  end if;
  if exists (
    select from jsonb_array_elements(movements) movement
    join account on account.workspace = approval_row.workspace
      and account.id = movement ->> 'account'
    join program on program.workspace = account.workspace and program.id = account.program
    where program.decimals <> (movement ->> 'decimals')::int) then
    perform approval_changed('decimals');
  end if;
  if (approval_row.command ->> 'single')::boolean then
    posted := points_post(approval_row.workspace, one ->> 'account', 'adjust',
      (one ->> 'amount')::bigint, one ->> 'reason', approval_row.command ->> 'operation',
      approval_row.fingerprint, p_at, (one ->> 'expires_at')::timestamptz,
      one -> 'metadata' ->> 'batch', null, one -> 'metadata', false, (one ->> 'decimals')::int);
    if posted ->> 'outcome' = 'refused' then
      perform refuse((posted -> 'refusal')
        || jsonb_strip_nulls(jsonb_build_object('decimals', posted -> 'decimals')));
    end if;
  else
    perform points_post_batch(approval_row.workspace, approval_row.command ->> 'operation',
      approval_row.fingerprint, p_at, movements);
  end if;
  -- they are locked now
  if exists (
    select from jsonb_array_elements(movements) movement
    join account on account.workspace = approval_row.workspace
      and account.id = movement ->> 'account'
    where account.merged_into is not null) then
    perform approval_changed('account');
  end if;
  return posted -> 'transaction' ->> 'id';
end $$;

-- Begins an import whose rows wait, checked. Refused: resource_changed, where it waits no longer.
create or replace function ledger_private.approval_import(
  approval_row approval, p_at timestamptz
) returns void
language plpgsql as $$
begin
  update bulk set status = 'running', progressed_at = p_at
  where workspace = approval_row.workspace and id = approval_row.result and status = 'waiting';
  if not found then
    perform approval_changed('status');
  end if;
  perform bulk_outbox(approval_row.workspace, approval_row.result);
end $$;

-- Begins the reversal of a batch, under the id that its request had: of the rows that were shown
-- and none that came since. Refused: resource_changed, where the batch has others by now.
create or replace function ledger_private.approval_reverse_batch(
  approval_row approval, p_at timestamptz
) returns void
language plpgsql as $$
declare
  batch record;
begin
  select count(*) as size, max(id) as newest into batch from ptx
  where workspace = approval_row.workspace and ptx.batch = approval_row.batch;
  if batch.size <> (approval_row.effect ->> 'rows')::bigint or exists (
    select from bulk where workspace = approval_row.workspace and bulk.batch = approval_row.batch
      and kind = 'import' and status in ('running', 'paused')) then
    perform approval_changed('rows');
  end if;
  -- one digit more: after the newest, before whatever comes later
  insert into bulk (workspace, id, kind, batch, total, cursor, fingerprint, created_at,
    progressed_at)
  values (approval_row.workspace, approval_row.result, 'reversal', approval_row.batch, batch.size,
    batch.newest || '0', approval_row.fingerprint, p_at, p_at);
  perform bulk_outbox(approval_row.workspace, approval_row.result);
end $$;

-- What the rows of an import would move, in points.
-- @returns ApprovalEffect
create or replace function ledger.approval_effect_of_import(p_workspace text, p_bulk text)
returns jsonb
language plpgsql as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  return (
    select approval_effect(array_agg(input.account), array_agg(input.amount),
      array_agg(program.decimals))
    from bulk_chunk
    cross join jsonb_to_recordset(bulk_chunk.rows) as input (account text, amount bigint)
    join account on account.workspace = p_workspace and account.id = input.account
    join program on program.workspace = p_workspace and program.id = account.program
    where bulk_chunk.workspace = p_workspace and bulk_chunk.bulk = p_bulk);
end $$;

-- What the reversal of a batch would move, in points, where nothing of it was reversed before.
-- @returns ApprovalEffect
create or replace function ledger.approval_effect_of_reversal(p_workspace text, p_batch text)
returns jsonb
language plpgsql as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  return (
    select approval_effect(array_agg(ptx.account), array_agg(-ptx.amount),
      array_agg(program.decimals))
    from ptx
    join program on program.workspace = p_workspace and program.id = ptx.program
    where ptx.workspace = p_workspace and ptx.batch = p_batch);
end $$;

-- Movements in numbers: units of each, and the decimals they are in.
create or replace function ledger_private.approval_effect(
  p_accounts text[], p_amounts bigint[], p_decimals int[]
) returns jsonb
language sql immutable as $$
  select jsonb_build_object(
    'points', trim_scale(coalesce(sum(abs(points)), 0)),
    'credited', trim_scale(coalesce(sum(points) filter (where points > 0), 0)),
    'debited', trim_scale(coalesce(-sum(points) filter (where points < 0), 0)),
    'accounts', count(distinct account), 'rows', count(*))
  from unnest(p_accounts, p_amounts, p_decimals) movement (account, amount, decimals)
  cross join lateral (select amount / power(10::numeric, decimals) as points) shown
$$;

-- Refuses what is no longer as it was shown, by the name of what changed.
create or replace function ledger_private.approval_changed(p_what text) returns void
language plpgsql as $$
begin
  perform refuse(jsonb_build_object('code', 'resource_changed', 'shown', p_what));
end $$;

-- Whether an approval is about one of these accounts.
create or replace function ledger_private.approval_names(approval_row approval, p_accounts text[])
returns boolean
language sql stable as $$
  select approval_row.account = any (p_accounts) or exists (
    select from jsonb_array_elements(approval_row.command -> 'rows') movement
    where movement ->> 'account' = any (p_accounts))
$$;

-- What the run needs to know of its row.
create or replace function ledger_private.approval_facts(approval_row approval) returns jsonb
language sql stable as $$
  select jsonb_build_object('status', approval_row.status,
    'remindsAt', case when approval_row.reminded_at is null then iso(approval_row.reminds_at) end,
    'expiresAt', iso(approval_row.expires_at))
$$;

-- What the run is started with: enough to say what it waits for.
create or replace function ledger_private.approval_input(approval_row approval) returns jsonb
language sql stable as $$
  select jsonb_build_object('workspace', approval_row.workspace, 'approval', approval_row.id,
    'kind', approval_row.kind, 'effect', approval_row.effect,
    'asker', approval_row.requested_by ->> 'id', 'expiresAt', iso(approval_row.expires_at))
$$;

-- Wakes the approval's run once this commits, or starts it.
create or replace function ledger_private.approval_outbox(
  approval_row approval, p_change text
) returns void
language plpgsql as $$
begin
  perform outbox_write(approval_row.workspace, approval_row.id, 'approval',
    approval_input(approval_row), null, approval_facts(approval_row), approval_row.revision,
    p_change);
end $$;
