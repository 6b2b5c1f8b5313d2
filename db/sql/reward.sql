-- What a member is offered, its stock and its limits.

-- What each of these rewards, and each of its variants, costs this member (smallest unit) and why
-- they may not redeem one now, in one statement that writes nothing. Null where there is no such
-- account.
-- @returns RewardEligibility[] | null
create or replace function ledger.catalogue_eligibility(
  p_workspace text, p_account text, p_rewards text[]
) returns jsonb
language plpgsql stable as $$
declare
  account_row account;
  now_at timestamptz := clock_timestamp();
  available bigint;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into account_row from account where workspace = p_workspace
    and id = account_survivor(p_workspace, p_account);
  if not found then
    return null;
  end if;
  available := account_available(account_row, now_at);
  return (
    select coalesce(jsonb_agg(jsonb_build_object('reward', offered.id, 'variant', offered.variant,
      'points', (offered.offer).cost, 'refusals',
      redemption_refusals(account_row, offered.offer, 1, available, now_at))),
      '[]')
    from (
      select reward_row.id, reward_variant.id as variant,
        reward_offer(reward_row, account_row, reward_variant.id, false) as offer
      from reward reward_row
      left join reward_variant on reward_variant.workspace = reward_row.workspace
        and reward_variant.reward = reward_row.id
      where reward_row.workspace = p_workspace and reward_row.id = any (p_rewards)
      offset 0
    ) offered);
end $$;

-- The reward as this member is offered it: at the price of the variant, else of the member's tier,
-- and with the variant's own stock, whose row is locked where `p_lock` and it is counted. Its id is
-- null where the variant does not exist, or none was named and the reward has some.
create or replace function ledger_private.reward_offer(
  reward_row reward, account_row account, p_variant text, p_lock boolean
) returns reward
language plpgsql as $$
declare
  variant_row reward_variant;
begin
  if reward_row.has_variants then
    select * into variant_row from reward_variant where workspace = reward_row.workspace
      and reward = reward_row.id and id = p_variant;
    if found and p_lock and variant_row.inventory is not null then
      select * into variant_row from reward_variant where workspace = reward_row.workspace
        and reward = reward_row.id and id = p_variant for update;
    end if;
    reward_row.inventory := variant_row.inventory;
    reward_row.active := reward_row.active and variant_row.active;
  end if;
  if reward_row.has_variants and variant_row.id is null or not reward_row.has_variants
    and p_variant is not null then
    reward_row.id := null;
  end if;
  reward_row.cost := coalesce(variant_row.cost,
    (reward_row.tier_costs ->> account_row.tier)::bigint, reward_row.cost);
  return reward_row;
end $$;

-- Takes stock (negative) or gives it back, of the variant or of the reward; where that has become
-- unlimited meanwhile nothing is counted. The caller knows by `took_stock` that it took some.
create or replace function ledger_private.stock_move(
  redemption_row redemption, p_by int
) returns void
language plpgsql as $$
begin
  if redemption_row.variant is null then
    update reward set inventory = greatest(inventory + p_by, 0)
    where workspace = redemption_row.workspace and id = redemption_row.reward
      and inventory is not null;
  else
    update reward_variant set inventory = greatest(inventory + p_by, 0)
    where workspace = redemption_row.workspace and reward = redemption_row.reward
      and id = redemption_row.variant and inventory is not null;
  end if;
end $$;

-- Locks the rewards, then the variants, of which these redemptions took stock; one alone needs
-- none: its return locks it.
create or replace function ledger_private.stock_lock(
  p_workspace text, p_redemptions redemption[]
) returns void
language plpgsql as $$
begin
  perform from reward
  where workspace = p_workspace
    and id in (select taker.reward from unnest(p_redemptions) taker where taker.took_stock
      and taker.variant is null)
  order by id for update;
  perform from reward_variant
  where workspace = p_workspace
    and (reward, id) in (select taker.reward, taker.variant from unnest(p_redemptions) taker
      where taker.took_stock)
  order by reward, id for update;
end $$;
