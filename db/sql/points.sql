-- Points: movements, the lots that credits open and debits take from, and deficits.

-- When a lot is due: its own date, or the account's last activity plus months where it extends with
-- activity.
create or replace function ledger.lot_due_at(
  l lot, p_activity_extends_to timestamptz
) returns timestamptz
language sql immutable parallel safe as $$
  select case when l.extends_with_activity then greatest(l.expires_at, p_activity_extends_to)
    else l.expires_at end
$$;

-- One movement outside a redemption: earn, adjust, clawback. Idempotent by `p_operation`: a repeat
-- returns the stored row. Refuses account_closed (earn and adjust), and a debit below zero with
-- insufficient_points unless `p_allow_negative`. A credit opens a lot, whose date is fixed now, and
-- first fills the deficit. `p_decimals`: what the amount was reckoned in; raises 40001 where the
-- program has others meanwhile. Locks the account; one round trip.
create or replace function ledger.points_post(
  p_workspace text, p_account text, p_type text, p_amount bigint, p_reason text, p_operation text,
  p_fingerprint text, p_at timestamptz, p_expires_at timestamptz, p_batch text, p_source jsonb,
  p_metadata jsonb, p_allow_negative boolean, p_decimals int default null
) returns jsonb
language plpgsql as $$
declare
  a account;
  debit jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  a := account_locked(p_workspace, p_account);
  if a.id is null then
    return '{"outcome": "missing"}';
  end if;
  -- a debit that nothing stands against finds its own repeat when it is written
  if p_amount >= 0 or a.status = 'closed' or a.lots_due_from <= p_at
    or a.balance + p_amount < 0 then
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
    return jsonb_build_object('outcome', 'refused', 'refusal',
      points_missing(-p_amount, a.balance));
  end if;
  -- what came in all told bounds every balance, also where what was held or taken comes back later
  if p_amount > 0 and p_type in ('earn', 'adjust')
    and a.lifetime_points + p_amount > 9007199254740991 then
    return '{"outcome": "refused", "refusal": {
      "code": "parameter_invalid", "param": "amount", "countable": 9007199254740991}}';
  end if;
  -- it may be the program's first: from then on they are fixed
  if a.balance = 0 and a.lifetime_points = 0 then
    perform decimals_keep(p_workspace, a.program);
  end if;
  if not decimals_stayed(p_workspace, a.program, p_decimals) then
    raise exception 'the decimals of % changed', a.program using errcode = '40001';
  end if;
  if p_amount < 0 then
    debit := points_debit(p_workspace, vinr_id('ptx'), a.id, a.program, p_type, -p_amount,
      a.balance, p_reason, p_operation, p_fingerprint, null, p_source, p_batch, p_metadata, null,
      p_at);
    if debit is null then
      return jsonb_build_object('outcome', 'replayed',
        'transaction', transaction_of_operation(p_workspace, p_operation));
    end if;
    return jsonb_build_object('outcome', 'posted', 'transaction', debit);
  end if;
  return jsonb_build_object('outcome', 'posted', 'transaction', to_jsonb(points_earn(a, p_type,
    p_amount, p_reason, p_operation, p_fingerprint, p_at, p_expires_at, p_batch, p_source,
    p_metadata)));
end $$;

-- Undoes an earn or adjust row by an offsetting row, once; idempotent by `p_operation`. A credit's
-- reversal takes from its own lot first, then oldest-first; what of it has expired already, or was
-- clawed back by refunds that stand, is not taken again. Where that would go below zero it is
-- refused with insufficient_points, unless the program lets a clawback go there. A debit's reversal
-- gives back to the lots it took from. A closed account's rows may be reversed. Refuses
-- not_reversible: other types, a second time, and a credit of which nothing is left to take.
-- Outcomes: reversed; replayed; refused; missing.
create or replace function ledger.points_reverse(
  p_workspace text, p_ptx text, p_reason text, p_operation text, p_fingerprint text,
  p_metadata jsonb, p_at timestamptz
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
  select * into r from ptx where workspace = p_workspace
    and operation = p_operation collate "default";
  if found then
    return jsonb_build_object('outcome', 'replayed', 'transaction', to_jsonb(r));
  end if;
  if t.type not in ('earn', 'adjust') or exists (
    select from ptx where workspace = p_workspace and reverses = t.id and type = 'reverse') then
    return '{"outcome": "refused", "refusal": {"code": "not_reversible"}}';
  end if;
  if t.amount < 0 then
    r := points_return(a, 'reverse', t.id, -t.amount, p_reason, p_operation, null, p_at,
      p_fingerprint, p_metadata);
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
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation,
    fingerprint, reverses, metadata, at, created_at)
  values (p_workspace, vinr_id('ptx'), a.id, a.program, 'reverse', -taken, a.balance - taken,
    p_reason, p_operation, p_fingerprint, t.id, p_metadata, p_at, clock_timestamp())
  returning * into r;
  update account set balance = r.balance_after where workspace = p_workspace and id = a.id;
  perform lots_take_from(p_workspace, a.id, own, r.id, taken);
  perform event_of_ptx(p_workspace, 'loyalty.points.reversed', r.id, p_at);
  perform deficit_follow(p_workspace, a.id, p_at);
  return jsonb_build_object('outcome', 'reversed', 'transaction', to_jsonb(r));
end $$;

-- Many movements in one transaction: all are written, or none. `p_rows`: [{account, amount, reason,
-- expires_at, metadata, decimals}], amounts in the smallest unit. Accounts are locked in id order.
-- A refusal names its row and undoes the rest (VR001). Idempotent by operation: a repeat returns
-- the stored rows.
create or replace function ledger.points_post_batch(
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
  from (select distinct r ->> 'account' as account from jsonb_array_elements(p_rows) r
    order by 1) x;
  for one in
    select r, n - 1 as at_index from jsonb_array_elements(p_rows) with ordinality as row (r, n)
    order by n
  loop
    posted := points_post(p_workspace, one.r ->> 'account', 'adjust', (one.r ->> 'amount')::bigint,
      one.r ->> 'reason', p_operation || ':' || one.at_index, p_fingerprint, p_at,
      (one.r ->> 'expires_at')::timestamptz, one.r -> 'metadata' ->> 'batch', null,
      one.r -> 'metadata', false, (one.r ->> 'decimals')::int);
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

-- Takes `p_points` from the account's lots, oldest first, for the debit; returns what no lot could
-- fund.
create or replace function ledger_private.lots_take(
  p_workspace text, p_account text, p_debit text, p_points bigint
)
returns bigint
language plpgsql as $$
declare
  l record;
  taken bigint;
  needed bigint := p_points;
  oldest text;
begin
  -- the usual case, in one statement: the oldest lot has enough
  update lot set remaining = remaining - p_points
  where workspace = p_workspace and remaining >= p_points and id = (
    select id from lot where workspace = p_workspace and account = p_account and open
    order by earned_at, id limit 1)
  returning id into oldest;
  if found then
    insert into allocation (workspace, debit, lot, cause, amount)
    values (p_workspace, p_debit, oldest, p_debit, p_points);
    return 0;
  end if;
  for l in
    select id, remaining from lot
    where workspace = p_workspace and account = p_account and open
    order by earned_at, id
  loop
    taken := least(l.remaining, needed);
    update lot set remaining = remaining - taken where workspace = p_workspace and id = l.id;
    insert into allocation (workspace, debit, lot, cause, amount)
    values (p_workspace, p_debit, l.id, p_debit, taken);
    needed := needed - taken;
    exit when needed = 0;
  end loop;
  return needed;
end $$;

-- The debits that no lot has funded, newest first, of the account and of all merged into it, until
-- they make up `p_deficit`. What a debit lacks is derived: its points, less what was returned of
-- it, less its allocations. The rows of a merge are no debits: what was unfunded stays with what
-- caused it; but what was taken over from a former account is one.
create or replace function ledger_private.deficit_debits(
  p_workspace text, p_account text, p_deficit bigint, out debits text[], out lacks bigint[]
)
language plpgsql stable as $$
declare
  member text;
  d record;
  found_total bigint := 0;
begin
  debits := '{}';
  lacks := '{}';
  for member in select account_family(p_workspace, p_account) loop
    for d in
      select t.id, -t.amount
        - coalesce((select sum(r.amount) from ptx r where r.workspace = p_workspace
          and r.reverses = t.id), 0)
        - coalesce((select sum(x.amount) from allocation x where x.workspace = p_workspace
          and x.debit = t.id), 0)
        as lacking
      from ptx t
      where t.workspace = p_workspace and t.account = member and t.amount < 0
        and (t.type <> 'merge' or t.source ? 'deficit_from')
      order by t.id desc
    loop
      continue when d.lacking <= 0;
      debits := debits || d.id::text;
      lacks := lacks || d.lacking::bigint;
      found_total := found_total + d.lacking;
      exit when found_total >= p_deficit;
    end loop;
    exit when found_total >= p_deficit;
  end loop;
  if member <> p_account then -- more than one account's: in one order
    select array_agg(x.debit order by x.debit desc),
      array_agg(x.lacking order by x.debit desc) into debits, lacks
    from (select u.debit collate "C" as debit, u.lacking
      from unnest(debits, lacks) u (debit, lacking)) x;
  end if;
end $$;

-- Fills the account's deficit from one lot that has something left: allocates from it to the
-- debits that no lot has funded, oldest first.
create or replace function ledger_private.deficit_fill(
  p_workspace text, p_account text, p_lot text, p_points bigint, p_deficit bigint, p_cause text
) returns void
language plpgsql as $$
declare
  owed record;
  unspent bigint := least(p_points, p_deficit);
  taken bigint;
begin
  if unspent <= 0 then
    return;
  end if;
  owed := deficit_debits(p_workspace, p_account, p_deficit);
  for i in reverse cardinality(owed.debits) .. 1 loop
    taken := least(unspent, owed.lacks[i]);
    insert into allocation (workspace, debit, lot, cause, amount)
    values (p_workspace, owed.debits[i], p_lot, p_cause, taken);
    update lot set remaining = remaining - taken where workspace = p_workspace and id = p_lot;
    unspent := unspent - taken;
    exit when unspent = 0;
  end loop;
end $$;

-- Nets `p_points` of a deficit against the account's open lots, oldest first: where a merge brought
-- together what one side owed and the other one had.
create or replace function ledger_private.deficit_net(
  p_workspace text, p_account text, p_points bigint, p_cause text
) returns void
language plpgsql as $$
declare
  owed record;
  l record;
  i int;
  unspent bigint := p_points;
  lacking bigint := 0;
  left_in_lot bigint;
  taken bigint;
begin
  if unspent <= 0 then
    return;
  end if;
  owed := deficit_debits(p_workspace, p_account, 9223372036854775807);
  i := cardinality(owed.debits);
  lacking := owed.lacks[i];
  for l in
    select id, remaining from lot
    where workspace = p_workspace and account = p_account and open
    order by earned_at, id
  loop
    left_in_lot := l.remaining;
    while left_in_lot > 0 and unspent > 0 loop
      taken := least(left_in_lot, lacking, unspent);
      insert into allocation (workspace, debit, lot, cause, amount)
      values (p_workspace, owed.debits[i], l.id, p_cause, taken);
      left_in_lot := left_in_lot - taken;
      unspent := unspent - taken;
      lacking := lacking - taken;
      if lacking = 0 and i > 1 then
        i := i - 1;
        lacking := owed.lacks[i];
      end if;
    end loop;
    update lot set remaining = left_in_lot where workspace = p_workspace and id = l.id;
    exit when unspent = 0;
  end loop;
end $$;

-- Gives back `p_points` of a debit: first what of it no lot had funded, then to the lots it took
-- from, those taken last first. `a` is the account before its balance rises. What a deficit of the
-- account still lacks is filled from what came back. Under `extend` a lot past its date lives
-- `grace_days` from now; under `restore` it keeps its date, and the caller expires it.
create or replace function ledger_private.lots_give_back(
  a account, p program, p_debit text, p_points bigint, p_cause text, p_at timestamptz
) returns void
language plpgsql as $$
declare
  given record;
  back bigint;
  deficit bigint := greatest(-a.balance, 0);
  lacking bigint;
  rest bigint := p_points;
begin
  -- the row that gives back (p_cause) is already written: leave it out of what was returned before
  select -t.amount
    - coalesce((select sum(r.amount) from ptx r
        where r.workspace = a.workspace and r.reverses = t.id and r.id <> p_cause), 0)
    - coalesce((select sum(x.amount) from allocation x where x.workspace = a.workspace
      and x.debit = t.id), 0)
  into lacking
  from ptx t where t.workspace = a.workspace and t.id = p_debit;
  lacking := least(lacking, rest);
  rest := rest - lacking;
  deficit := deficit - lacking;
  for given in
    select x.lot, sum(x.amount)::bigint as points
    from allocation x join lot l on l.workspace = x.workspace and l.id = x.lot
    where x.workspace = a.workspace and x.debit = p_debit
    group by x.lot, l.earned_at
    having sum(x.amount) > 0
    order by l.earned_at desc, x.lot desc
  loop
    exit when rest = 0;
    back := least(given.points, rest);
    rest := rest - back;
    insert into allocation (workspace, debit, lot, cause, amount)
    values (a.workspace, p_debit, given.lot, p_cause, -back);
    update lot l set
      remaining = l.remaining + back,
      expires_at = case when overdue.yes then p_at + make_interval(days => p.grace_days)
        else l.expires_at end,
      extends_with_activity = l.extends_with_activity and not overdue.yes
    from (
      select p.expired_return = 'extend' and lot_due_at(o, a.activity_extends_to) <= p_at as yes
      from lot o where o.workspace = a.workspace and o.id = given.lot
    ) overdue
    where l.workspace = a.workspace and l.id = given.lot;
    perform deficit_fill(a.workspace, a.id, given.lot, back, deficit, p_cause);
    deficit := greatest(deficit - back, 0);
  end loop;
  if rest <> 0 then
    raise exception 'debit % has % points less to give back than asked', p_debit, rest;
  end if;
end $$;

-- Writes a debit: its ptx `p_id`, the balance after it, its event, and the lots it takes from,
-- oldest first; what no lot can fund is a deficit. The account's lock is held and `p_balance` is
-- its balance before. `p_activity`: until when it extends the account's lots; null: it does not.
-- Returns the ptx; null where `p_operation` was written before, and then writes nothing.
create or replace function ledger_private.points_debit(
  p_workspace text, p_id text, p_account text, p_program text, p_type text, p_points bigint,
  p_balance bigint, p_reason text, p_operation text, p_fingerprint text, p_redemption text,
  p_source jsonb, p_batch text, p_metadata jsonb, p_activity timestamptz, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  event_id text := 'evt' || substr(p_id, 4); -- as in event_of_ptx
  event_type text := case p_type when 'clawback' then 'loyalty.points.clawed_back'
    else 'loyalty.points.spent' end;
  posted jsonb;
  oldest_lot text;
  has_endpoints boolean;
begin
  -- One statement, the usual case whole: of what a debit costs, starting its statements is a third.
  with moved as (
    insert into ptx (workspace, id, account, program, type, amount, balance_after, reason,
      operation, fingerprint, redemption, payment, refund, source, batch, metadata, at, created_at)
    values (p_workspace, p_id, p_account, p_program, p_type, -p_points, p_balance - p_points,
      p_reason, p_operation, p_fingerprint, p_redemption, p_source ->> 'payment',
      p_source ->> 'refund', p_source, p_batch, p_metadata,
      p_at, clock_timestamp())
    on conflict (workspace, operation) do nothing
    returning *
  ),
  taken as (
    update lot set remaining = remaining - p_points
    where workspace = p_workspace and remaining >= p_points and exists (select from moved)
      and id = (
      select id from lot where workspace = p_workspace and account = p_account and open
      order by earned_at, id limit 1)
    returning id
  ),
  allocated as (
    insert into allocation (workspace, debit, lot, cause, amount)
    select p_workspace, p_id, id, p_id, p_points from taken
  ),
  balanced as (
    update account set balance = p_balance - p_points,
      activity_extends_to = greatest(activity_extends_to, p_activity)
    where workspace = p_workspace and id = p_account and exists (select from moved)
  ),
  told as (
    insert into event (workspace, id, type, object, created_at)
    select p_workspace, event_id, event_type, p_id, p_at from moved
  )
  select to_jsonb(m), (select id from taken),
    exists (select from webhook_endpoint e where e.workspace = p_workspace and e.status = 'enabled')
  into posted, oldest_lot, has_endpoints
  from moved m;
  if posted is not null and oldest_lot is null then
    perform lots_take(p_workspace, p_account, p_id, p_points);
  end if;
  if posted is not null and has_endpoints then
    perform webhook_deliver_all(p_workspace, array[event_id], event_type);
  end if;
  return posted;
end $$;

-- Returns `p_points` of a debit to the account as one ptx of type release, reverse or clawback
-- (a failed refund), gives them back to the same lots and expires what came back past its date.
-- The account's lock is held. Returns the ptx.
create or replace function ledger_private.points_return(
  a account, p_type text, p_debit text, p_points bigint, p_reason text, p_operation text,
  p_redemption text, p_at timestamptz, p_fingerprint text default null,
  p_metadata jsonb default '{}'
) returns ptx
language plpgsql as $$
declare
  p program;
  t ptx;
begin
  a := lots_expire(a, p_at);
  select * into p from program where workspace = a.workspace and id = a.program;
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation,
    redemption, reverses, fingerprint, metadata, at, created_at)
  values (a.workspace, vinr_id('ptx'), a.id, a.program, p_type, p_points, a.balance + p_points,
    p_reason, p_operation, p_redemption, p_debit, p_fingerprint, p_metadata, p_at,
    clock_timestamp())
  returning * into t;
  perform event_of_ptx(a.workspace, 'loyalty.points.reversed', t.id, p_at);
  perform points_came_back(a, p, t, p_debit, p_at);
  return t;
end $$;

-- What every return of points ends with, its row `t` written: what `p_debit` took goes back to its
-- lots, the balance rises, the account's next check is no later than the dates that came back, what
-- is past its date expires, and what another account had taken over is settled. `a` is the account
-- before it, locked.
create or replace function ledger_private.points_came_back(
  a account, p program, t ptx, p_debit text, p_at timestamptz
) returns void
language plpgsql as $$
begin
  perform lots_give_back(a, p, p_debit, t.amount, t.id, p_at);
  update account x set balance = x.balance + t.amount, lots_due_from = (
      select min(lot_due_at(l, x.activity_extends_to)) from lot l
      where l.workspace = a.workspace and l.account = a.id and l.open and l.expires_at is not null)
  where x.workspace = a.workspace and x.id = a.id
  returning * into a;
  perform expiry_check_earlier(a, p, p_at);
  a := lots_expire(a, p_at, p_at);
  if a.deficit_to is not null then
    perform deficit_settle(a.workspace, a.id, p_at);
  end if;
end $$;

-- Writes a credit with its lot and its event. `p_expires_at`: null where the program says when. The
-- account is locked.
create or replace function ledger_private.points_earn(
  a account, p_type text, p_amount bigint, p_reason text, p_operation text, p_fingerprint text,
  p_at timestamptz, p_expires_at timestamptz, p_batch text, p_source jsonb, p_metadata jsonb
) returns ptx
language plpgsql as $$
declare
  p program;
  t ptx;
begin
  t.workspace := a.workspace;
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
  select * into p from program where workspace = a.workspace and id = a.program;
  t.expires_at := coalesce(p_expires_at, points_expiry(p, p_at));
  t.metadata := p_metadata;
  t.at := p_at;
  t.created_at := clock_timestamp();
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation,
    fingerprint, redemption, payment, refund, source, reverses, batch, expires_at, metadata, at,
    created_at)
  values (t.workspace, t.id, t.account, t.program, t.type, t.amount, t.balance_after, t.reason,
    t.operation, t.fingerprint, t.redemption, t.payment, t.refund, t.source, t.reverses, t.batch,
    t.expires_at, t.metadata, t.at, t.created_at);
  perform points_credit(a, t, p, p_expires_at is not null);
  perform event_of_ptx(a.workspace, 'loyalty.points.earned', t.id, p_at);
  return t;
end $$;

-- Whether the program still has the decimals that an amount was reckoned in; null: those it has.
-- Asked while `decimals_keep` holds them, or where the program has transactions already.
create or replace function ledger_private.decimals_stayed(
  p_workspace text, p_program text, p_decimals int
) returns boolean
language plpgsql stable as $$
begin
  -- not one expression: the plan of one with a null in it is made anew by every call
  if p_decimals is null then
    return true;
  end if;
  return exists (select from program where workspace = p_workspace and id = p_program
    and decimals = p_decimals);
end $$;

-- The ptx that an operation wrote; null where it wrote none.
create or replace function ledger_private.transaction_of_operation(
  p_workspace text, p_operation text
) returns jsonb
language plpgsql stable as $$
begin
  -- callers pass columns of another collation, with which the index would not be used
  return (
    select to_jsonb(t) from ptx t where t.workspace = p_workspace
      and t.operation = p_operation collate "default");
end $$;

-- The balance and the lot of a credit already written as `t`, with its date; `a` is the account
-- before it. A date that was given with it (`p_exact`) is not extended by activity.
create or replace function ledger_private.points_credit(
  a account, t ptx, p program, p_exact boolean
) returns void
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
  insert into lot (workspace, id, account, points, remaining, earned_at, expires_at,
    extends_with_activity)
  values (t.workspace, t.id, a.id, t.amount, t.amount, t.at, due, extends);
  update account set
    balance = t.balance_after,
    lifetime_points = lifetime_points + case when t.type in ('earn', 'adjust') then t.amount
      else 0 end,
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
    perform lots_expire((select x from account x where x.workspace = t.workspace and x.id = a.id),
      t.at, t.at);
  end if;
  if p.tier_config is not null then
    perform tier_after_credit(t.workspace, a.id, p, greatest(t.at, t.created_at));
  end if;
end $$;

-- The refusal of a debit: what it takes, what can be spent, and the difference, in the smallest
-- unit.
create or replace function ledger_private.points_missing(
  p_required bigint, p_balance bigint
) returns jsonb
language sql immutable as $$
  select jsonb_build_object('code', 'insufficient_points', 'required', p_required,
    'available', greatest(p_balance, 0), 'missing', p_required - greatest(p_balance, 0))
$$;

-- How much of a lot has expired. Reads the expire rows after it: there is no way from a lot to its
-- allocations.
create or replace function ledger_private.lot_expired(a account, p_lot text) returns bigint
language sql stable as $$
  select coalesce(sum(x.amount), 0)::bigint
  from ptx e join allocation x on x.workspace = e.workspace and x.debit = e.id and x.lot = p_lot
  where e.workspace = a.workspace and e.account = a.id and e.type = 'expire' and e.id > p_lot
$$;

-- What the refunds that stand have taken back of an earn row; the payment of an invoice may have
-- come after it.
create or replace function ledger_private.earn_clawed(t ptx) returns bigint
language sql stable as $$
  select coalesce(sum(c.taken), 0)::bigint
  from earning e join clawback c on c.workspace = e.workspace and c.earning = e.id
  where e.workspace = t.workspace and e.transaction = t.id
    and e.payment = coalesce(t.payment, payment_of_invoice(t.workspace, t.source ->> 'invoice'))
$$;

-- Takes from one lot first, then from the others, oldest first; what no lot funds stays a deficit.
create or replace function ledger_private.lots_take_from(
  p_workspace text, p_account text, own lot, p_debit text, p_points bigint
)
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

-- Moves all lots of an account to another, empty ones too; both are locked. Found by their keys,
-- which the transactions of the account's family have: empty lots are in no index by account. Many
-- are moved some at a time with a rest after each, for one of two cores is what everybody else
-- redeems on.
create or replace function ledger_private.lots_move(
  p_workspace text, p_from text, p_to text
) returns void
language plpgsql as $$
declare
  at_once constant int := 125; -- some 2 ms
  rest constant double precision := 0.01;
  lots text[];
begin
  select array_agg(x.id) into lots
  from account_family(p_workspace, p_from) f (id)
  join ptx x on x.workspace = p_workspace and x.account = f.id and x.amount > 0;
  for i in 1 .. coalesce(cardinality(lots), 0) by at_once loop
    if i > 1 then
      perform pg_sleep(rest);
    end if;
    update lot set account = p_to
    where workspace = p_workspace and account = p_from and id = any (lots[i : i + at_once - 1]);
  end loop;
end $$;

-- What a customer owes follows them. An account that is no longer theirs to use (closed, or linked
-- to nobody) hands its deficit to their active one by two `merge` rows, which net to nothing: the
-- plus fills what was unfunded there, the minus is a debit here. Points that come back to the first
-- one later settle that debit.

-- Whose debts an account's are while they do not use it; null: it answers for itself.
create or replace function ledger_private.account_debtor(a account) returns text
language sql immutable as $$
  select case
    when a.status = 'closed' then coalesce(a.customer,
      a.former_customers[cardinality(a.former_customers)])
    when a.status = 'active' and a.customer is null
      then a.former_customers[cardinality(a.former_customers)]
  end
$$;

-- Takes over what other accounts of this one's customer owe: it has just become theirs. All of
-- those are locked, for what one owes may be being written. `p_announced`: whether the account is
-- known to listeners yet. Returns the account as it is then.
create or replace function ledger_private.deficits_inherit(
  heir account, p_at timestamptz, p_announced boolean default true
)
returns account
language plpgsql as $$
declare
  other text;
  a account;
begin
  for other in select had from accounts_had(heir.workspace, heir.program, heir.customer,
    heir.id) had loop
    a := account_locked(heir.workspace, other);
    continue when a.id <> other or account_debtor(a) is distinct from heir.customer;
    a := lots_expire(a, p_at);
    if a.balance < 0 then
      perform deficit_move(a, heir.id, p_at, p_announced);
    end if;
  end loop;
  select * into heir from account where workspace = heir.workspace and id = heir.id;
  return heir;
end $$;

-- After a debit: what the account owes goes to its customer's active one, where it is not theirs to
-- use itself. It is locked.
create or replace function ledger_private.deficit_follow(
  p_workspace text, p_account text, p_at timestamptz
) returns void
language plpgsql as $$
declare
  a account;
  heir account;
begin
  select * into a from account where workspace = p_workspace and id = p_account;
  if a.balance >= 0 or account_debtor(a) is null then
    return;
  end if;
  heir := account_locked(p_workspace, account_of_customer(p_workspace, a.program, account_debtor(a),
    a.id));
  if heir.status = 'active' and heir.id <> a.id then
    perform deficit_move(a, heir.id, p_at, true);
  end if;
end $$;

-- Moves all that `a` owes to another account; both are locked, and nothing of `a` is due.
create or replace function ledger_private.deficit_move(
  a account, p_heir text, p_at timestamptz, p_announced boolean
) returns void
language plpgsql as $$
declare
  owed bigint := -a.balance;
  heir account;
  plus ptx;
  minus ptx;
begin
  select * into heir from account where workspace = a.workspace and id = p_heir;
  heir := lots_expire(heir, p_at);
  minus := deficit_row(heir, -owed, 'into', vinr_id('ptx'), null, a.id, p_at);
  plus := deficit_row(a, owed, 'out', minus.id, null, heir.id, p_at);
  insert into lot (workspace, id, account, points, remaining, earned_at)
  values (a.workspace, plus.id, a.id, owed, owed, p_at);
  perform deficit_fill(a.workspace, a.id, plus.id, owed, owed, plus.id);
  update account set balance = 0, deficit_to = heir.id where workspace = a.workspace and id = a.id;
  perform lots_take(a.workspace, heir.id, minus.id, owed);
  update account set balance = minus.balance_after, deficit_to = nullif(deficit_to, a.id)
  where workspace = a.workspace and id = heir.id;
  perform deficit_told(a, p_at);
  if p_announced then
    perform deficit_told(heir, p_at);
  end if;
end $$;

-- After points came back to an account: what of them another took over as a debit settles that.
-- Locked.
create or replace function ledger_private.deficit_settle(
  p_workspace text, p_account text, p_at timestamptz
) returns void
language plpgsql as $$
declare
  a account;
  heir account;
  p program;
  debit record;
  back ptx;
  points bigint;
begin
  select * into a from account where workspace = p_workspace and id = p_account;
  if a.deficit_to is null or a.balance <= 0 then
    return;
  end if;
  heir := account_locked(p_workspace, a.deficit_to);
  if heir.id = a.id then
    return;
  end if;
  select * into p from program where workspace = p_workspace and id = a.program;
  for debit in
    select t.id, -t.amount - coalesce((
      select sum(r.amount) from ptx r where r.workspace = p_workspace and r.reverses = t.id),
        0) as owed
    from account_family(p_workspace, heir.id) f (id)
    join ptx t on t.workspace = p_workspace and t.account = f.id and t.type = 'merge'
      and t.amount < 0
      and t.source ->> 'deficit_from' = a.id
    order by t.id
  loop
    points := least(a.balance, debit.owed);
    continue when points <= 0;
    heir := lots_expire(heir, p_at);
    back := deficit_row(heir, points, 'into', vinr_id('ptx'), debit.id, a.id, p_at);
    perform lots_take(p_workspace, a.id,
      (deficit_row(a, -points, 'out', back.id, null, heir.id, p_at)).id, points);
    update account set balance = balance - points where workspace = p_workspace and id = a.id;
    perform deficit_told(a, p_at);
    perform points_came_back(heir, p, back, debit.id, p_at);
    perform deficit_told(heir, p_at);
    select * into a from account where workspace = p_workspace and id = a.id;
    select * into heir from account where workspace = p_workspace and id = heir.id;
  end loop;
end $$;

-- One of the two rows; `p_pair` is the id of the one on the account that takes over, which names
-- both.
create or replace function ledger_private.deficit_row(
  a account, p_amount bigint, p_way text, p_pair text, p_reverses text, p_other text,
  p_at timestamptz
) returns ptx
language plpgsql as $$
declare
  t ptx;
begin
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation,
    source, reverses, at, created_at)
  values (a.workspace, case p_way when 'into' then p_pair else vinr_id('ptx') end, a.id, a.program,
    'merge', p_amount, a.balance + p_amount, 'deficit', 'deficit:' || p_way || ':' || p_pair,
    jsonb_build_object(case p_way when 'into' then 'deficit_from' else 'deficit_to' end, p_other),
    p_reverses, p_at, clock_timestamp())
  returning * into t;
  return t;
end $$;

-- Says what it changed: the rows of a merge have no events of their own. `before` is the account
-- before.
create or replace function ledger_private.deficit_told(
  before account, p_at timestamptz
) returns void
language plpgsql as $$
begin
  perform event_write(before.workspace, 'loyalty.account.updated', before.id, to_jsonb(a),
    jsonb_build_object('balance', before.balance), p_at)
  from account a where a.workspace = before.workspace and a.id = before.id;
end $$;
