-- One movement outside a redemption: earn, adjust, clawback. Idempotent by `p_operation`: a repeat
-- returns the stored row. Refuses account_closed (earn and adjust), and a debit below zero with
-- insufficient_points unless `p_allow_negative`. A credit opens a lot, whose date is fixed now, and
-- first fills the deficit. `p_decimals`: what the amount was reckoned in; raises 40001 where the
-- program has others meanwhile. Locks the account; one round trip.
drop function if exists points_post(text, text, text, bigint, text, text, text, timestamptz, timestamptz, text, jsonb,
  jsonb, boolean);
create or replace function points_post(
  p_workspace text, p_account text, p_type text, p_amount bigint, p_reason text, p_operation text,
  p_fingerprint text, p_at timestamptz, p_expires_at timestamptz, p_batch text, p_source jsonb,
  p_metadata jsonb, p_allow_negative boolean, p_decimals int default null
) returns jsonb
language plpgsql as $$
declare
  a account;
  p program;
  t ptx;
  debit jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  a := account_locked(p_workspace, p_account);
  if a.id is null then
    return '{"outcome": "missing"}';
  end if;
  -- a debit that nothing stands against finds its own repeat when it is written
  if p_amount >= 0 or a.status = 'closed' or a.lots_due_from <= p_at or a.balance + p_amount < 0 then
    debit := transaction_of_operation(p_workspace, p_operation);
    if debit is not null then
      return jsonb_build_object('outcome', 'replayed', 'transaction', debit);
    end if;
  end if;
  if a.status = 'closed' and p_type in ('earn', 'adjust') then
    return '{"outcome": "refused", "refusal": {"code": "account_closed"}}';
  end if;
  if a.lots_due_from <= p_at then
    a := lots_expire(a, p_at);
  end if;
  if p_amount < 0 and a.balance + p_amount < 0 and not p_allow_negative then
    return jsonb_build_object('outcome', 'refused', 'refusal', points_missing(-p_amount, a.balance));
  end if;
  -- what came in all told bounds every balance, also where what was held or taken comes back later
  if p_amount > 0 and p_type in ('earn', 'adjust') and a.lifetime_points + p_amount > 9007199254740991 then
    return '{"outcome": "refused", "refusal": {"code": "parameter_invalid", "param": "amount", "countable": 9007199254740991}}';
  end if;
  if a.balance = 0 and a.lifetime_points = 0 then -- it may be the program's first: from then on they are fixed
    perform decimals_keep(p_workspace, a.program);
  end if;
  if not decimals_stayed(p_workspace, a.program, p_decimals) then
    raise exception 'the decimals of % changed', a.program using errcode = '40001';
  end if;
  if p_amount < 0 then
    debit := points_debit(p_workspace, vinr_id('ptx'), a.id, a.program, p_type, -p_amount, a.balance, p_reason, p_operation,
      p_fingerprint, null, p_source, p_batch, p_metadata, null, p_at);
    if debit is null then
      return jsonb_build_object('outcome', 'replayed',
        'transaction', transaction_of_operation(p_workspace, p_operation));
    end if;
    return jsonb_build_object('outcome', 'posted', 'transaction', debit);
  end if;
  t.workspace := p_workspace;
  t.id := vinr_id('ptx');
  t.account := a.id;
  t.program := a.program;
  t.type := p_type;
  t.amount := p_amount;
  t.balance_after := a.balance + p_amount;
  t.reason := p_reason;
  t.operation := p_operation;
  t.fingerprint := p_fingerprint;
  t.source := p_source;
  t.payment := p_source ->> 'payment';
  t.refund := p_source ->> 'refund';
  t.batch := p_batch;
  select * into p from program where workspace = p_workspace and id = a.program;
  t.expires_at := coalesce(p_expires_at, points_expiry(p, p_at));
  t.metadata := p_metadata;
  t.at := p_at;
  t.created_at := clock_timestamp();
  insert into ptx values (t.*);
  perform points_credit(a, t, p, p_expires_at is not null);
  perform event_of_ptx(p_workspace, 'loyalty.points.earned', t.id, p_at);
  return jsonb_build_object('outcome', 'posted', 'transaction', to_jsonb(t));
end $$;

-- Whether the program still has the decimals that an amount was reckoned in; null: those it has. Asked
-- while `decimals_keep` holds them, or where the program has transactions already.
create or replace function decimals_stayed(p_workspace text, p_program text, p_decimals int) returns boolean
language plpgsql stable as $$
begin
  -- not one expression: the plan of one with a null in it is made anew by every call
  if p_decimals is null then
    return true;
  end if;
  return exists (select from program where workspace = p_workspace and id = p_program and decimals = p_decimals);
end $$;

-- The ptx that an operation wrote; null where it wrote none.
create or replace function transaction_of_operation(p_workspace text, p_operation text) returns jsonb
language plpgsql stable as $$
begin
  -- callers pass columns of another collation, with which the index would not be used
  return (
    select to_jsonb(t) from ptx t where t.workspace = p_workspace and t.operation = p_operation collate "default");
end $$;

-- The balance and the lot of a credit already written as `t`, with its date; `a` is the account before it.
-- A date that was given with it (`p_exact`) is not extended by activity.
drop function if exists points_credit(account, ptx);
create or replace function points_credit(a account, t ptx, p program, p_exact boolean) returns void
language plpgsql as $$
declare
  extends boolean := p.expiry_reset_on_activity and p.expiry_mode <> 'never' and not p_exact;
  due timestamptz := t.expires_at;
  next_check timestamptz;
  activity timestamptz := a.activity_extends_to;
begin
  if extends then
    -- an adjustment is no activity, but from now on a redemption is one: the epoch extends nothing
    activity := greatest(activity, case when t.type = 'earn' then due else 'epoch' end);
  end if;
  next_check := expiry_check_at(p, due, t.at);
  insert into lot (workspace, id, account, points, remaining, earned_at, expires_at, extends_with_activity)
  values (t.workspace, t.id, a.id, t.amount, t.amount, t.at, due, extends);
  update account set
    balance = t.balance_after,
    lifetime_points = lifetime_points + case when t.type in ('earn', 'adjust') then t.amount else 0 end,
    lots_due_from = least(lots_due_from, due),
    activity_extends_to = activity,
    expiry_wake_at = least(expiry_wake_at, next_check)
  where workspace = t.workspace and id = a.id;
  if next_check < coalesce(a.expiry_wake_at, 'infinity') then
    perform expiry_check_outbox(a, p, next_check);
  end if;
  if a.balance < 0 then
    perform deficit_fill(t.workspace, a.id, t.id, t.amount, -a.balance, t.id);
  end if;
  if due <= t.at then
    perform lots_expire((select x from account x where x.workspace = t.workspace and x.id = a.id), t.at, t.at);
  end if;
  if p.tier_config is not null then
    perform tier_after_credit(t.workspace, a.id, p, greatest(t.at, t.created_at));
  end if;
end $$;

-- The refusal of a debit: what it takes, what can be spent, and the difference, in the smallest unit.
create or replace function points_missing(p_required bigint, p_balance bigint) returns jsonb
language sql immutable as $$
  select jsonb_build_object('code', 'insufficient_points', 'required', p_required,
    'available', greatest(p_balance, 0), 'missing', p_required - greatest(p_balance, 0))
$$;
