-- Spends points on a reward: one transaction under the account's lock, idempotent by the
-- redemption's id. Outcomes: created; exists (the stored one, nothing written); refused; missing;
-- too_late, once the clock, read under the lock, has passed the arming by the creation window:
-- its workflow may have looked already and ended, and there is never a hold without its timer;
-- codes_needed, where the gift card's codes are to be made and `p_more` brings too few or known ones.
-- `p_more`: {variant, codes: [{hash, sealed, last4}]}.
drop function if exists redemption_create(text, text, text, text, int, timestamptz, timestamptz, int, text, text, jsonb, jsonb);
create or replace function redemption_create(
  p_workspace text, p_id text, p_account text, p_reward text, p_quantity int, p_at timestamptz,
  p_expires_at timestamptz, p_window_ms int, p_code text, p_fingerprint text, p_shipping jsonb,
  p_metadata jsonb, p_more jsonb default null
) returns jsonb
language plpgsql as $$
declare
  a account;
  r reward;
  p program;
  d redemption;
  refusals jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  a := account_locked(p_workspace, p_account);
  if a.id is null then
    return '{"outcome": "missing", "param": "account"}';
  end if;
  select * into d from redemption where workspace = p_workspace and id = p_id;
  if found then
    return jsonb_build_object('outcome', 'exists', 'redemption', to_jsonb(d));
  end if;
  if clock_timestamp() > p_at + make_interval(secs => p_window_ms / 1000.0) then
    return '{"outcome": "too_late"}';
  end if;
  if a.lots_due_from <= p_at then
    a := lots_expire(a, p_at);
  end if;
  select * into r from reward where workspace = p_workspace and id = p_reward;
  if not found then
    return '{"outcome": "missing", "param": "reward"}';
  end if;
  if r.inventory is not null then
    select * into r from reward where workspace = p_workspace and id = p_reward for update;
  end if;
  if r.has_variants or r.tier_costs is not null or p_more ? 'variant' then
    r := reward_offer(r, a, p_more ->> 'variant', true);
    if r.id is null then
      return jsonb_build_object('outcome', 'missing', 'param', 'variant', 'has_variants', r.has_variants);
    end if;
  end if;
  refusals := redemption_refusals(a, r, p_quantity, greatest(a.balance, 0), p_at);
  if refusals <> '[]' then
    return jsonb_build_object('outcome', 'refused', 'refusal', refusals -> 0);
  end if;

  d.workspace := p_workspace;
  d.id := p_id;
  d.account := a.id;
  d.reward := r.id;
  d.program := a.program;
  d.points := r.cost * p_quantity;
  d.quantity := p_quantity;
  d.fingerprint := p_fingerprint;
  d.metadata := p_metadata;
  d.created_at := p_at;
  d.variant := p_more ->> 'variant';
  d.took_stock := r.inventory is not null;
  d := redemption_artifact(d, r, p_code, p_expires_at, p_shipping);
  if r.codes is not null then
    d.gift_cards := gift_cards_take(d, r, p_more -> 'codes', p_at);
    if d.gift_cards is null and r.codes ? 'pool' then
      return '{"outcome": "refused", "refusal": {"code": "reward_out_of_stock"}}';
    elsif d.gift_cards is null then
      return jsonb_build_object('outcome', 'codes_needed', 'codes', r.codes);
    end if;
  end if;
  d.transaction := points_spend(a, d, p_id, p_at);
  return jsonb_build_object('outcome', 'created', 'redemption', redemption_insert(d, a, p_at));
end $$;

-- Writes a new redemption, whatever brought it: its row, the stock it takes, the credit it grants, and its
-- event, whose data it returns. The account's lock is held.
create or replace function redemption_insert(d redemption, a account, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
  snapshot jsonb;
begin
  d.reversed_points := 0;
  d.reversed_quantity := 0;
  d.took_stock := coalesce(d.took_stock, false);
  d.revision := next_revision(d.revision);
  insert into redemption values (d.*);
  if d.took_stock then
    perform stock_move(d, -d.quantity);
  end if;
  if d.credit is not null then
    perform credit_issue(a, d, p_at);
  end if;
  snapshot := to_jsonb(d);
  perform event_write(d.workspace, 'loyalty.redemption.created', d.id, snapshot, null, p_at);
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

-- The debit of a redemption, its lots and its event; returns the ptx's id. The account's lock is
-- held, the balance suffices.
create or replace function points_spend(a account, d redemption, p_operation text, p_at timestamptz)
returns text
language plpgsql as $$
declare
  debit text := vinr_id('ptx');
begin
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation, redemption, at, created_at)
  values (a.workspace, debit, a.id, a.program, 'redeem', -d.points, a.balance - d.points, 'redemption', p_operation, d.id,
    p_at, clock_timestamp());
  if a.activity_extends_to is not null then
    update account x set balance = x.balance - d.points,
      activity_extends_to = greatest(x.activity_extends_to, case when p.expiry_reset_on_activity then points_expiry(p, p_at) end)
    from program p
    where x.workspace = a.workspace and x.id = a.id and p.workspace = a.workspace and p.id = a.program
      and x.balance >= d.points;
  else
    update account set balance = balance - d.points
    where workspace = a.workspace and id = a.id and balance >= d.points;
  end if;
  if not found then
    raise exception 'redemption % would overdraw account %', d.id, a.id; -- the lock makes this impossible
  end if;
  perform lots_take(a.workspace, a.id, debit, d.points);
  perform event_of_ptx(a.workspace, 'loyalty.points.spent', debit, p_at);
  return debit;
end $$;
