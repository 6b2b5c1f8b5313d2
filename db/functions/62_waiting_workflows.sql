-- Every workflow that something of the database waits for, in all workspaces, but for those that the outbox still
-- has to tell: each has a run. Not among them: accounts that an import or the reversal of a batch has written to,
-- whose expiry checks are the minute's batch's, and webhook endpoints, whose deliveries are their outbox.
create or replace function waiting_workflows() returns table (workspace text, workflow_id text, workflow_type text)
language sql stable security definer set search_path = public as $$
  select w.workspace, w.workflow_id, w.workflow_type
  from (
    select d.workspace, d.id as workflow_id, case when d.fulfillment is null then 'redemption' else 'fulfillment' end
      as workflow_type
    from redemption d where d.status in ('pending', 'fulfillment_pending')
    union all
    select p.workspace, p.workspace || '/' || p.id, 'payment'
    from payment p where p.status in ('requires_payment', 'processing') and p.expires_at is not null
    union
    select e.workspace, e.workspace || '/' || e.source, 'payment' from earning e where e.outcome = 'pending'
    union all
    select a.workspace, 'expiry/' || a.workspace || '/' || a.id, 'accountExpiry'
    from account a
    where a.expiry_wake_at > clock_timestamp() and a.merged_into is null and not exists (
      select from ptx t join bulk b on b.workspace = t.workspace and b.id = t.fingerprint
      where t.workspace = a.workspace and t.account in (select account_family(a.workspace, a.id)))
    union all
    select a.workspace, a.workspace || '/' || a.id || '/tier', 'tierReview'
    from account a where a.tier_review_at is not null
    union all
    select b.workspace, b.id, 'bulkRun' from bulk b where b.status = 'running'
    union all
    select r.workspace, r.workspace || '/' || r.program || '/tiers', 'tierReassessment'
    from tier_reassessment r where r.ended_at is null
  ) w
  where not exists (
    select from workflow_outbox o where o.workspace = w.workspace and o.workflow_id = w.workflow_id)
$$;
