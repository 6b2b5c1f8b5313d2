-- Why this account may not redeem this reward now: every reason, the reward's first; an empty
-- array where it may. The one judge of pre-check, create, quote and the catalogue. Numbers of
-- points are in the smallest unit.
create or replace function redemption_refusals(
  a account, r reward, p_quantity int, p_available bigint, p_at timestamptz
) returns jsonb
language plpgsql stable as $$
declare
  reasons jsonb := '[]';
  used bigint;
  win record;
  tiers jsonb;
begin
  if a.status = 'closed' then
    reasons := reasons || '{"code": "account_closed"}'::jsonb;
  end if;
  if not r.active or r.archived_at is not null then
    reasons := reasons || '{"code": "reward_inactive"}'::jsonb;
  end if;
  if r.starts_at > p_at then
    reasons := reasons || jsonb_build_object('code', 'reward_not_started', 'starts_at', r.starts_at);
  end if;
  if r.ends_at <= p_at then
    reasons := reasons || jsonb_build_object('code', 'reward_ended', 'ends_at', r.ends_at);
  end if;
  if r.inventory < p_quantity then
    reasons := reasons || jsonb_build_object('code', 'reward_out_of_stock', 'inventory', r.inventory);
  elsif r.codes ? 'pool' and not codes_left(r.workspace, r.codes ->> 'pool', p_quantity) then
    reasons := reasons || '{"code": "reward_out_of_stock"}'::jsonb;
  end if;
  if r.min_tier is not null then
    select tier_config -> 'tiers' into tiers from program where workspace = a.workspace and id = a.program;
    if coalesce(tier_rank(tiers, a.tier), -1) < coalesce(tier_rank(tiers, r.min_tier), 2147483647) then
      reasons := reasons || jsonb_build_object('code', 'tier_required', 'min_tier', r.min_tier, 'tier', a.tier);
    end if;
  end if;
  if r.per_member_limit is not null then
    win := limit_window(r, p_at);
    select coalesce(sum(quantity - reversed_quantity), 0) into used from redemption
    where workspace = a.workspace and account = a.id and reward = r.id
      and status not in ('released', 'reversed') and created_at >= coalesce(win.from_time, '-infinity');
    if used + p_quantity > r.per_member_limit then
      reasons := reasons || (jsonb_build_object('code', 'limit_reached', 'limit', r.per_member_limit, 'used', used)
        || jsonb_strip_nulls(jsonb_build_object('window', nullif(r.limit_window, 'lifetime'), 'resets_at', win.to_time)));
    end if;
  end if;
  if r.cost * p_quantity > p_available then
    reasons := reasons || points_missing(r.cost * p_quantity, p_available);
  end if;
  return reasons;
end $$;

-- The rank of a tier by its name; null where the program has no such tier.
create or replace function tier_rank(p_tiers jsonb, p_name text) returns int
language plpgsql immutable as $$
begin
  return (
    select (tier ->> 'rank')::int from jsonb_array_elements(p_tiers) tier where tier ->> 'name' = p_name);
end $$;

-- All a create needs to know before it arms its workflow, in one statement that writes nothing: a
-- stored redemption with this id, the first reason against it, the hold, and the database's time,
-- from which the deadline is computed once.
drop function if exists redemption_precheck(text, text, text, text, int, numeric);
create or replace function redemption_precheck(
  p_workspace text, p_id text, p_account text, p_reward text, p_quantity int, p_default_hold_minutes numeric,
  p_variant text default null
) returns jsonb
language plpgsql stable as $$
declare
  stored redemption;
  a account;
  r reward;
  p program;
  at timestamptz := clock_timestamp();
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into stored from redemption where workspace = p_workspace and id = p_id;
  if found then
    return jsonb_build_object('outcome', 'exists', 'redemption', to_jsonb(stored));
  end if;
  select * into a from account where workspace = p_workspace and id = p_account;
  while a.merged_into is not null loop
    select * into a from account where workspace = p_workspace and id = a.merged_into;
  end loop;
  if a.id is null then
    return '{"outcome": "missing", "param": "account"}';
  end if;
  select * into r from reward where workspace = p_workspace and id = p_reward;
  if not found then
    return '{"outcome": "missing", "param": "reward"}';
  end if;
  if r.has_variants or r.tier_costs is not null or p_variant is not null then
    r := reward_offer(r, a, p_variant, false);
    if r.id is null then
      return jsonb_build_object('outcome', 'missing', 'param', 'variant', 'has_variants', r.has_variants);
    end if;
  end if;
  select * into p from program where workspace = p_workspace and id = a.program;
  return jsonb_build_object(
    'outcome', 'judged',
    'at', at,
    'hold_minutes', coalesce(r.hold_minutes, p.hold_minutes, p_default_hold_minutes),
    'reward_type', r.type,
    'deadline_days', (r.fulfillment ->> 'deadlineDays')::int,
    'same_program', r.program = a.program,
    'account', a.id,
    'points', r.cost * p_quantity,
    'available', account_available(a, at),
    'value', r.value,
    'codes', r.codes,
    'scarce', r.inventory is not null,
    'decimals', p.decimals,
    'refusals', redemption_refusals(a, r, p_quantity, account_available(a, at), at));
end $$;
