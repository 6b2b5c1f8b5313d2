-- What the API and the worker of the release before call, for as long as they run beside this one.

-- Tier reviews: their runs are told by the outbox, so that nobody finds any that is not told.
create or replace function tier_reviews_unarmed(p_limit int, p_skip int default 0)
returns table (workspace text, id text, tier_review_at timestamptz)
language sql stable security definer set search_path = public as $$
  select a.workspace, a.id, a.tier_review_at from account a where false
$$;

create or replace function tier_review_armed(
  p_workspace text, p_account text, p_review_at timestamptz
) returns void
language sql as $$
  select
$$;

-- Redemptions: it asked before it started the run, started that, and created the row then.
create or replace function redemption_precheck(
  p_workspace text, p_id text, p_account text, p_reward text, p_quantity int,
  p_default_hold_minutes numeric,
  p_variant text default null
) returns jsonb
language plpgsql stable as $$
declare
  stored redemption;
  r reward;
  quote jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into stored from redemption where workspace = p_workspace and id = p_id;
  if found then
    return jsonb_build_object('outcome', 'exists', 'redemption', to_jsonb(stored));
  end if;
  quote := redemption_quote(p_workspace, p_account, p_reward, p_variant, p_quantity,
    p_default_hold_minutes);
  if quote ->> 'outcome' = 'missing' then
    return quote;
  end if;
  select * into r from reward where workspace = p_workspace and id = p_reward;
  return quote || jsonb_build_object('at', clock_timestamp(), 'scarce', r.inventory is not null,
    'deadline_days', (r.fulfillment ->> 'deadlineDays')::int,
    'same_program', quote ->> 'nonsense' is distinct from 'reward');
end $$;

create or replace function redemption_create(
  p_workspace text, p_id text, p_account text, p_reward text, p_quantity int, p_at timestamptz,
  p_expires_at timestamptz, p_window_ms int, p_code text, p_fingerprint text, p_shipping jsonb,
  p_metadata jsonb, p_more jsonb default null
) returns jsonb
language plpgsql as $$
begin
  return redemption_create(p_workspace, p_id, p_account, p_reward, p_more ->> 'variant', p_quantity,
    30, p_code,
    p_fingerprint, p_shipping, p_metadata, p_more -> 'codes', p_at, p_expires_at);
end $$;

-- Tills: it started the run of what an event holds before it held it.
create or replace function event_hold(
  p_workspace text, p_id text, p_event_id text, p_fingerprint text, p_user text, p_account text,
  p_type text,
  p_type_version int, p_payload jsonb, p_occurred_at timestamptz, p_at timestamptz, p_plan jsonb,
  p_redemption text, p_expires_at timestamptz, p_window_ms int, p_code text, p_minor numeric,
  p_per numeric,
  p_currency text, p_decimals int
) returns jsonb
language plpgsql as $$
begin
  return event_hold(p_workspace, p_id, p_event_id, p_fingerprint, p_user, p_account, p_type,
    p_type_version, p_payload,
    p_occurred_at, p_at, p_plan, p_redemption, extract(epoch from p_expires_at - p_at) / 60, p_code,
    p_minor, p_per,
    p_currency, p_decimals);
end $$;

-- Payments: what payment_create would answer, by doing it and taking it all back.
create or replace function payment_create_dry_run(
  p_workspace text, p_id text, p_route text, p_key text, p_fingerprint text, p_amount bigint,
  p_currency text,
  p_customer text, p_metadata jsonb, p_refs jsonb, p_status text, p_awaits_confirmation boolean,
  p_event text, p_at timestamptz, p_expires_at timestamptz, p_store_credit jsonb
) returns jsonb
language plpgsql as $$
declare
  result jsonb;
begin
  begin
    result := payment_create(p_workspace, p_id, p_route, p_key, p_fingerprint, p_amount, p_currency,
      p_customer,
      p_metadata, p_refs, p_status, p_awaits_confirmation, p_event, p_at, p_expires_at,
      p_store_credit);
    raise exception using errcode = 'VR004', message = 'taken back';
  exception when sqlstate 'VR004' then
    null; -- what it answered outlives what it wrote
  end;
  return result;
end $$;

-- Payments: the payment as it is, whose workflow is told where an event of it waits; there are no
-- redemptions to tell.
create or replace function payment_current(p_workspace text, p_id text) returns jsonb
language plpgsql stable as $$
declare
  pay payment;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into pay from payment where workspace = p_workspace and id = p_id;
  if not found then
    return jsonb_build_object('outcome', 'missing', 'subject', p_id);
  end if;
  return payment_outcome(pay, 'unchanged');
end $$;
