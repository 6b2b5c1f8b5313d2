-- The outbox: which workflow must be started or signalled, written in the transaction that changed its row.
-- Whoever writes a row holds the lock of what it is about, so that two writers never meet on it.

-- An instant as facts and inputs have it, which is as JavaScript writes it.
create or replace function iso(p_at timestamptz) returns text
language sql stable as $$
  select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- A row's next revision: more than the last, and more than any from before a restore.
create or replace function next_revision(p_last bigint) returns bigint
language sql volatile as $$
  select greatest(coalesce(p_last, 0) + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint)
$$;

-- Writes that this workflow must be told of its row, or coalesces with what it was not told yet. `p_input` is
-- what a run is started with, `p_start_at` when a run started now has something to do (null: at once),
-- `p_facts` what it needs to know of its row, in order of
-- `p_revision` (null: of the writing). `p_change`: `new` (of a row that has just been created), `changed`
-- (it still waits), `ended`. The row belongs to the writing process for 10 s, which learns of it by
-- outbox_written; beyond 20 in one transaction the sweep sends them.
create or replace function outbox_write(
  p_workspace text, p_workflow_id text, p_type text, p_input jsonb, p_start_at timestamptz, p_facts jsonb,
  p_revision bigint, p_change text
) returns void
language plpgsql as $$
declare
  written jsonb := coalesce(nullif(current_setting('vinr.outbox', true), ''), '[]');
  now timestamptz := clock_timestamp();
  is_own boolean := jsonb_array_length(written) < 20;
  own_row jsonb;
begin
  insert into workflow_outbox as o (workspace, workflow_id, workflow_type, input, start_at, facts, revision, change,
    written_at, next_attempt_at)
  values (p_workspace, p_workflow_id, p_type, p_input, p_start_at, p_facts, coalesce(p_revision, next_revision(null)), p_change,
    now, case when is_own then now + interval '10 seconds' else now end)
  on conflict (workspace, workflow_id) do update set workflow_type = excluded.workflow_type, input = excluded.input,
    start_at = excluded.start_at, facts = excluded.facts, revision = greatest(excluded.revision, o.revision + 1),
    change = excluded.change, next_attempt_at = excluded.next_attempt_at
  returning outbox_row(o) into own_row;
  if is_own then
    if written <> '[]' then
      select coalesce(jsonb_agg(w), '[]') into written
      from jsonb_array_elements(written) w where w ->> 'workflow_id' <> p_workflow_id;
    end if;
    perform set_config('vinr.outbox', (written || own_row)::text, true);
  end if;
end $$;

-- What this transaction wrote for others: `rows` of the outbox, for its process to send, and whether there are
-- new webhook deliveries. Null: nothing. Asked once, last in the transaction, by whoever runs it. The table is not
-- asked again: a plan made while it was empty reads all of it when there is a backlog.
create or replace function outbox_written() returns jsonb
language plpgsql as $$
declare
  written jsonb := nullif(current_setting('vinr.outbox', true), '');
  deliveries boolean := nullif(current_setting('vinr.deliveries', true), '') is not null;
begin
  if written is null then
    return case when deliveries then '{"deliveries": true}'::jsonb end;
  end if;
  if jsonb_array_length(written) > 1 then
    written := (
      select jsonb_agg(w order by w ->> 'workflow_id' collate "C") from jsonb_array_elements(written) w);
  end if;
  return jsonb_build_object('deliveries', deliveries, 'rows', written);
end $$;

-- Microseconds since 1970 of a row's next attempt. Who was given a row has it until then, and knows by this
-- number whether somebody else was given it since.
create or replace function outbox_lease(p_next_attempt_at timestamptz) returns bigint
language sql stable as $$ -- as extract is; an immutable one would not be inlined, but planned by each call
  select (extract(epoch from p_next_attempt_at) * 1000000)::bigint
$$;

-- A row as its sender takes it; the delay by the database's clock, 0 where it starts at once.
create or replace function outbox_row(o workflow_outbox) returns jsonb
language sql volatile as $$
  select jsonb_build_object('workspace', o.workspace, 'workflow_id', o.workflow_id, 'workflow_type', o.workflow_type,
    'input', o.input, 'facts', o.facts, 'revision', o.revision, 'change', o.change, 'attempts', o.attempts,
    'lease', outbox_lease(o.next_attempt_at),
    'start_in_ms', greatest(0, ceil(extract(epoch from o.start_at - clock_timestamp()) * 1000)))
$$;
