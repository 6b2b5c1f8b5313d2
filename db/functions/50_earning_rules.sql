-- n / d for n >= 0, d > 0, rounded once by the program's mode; exact, whatever decimals n and d have.
create or replace function divided(p_n numeric, p_d numeric, p_rounding text) returns numeric
language sql immutable parallel safe as $$
  select div(p_n, p_d) + case p_rounding
    when 'up' then (mod(p_n, p_d) > 0)::int
    when 'nearest' then (2 * mod(p_n, p_d) >= p_d)::int
    else 0 end
$$;

-- What an award gives, in the program's smallest unit; null where it does not name the currency. The
-- rule's and the tier's multiplier multiply each other and the award; all of it is rounded once.
-- No single award is larger than the largest movement (10^12 units).
create or replace function earning_points(
  p_award jsonb, p_multiplier numeric, p_tier_multiplier numeric, p_amount bigint, p_currency text,
  p_decimals int, p_rounding text
) returns bigint
language plpgsql immutable parallel safe as $$
declare
  factor numeric := p_multiplier * p_tier_multiplier * ('1e' || p_decimals)::numeric;
  rate jsonb;
begin
  if p_award ? 'fixed' then
    return least(divided((p_award ->> 'fixed')::numeric * factor, 1, p_rounding), 1000000000000);
  end if;
  rate := case
    when p_award ? 'per_currency' then p_award -> 'per_currency' -> lower(p_currency)
    when p_award #>> '{per_amount,currency}' = lower(p_currency) then p_award -> 'per_amount' end;
  if rate is null or p_amount is null then
    return null;
  end if;
  return least(
    divided((rate ->> 'points')::numeric * p_amount * factor, (rate ->> 'amount')::numeric, p_rounding),
    1000000000000);
end $$;

-- Whether a rule speaks of something that happened at `p_on`: within its dates (the start included,
-- the end not), and all of its conditions hold.
create or replace function earning_rule_matches(
  r earning_rule, p_amount bigint, p_currency text, p_metadata jsonb, p_on timestamptz
) returns boolean
language sql immutable as $$
  select coalesce(r.starts_at <= p_on, true) and coalesce(r.ends_at > p_on, true)
    and coalesce(coalesce(p_amount, 0) >= (r.conditions ->> 'min_amount')::bigint, true)
    and (r.conditions ->> 'currency' is null or r.conditions ->> 'currency' = lower(p_currency))
    and coalesce(p_metadata, '{}') @> coalesce(r.conditions -> 'metadata', '{}')
$$;

-- What is left of a rule's cap for the account in the window that `p_on` falls into, in the smallest
-- unit; null where the rule has none. Windows are days, weeks (from Monday) and months of the program's
-- time zone. What refunds took back does not count; what is pending does.
create or replace function earning_cap_left(p program, r earning_rule, p_account text, p_on timestamptz)
returns bigint
language plpgsql stable as $$
declare
  win text := r.cap ->> 'window';
  from_time timestamptz;
  to_time timestamptz;
  used bigint;
begin
  if r.cap is null then
    return null;
  end if;
  if win <> 'lifetime' then
    from_time := date_trunc(win, p_on, p.expiry_time_zone);
    to_time := (date_trunc(win, p_on at time zone p.expiry_time_zone) + ('1 ' || win)::interval)
      at time zone p.expiry_time_zone;
  end if;
  select coalesce(sum(e.points - e.clawed), 0) into used
  from earning e
  where e.workspace = r.workspace and e.rule = r.id and e.outcome <> 'none'
    and e.account in (select account_family(r.workspace, p_account))
    and (from_time is null or (e.earned_on >= from_time and e.earned_on < to_time));
  return greatest(trunc((r.cap ->> 'points')::numeric * ('1e' || p.decimals)::numeric)::bigint - used, 0);
end $$;
