-- What the API and the worker of the release before call, for as long as they run beside this one:
-- where their search_path looks, and with no right but the caller's.

-- Tier reviews: their runs are told by the outbox, so that nobody finds any that is not told.
create or replace function public.tier_reviews_unarmed(p_limit int, p_skip int default 0)
returns table (workspace text, id text, tier_review_at timestamptz)
language sql stable as $$
  select account.workspace, account.id, account.tier_review_at from account where false
$$;

create or replace function public.tier_review_armed(
  p_workspace text, p_account text, p_review_at timestamptz
) returns void
language sql as $$
  select
$$;

-- Redemptions: it asked before it started the run, started that, and created the row then.
create or replace function public.redemption_precheck(
  p_workspace text, p_id text, p_account text, p_reward text, p_quantity int,
  p_default_hold_minutes numeric, p_variant text default null
) returns jsonb
language plpgsql stable as $$
declare
  stored redemption;
  reward_row reward;
  quote jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into stored from redemption where workspace = p_workspace and id = p_id;
  if found then
    return jsonb_build_object('outcome', 'exists', 'redemption', to_jsonb(stored));
  end if;
  quote := ledger.redemption_quote(p_workspace, p_account, p_reward, p_variant, p_quantity,
    p_default_hold_minutes);
  if quote ->> 'outcome' = 'missing' then
    return quote;
  end if;
  select * into reward_row from reward where workspace = p_workspace and id = p_reward;
  return quote || jsonb_build_object('outcome', 'judged', 'nonsense', quote -> 'invalid_param',
    'at', clock_timestamp(), 'scarce', reward_row.inventory is not null,
    'deadline_days', (reward_row.fulfillment ->> 'deadlineDays')::int,
    'same_program', quote ->> 'invalid_param' is distinct from 'reward');
end $$;

create or replace function public.redemption_create(
  p_workspace text, p_id text, p_account text, p_reward text, p_quantity int, p_at timestamptz,
  p_expires_at timestamptz, p_window_ms int, p_code text, p_fingerprint text, p_shipping jsonb,
  p_metadata jsonb, p_more jsonb default null
) returns jsonb
language plpgsql as $$
declare
  created jsonb;
begin
  created := ledger.redemption_create(p_workspace, p_id, p_account, p_reward, p_more ->> 'variant',
    p_quantity, 30, p_code, p_fingerprint, p_shipping, p_metadata, p_more -> 'codes', p_at,
    p_expires_at);
  return created || case when created ->> 'outcome' = 'invalid'
    then '{"outcome": "nonsense"}'::jsonb else '{}' end;
end $$;

-- Tills: it started the run of what an event holds before it held it.
create or replace function public.event_hold(
  p_workspace text, p_id text, p_event_id text, p_fingerprint text, p_user text, p_account text,
  p_type text, p_type_version int, p_payload jsonb, p_occurred_at timestamptz, p_at timestamptz,
  p_plan jsonb, p_redemption text, p_expires_at timestamptz, p_window_ms int, p_code text,
  p_minor numeric, p_per numeric, p_currency text, p_decimals int
) returns jsonb
language plpgsql as $$
begin
  return ledger.event_hold(p_workspace, p_id, p_event_id, p_fingerprint, p_user, p_account, p_type,
    p_type_version, p_payload, p_occurred_at, p_at, p_plan, p_redemption,
    extract(epoch from p_expires_at - p_at) / 60, p_code, p_minor, p_per, p_currency, p_decimals);
end $$;

-- Payments: what payment_create would answer, by doing it and taking it all back.
create or replace function public.payment_create_dry_run(
  p_workspace text, p_id text, p_route text, p_key text, p_fingerprint text, p_amount bigint,
  p_currency text, p_customer text, p_metadata jsonb, p_refs jsonb, p_status text,
  p_awaits_confirmation boolean, p_event text, p_at timestamptz, p_expires_at timestamptz,
  p_store_credit jsonb
) returns jsonb
language plpgsql as $$
declare
  result jsonb;
begin
  begin
    result := ledger.payment_create(p_workspace, p_id, p_route, p_key, p_fingerprint, p_amount,
      p_currency,
      p_customer, p_metadata, p_refs, p_status, p_awaits_confirmation, p_event, p_at, p_expires_at,
      p_store_credit);
    raise exception using errcode = 'VR004', message = 'taken back';
  exception when sqlstate 'VR004' then
    null; -- what it answered outlives what it wrote
  end;
  return result;
end $$;

-- Payments: the payment as it is, whose workflow is told where an event of it waits; there are no
-- redemptions to tell.
create or replace function public.payment_current(p_workspace text, p_id text) returns jsonb
language plpgsql stable as $$
declare
  payment_row payment;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into payment_row from payment where workspace = p_workspace and id = p_id;
  if not found then
    return jsonb_build_object('outcome', 'missing', 'subject', p_id);
  end if;
  return jsonb_build_object('outcome', 'unchanged', 'payment', to_jsonb(payment_row));
end $$;

-- Everything else is where it was, in another schema.

create or replace function public.account_balance_at(
  p_workspace text, p_account text, p_at timestamptz
) returns bigint
language sql stable as $$
  select ledger.account_balance_at(p_workspace, p_account, p_at)
$$;

create or replace function public.account_create(
  p_workspace text, p_id text, p_program text, p_customer text, p_metadata jsonb, p_route text,
  p_key text, p_fingerprint text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.account_create(p_workspace, p_id, p_program, p_customer, p_metadata, p_route, p_key,
    p_fingerprint, p_at)
$$;

-- Its next check was called `wakes_at`.
create or replace function public.account_expire(
  p_workspace text, p_account text, p_at timestamptz
) returns jsonb
language sql as $$
  select check_of.result || jsonb_build_object('wakes_at', check_of.result -> 'next_check_at')
  from ledger.account_expire(p_workspace, p_account, p_at) check_of (result)
$$;

create or replace function public.account_family(p_workspace text, p_account text)
returns setof text
language sql stable rows 1 as $$
  select * from ledger.account_family(p_workspace, p_account)
$$;

create or replace function public.account_merge(
  p_workspace text, p_source text, p_target text, p_route text, p_key text, p_fingerprint text,
  p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.account_merge(p_workspace, p_source, p_target, p_route, p_key, p_fingerprint, p_at)
$$;

create or replace function public.account_pending(p_workspace text, p_account text) returns bigint
language sql stable as $$
  select ledger.account_pending(p_workspace, p_account)
$$;

create or replace function public.account_set_status(
  p_workspace text, p_id text, p_status text, p_route text, p_key text, p_fingerprint text,
  p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.account_set_status(p_workspace, p_id, p_status, p_route, p_key, p_fingerprint, p_at)
$$;

create or replace function public.account_survivor(
  p_workspace text, p_account text
) returns text
language sql stable as $$
  select ledger.account_survivor(p_workspace, p_account)
$$;

create or replace function public.account_update(
  p_workspace text, p_id text, p_change jsonb, p_route text, p_key text, p_fingerprint text,
  p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.account_update(p_workspace, p_id, p_change, p_route, p_key, p_fingerprint, p_at)
$$;

create or replace function public.account_view(p_workspace text, p_id text) returns jsonb
language sql stable as $$
  select ledger.account_view(p_workspace, p_id)
$$;

create or replace function public.accounts_expire(
  p_workspace text, p_accounts text[], p_at timestamptz
) returns int
language sql as $$
  select ledger.accounts_expire(p_workspace, p_accounts, p_at)
$$;

create or replace function public.all_programs() returns table (workspace text, program text)
language sql stable as $$
  select * from ledger.all_programs()
$$;

create or replace function public.api_key_find(p_hash text)
returns table (workspace text, id text, kind text, livemode boolean, expires_at timestamptz,
  revoked_at timestamptz)
language sql stable as $$
  select k.workspace, k.id, k.kind, k.livemode, k.expires_at, k.revoked_at
  from ledger.api_key_find(p_hash) k
$$;

create or replace function public.bulk_cancel(
  p_workspace text, p_bulk text, p_at timestamptz
) returns void
language sql as $$
  select ledger.bulk_cancel(p_workspace, p_bulk, p_at)
$$;

create or replace function public.bulk_complete(
  p_workspace text, p_bulk text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.bulk_complete(p_workspace, p_bulk, p_at)
$$;

create or replace function public.bulk_post_chunk(
  p_workspace text, p_bulk text, p_no int, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.bulk_post_chunk(p_workspace, p_bulk, p_no, p_at)
$$;

create or replace function public.bulk_reverse_chunk(
  p_workspace text, p_bulk text, p_limit int, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.bulk_reverse_chunk(p_workspace, p_bulk, p_limit, p_at)
$$;

create or replace function public.bulk_upload_adopt(
  p_workspace text, p_upload text, p_bulk text
) returns int
language sql as $$
  select ledger.bulk_upload_adopt(p_workspace, p_upload, p_bulk)
$$;

create or replace function public.bulk_upload_forget(p_workspace text, p_upload text) returns void
language sql as $$
  select ledger.bulk_upload_forget(p_workspace, p_upload)
$$;

create or replace function public.bulk_upload_keep(
  p_workspace text, p_upload text, p_no int, p_rows text
) returns boolean
language sql as $$
  select ledger.bulk_upload_keep(p_workspace, p_upload, p_no, p_rows)
$$;

create or replace function public.bulk_upload_open(
  p_workspace text, p_upload text, p_most int
) returns boolean
language sql as $$
  select ledger.bulk_upload_open(p_workspace, p_upload, p_most)
$$;

create or replace function public.catalogue_judge(
  p_workspace text, p_account text, p_rewards text[]
) returns jsonb
language sql stable as $$
  select ledger.catalogue_eligibility(p_workspace, p_account, p_rewards)
$$;

create or replace function public.codes_upload(
  p_workspace text, p_pool text, p_batch text, p_codes jsonb, p_route text, p_key text,
  p_fingerprint text, p_at timestamptz
) returns jsonb
language plpgsql as $$
begin
  return ledger.codes_upload(p_workspace, p_pool, p_batch, p_codes, p_route, p_key, p_fingerprint,
    p_at);
exception when sqlstate 'VR001' then -- it catches no refusal here
  return jsonb_build_object('outcome', 'refused', 'refusal', sqlerrm::jsonb);
end $$;

create or replace function public.credit_account_expire(
  p_workspace text, p_account text, p_at timestamptz
) returns int
language sql as $$
  select ledger.credit_account_expire(p_workspace, p_account, p_at)
$$;

create or replace function public.credit_liability(
  p_workspace text, p_program text, p_at timestamptz
) returns jsonb
language sql stable as $$
  select ledger.credit_liability(p_workspace, p_program, p_at)
$$;

create or replace function public.credit_wallets(p_workspace text, p_account text) returns jsonb
language sql stable as $$
  select ledger.credit_wallets(p_workspace, p_account)
$$;

create or replace function public.day_zone(
  p_workspace text, p_program text, p_account text
) returns text
language sql stable as $$
  select ledger.day_zone(p_workspace, p_program, p_account)
$$;

create or replace function public.decimals_keep(p_workspace text, p_program text) returns void
language sql as $$
  select ledger.decimals_keep(p_workspace, p_program)
$$;

create or replace function public.decimals_kept(
  p_workspace text, p_program text, p_decimals int
) returns void
language sql as $$
  select ledger.decimals_kept(p_workspace, p_program, p_decimals)
$$;

create or replace function public.event_precheck(
  p_workspace text, p_event_id text, p_type text, p_user text, p_reactors text,
  p_occurred_at timestamptz
) returns jsonb
language sql stable as $$
  select ledger.event_precheck(p_workspace, p_event_id, p_type, p_user, p_reactors, p_occurred_at)
$$;

create or replace function public.event_report(
  p_workspace text, p_id text, p_event_id text, p_fingerprint text, p_user text, p_account text,
  p_type text, p_type_version int, p_payload jsonb, p_occurred_at timestamptz, p_at timestamptz,
  p_strict boolean, p_plan jsonb, p_dry_run boolean, p_decimals int
) returns jsonb
language sql as $$
  select ledger.event_report(p_workspace, p_id, p_event_id, p_fingerprint, p_user, p_account,
    p_type, p_type_version, p_payload, p_occurred_at, p_at, p_strict, p_plan, p_dry_run, p_decimals)
$$;

create or replace function public.event_undo(
  p_workspace text, p_id text, p_event_id text, p_fingerprint text, p_user text, p_type text,
  p_type_version int, p_payload jsonb, p_reverses text, p_points bigint, p_occurred_at timestamptz,
  p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.event_undo(p_workspace, p_id, p_event_id, p_fingerprint, p_user, p_type,
    p_type_version, p_payload, p_reverses, p_points, p_occurred_at, p_at)
$$;

create or replace function public.fulfillment_cancel(
  p_workspace text, p_id text, p_reason text, p_operation text, p_fingerprint text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.fulfillment_cancel(p_workspace, p_id, p_reason, p_operation, p_fingerprint, p_at)
$$;

create or replace function public.fulfillment_overdue(
  p_workspace text, p_id text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.fulfillment_overdue(p_workspace, p_id, p_at)
$$;

create or replace function public.fulfillment_ship(
  p_workspace text, p_id text, p_quantity int, p_tracking text, p_carrier text, p_operation text,
  p_fingerprint text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.fulfillment_ship(p_workspace, p_id, p_quantity, p_tracking, p_carrier, p_operation,
    p_fingerprint, p_at)
$$;

create or replace function public.idempotency_claim(
  p_workspace text, p_route text, p_key text, p_fingerprint text, p_resource text, p_at timestamptz
) returns idempotency_key
language sql as $$
  select ledger.idempotency_claim(p_workspace, p_route, p_key, p_fingerprint, p_resource, p_at)
$$;

create or replace function public.idempotency_forget(p_before timestamptz) returns bigint
language sql as $$
  select ledger.idempotency_forget(p_before)
$$;

create or replace function public.ledger_roll_up() returns int
language sql as $$
  select ledger.ledger_roll_up()
$$;

create or replace function public.liability_periods(
  p_workspace text, p_program text, p_from date, p_to date, p_period text
)
returns table (period date, opening bigint, earned bigint, spent bigint, expired bigint,
  clawed_back bigint, adjusted bigint, closing bigint, value numeric, currency text,
  liability_minor numeric)
language sql stable as $$
  select * from ledger.liability_periods(p_workspace, p_program, p_from, p_to, p_period)
$$;

create or replace function public.liability_report(
  p_workspace text, p_program text, p_at timestamptz
) returns jsonb
language sql stable as $$
  select ledger.liability_report(p_workspace, p_program, p_at)
$$;

create or replace function public.liability_snapshot(
  p_workspace text, p_program text, p_midnight timestamptz
) returns boolean
language sql as $$
  select ledger.liability_snapshot(p_workspace, p_program, p_midnight)
$$;

create or replace function public.local_midnight(p_date date, p_zone text) returns timestamptz
language sql immutable as $$
  select ledger.local_midnight(p_date, p_zone)
$$;

create or replace function public.lot_due_at(
  l lot, p_activity_extends_to timestamptz
) returns timestamptz
language sql immutable as $$
  select ledger.lot_due_at(l, p_activity_extends_to)
$$;

create or replace function public.member_forget(
  p_workspace text, p_id text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.member_forget(p_workspace, p_id, p_at)
$$;

create or replace function public.member_identify(
  p_workspace text, p_id text, p_account text, p_kind text, p_value text, p_label text,
  p_route text, p_key text, p_fingerprint text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.member_identify(p_workspace, p_id, p_account, p_kind, p_value, p_label, p_route,
    p_key, p_fingerprint, p_at)
$$;

create or replace function public.member_pepper_of(p_workspace text, p_fresh text) returns text
language sql as $$
  select ledger.member_pepper_of(p_workspace, p_fresh)
$$;

create or replace function public.member_presented(
  p_workspace text, p_kind text, p_value text, p_step bigint, p_by text
) returns jsonb
language sql as $$
  select ledger.member_presented(p_workspace, p_kind, p_value, p_step, p_by)
$$;

create or replace function public.member_view(p_workspace text, p_user text) returns jsonb
language sql stable as $$
  select ledger.member_view(p_workspace, p_user)
$$;

create or replace function public.net_due_credits(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, account text)
language sql stable as $$
  select * from ledger.credits_overdue(p_before, p_limit, p_skip)
$$;

create or replace function public.net_due_expiries(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, account text)
language sql stable as $$
  select * from ledger.expiry_checks_overdue(p_before, p_limit, p_skip)
$$;

create or replace function public.net_expired_payments(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, payment text, expires_at timestamptz)
language sql stable as $$
  select * from ledger.payments_overdue(p_before, p_limit, p_skip)
$$;

create or replace function public.net_forget_uploads(p_limit int) returns int
language sql as $$
  select ledger.bulk_uploads_forget_dead(p_limit)
$$;

create or replace function public.net_maturing_earnings(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, source text)
language sql stable as $$
  select * from ledger.earnings_overdue(p_before, p_limit, p_skip)
$$;

create or replace function public.net_overdue_fulfillments(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, id text)
language sql stable as $$
  select * from ledger.fulfillments_overdue(p_before, p_limit, p_skip)
$$;

create or replace function public.net_overdue_redemptions(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, id text, account text, reward text, expires_at timestamptz)
language sql stable as $$
  select * from ledger.redemptions_overdue(p_before, p_limit, p_skip)
$$;

create or replace function public.net_overdue_tier_reviews(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, id text)
language sql stable as $$
  select * from ledger.tier_reviews_overdue(p_before, p_limit, p_skip)
$$;

create or replace function public.net_stalled_bulks(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, bulk text)
language sql stable as $$
  select * from ledger.bulks_stalled(p_before, p_limit, p_skip)
$$;

create or replace function public.net_stalled_reassessments(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, program text)
language sql stable as $$
  select * from ledger.reassessments_stalled(p_before, p_limit, p_skip)
$$;

create or replace function public.net_undelivered(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, endpoint text)
language sql stable as $$
  select * from ledger.endpoints_undelivered(p_before, p_limit, p_skip)
$$;

create or replace function public.net_unprocessed_payments(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, payment text, expires_at timestamptz)
language sql stable as $$
  select * from ledger.payments_unprocessed(p_before, p_limit, p_skip)
$$;

create or replace function public.payment_create(
  p_workspace text, p_id text, p_route text, p_key text, p_fingerprint text, p_amount bigint,
  p_currency text, p_customer text, p_metadata jsonb, p_refs jsonb, p_status text,
  p_awaits_confirmation boolean, p_event text, p_at timestamptz, p_expires_at timestamptz,
  p_store_credit jsonb default null
) returns jsonb
language sql as $$
  select ledger.payment_create(p_workspace, p_id, p_route, p_key, p_fingerprint, p_amount,
    p_currency, p_customer, p_metadata, p_refs, p_status, p_awaits_confirmation, p_event, p_at,
    p_expires_at, p_store_credit)
$$;

create or replace function public.payment_endpoint_secrets(p_provider text, p_endpoint text)
returns table (workspace text, livemode boolean, endpoint text, secret text, mapping jsonb)
language sql stable as $$
  select * from ledger.payment_endpoint_secrets(p_provider, p_endpoint)
$$;

create or replace function public.payment_move(
  p_workspace text, p_id text, p_status text, p_event text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.payment_move(p_workspace, p_id, p_status, p_event, p_at)
$$;

create or replace function public.payment_move_asked(
  p_workspace text, p_id text, p_status text, p_event text, p_at timestamptz, p_route text,
  p_key text, p_fingerprint text
) returns jsonb
language sql as $$
  select ledger.payment_move_request(p_workspace, p_id, p_status, p_event, p_at, p_route, p_key,
    p_fingerprint)
$$;

create or replace function public.payment_process(
  p_workspace text, p_id text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.payment_process(p_workspace, p_id, p_at)
$$;

create or replace function public.payment_reconciliation(
  p_workspace text, p_program text, p_from timestamptz, p_to timestamptz, p_limit int
) returns jsonb
language sql stable as $$
  select ledger.payment_reconciliation(p_workspace, p_program, p_from, p_to, p_limit)
$$;

create or replace function public.payment_replay_award(
  p_workspace text, p_id text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.payment_replay_award(p_workspace, p_id, p_at)
$$;

create or replace function public.payment_secrets_find(p_provider text)
returns table (workspace text, livemode boolean, endpoint text, secret text, mapping jsonb)
language sql stable as $$
  select * from ledger.payment_secrets_find(p_provider)
$$;

create or replace function public.payment_take_in(
  p_workspace text, p_provider text, p_endpoint text, p_event text, p_type text, p_payload jsonb,
  p_payment jsonb, p_status text, p_at timestamptz, p_more jsonb, p_content jsonb
) returns jsonb
language sql as $$
  select ledger.payment_take_in(p_workspace, p_provider, p_endpoint, p_event, p_type, p_payload,
    p_payment, p_status, p_at, p_more, p_content)
$$;

create or replace function public.point_value_note(
  p program, p_value numeric, p_currency text, p_at timestamptz
) returns void
language sql as $$
  select ledger.point_value_note(p, p_value, p_currency, p_at)
$$;

create or replace function public.points_post(
  p_workspace text, p_account text, p_type text, p_amount bigint, p_reason text, p_operation text,
  p_fingerprint text, p_at timestamptz, p_expires_at timestamptz, p_batch text, p_source jsonb,
  p_metadata jsonb, p_allow_negative boolean, p_decimals int default null
) returns jsonb
language sql as $$
  select ledger.points_post(p_workspace, p_account, p_type, p_amount, p_reason, p_operation,
    p_fingerprint, p_at, p_expires_at, p_batch, p_source, p_metadata, p_allow_negative, p_decimals)
$$;

create or replace function public.points_post_batch(
  p_workspace text, p_operation text, p_fingerprint text, p_at timestamptz, p_rows jsonb
) returns jsonb
language sql as $$
  select ledger.points_post_batch(p_workspace, p_operation, p_fingerprint, p_at, p_rows)
$$;

create or replace function public.points_reverse(
  p_workspace text, p_ptx text, p_reason text, p_operation text, p_fingerprint text,
  p_metadata jsonb, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.points_reverse(p_workspace, p_ptx, p_reason, p_operation, p_fingerprint, p_metadata,
    p_at)
$$;

create or replace function public.program_rewake(
  p_workspace text, p_program text, p_at timestamptz
) returns int
language sql as $$
  select ledger.expiry_checks_earlier(p_workspace, p_program, p_at)
$$;

create or replace function public.redemption_apply(
  p_workspace text, p_id text, p_payment text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.redemption_apply(p_workspace, p_id, p_payment, p_at)
$$;

create or replace function public.redemption_confirm(
  p_workspace text, p_id text, p_operation text, p_fingerprint text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.redemption_confirm(p_workspace, p_id, p_operation, p_fingerprint, p_at)
$$;

create or replace function public.redemption_extend(
  p_workspace text, p_id text, p_minutes int, p_operation text, p_fingerprint text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.redemption_extend(p_workspace, p_id, p_minutes, p_operation, p_fingerprint, p_at)
$$;

create or replace function public.redemption_release(
  p_workspace text, p_id text, p_cause text, p_payment text, p_operation text, p_fingerprint text,
  p_reason text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.redemption_release(p_workspace, p_id, p_cause, p_payment, p_operation,
    p_fingerprint, p_reason, p_at)
$$;

create or replace function public.redemption_reverse(
  p_workspace text, p_id text, p_points bigint, p_quantity int, p_reason text, p_operation text,
  p_fingerprint text, p_at timestamptz, p_refund text, p_refund_event text
) returns jsonb
language sql as $$
  select ledger.redemption_reverse(p_workspace, p_id, p_points, p_quantity, p_reason, p_operation,
    p_fingerprint, p_at, p_refund, p_refund_event)
$$;

create or replace function public.refund_create(
  p_workspace text, p_id text, p_payment text, p_amount bigint, p_reason text,
  p_return_redemption boolean, p_metadata jsonb, p_route text, p_key text, p_fingerprint text,
  p_event text, p_at timestamptz, p_store_credit bigint default 0
) returns jsonb
language sql as $$
  select ledger.refund_create(p_workspace, p_id, p_payment, p_amount, p_reason, p_return_redemption,
    p_metadata, p_route, p_key, p_fingerprint, p_event, p_at, p_store_credit)
$$;

create or replace function public.settings_merge(
  p_workspace text, p_change jsonb, p_most int, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.settings_merge(p_workspace, p_change, p_most, p_at)
$$;

create or replace function public.settings_read(p_workspace text) returns jsonb
language sql stable as $$
  select ledger.settings_read(p_workspace)
$$;

create or replace function public.survivors_of_customer(
  p_workspace text, p_customer text
) returns setof text
language sql stable rows 1 as $$
  select * from ledger.survivors_of_customer(p_workspace, p_customer)
$$;

create or replace function public.tier_reassess(
  p_workspace text, p_account text, p_at timestamptz
) returns boolean
language sql as $$
  select ledger.tier_reassess(p_workspace, p_account, p_at)
$$;

create or replace function public.tier_reassess_begin(
  p_workspace text, p_program text, p_at timestamptz
) returns void
language sql as $$
  select ledger.tier_reassess_start(p_workspace, p_program, p_at)
$$;

create or replace function public.tier_reassess_note(
  p_workspace text, p_program text, p_revision int, p_through text, p_judged int, p_ended boolean,
  p_at timestamptz
) returns boolean
language sql as $$
  select ledger.tier_reassess_note(p_workspace, p_program, p_revision, p_through, p_judged, p_ended,
    p_at)
$$;

create or replace function public.tier_reassess_page(
  p_workspace text, p_program text, p_most int
) returns jsonb
language sql as $$
  select ledger.tier_reassess_page(p_workspace, p_program, p_most)
$$;

create or replace function public.tier_review(
  p_workspace text, p_account text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.tier_review(p_workspace, p_account, p_at)
$$;

create or replace function public.tier_set(
  p_workspace text, p_account text, p_tier text, p_note text, p_route text, p_key text,
  p_fingerprint text, p_at timestamptz
) returns jsonb
language sql as $$
  select ledger.tier_set(p_workspace, p_account, p_tier, p_note, p_route, p_key, p_fingerprint,
    p_at)
$$;

create or replace function public.tier_standing(
  p_workspace text, p_accounts text[], p_at timestamptz
)
returns table (account text, qualify_on text, qualifying bigint, next_tier jsonb,
  next_threshold bigint, lapses_at timestamptz)
language sql stable as $$
  select * from ledger.tier_standing(p_workspace, p_accounts, p_at)
$$;

create or replace function public.webhook_disable(
  w webhook_endpoint, p_reason text
) returns webhook_endpoint
language sql as $$
  select ledger.webhook_disable(w, p_reason)
$$;

create or replace function public.webhook_due(p_workspace text, p_asked jsonb) returns jsonb
language sql stable as $$
  select ledger.webhook_due(p_workspace, p_asked)
$$;

create or replace function public.webhook_next_due(p_workspace text, p_endpoint text) returns jsonb
language sql as $$
  select ledger.webhook_next_due(p_workspace, p_endpoint)
$$;

create or replace function public.webhook_replay(
  p_workspace text, p_endpoint text, p_operation text, p_events text[], p_from timestamptz,
  p_to timestamptz
) returns jsonb
language sql as $$
  select ledger.webhook_replay(p_workspace, p_endpoint, p_operation, p_events, p_from, p_to)
$$;

create or replace function public.webhook_rest(p_workspace text, p_endpoint text) returns void
language sql as $$
  select ledger.webhook_rest(p_workspace, p_endpoint)
$$;

create or replace function public.webhook_settle(
  p_workspace text, p_endpoint text, p_delivery text, p_attempt int, p_try jsonb, p_ok boolean,
  p_gone boolean, p_retry_ms bigint, p_failing_ms bigint
) returns jsonb
language sql as $$
  select ledger.webhook_settle(p_workspace, p_endpoint, p_delivery, p_attempt, p_try, p_ok, p_gone,
    p_retry_ms, p_failing_ms)
$$;

create or replace function public.webhook_take(
  p_workspace text, p_endpoint text, p_taken text[], p_limit int, p_busy_ms int
) returns jsonb
language sql as $$
  select ledger.webhook_take(p_workspace, p_endpoint, p_taken, p_limit, p_busy_ms)
$$;

create or replace function public.webhook_test(
  p_workspace text, p_endpoint text, p_event text
) returns text
language sql as $$
  select ledger.webhook_test(p_workspace, p_endpoint, p_event)
$$;

create or replace function public.webhook_waiting(p_workspace text) returns jsonb
language sql stable as $$
  select ledger.webhook_waiting(p_workspace)
$$;

-- What its `reconcile` proves the books with; the owner runs that.

create or replace function public.event_gifts(o reported_event) returns text[]
language sql immutable as $$
  select ledger_private.event_gifts(o)
$$;

create or replace function public.event_names(p_type text) returns text[]
language sql immutable parallel safe as $$
  select ledger_private.event_names(p_type)
$$;

create or replace function public.expiry_wake(
  p program, p_due timestamptz, p_at timestamptz
) returns timestamptz
language sql stable as $$
  select ledger_private.expiry_check_at(p, p_due, p_at)
$$;

create or replace function public.fulfillment_left(d redemption) returns int
language sql immutable as $$
  select ledger_private.fulfillment_left(d)
$$;

create or replace function public.ptx_part(t ptx) returns text
language sql stable as $$
  select ledger_private.ptx_part(t)
$$;

create or replace function public.redemption_is_returned(d redemption) returns boolean
language sql immutable as $$
  select ledger_private.redemption_is_returned(d)
$$;

create or replace function public.tier_named(p program, p_name text) returns jsonb
language sql immutable as $$
  select ledger_private.tier_named(p, p_name)
$$;

create or replace function public.vinr_id_from(p_prefix text, p_at timestamptz) returns text
language sql immutable parallel safe as $$
  select ledger_private.vinr_id_from(p_prefix, p_at)
$$;
