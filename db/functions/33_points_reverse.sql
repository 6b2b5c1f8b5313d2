-- Undoes an earn or adjust row by an offsetting row, once; idempotent by `p_operation`. A credit's
-- reversal takes from its own lot first, then oldest-first; what of it has expired already, or was clawed
-- back by refunds that stand, is not taken again. Where that would go below zero it is refused with insufficient_points, unless the
-- program lets a clawback go there. A debit's reversal gives back to the lots it took from. A closed
-- account's rows may be reversed. Refuses not_reversible: other types, a second time, and a credit
-- of which nothing is left to take. Outcomes: reversed; replayed; refused; missing.
create or replace function points_reverse(
  p_workspace text, p_ptx text, p_reason text, p_operation text, p_fingerprint text, p_metadata jsonb, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  t ptx;
  r ptx;
  a account;
  p program;
  own lot;
  taken bigint;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into t from ptx where workspace = p_workspace and id = p_ptx;
  if not found then
    return '{"outcome": "missing"}';
  end if;
  a := account_locked(p_workspace, t.account);
  select * into r from ptx where workspace = p_workspace and operation = p_operation collate "default";
  if found then
    return jsonb_build_object('outcome', 'replayed', 'transaction', to_jsonb(r));
  end if;
  if t.type not in ('earn', 'adjust') or exists (
    select from ptx where workspace = p_workspace and reverses = t.id and type = 'reverse') then
    return '{"outcome": "refused", "refusal": {"code": "not_reversible"}}';
  end if;
  if t.amount < 0 then
    r := points_return(a, 'reverse', t.id, -t.amount, p_reason, p_operation, null, p_at, p_fingerprint, p_metadata);
    return jsonb_build_object('outcome', 'reversed', 'transaction', to_jsonb(r));
  end if;
  a := lots_expire(a, p_at);
  select * into p from program where workspace = p_workspace and id = a.program;
  select * into own from lot where workspace = p_workspace and id = t.id;
  taken := t.amount - case when own.remaining < t.amount then lot_expired(a, t.id) else 0 end
    - case when t.type = 'earn' then earn_clawed(t) else 0 end;
  if taken <= 0 then
    return '{"outcome": "refused", "refusal": {"code": "not_reversible"}}';
  end if;
  if a.balance < taken and not p.clawback_allow_negative then
    return jsonb_build_object('outcome', 'refused', 'refusal', points_missing(taken, a.balance));
  end if;
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation, fingerprint,
    reverses, metadata, at, created_at)
  values (p_workspace, vinr_id('ptx'), a.id, a.program, 'reverse', -taken, a.balance - taken, p_reason, p_operation,
    p_fingerprint, t.id, p_metadata, p_at, clock_timestamp())
  returning * into r;
  update account set balance = r.balance_after where workspace = p_workspace and id = a.id;
  perform lots_take_from(p_workspace, a.id, own, r.id, taken);
  perform event_of_ptx(p_workspace, 'loyalty.points.reversed', r.id, p_at);
  perform deficit_follow(p_workspace, a.id, p_at);
  return jsonb_build_object('outcome', 'reversed', 'transaction', to_jsonb(r));
end $$;

-- How much of a lot has expired. Reads the expire rows after it: there is no way from a lot to its allocations.
create or replace function lot_expired(a account, p_lot text) returns bigint
language sql stable as $$
  select coalesce(sum(x.amount), 0)::bigint
  from ptx e join allocation x on x.workspace = e.workspace and x.debit = e.id and x.lot = p_lot
  where e.workspace = a.workspace and e.account = a.id and e.type = 'expire' and e.id > p_lot
$$;

-- What the refunds that stand have taken back of an earn row; the payment of an invoice may have come after it.
create or replace function earn_clawed(t ptx) returns bigint
language sql stable as $$
  select coalesce(sum(c.taken), 0)::bigint
  from earning e join clawback c on c.workspace = e.workspace and c.earning = e.id
  where e.workspace = t.workspace and e.transaction = t.id
    and e.payment = coalesce(t.payment, payment_of_invoice(t.workspace, t.source ->> 'invoice'))
$$;

-- Takes from one lot first, then from the others, oldest first; what no lot funds stays a deficit.
create or replace function lots_take_from(p_workspace text, p_account text, own lot, p_debit text, p_points bigint)
returns void
language plpgsql as $$
declare
  from_own bigint := least(own.remaining, p_points);
begin
  if from_own > 0 then
    update lot set remaining = remaining - from_own where workspace = p_workspace and id = own.id;
    insert into allocation (workspace, debit, lot, cause, amount)
    values (p_workspace, p_debit, own.id, p_debit, from_own);
  end if;
  if p_points > from_own then
    perform lots_take(p_workspace, p_account, p_debit, p_points - from_own);
  end if;
end $$;

-- Many movements in one transaction: all are written, or none. `p_rows`: [{account, amount, reason,
-- expires_at, metadata, decimals}], amounts in the smallest unit. Accounts are locked in id order. A refusal
-- names its row and undoes the rest (VR001). Idempotent by operation: a repeat returns the stored rows.
create or replace function points_post_batch(
  p_workspace text, p_operation text, p_fingerprint text, p_at timestamptz, p_rows jsonb
) returns jsonb
language plpgsql as $$
declare
  one record;
  posted jsonb;
  written jsonb[] := '{}';
  replayed boolean := false;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  perform account_locked(p_workspace, x.account)
  from (select distinct r ->> 'account' as account from jsonb_array_elements(p_rows) r order by 1) x;
  for one in
    select r, n - 1 as at_index from jsonb_array_elements(p_rows) with ordinality as row (r, n) order by n
  loop
    posted := points_post(p_workspace, one.r ->> 'account', 'adjust', (one.r ->> 'amount')::bigint, one.r ->> 'reason',
      p_operation || ':' || one.at_index, p_fingerprint, p_at, (one.r ->> 'expires_at')::timestamptz,
      one.r -> 'metadata' ->> 'batch', null, one.r -> 'metadata', false, (one.r ->> 'decimals')::int);
    if posted ->> 'outcome' = 'missing' then
      raise exception using errcode = 'VR001', message = jsonb_build_object(
        'code', 'resource_missing', 'param', format('transactions.%s.account', one.at_index))::text;
    elsif posted ->> 'outcome' = 'refused' then
      raise exception using errcode = 'VR001', message = ((posted -> 'refusal')
        || jsonb_build_object('param', format('transactions.%s', one.at_index)))::text;
    end if;
    replayed := replayed or posted ->> 'outcome' = 'replayed';
    written := written || (posted -> 'transaction');
  end loop;
  return jsonb_build_object('outcome', case when replayed then 'replayed' else 'posted' end,
    'transactions', to_jsonb(written));
end $$;
