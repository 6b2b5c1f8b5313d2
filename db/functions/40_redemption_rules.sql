-- Why this account may not redeem this reward now: every reason, the reward's first; an empty
-- array where it may. The one judge of creation, quotes, gifts and the catalogue. Numbers of
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
  elsif r.codes is not null and r.codes ? 'pool' and not codes_left(r.workspace, r.codes ->> 'pool', p_quantity) then
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

-- Of what nobody could ever ask for, the parameter that is wrong: a reward of another program, a percentage
-- twice, an address for what is not shipped. Null where there is nothing of it.
create or replace function redemption_nonsense(a account, r reward, p_quantity int, p_shipping jsonb) returns text
language sql immutable as $$
  select case
    when r.program <> a.program then 'reward'
    when r.type = 'discount_percent' and p_quantity > 1 then 'quantity'
    when p_shipping is not null and r.type not in ('free_product', 'gift_card', 'partner') then 'shipping'
  end
$$;

-- How long a reward's discount waits for its payment, in minutes: the reward's own word, the program's, the default.
create or replace function redemption_hold_minutes(r reward, p program, p_default_minutes numeric) returns numeric
language sql immutable as $$
  select coalesce(r.hold_minutes, p.hold_minutes, p_default_minutes)
$$;

-- What would become of a redemption now, in one statement that writes nothing. Outcomes: judged; missing.
create or replace function redemption_quote(
  p_workspace text, p_account text, p_reward text, p_variant text, p_quantity int, p_default_hold_minutes numeric
) returns jsonb
language plpgsql stable as $$
declare
  a account;
  r reward;
  p program;
  now timestamptz := clock_timestamp();
  available bigint;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into a from account where workspace = p_workspace and id = account_survivor(p_workspace, p_account);
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
  available := account_available(a, now);
  return jsonb_build_object(
    'outcome', 'judged',
    'hold_minutes', redemption_hold_minutes(r, p, p_default_hold_minutes),
    'reward_type', r.type,
    'account', a.id,
    'points', r.cost * p_quantity,
    'available', available,
    'value', r.value,
    'codes', r.codes,
    'decimals', p.decimals,
    'nonsense', redemption_nonsense(a, r, p_quantity, null),
    'refusals', redemption_refusals(a, r, p_quantity, available, now));
end $$;
