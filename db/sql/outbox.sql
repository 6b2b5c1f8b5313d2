-- The outbox: which workflow must be started or signalled, written in the transaction that changed
-- its row. Whoever changes a payment, a redemption or an account holds its lock, so that no two of
-- them meet on its outbox row; whoever only has a run look again (the reconciler) may wait there
-- for a writer's commit. What a sender does with rows is past row security, for it has rows of many
-- workspaces: by the keys of rows that it was given, and for the worker alone by the claim. Whoever
-- has a row's lock is about to change it, and sends it then: nothing of a sender waits. Rows are
-- looked up one by one and changed by their places (ctid): the plan of a join would depend on how
-- many rows the planner expects, and a vacuum amid a burst tells it that there are none.

-- Deletes rows that were sent, unless they changed meanwhile or somebody has them: then they are
-- sent again, which changes nothing. What was said of one that Temporal refused before is settled.
create or replace function ledger.outbox_sent(
  p_workspaces text[], p_workflow_ids text[], p_revisions bigint[]
) returns int
language sql volatile security definer as $$
  with sent as (
    select waiting.ctid
    from unnest(p_workspaces, p_workflow_ids, p_revisions) handed (workspace, workflow_id, revision)
    cross join lateral (
      select ctid from workflow_outbox
      where workspace = handed.workspace and workflow_id = handed.workflow_id
        and revision = handed.revision
      limit 1 for update skip locked
    ) waiting
  ),
  gone as (delete from workflow_outbox
    where workflow_outbox.ctid = any (array(select ctid from sent))
    returning workflow_outbox.workspace, workflow_outbox.workflow_id, workflow_outbox.attempts),
  settled as (update attention set settled_at = clock_timestamp() from gone
    where gone.attempts > 0 and attention.workspace = gone.workspace
      and attention.kind = 'workflow_refused' and attention.key = gone.workflow_id)
  select count(*)::int from gone
$$;

-- These rows as they are now, for their holder once more: for 30 s from now. Left out is what was
-- sent, changed or given to another since.
-- @returns OutboxRow
create or replace function ledger.outbox_renew(
  p_workspaces text[], p_workflow_ids text[], p_leases bigint[]
)
returns setof jsonb
language sql volatile security definer as $$
  update workflow_outbox set next_attempt_at = clock_timestamp() + interval '30 seconds'
  where ctid = any (array(select outbox_held(p_workspaces, p_workflow_ids, p_leases)))
  returning outbox_row(workflow_outbox)
$$;

-- Makes rows due at once that their holder will not send.
create or replace function ledger.outbox_release(
  p_workspaces text[], p_workflow_ids text[], p_leases bigint[]
) returns int
language sql volatile security definer as $$
  with due as (update workflow_outbox set next_attempt_at = clock_timestamp()
    where ctid = any (array(select outbox_held(p_workspaces, p_workflow_ids, p_leases)))
    returning 1)
  select count(*)::int from due
$$;

-- Temporal refused this call itself: counted on the row, which is tried again after 2, 4, 8 s and
-- so on, at most ten minutes, and noted for a person. Nothing where the row has changed since.
create or replace function ledger.outbox_refused(
  p_workspace text, p_workflow_id text, p_revision bigint, p_error text
) returns void
language plpgsql security definer as $$
declare
  refused workflow_outbox;
  now timestamptz := clock_timestamp();
  refusal jsonb;
begin
  update workflow_outbox set attempts = attempts + 1, last_error = p_error,
    next_attempt_at = now + least(interval '10 minutes',
      interval '2 seconds' * power(2, least(attempts, 10)))
  where workspace = p_workspace and workflow_id = p_workflow_id and revision = p_revision
  returning * into refused;
  if not found then
    return;
  end if;
  refusal := jsonb_build_object('workflow_type', refused.workflow_type, 'change', refused.change,
    'error', p_error);
  perform attention_raise(p_workspace, 'workflow_refused', p_workflow_id, refusal, now);
end $$;

-- Gives the sweep up to `p_limit` rows that are due, for 30 s. Those that wait come before those
-- that have ended, and of each half of the places go to the newest, so that a million old ones keep
-- no new one waiting. By the index alone, whatever the planner knows of a table that was empty a
-- minute ago.
-- @returns OutboxRow
create or replace function ledger.outbox_claim(p_limit int) returns setof jsonb
language sql volatile security definer
set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off as $$
  with oldest as materialized (
    select ctid from workflow_outbox
    where case when change = 'ended' then 1 else 0 end = 0 and next_attempt_at <= now()
    order by next_attempt_at limit p_limit - p_limit / 2
    for update skip locked
  ),
  newest as materialized (
    select ctid from workflow_outbox
    where case when change = 'ended' then 1 else 0 end = 0 and next_attempt_at <= now()
    order by next_attempt_at desc limit p_limit / 2
    for update skip locked
  ),
  waiting as materialized (select * from oldest union select * from newest),
  ended_oldest as materialized (
    select ctid from workflow_outbox
    where case when change = 'ended' then 1 else 0 end = 1 and next_attempt_at <= now()
    order by next_attempt_at limit (select (p_limit - count(*) + 1) / 2 from waiting)
    for update skip locked
  ),
  ended_newest as materialized (
    select ctid from workflow_outbox
    where case when change = 'ended' then 1 else 0 end = 1 and next_attempt_at <= now()
    order by next_attempt_at desc limit (select (p_limit - count(*)) / 2 from waiting)
    for update skip locked
  ),
  due as (select * from waiting union select * from ended_oldest union select * from ended_newest)
  update workflow_outbox set next_attempt_at = clock_timestamp() + interval '30 seconds'
  where workflow_outbox.ctid = any (array(select ctid from due))
  returning outbox_row(workflow_outbox)
$$;

-- How many rows wait, counted up to `p_cap`, and since how many seconds the oldest does (null: none
-- waits): of those counted, and of those that have been due the longest.
-- @returns OutboxBacklog
create or replace function ledger.outbox_waiting(p_cap int) returns jsonb
language sql volatile security definer as $$
  select jsonb_build_object('waiting', count(*) filter (where counts),
    'oldest_seconds', extract(epoch from clock_timestamp() - min(written_at)))
  from (
    (select written_at, true as counts from workflow_outbox limit p_cap)
    union all
    (select written_at, false from workflow_outbox
     where case when change = 'ended' then 1 else 0 end = 0 order by next_attempt_at limit 100)
  ) rows
$$;

-- Makes outbox rows due at once that were written before `p_before` and not sent: whoever had them
-- is gone, or nobody sweeps. Those that Temporal refused keep their own time, of at most ten
-- minutes. Whoever has one still sends it too, which changes nothing. Returns how many it found, at
-- most `p_limit`.
create or replace function ledger.outbox_make_due(p_before timestamptz, p_limit int) returns int
language plpgsql security definer as $$
declare
  found_rows int;
  now timestamptz := clock_timestamp();
begin
  with overdue as (
    select ctid from workflow_outbox
    where written_at <= p_before
      and (attempts = 0 or next_attempt_at <= p_before
        or next_attempt_at > now + interval '10 minutes')
    limit p_limit
    for update skip locked
  ),
  due as (
    update workflow_outbox set next_attempt_at = now
    where workflow_outbox.ctid = any (array(select ctid from overdue))
      and workflow_outbox.next_attempt_at > now
  )
  select count(*)::int from overdue into found_rows;
  return found_rows;
end $$;

-- Redemptions that wait for their payment or their fulfilment.
-- @returns WaitingRow
create or replace function ledger.resignal_redemptions(
  p_workspace text, p_id text, p_limit int
) returns setof jsonb
language sql volatile security definer as $$
  select resignal_row(redemption.workspace, redemption.id, redemption.id,
    redemption_workflow(redemption), redemption_input(redemption),
    coalesce(redemption.expires_at, redemption.overdue_at),
      redemption_facts(redemption, payment.status), redemption.revision)
  from redemption left join payment on payment.workspace = redemption.workspace
    and payment.id = redemption.payment
  where redemption.status in ('pending', 'fulfillment_pending')
    and (redemption.workspace, redemption.id) > (p_workspace, p_id)
  order by redemption.workspace, redemption.id limit p_limit
$$;

-- Open payments that expire, those with events that nothing came of, and whatever has points to
-- mature.
-- @returns WaitingRow
create or replace function ledger.resignal_payments(
  p_workspace text, p_id text, p_limit int
) returns setof jsonb
language sql volatile security definer as $$
  with sources as (
    select workspace, id, false as unfinished, null::timestamptz as matures_at from payment
    where expires_at is not null and status in ('requires_payment', 'processing')
    union all
    select workspace, payment, true, null from inbox where processed_at is null
      and payment is not null
    union all
    select workspace, source, false, matures_at from earning where outcome = 'pending'
  ),
  waiting as (
    select workspace, id, bool_or(unfinished) as unfinished, min(matures_at) as matures_at
    from sources
    where (workspace, id) > (p_workspace, p_id)
    group by workspace, id order by workspace, id limit p_limit
  )
  select resignal_row(waiting.workspace, waiting.id, waiting.workspace || '/' || waiting.id,
    'payment', jsonb_build_object('workspace', waiting.workspace, 'payment', waiting.id,
      'expiresAt', iso(payment.expires_at)),
    case when not waiting.unfinished then least(waiting.matures_at,
      case when payment.status in ('requires_payment', 'processing')
        then payment.expires_at end) end,
    jsonb_build_object('status', payment.status, 'expiresAt', iso(payment.expires_at),
      'maturesAt', iso(waiting.matures_at), 'unfinished', waiting.unfinished),
    payment.revision)
  from waiting left join payment on payment.workspace = waiting.workspace
    and payment.id = waiting.id
  order by waiting.workspace, waiting.id
$$;

-- At the spread of a date that many accounts share, as the outbox row of a check has it.
-- @returns WaitingRow
create or replace function ledger.resignal_expiries(
  p_workspace text, p_id text, p_limit int
) returns setof jsonb
language sql volatile security definer as $$
  select resignal_row(account.workspace, account.id,
    'expiry/' || account.workspace || '/' || account.id, 'accountExpiry',
    jsonb_build_object('workspace', account.workspace, 'account', account.id,
      'wakesAt', iso(account.expiry_wake_at)),
    account.expiry_wake_at + case when expiry_is_shared(program_row, account.expiry_wake_at)
      then make_interval(secs => expiry_spread_ms(account.id) / 1000.0) else '0' end,
    jsonb_build_object('wakesAt', iso(account.expiry_wake_at),
      'shared', expiry_is_shared(program_row, account.expiry_wake_at)), null)
  from account join program program_row on program_row.workspace = account.workspace
    and program_row.id = account.program
  where account.expiry_wake_at is not null and account.merged_into is null
    and (account.workspace, account.id) > (p_workspace, p_id)
  order by account.workspace, account.id limit p_limit
$$;

-- Accounts whose tier is to be reviewed.
-- @returns WaitingRow
create or replace function ledger.resignal_tier_reviews(
  p_workspace text, p_id text, p_limit int
) returns setof jsonb
language sql volatile security definer as $$
  select resignal_row(workspace, id, workspace || '/' || id || '/tier', 'tierReview',
    jsonb_build_object('workspace', workspace, 'account', id, 'reviewsAt', iso(tier_review_at)),
    tier_review_at, jsonb_build_object('reviewsAt', iso(tier_review_at)), null)
  from account
  where tier_review_at is not null and merged_into is null and (workspace, id) > (p_workspace, p_id)
  order by workspace, id limit p_limit
$$;

-- Erasures of members that are not completed.
-- @returns WaitingRow
create or replace function ledger.resignal_erasures(
  p_workspace text, p_id text, p_limit int
) returns setof jsonb
language sql volatile security definer as $$
  select resignal_row(workspace, account, 'erasure/' || workspace || '/' || account, 'erasure',
    jsonb_build_object('workspace', workspace, 'account', account), null, '{}', null)
  from erasure
  where status <> 'completed' and (workspace, account) > (p_workspace, p_id)
  order by workspace, account limit p_limit
$$;

-- Imports and reversals that are not done.
-- @returns WaitingRow
create or replace function ledger.resignal_bulks(
  p_workspace text, p_id text, p_limit int
) returns setof jsonb
language sql volatile security definer as $$
  select resignal_row(workspace, id, id, 'bulkRun',
    jsonb_build_object('workspace', workspace, 'bulk', id), null,
    jsonb_build_object('status', status), null)
  from bulk
  where status = 'running' and (workspace, id) > (p_workspace, p_id)
  order by workspace, id limit p_limit
$$;

-- Approvals that nobody has settled.
-- @returns WaitingRow
create or replace function ledger.resignal_approvals(
  p_workspace text, p_id text, p_limit int
) returns setof jsonb
language sql volatile security definer as $$
  select resignal_row(workspace, id, id, 'approval', approval_input(approval), null,
    approval_facts(approval), revision)
  from approval
  where status = 'pending' and (workspace, id) > (p_workspace, p_id)
  order by workspace, id limit p_limit
$$;

-- Walks over the members of a program that are not done.
-- @returns WaitingRow
create or replace function ledger.resignal_reassessments(
  p_workspace text, p_id text, p_limit int
) returns setof jsonb
language sql volatile security definer as $$
  select resignal_row(workspace, program, workspace || '/' || program || '/tiers',
    'tierReassessment', jsonb_build_object('workspace', workspace, 'program', program), null,
    '{}', null)
  from tier_reassessment
  where ended_at is null and (workspace, program) > (p_workspace, p_id)
  order by workspace, program limit p_limit
$$;

-- Endpoints with deliveries that wait.
-- @returns WaitingRow
create or replace function ledger.resignal_endpoints(
  p_workspace text, p_id text, p_limit int
) returns setof jsonb
language sql volatile security definer as $$
  select resignal_row(webhook_endpoint.workspace, webhook_endpoint.id, webhook_endpoint.id,
    'webhook', jsonb_build_object('workspace', webhook_endpoint.workspace,
      'endpoint', webhook_endpoint.id), null, '{}', null)
  from webhook_endpoint
  where webhook_endpoint.status = 'enabled'
    and (webhook_endpoint.workspace, webhook_endpoint.id) > (p_workspace, p_id) and exists (
    select from webhook_delivery where workspace = webhook_endpoint.workspace
      and endpoint = webhook_endpoint.id and status = 'pending')
  order by webhook_endpoint.workspace, webhook_endpoint.id limit p_limit
$$;

-- Every workflow that something of the database waits for, in all workspaces, but for those that
-- the outbox still has to tell: each has a run. Not among them: accounts that an import or the
-- reversal of a batch has written to, whose expiry checks are the minute's batch's, and webhook
-- endpoints, whose deliveries are their outbox.
create or replace function ledger.waiting_workflows()
returns table (workspace text, workflow_id text, workflow_type text)
language sql stable security definer as $$
  select waiting.workspace, waiting.workflow_id, waiting.workflow_type
  from (
    select workspace, id as workflow_id,
      case when fulfillment is null then 'redemption' else 'fulfillment' end as workflow_type
    from redemption where status in ('pending', 'fulfillment_pending')
    union all
    select workspace, workspace || '/' || id, 'payment'
    from payment where status in ('requires_payment', 'processing') and expires_at is not null
    union
    select workspace, workspace || '/' || source, 'payment' from earning
    where outcome = 'pending'
    union all
    select account.workspace, 'expiry/' || account.workspace || '/' || account.id, 'accountExpiry'
    from account
    where account.expiry_wake_at > clock_timestamp() and account.merged_into is null
      and not exists (
      select from ptx join bulk on bulk.workspace = ptx.workspace and bulk.id = ptx.fingerprint
      where ptx.workspace = account.workspace
        and ptx.account in (select account_family(account.workspace, account.id)))
    union all
    select workspace, workspace || '/' || id || '/tier', 'tierReview'
    from account where tier_review_at is not null
    union all
    select workspace, id, 'bulkRun' from bulk where status = 'running'
    union all
    select workspace, 'erasure/' || workspace || '/' || account, 'erasure' from erasure
    where status <> 'completed'
    union all
    select workspace, id, 'approval' from approval where status = 'pending'
    union all
    select workspace, workspace || '/' || program || '/tiers', 'tierReassessment'
    from tier_reassessment where ended_at is null
  ) waiting
  where not exists (
    select from workflow_outbox where workspace = waiting.workspace
      and workflow_id = waiting.workflow_id)
$$;

-- The places of those of these rows that are still their holder's, locked; whoever else has the
-- lock of one is about to change it.
create or replace function ledger_private.outbox_held(
  p_workspaces text[], p_workflow_ids text[], p_leases bigint[]
) returns setof tid
language sql volatile as $$
  select waiting.ctid
  from unnest(p_workspaces, p_workflow_ids, p_leases) handed (workspace, workflow_id, lease)
  cross join lateral (
    select ctid from workflow_outbox
    where workspace = handed.workspace and workflow_id = handed.workflow_id
      and outbox_lease(next_attempt_at) = handed.lease
    limit 1 for update skip locked
  ) waiting
$$;

-- What waits for its workflow, from the domain's own rows: for `resignal`, which gives Temporal
-- every run anew after either database was restored. Pages of any workspace in the order of
-- (workspace, id), after the last one; each row as the outbox has it, with the `id` that the next
-- page begins after.

-- An outbox row that was never written, with the id that a page begins after.
create or replace function ledger_private.resignal_row(
  p_workspace text, p_id text, p_workflow_id text, p_type text, p_input jsonb,
  p_start_at timestamptz, p_facts jsonb, p_revision bigint
) returns jsonb
language sql volatile as $$
  select jsonb_build_object('id', p_id, 'workspace', p_workspace, 'workflow_id', p_workflow_id,
    'workflow_type', p_type,
    'input', p_input, 'facts', p_facts, 'revision', coalesce(p_revision, next_revision(null)),
    'change', 'changed',
    'attempts', 0, 'lease', 0,
    'start_in_ms', greatest(0, ceil(extract(epoch from p_start_at - clock_timestamp()) * 1000)))
$$;
