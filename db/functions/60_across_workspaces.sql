-- The only functions that see across workspaces (security definer: they run as the owner, past row
-- security). They find who is asking, and what the reconciler has to do, the longest overdue first, past
-- `p_skip` of them that could not be done; they change nothing.

create or replace function api_key_find(p_hash text)
returns table (workspace text, id text, kind text, livemode boolean, expires_at timestamptz, revoked_at timestamptz)
language sql stable security definer set search_path = public as $$
  select k.workspace, k.id, k.kind, w.livemode, k.expires_at, k.revoked_at
  from api_key k join workspace w on w.id = k.workspace where k.hash = p_hash
$$;

-- The secrets that may speak at a provider's address without an endpoint, oldest first.
drop function if exists payment_secrets_find(text);
create or replace function payment_secrets_find(p_provider text)
returns table (workspace text, livemode boolean, endpoint text, secret text, mapping jsonb)
language sql stable security definer set search_path = public as $$
  select s.workspace, w.livemode, s.endpoint, s.secret, s.mapping
  from payment_secret s join workspace w on w.id = s.workspace
  where s.provider = p_provider and s.shared_address and (s.revoked_at is null or s.revoked_at > clock_timestamp())
  order by s.created_at, s.id
$$;

-- The secrets of one endpoint, newest first; none where the provider has no such endpoint.
create or replace function payment_endpoint_secrets(p_provider text, p_endpoint text)
returns table (workspace text, livemode boolean, endpoint text, secret text, mapping jsonb)
language sql stable security definer set search_path = public as $$
  select s.workspace, w.livemode, s.endpoint, s.secret, s.mapping
  from payment_secret s join workspace w on w.id = s.workspace
  where s.endpoint = p_endpoint and s.provider = p_provider
    and (s.revoked_at is null or s.revoked_at > clock_timestamp())
  order by s.created_at desc, s.id desc
$$;

drop function if exists net_overdue_redemptions(timestamptz, int);
create or replace function net_overdue_redemptions(p_before timestamptz, p_limit int, p_skip int default 0)
returns table (workspace text, id text, account text, reward text, expires_at timestamptz)
language sql stable security definer set search_path = public as $$
  select d.workspace, d.id, d.account, d.reward, d.expires_at
  from redemption d where d.status = 'pending' and d.expires_at <= p_before
  order by d.expires_at, d.workspace, d.id limit p_limit offset p_skip
$$;

drop function if exists net_overdue_fulfillments(timestamptz, int);
create or replace function net_overdue_fulfillments(p_before timestamptz, p_limit int, p_skip int default 0)
returns table (workspace text, id text)
language sql stable security definer set search_path = public as $$
  select d.workspace, d.id
  from redemption d where d.status = 'fulfillment_pending' and d.overdue_at <= p_before
  order by d.overdue_at, d.workspace, d.id limit p_limit offset p_skip
$$;

drop function if exists net_unprocessed_payments(timestamptz, int);
create or replace function net_unprocessed_payments(p_before timestamptz, p_limit int, p_skip int default 0)
returns table (workspace text, payment text, expires_at timestamptz)
language sql stable security definer set search_path = public as $$
  select i.workspace, i.payment, p.expires_at
  from inbox i left join payment p on p.workspace = i.workspace and p.id = i.payment
  where i.processed_at is null and i.received_at <= p_before and i.payment is not null
  group by i.workspace, i.payment, p.expires_at
  order by min(i.received_at), i.workspace, i.payment limit p_limit offset p_skip
$$;

drop function if exists net_expired_payments(timestamptz, int);
create or replace function net_expired_payments(p_before timestamptz, p_limit int, p_skip int default 0)
returns table (workspace text, payment text, expires_at timestamptz)
language sql stable security definer set search_path = public as $$
  select p.workspace, p.id, p.expires_at
  from payment p
  where p.expires_at <= p_before and p.status in ('requires_payment', 'processing')
  order by p.expires_at, p.workspace, p.id limit p_limit offset p_skip
$$;

-- Keys made before this, and never one of the last 24 hours, by which a repeat is still recognised.
create or replace function idempotency_forget(p_before timestamptz) returns bigint
language sql security definer set search_path = public as $$
  with gone as (delete from idempotency_key
    where created_at < least(p_before, clock_timestamp() - interval '24 hours') returning 1) select count(*) from gone
$$;

drop function if exists net_overdue_tier_reviews(timestamptz, int);
create or replace function net_overdue_tier_reviews(p_before timestamptz, p_limit int, p_skip int default 0)
returns table (workspace text, id text)
language sql stable security definer set search_path = public as $$
  select a.workspace, a.id from account a
  where a.tier_review_at <= p_before
  order by a.tier_review_at limit p_limit offset p_skip
$$;

drop function if exists net_maturing_earnings(timestamptz, int);
create or replace function net_maturing_earnings(p_before timestamptz, p_limit int, p_skip int default 0)
returns table (workspace text, source text)
language sql stable security definer set search_path = public as $$
  select e.workspace, e.source from earning e
  where e.outcome = 'pending' and e.matures_at <= p_before
  group by e.workspace, e.source
  order by min(e.matures_at), e.workspace, e.source limit p_limit offset p_skip
$$;
