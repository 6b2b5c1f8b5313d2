-- What a sender does with the outbox's rows. All of it past row security, for a sender has rows of many
-- workspaces: by the keys of rows that it was given, and for the worker alone by the claim. Whoever has a
-- row's lock is about to change it, and sends it then: nothing here waits.

-- Deletes rows that were sent, unless they changed meanwhile or somebody has them: then they are sent again,
-- which changes nothing. What was said of one that Temporal refused before is settled.
create or replace function outbox_sent(p_workspaces text[], p_workflow_ids text[], p_revisions bigint[]) returns int
language sql volatile security definer set search_path = public as $$
  with sent as (
    select o.workspace, o.workflow_id from workflow_outbox o
    join unnest(p_workspaces, p_workflow_ids, p_revisions) s (workspace, workflow_id, revision)
      using (workspace, workflow_id, revision)
    for update of o skip locked
  ),
  gone as (delete from workflow_outbox o using sent s
    where o.workspace = s.workspace and o.workflow_id = s.workflow_id
    returning o.workspace, o.workflow_id, o.attempts),
  settled as (update attention a set settled_at = clock_timestamp() from gone g
    where g.attempts > 0 and a.workspace = g.workspace and a.kind = 'workflow_refused' and a.key = g.workflow_id)
  select count(*)::int from gone
$$;

-- These rows as they are now, for their holder once more: for 30 s from now. Left out is what was sent,
-- changed or given to another since.
create or replace function outbox_renew(p_workspaces text[], p_workflow_ids text[], p_leases bigint[])
returns setof jsonb
language sql volatile security definer set search_path = public as $$
  with held as (
    select o.workspace, o.workflow_id from workflow_outbox o
    join unnest(p_workspaces, p_workflow_ids, p_leases) h (workspace, workflow_id, lease) using (workspace, workflow_id)
    where outbox_lease(o.next_attempt_at) = h.lease
    for update of o skip locked
  )
  update workflow_outbox o set next_attempt_at = clock_timestamp() + interval '30 seconds'
  from held h where o.workspace = h.workspace and o.workflow_id = h.workflow_id
  returning outbox_row(o)
$$;

-- Makes rows due at once that their holder will not send.
create or replace function outbox_release(p_workspaces text[], p_workflow_ids text[], p_leases bigint[]) returns int
language sql volatile security definer set search_path = public as $$
  with held as (
    select o.workspace, o.workflow_id from workflow_outbox o
    join unnest(p_workspaces, p_workflow_ids, p_leases) h (workspace, workflow_id, lease) using (workspace, workflow_id)
    where outbox_lease(o.next_attempt_at) = h.lease
    for update of o skip locked
  ),
  due as (update workflow_outbox o set next_attempt_at = clock_timestamp()
    from held h where o.workspace = h.workspace and o.workflow_id = h.workflow_id returning 1)
  select count(*)::int from due
$$;

-- Temporal refused this call itself: counted on the row, which is tried again after 2, 4, 8 s and so on, at
-- most ten minutes, and noted for a person. Nothing where the row has changed since.
create or replace function outbox_refused(
  p_workspace text, p_workflow_id text, p_revision bigint, p_error text
) returns void
language plpgsql security definer set search_path = public as $$
declare
  refused workflow_outbox;
  now timestamptz := clock_timestamp();
  refusal jsonb;
begin
  update workflow_outbox set attempts = attempts + 1, last_error = p_error,
    next_attempt_at = now + least(interval '10 minutes', interval '2 seconds' * power(2, least(attempts, 10)))
  where workspace = p_workspace and workflow_id = p_workflow_id and revision = p_revision
  returning * into refused;
  if not found then
    return;
  end if;
  refusal := jsonb_build_object('workflow_type', refused.workflow_type, 'change', refused.change, 'error', p_error);
  perform attention_note(p_workspace, 'workflow_refused', p_workflow_id, p_workflow_id, refusal, now);
  -- it may have been settled since by a call that went through
  update attention a set settled_at = null, details = refusal
  where a.workspace = p_workspace and a.kind = 'workflow_refused' and a.key = p_workflow_id;
end $$;

-- Gives the sweep up to `p_limit` rows that are due, for 30 s. Those that wait come before those that have
-- ended, and of each half of the places go to the newest, so that a million old ones keep no new one waiting.
-- By the index alone, whatever the planner knows of a table that was empty a minute ago.
create or replace function outbox_claim(p_limit int) returns setof jsonb
language sql volatile security definer
set search_path = public set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off as $$
  with oldest as materialized (
    select workspace, workflow_id from workflow_outbox
    where case when change = 'ended' then 1 else 0 end = 0 and next_attempt_at <= now()
    order by next_attempt_at limit p_limit - p_limit / 2
    for update skip locked
  ),
  newest as materialized (
    select workspace, workflow_id from workflow_outbox
    where case when change = 'ended' then 1 else 0 end = 0 and next_attempt_at <= now()
    order by next_attempt_at desc limit p_limit / 2
    for update skip locked
  ),
  waiting as materialized (select * from oldest union select * from newest),
  ended_oldest as materialized (
    select workspace, workflow_id from workflow_outbox
    where case when change = 'ended' then 1 else 0 end = 1 and next_attempt_at <= now()
    order by next_attempt_at limit (select (p_limit - count(*) + 1) / 2 from waiting)
    for update skip locked
  ),
  ended_newest as materialized (
    select workspace, workflow_id from workflow_outbox
    where case when change = 'ended' then 1 else 0 end = 1 and next_attempt_at <= now()
    order by next_attempt_at desc limit (select (p_limit - count(*)) / 2 from waiting)
    for update skip locked
  ),
  due as (select * from waiting union select * from ended_oldest union select * from ended_newest),
  -- as arrays: of these the planner expects few, of a limit that it does not know a tenth of the table
  keys as materialized (select array_agg(workspace) as workspaces, array_agg(workflow_id) as ids from due)
  update workflow_outbox o set next_attempt_at = clock_timestamp() + interval '30 seconds'
  from keys, unnest(keys.workspaces, keys.ids) d (workspace, workflow_id)
  where o.workspace = d.workspace and o.workflow_id = d.workflow_id
  returning outbox_row(o)
$$;

-- How many rows wait, counted up to `p_cap`, and since how many seconds the oldest does (null: none waits):
-- of those counted, and of those that have been due the longest.
create or replace function outbox_waiting(p_cap int) returns jsonb
language sql volatile security definer set search_path = public as $$
  select jsonb_build_object('waiting', count(*) filter (where counts),
    'oldest_seconds', extract(epoch from clock_timestamp() - min(written_at)))
  from (
    (select written_at, true as counts from workflow_outbox limit p_cap)
    union all
    (select written_at, false from workflow_outbox
     where case when change = 'ended' then 1 else 0 end = 0 order by next_attempt_at limit 100)
  ) rows
$$;
