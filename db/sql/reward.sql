-- What a member is offered, its stock and its limits.

-- What each of these rewards, and each of its variants, costs this member (smallest unit) and why
-- they may not redeem one now, in one statement that writes nothing. Null where there is no such
-- account.
create or replace function ledger.catalogue_judge(
  p_workspace text, p_account text, p_rewards text[]
) returns jsonb
language plpgsql stable as $$
declare
  a account;
  at timestamptz := clock_timestamp();
  available bigint;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into a from account where workspace = p_workspace
    and id = account_survivor(p_workspace, p_account);
  if not found then
    return null;
  end if;
  available := account_available(a, at);
  return (
    select coalesce(jsonb_agg(jsonb_build_object('reward', x.id, 'variant', x.variant,
      'points', (x.offer).cost, 'refusals', redemption_refusals(a, x.offer, 1, available, at))),
      '[]')
    from (
      select r.id, v.id as variant, reward_offer(r, a, v.id, false) as offer
      from reward r
      left join reward_variant v on v.workspace = r.workspace and v.reward = r.id
      where r.workspace = p_workspace and r.id = any (p_rewards)
      offset 0
    ) x);
end $$;

-- The reward as this member is offered it: at the price of the variant, else of the member's tier,
-- and with the variant's own stock, whose row is locked where `p_lock` and it is counted. Its id is
-- null where the variant does not exist, or none was named and the reward has some.
create or replace function ledger_private.reward_offer(
  r reward, a account, p_variant text, p_lock boolean
) returns reward
language plpgsql as $$
declare
  v reward_variant;
begin
  if r.has_variants then
    select * into v from reward_variant where workspace = r.workspace and reward = r.id
      and id = p_variant;
    if found and p_lock and v.inventory is not null then
      select * into v from reward_variant where workspace = r.workspace and reward = r.id
        and id = p_variant for update;
    end if;
    r.inventory := v.inventory;
    r.active := r.active and v.active;
  end if;
  if r.has_variants and v.id is null or not r.has_variants and p_variant is not null then
    r.id := null;
  end if;
  r.cost := coalesce(v.cost, (r.tier_costs ->> a.tier)::bigint, r.cost);
  return r;
end $$;

-- Takes stock (negative) or gives it back, of the variant or of the reward; where that has become
-- unlimited meanwhile nothing is counted. The caller knows by `took_stock` that it took some.
create or replace function ledger_private.stock_move(d redemption, p_by int) returns void
language plpgsql as $$
begin
  if d.variant is null then
    update reward set inventory = greatest(inventory + p_by, 0)
    where workspace = d.workspace and id = d.reward and inventory is not null;
  else
    update reward_variant set inventory = greatest(inventory + p_by, 0)
    where workspace = d.workspace and reward = d.reward and id = d.variant
      and inventory is not null;
  end if;
end $$;

-- Locks the rewards, then the variants, of which these redemptions took stock; of one alone its
-- return locks it.
create or replace function ledger_private.stock_lock(
  p_workspace text, p_redemptions redemption[]
) returns void
language plpgsql as $$
begin
  if coalesce(cardinality(p_redemptions), 0) < 2 then
    return;
  end if;
  perform from reward r
  where r.workspace = p_workspace
    and r.id in (select d.reward from unnest(p_redemptions) d where d.took_stock
      and d.variant is null)
  order by r.id for update;
  perform from reward_variant v
  where v.workspace = p_workspace
    and (v.reward, v.id) in (select d.reward, d.variant from unnest(p_redemptions) d
      where d.took_stock)
  order by v.reward, v.id for update;
end $$;
