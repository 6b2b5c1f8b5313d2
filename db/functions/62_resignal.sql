-- What waits for its workflow, from the domain's own rows: for `resignal`, which gives Temporal every run anew
-- after either database was restored. Pages of any workspace in the order of (workspace, id), after the last
-- one; each row as the outbox has it, with the `id` that the next page begins after.

create or replace function resignal_row(
  p_workspace text, p_id text, p_workflow_id text, p_type text, p_input jsonb, p_start_at timestamptz, p_facts jsonb,
  p_revision bigint
) returns jsonb
language sql volatile as $$
  select jsonb_build_object('id', p_id, 'workspace', p_workspace, 'workflow_id', p_workflow_id, 'workflow_type', p_type,
    'input', p_input, 'facts', p_facts, 'revision', coalesce(p_revision, next_revision(null)), 'change', 'changed',
    'attempts', 0, 'lease', 0,
    'start_in_ms', greatest(0, ceil(extract(epoch from p_start_at - clock_timestamp()) * 1000)))
$$;

create or replace function resignal_redemptions(p_workspace text, p_id text, p_limit int) returns setof jsonb
language sql volatile security definer set search_path = public as $$
  select resignal_row(d.workspace, d.id, d.id, redemption_workflow(d), redemption_input(d),
    coalesce(d.expires_at, d.overdue_at), redemption_facts(d, p.status), d.revision)
  from redemption d left join payment p on p.workspace = d.workspace and p.id = d.payment
  where d.status in ('pending', 'fulfillment_pending') and (d.workspace, d.id) > (p_workspace, p_id)
  order by d.workspace, d.id limit p_limit
$$;

-- Open payments that expire, those with events that nothing came of, and whatever has points to mature.
create or replace function resignal_payments(p_workspace text, p_id text, p_limit int) returns setof jsonb
language sql volatile security definer set search_path = public as $$
  with sources as (
    select workspace, id, false as unfinished, null::timestamptz as matures_at from payment
    where expires_at is not null and status in ('requires_payment', 'processing')
    union all
    select workspace, payment, true, null from inbox where processed_at is null and payment is not null
    union all
    select workspace, source, false, matures_at from earning where outcome = 'pending'
  ),
  waiting as (
    select workspace, id, bool_or(unfinished) as unfinished, min(matures_at) as matures_at from sources
    where (workspace, id) > (p_workspace, p_id)
    group by workspace, id order by workspace, id limit p_limit
  )
  select resignal_row(w.workspace, w.id, w.workspace || '/' || w.id, 'payment',
    jsonb_build_object('workspace', w.workspace, 'payment', w.id, 'expiresAt', iso(p.expires_at)),
    case when not w.unfinished then least(w.matures_at,
      case when p.status in ('requires_payment', 'processing') then p.expires_at end) end,
    jsonb_build_object('status', p.status, 'expiresAt', iso(p.expires_at), 'maturesAt', iso(w.matures_at),
      'unfinished', w.unfinished), p.revision)
  from waiting w left join payment p on p.workspace = w.workspace and p.id = w.id
  order by w.workspace, w.id
$$;

-- At the spread of a date that many accounts share, as the outbox row of a check has it.
create or replace function resignal_expiries(p_workspace text, p_id text, p_limit int) returns setof jsonb
language sql volatile security definer set search_path = public as $$
  select resignal_row(a.workspace, a.id, 'expiry/' || a.workspace || '/' || a.id, 'accountExpiry',
    jsonb_build_object('workspace', a.workspace, 'account', a.id, 'wakesAt', iso(a.expiry_wake_at)),
    a.expiry_wake_at + case when expiry_is_shared(p, a.expiry_wake_at)
      then make_interval(secs => expiry_spread_ms(a.id) / 1000.0) else '0' end,
    jsonb_build_object('wakesAt', iso(a.expiry_wake_at), 'shared', expiry_is_shared(p, a.expiry_wake_at)), null)
  from account a join program p on p.workspace = a.workspace and p.id = a.program
  where a.expiry_wake_at is not null and a.merged_into is null and (a.workspace, a.id) > (p_workspace, p_id)
  order by a.workspace, a.id limit p_limit
$$;

create or replace function resignal_tier_reviews(p_workspace text, p_id text, p_limit int) returns setof jsonb
language sql volatile security definer set search_path = public as $$
  select resignal_row(a.workspace, a.id, a.workspace || '/' || a.id || '/tier', 'tierReview',
    jsonb_build_object('workspace', a.workspace, 'account', a.id, 'reviewsAt', iso(a.tier_review_at)),
    a.tier_review_at, jsonb_build_object('reviewsAt', iso(a.tier_review_at)), null)
  from account a
  where a.tier_review_at is not null and a.merged_into is null and (a.workspace, a.id) > (p_workspace, p_id)
  order by a.workspace, a.id limit p_limit
$$;

create or replace function resignal_bulks(p_workspace text, p_id text, p_limit int) returns setof jsonb
language sql volatile security definer set search_path = public as $$
  select resignal_row(b.workspace, b.id, b.id, 'bulkRun',
    jsonb_build_object('workspace', b.workspace, 'bulk', b.id), null, jsonb_build_object('status', b.status), null)
  from bulk b
  where b.status = 'running' and (b.workspace, b.id) > (p_workspace, p_id)
  order by b.workspace, b.id limit p_limit
$$;

create or replace function resignal_reassessments(p_workspace text, p_id text, p_limit int) returns setof jsonb
language sql volatile security definer set search_path = public as $$
  select resignal_row(r.workspace, r.program, r.workspace || '/' || r.program || '/tiers', 'tierReassessment',
    jsonb_build_object('workspace', r.workspace, 'program', r.program), null, '{}', null)
  from tier_reassessment r
  where r.ended_at is null and (r.workspace, r.program) > (p_workspace, p_id)
  order by r.workspace, r.program limit p_limit
$$;

create or replace function resignal_endpoints(p_workspace text, p_id text, p_limit int) returns setof jsonb
language sql volatile security definer set search_path = public as $$
  select resignal_row(w.workspace, w.id, w.id, 'webhook',
    jsonb_build_object('workspace', w.workspace, 'endpoint', w.id), null, '{}', null)
  from webhook_endpoint w
  where w.status = 'enabled' and (w.workspace, w.id) > (p_workspace, p_id) and exists (
    select from webhook_delivery d where d.workspace = w.workspace and d.endpoint = w.id and d.status = 'pending')
  order by w.workspace, w.id limit p_limit
$$;
