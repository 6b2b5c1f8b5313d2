-- Spends points on a reward: judges and writes, one transaction under the account's lock, once by the
-- redemption's id. Its time is the database's, read under the lock, and so is what it is due at: `p_at` and
-- `p_due_at` are null but for the release before and for tests. Outcomes: created; exists (the stored one as it
-- is now, nothing written); refused; nonsense (nobody could ask for it); missing; codes_needed, where the gift card's codes are to be made and
-- `p_codes` ([{hash, sealed, last4}]) brings too few or known ones. Judged ones bring the program's decimals.
create or replace function redemption_create(
  p_workspace text, p_id text, p_account text, p_reward text, p_variant text, p_quantity int,
  p_default_hold_minutes numeric, p_code text, p_fingerprint text, p_shipping jsonb, p_metadata jsonb,
  p_codes jsonb, p_at timestamptz, p_due_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  a account;
  r reward;
  p program;
  d redemption;
  now timestamptz;
  nonsense text;
  refusal jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  a := account_locked(p_workspace, p_account);
  select * into d from redemption where workspace = p_workspace and id = p_id;
  if found then
    return jsonb_build_object('outcome', 'exists', 'redemption', to_jsonb(d));
  elsif a.id is null then
    return '{"outcome": "missing", "param": "account"}';
  end if;
  now := coalesce(p_at, clock_timestamp());
  select * into r from reward where workspace = p_workspace and id = p_reward;
  if not found then
    return '{"outcome": "missing", "param": "reward"}';
  elsif r.inventory >= p_quantity then -- where it is gone already nobody waits for another's lock to hear so
    select * into r from reward where workspace = p_workspace and id = p_reward for update;
  end if;
  if r.has_variants or r.tier_costs is not null or p_variant is not null then
    r := reward_offer(r, a, p_variant, true);
    if r.id is null then
      return jsonb_build_object('outcome', 'missing', 'param', 'variant', 'has_variants', r.has_variants);
    end if;
  end if;
  select * into p from program where workspace = p_workspace and id = a.program;
  if a.lots_due_from <= now then
    a := lots_expire(a, now);
  end if;
  nonsense := redemption_nonsense(a, r, p_quantity, p_shipping);
  if nonsense is not null then
    return jsonb_build_object('outcome', 'nonsense', 'param', nonsense);
  end if;
  refusal := redemption_refusals(a, r, p_quantity, greatest(a.balance, 0), now) -> 0;
  if refusal is not null then
    return jsonb_build_object('outcome', 'refused', 'refusal', refusal, 'decimals', p.decimals);
  end if;

  d.workspace := p_workspace;
  d.id := p_id;
  d.account := a.id;
  d.reward := r.id;
  d.program := a.program;
  d.points := r.cost * p_quantity;
  d.quantity := p_quantity;
  d.variant := p_variant;
  d.took_stock := r.inventory is not null;
  d.fingerprint := p_fingerprint;
  d.metadata := p_metadata;
  d.created_at := now;
  d := redemption_artifact(d, r, p_code, coalesce(p_due_at,
    redemption_due_at(r, redemption_hold_minutes(r, p, p_default_hold_minutes), now)), p_shipping);
  if r.codes is not null then
    d.gift_cards := gift_cards_take(d, r, p_codes, now);
    if d.gift_cards is null and r.codes ? 'pool' then
      return jsonb_build_object('outcome', 'refused', 'refusal', '{"code": "reward_out_of_stock"}'::jsonb,
        'decimals', p.decimals);
    elsif d.gift_cards is null then
      return jsonb_build_object('outcome', 'codes_needed', 'codes', r.codes);
    end if;
  end if;
  return jsonb_build_object('outcome', 'created', 'redemption', redemption_insert(d, a, now), 'decimals', p.decimals);
end $$;

-- When what was redeemed at `p_at` is due: a discount returns its points then, an item is overdue (30 days where
-- the reward does not say: longer than any parcel takes, short enough that nobody's points are forgotten). To the
-- millisecond, as workflows tell time.
create or replace function redemption_due_at(r reward, p_hold_minutes numeric, p_at timestamptz) returns timestamptz
language sql stable as $$ -- as date_trunc is; an immutable one would not be inlined, but planned by each call
  select date_trunc('milliseconds', p_at + case
    when r.type in ('discount_amount', 'discount_percent') then make_interval(secs => p_hold_minutes * 60)
    else make_interval(hours => 24 * coalesce((r.fulfillment ->> 'deadlineDays')::int, 30)) end)
$$;

-- Writes a new redemption, whatever brought it: its row, the points and the stock it takes, the credit it grants,
-- its event, whose data it returns, and what its workflow is to be told. The account's lock is held, the balance
-- suffices. Where another request has just written the same id, for another account, all is taken back and
-- tried again (40001).
create or replace function redemption_insert(d redemption, a account, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
  snapshot jsonb;
begin
  d.reversed_points := 0;
  d.reversed_quantity := 0;
  d.took_stock := coalesce(d.took_stock, false);
  d.revision := next_revision(null);
  if d.points > 0 then
    d.transaction := vinr_id('ptx');
  end if;
  insert into redemption values (d.*) on conflict (workspace, id) do nothing;
  if not found then
    raise exception 'redemption % was created meanwhile', d.id using errcode = '40001';
  end if;
  if d.points > 0 then
    perform points_spend(a, d, d.id, p_at);
  end if;
  if d.took_stock then
    perform stock_move(d, -d.quantity);
  end if;
  if d.credit is not null then
    perform credit_issue(a, d, p_at);
  end if;
  snapshot := to_jsonb(d);
  perform event_write(d.workspace, 'loyalty.redemption.created', d.id, snapshot, null, p_at);
  if d.status in ('pending', 'fulfillment_pending') then
    perform outbox_write(d.workspace, d.id, redemption_workflow(d), redemption_input(d),
      coalesce(d.expires_at, d.overdue_at), redemption_facts(d, null), d.revision, 'new');
  end if;
  return snapshot;
end $$;

-- What the redemption grants and the state it starts in, by the reward's type. A discount waits
-- for its payment until `p_expires_at`; store credit, and a gift card that has its codes, is fulfilled at
-- once; everything else waits for its fulfilment, which is overdue from then on.
create or replace function redemption_artifact(
  d redemption, r reward, p_code text, p_expires_at timestamptz, p_shipping jsonb
) returns redemption
language plpgsql stable as $$
begin
  case
    when r.type = 'discount_amount' then
      d.status := 'pending';
      d.code := p_code;
      d.expires_at := p_expires_at;
      d.discount := jsonb_build_object(
        'amount', (r.value ->> 'amount')::bigint * d.quantity, 'currency', r.value ->> 'currency');
    when r.type = 'discount_percent' then
      d.status := 'pending';
      d.code := p_code;
      d.expires_at := p_expires_at;
      d.discount := r.value;
    when r.type = 'store_credit' then
      d.status := 'fulfilled';
      d.fulfilled_at := d.created_at;
      d.credit := jsonb_build_object(
        'amount', (r.value ->> 'amount')::bigint * d.quantity, 'currency', r.value ->> 'currency')
        || jsonb_strip_nulls(jsonb_build_object('expires_at',
          d.created_at + make_interval(days => (r.value ->> 'expiresDays')::int)));
    when r.codes is not null then
      d.status := 'fulfilled';
      d.fulfilled_at := d.created_at;
    else
      d.status := 'fulfillment_pending';
      d.overdue_at := p_expires_at;
      d.fulfillment := r.value || jsonb_build_object(
        'quantity', coalesce((r.value ->> 'quantity')::int, 1) * d.quantity, 'shipping', p_shipping,
        'shipped', 0, 'canceled', 0, 'shipments', '[]'::jsonb, 'deadline', p_expires_at,
        'on_overdue', coalesce(r.fulfillment ->> 'onOverdue', 'notify'));
  end case;
  return d;
end $$;

-- The debit of a redemption (d.transaction, whose id the caller has made), its lots and its event. The account's
-- lock is held, the balance suffices.
drop function if exists points_spend(account, redemption, text, timestamptz);
create or replace function points_spend(a account, d redemption, p_operation text, p_at timestamptz)
returns void
language plpgsql as $$
declare
  activity timestamptz;
begin
  if a.balance < d.points then
    raise exception 'redemption % would overdraw account %', d.id, a.id; -- the lock makes this impossible
  end if;
  if a.activity_extends_to is not null then
    select case when p.expiry_reset_on_activity then points_expiry(p, p_at) end into activity
    from program p where p.workspace = a.workspace and p.id = a.program;
  end if;
  if points_debit(a.workspace, d.transaction, a.id, a.program, 'redeem', d.points, a.balance, 'redemption', p_operation,
    null, d.id, null, null, '{}', activity, p_at) is null then
    raise exception 'redemption % has spent its points already', d.id using errcode = '23505';
  end if;
end $$;
