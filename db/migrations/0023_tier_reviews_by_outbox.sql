DROP INDEX "account_tier_unarmed";--> statement-breakpoint
-- Reviews that no run was told of yet. Later ones are told of where they are written.
insert into workflow_outbox (workspace, workflow_id, workflow_type, input, start_at, facts, revision, change, written_at,
  next_attempt_at)
select a.workspace, a.workspace || '/' || a.id || '/tier', 'tierReview',
  jsonb_build_object('workspace', a.workspace, 'account', a.id, 'reviewsAt', r.at), a.tier_review_at,
  jsonb_build_object('reviewsAt', r.at), (extract(epoch from clock_timestamp()) * 1000000)::bigint, 'changed', now(), now()
from account a
cross join lateral (
  select to_char(a.tier_review_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at
) r
where a.tier_review_at is not null and a.tier_review_armed_at is distinct from a.tier_review_at
on conflict (workspace, workflow_id) do nothing;
