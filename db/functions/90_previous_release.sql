-- What the API and the worker of the release before call, for as long as they run beside this one.

-- Tier reviews: their runs are told by the outbox, so that nobody finds any that is not told.
create or replace function tier_reviews_unarmed(p_limit int, p_skip int default 0)
returns table (workspace text, id text, tier_review_at timestamptz)
language sql stable security definer set search_path = public as $$
  select a.workspace, a.id, a.tier_review_at from account a where false
$$;

create or replace function tier_review_armed(p_workspace text, p_account text, p_review_at timestamptz) returns void
language sql as $$
  select
$$;
