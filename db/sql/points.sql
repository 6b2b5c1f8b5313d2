-- Points: movements, the lots that credits open and debits take from, and deficits.

-- One movement outside a redemption: earn, adjust, clawback. Idempotent by `p_operation`: a repeat
-- returns the stored row. Refuses account_closed (earn and adjust), and a debit below zero with
-- insufficient_points unless `p_allow_negative`. A credit opens a lot, whose date is fixed now, and
-- first fills the deficit. `p_decimals`: what the amount was reckoned in; raises 40001 where the
-- program has others meanwhile. Locks the account; one round trip.
-- @returns PostResult
-- @param p_type 'earn' | 'adjust' | 'clawback'
-- @param p_source Record<string, unknown>
-- @param p_metadata Record<string, string>
-- @null p_expires_at p_batch p_source p_decimals
create or replace function ledger.points_post(
  p_workspace text, p_account text, p_type text, p_amount bigint, p_reason text, p_operation text,
  p_fingerprint text, p_at timestamptz, p_expires_at timestamptz, p_batch text, p_source jsonb,
  p_metadata jsonb, p_allow_negative boolean, p_decimals int default null
) returns jsonb
language plpgsql as $$
declare
  account_row account;
  debit jsonb;
begin
  account_row := command_on_account(p_workspace, p_account);
  if account_row.id is null then
    return '{"outcome": "missing"}';
  end if;
  -- a debit that nothing stands against finds its own repeat when it is written
  if p_amount >= 0 or account_row.status = 'closed' or account_row.lots_due_from <= p_at
    or account_row.balance + p_amount < 0 then
    debit := transaction_of_operation(p_workspace, p_operation);
    if debit is not null then
      return jsonb_build_object('outcome', 'replayed', 'transaction', debit);
    end if;
  end if;
  if account_row.status = 'closed' and p_type in ('earn', 'adjust') then
    return '{"outcome": "refused", "refusal": {"code": "account_closed"}}';
  end if;
  if account_row.lots_due_from <= p_at then
    account_row := lots_expire(account_row, p_at);
  end if;
  if p_amount < 0 and account_row.balance + p_amount < 0 and not p_allow_negative then
    return jsonb_build_object('outcome', 'refused', 'refusal',
      points_missing(-p_amount, account_row.balance), 'decimals',
      (select decimals from program where workspace = p_workspace and id = account_row.program));
  end if;
  -- what came in all told bounds every balance, also where what was held or taken comes back later
  if p_amount > 0 and p_type in ('earn', 'adjust')
    and account_row.lifetime_points + p_amount > 9007199254740991 then
    return '{"outcome": "refused", "refusal": {
      "code": "parameter_invalid", "param": "amount", "countable": 9007199254740991}}';
  end if;
  -- it may be the program's first: from then on they are fixed
  if account_row.balance = 0 and account_row.lifetime_points = 0 then
    perform decimals_keep(p_workspace, account_row.program);
  end if;
  if not decimals_stayed(p_workspace, account_row.program, p_decimals) then
    raise exception 'the decimals of % changed', account_row.program using errcode = '40001';
  end if;
  if p_amount < 0 then
    debit := points_debit(p_workspace, vinr_id('ptx'), account_row.id, account_row.program, p_type,
      -p_amount, account_row.balance, p_reason, p_operation, p_fingerprint, null, p_source, p_batch,
      p_metadata, null, p_at);
    if debit is null then
      return jsonb_build_object('outcome', 'replayed',
        'transaction', transaction_of_operation(p_workspace, p_operation));
    end if;
    return jsonb_build_object('outcome', 'posted', 'transaction', debit);
  end if;
  return jsonb_build_object('outcome', 'posted', 'transaction',
    to_jsonb(points_earn(account_row, p_type,
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
-- @returns ReverseResult
-- @param p_metadata Record<string, string>
create or replace function ledger.points_reverse(
  p_workspace text, p_ptx text, p_reason text, p_operation text, p_fingerprint text,
  p_metadata jsonb, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  original ptx;
  reversal ptx;
  account_row account;
  program_row program;
  own lot;
  taken bigint;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into original from ptx where workspace = p_workspace and id = p_ptx;
  if not found then
    return '{"outcome": "missing"}';
  end if;
  account_row := account_locked(p_workspace, original.account);
  select * into reversal from ptx where workspace = p_workspace
    and operation = p_operation collate "default";
  if found then
    return jsonb_build_object('outcome', 'replayed', 'transaction', to_jsonb(reversal));
  end if;
  if original.type not in ('earn', 'adjust') or exists (
    select from ptx where workspace = p_workspace and reverses = original.id
      and type = 'reverse') then
    return '{"outcome": "refused", "refusal": {"code": "not_reversible"}}';
  end if;
  if original.amount < 0 then
    reversal := points_return(account_row, 'reverse', original.id, -original.amount, p_reason,
      p_operation, null, p_at, p_fingerprint, p_metadata);
    return jsonb_build_object('outcome', 'reversed', 'transaction', to_jsonb(reversal));
  end if;
  account_row := lots_expire(account_row, p_at);
  select * into program_row from program where workspace = p_workspace and id = account_row.program;
  select * into own from lot where workspace = p_workspace and id = original.id;
  taken := original.amount - case when own.remaining < original.amount
    then lot_expired(account_row, original.id) else 0 end
    - case when original.type = 'earn' then earn_clawed(original) else 0 end;
  if taken <= 0 then
    return '{"outcome": "refused", "refusal": {"code": "not_reversible"}}';
  end if;
  if account_row.balance < taken and not program_row.clawback_allow_negative then
    return jsonb_build_object('outcome', 'refused', 'refusal',
      points_missing(taken, account_row.balance), 'decimals', program_row.decimals);
  end if;
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation,
    fingerprint, reverses, metadata, at, created_at)
  values (p_workspace, vinr_id('ptx'), account_row.id, account_row.program, 'reverse', -taken,
    account_row.balance - taken, p_reason, p_operation, p_fingerprint, original.id, p_metadata,
    p_at, clock_timestamp())
  returning * into reversal;
  update account set balance = reversal.balance_after where workspace = p_workspace
    and id = account_row.id;
  perform lots_take_from(p_workspace, account_row.id, own, reversal.id, taken);
  perform event_of_ptx(p_workspace, 'loyalty.points.reversed', reversal.id, p_at);
  perform deficit_follow(p_workspace, account_row.id, p_at);
  return jsonb_build_object('outcome', 'reversed', 'transaction', to_jsonb(reversal));
end $$;

-- Many movements in one transaction: all are written, or none. `p_rows`: [{account, amount, reason,
-- expires_at, metadata, decimals}], amounts in the smallest unit. Accounts are locked in id order.
-- A refusal names its row and undoes the rest (VR001). Idempotent by operation: a repeat returns
-- the stored rows.
-- @returns BatchResult
-- @param p_rows BatchRow[]
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
  perform account_locked(p_workspace, named.account)
  from (select distinct input ->> 'account' as account from jsonb_array_elements(p_rows) input
    order by 1) named;
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
        || jsonb_strip_nulls(jsonb_build_object('param', format('transactions.%s', one.at_index),
          'decimals', posted -> 'decimals')))::text;
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
  open_lot record;
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
  for open_lot in
    select id, remaining from lot
    where workspace = p_workspace and account = p_account and open
    order by earned_at, id
  loop
    taken := least(open_lot.remaining, needed);
    update lot set remaining = remaining - taken where workspace = p_workspace and id = open_lot.id;
    insert into allocation (workspace, debit, lot, cause, amount)
    values (p_workspace, p_debit, open_lot.id, p_debit, taken);
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
  debit_row record;
  found_total bigint := 0;
begin
  debits := '{}';
  lacks := '{}';
  for member in select account_family(p_workspace, p_account) loop
    for debit_row in
      select ptx.id, -ptx.amount
        - coalesce((select sum(returned.amount) from ptx returned
          where returned.workspace = p_workspace
          and returned.reverses = ptx.id), 0)
        - coalesce((select sum(taken.amount) from allocation taken
          where taken.workspace = p_workspace
          and taken.debit = ptx.id), 0)
        as lacking
      from ptx
      where ptx.workspace = p_workspace and ptx.account = member and ptx.amount < 0
        and (ptx.type <> 'merge' or ptx.source ? 'deficit_from')
      order by ptx.id desc
    loop
      continue when debit_row.lacking <= 0;
      debits := debits || debit_row.id::text;
      lacks := lacks || debit_row.lacking::bigint;
      found_total := found_total + debit_row.lacking;
      exit when found_total >= p_deficit;
    end loop;
    exit when found_total >= p_deficit;
  end loop;
  if member <> p_account then -- more than one account's: in one order
    select array_agg(listed.debit order by listed.debit desc),
      array_agg(listed.lacking order by listed.debit desc) into debits, lacks
    from (select unfunded.debit collate "C" as debit, unfunded.lacking
      from unnest(debits, lacks) unfunded (debit, lacking)) listed;
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
  open_lot record;
  debit_index int;
  unspent bigint := p_points;
  lacking bigint := 0;
  left_in_lot bigint;
  taken bigint;
begin
  if unspent <= 0 then
    return;
  end if;
  owed := deficit_debits(p_workspace, p_account, 9223372036854775807);
  debit_index := cardinality(owed.debits);
  lacking := owed.lacks[debit_index];
  for open_lot in
    select id, remaining from lot
    where workspace = p_workspace and account = p_account and open
    order by earned_at, id
  loop
    left_in_lot := open_lot.remaining;
    while left_in_lot > 0 and unspent > 0 loop
      taken := least(left_in_lot, lacking, unspent);
      insert into allocation (workspace, debit, lot, cause, amount)
      values (p_workspace, owed.debits[debit_index], open_lot.id, p_cause, taken);
      left_in_lot := left_in_lot - taken;
      unspent := unspent - taken;
      lacking := lacking - taken;
      if lacking = 0 and debit_index > 1 then
        debit_index := debit_index - 1;
        lacking := owed.lacks[debit_index];
      end if;
    end loop;
    update lot set remaining = left_in_lot where workspace = p_workspace and id = open_lot.id;
    exit when unspent = 0;
  end loop;
end $$;

-- Gives back `p_points` of a debit: first what of it no lot had funded, then to the lots it took
-- from, those taken last first. `account_row` is the account before its balance rises. What a
-- deficit of the account still lacks is filled from what came back. Under `extend` a lot past its
-- date lives `grace_days` from now; under `restore` it keeps its date, and the caller expires it.
create or replace function ledger_private.lots_give_back(
  account_row account, program_row program, p_debit text, p_points bigint, p_cause text,
  p_at timestamptz
) returns void
language plpgsql as $$
declare
  given record;
  back bigint;
  deficit bigint := greatest(-account_row.balance, 0);
  lacking bigint;
  rest bigint := p_points;
begin
  -- the row that gives back (p_cause) is already written: leave it out of what was returned before
  select -ptx.amount
    - coalesce((select sum(returned.amount) from ptx returned
        where returned.workspace = account_row.workspace and returned.reverses = ptx.id
          and returned.id <> p_cause), 0)
    - coalesce((select sum(taken.amount) from allocation taken
      where taken.workspace = account_row.workspace
      and taken.debit = ptx.id), 0)
  into lacking
  from ptx where ptx.workspace = account_row.workspace and ptx.id = p_debit;
  lacking := least(lacking, rest);
  rest := rest - lacking;
  deficit := deficit - lacking;
  for given in
    select taken.lot, sum(taken.amount)::bigint as points
    from allocation taken join lot on lot.workspace = taken.workspace and lot.id = taken.lot
    where taken.workspace = account_row.workspace and taken.debit = p_debit
    group by taken.lot, lot.earned_at
    having sum(taken.amount) > 0
    order by lot.earned_at desc, taken.lot desc
  loop
    exit when rest = 0;
    back := least(given.points, rest);
    rest := rest - back;
    insert into allocation (workspace, debit, lot, cause, amount)
    values (account_row.workspace, p_debit, given.lot, p_cause, -back);
    update lot set
      remaining = lot.remaining + back,
      expires_at = case when overdue.yes then p_at + make_interval(days => program_row.grace_days)
        else lot.expires_at end,
      extends_with_activity = lot.extends_with_activity and not overdue.yes
    from (
      select program_row.expired_return = 'extend'
        and lot_due_at(source_lot, account_row.activity_extends_to) <= p_at as yes
      from lot source_lot where source_lot.workspace = account_row.workspace
        and source_lot.id = given.lot
    ) overdue
    where lot.workspace = account_row.workspace and lot.id = given.lot;
    perform deficit_fill(account_row.workspace, account_row.id, given.lot, back, deficit, p_cause);
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
  event_written as (
    insert into event (workspace, id, type, object, created_at, actor)
    select p_workspace, event_id, event_type, p_id, p_at, null from moved
  )
  select to_jsonb(moved), (select id from taken),
    exists (select from webhook_endpoint where workspace = p_workspace and status = 'enabled')
  into posted, oldest_lot, has_endpoints
  from moved;
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
  account_row account, p_type text, p_debit text, p_points bigint, p_reason text, p_operation text,
  p_redemption text, p_at timestamptz, p_fingerprint text default null,
  p_metadata jsonb default '{}'
) returns ptx
language plpgsql as $$
declare
  program_row program;
  ptx_row ptx;
begin
  account_row := lots_expire(account_row, p_at);
  select * into program_row from program where workspace = account_row.workspace
    and id = account_row.program;
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation,
    redemption, reverses, fingerprint, metadata, at, created_at)
  values (account_row.workspace, vinr_id('ptx'), account_row.id, account_row.program, p_type,
    p_points, account_row.balance + p_points, p_reason, p_operation, p_redemption, p_debit,
    p_fingerprint, p_metadata, p_at, clock_timestamp())
  returning * into ptx_row;
  perform event_of_ptx(account_row.workspace, 'loyalty.points.reversed', ptx_row.id, p_at);
  perform points_came_back(account_row, program_row, ptx_row, p_debit, p_at);
  return ptx_row;
end $$;

-- What every return of points ends with, its row `ptx_row` written: what `p_debit` took goes back
-- to its lots, the balance rises, the account's next check is no later than the dates that came
-- back, what is past its date expires, and what another account had taken over is settled.
-- `account_row` is the account before it, locked.
create or replace function ledger_private.points_came_back(
  account_row account, program_row program, ptx_row ptx, p_debit text, p_at timestamptz
) returns void
language plpgsql as $$
begin
  perform lots_give_back(account_row, program_row, p_debit, ptx_row.amount, ptx_row.id, p_at);
  update account set balance = account.balance + ptx_row.amount, lots_due_from = (
      select min(lot_due_at(lot, account.activity_extends_to)) from lot
      where workspace = account_row.workspace and account = account_row.id and open
        and expires_at is not null)
  where account.workspace = account_row.workspace and account.id = account_row.id
  returning * into account_row;
  perform expiry_check_earlier(account_row, program_row, p_at);
  account_row := lots_expire(account_row, p_at, p_at);
  if account_row.deficit_to is not null then
    perform deficit_settle(account_row.workspace, account_row.id, p_at);
  end if;
end $$;

-- Writes a credit with its lot and its event. `p_expires_at`: null where the program says when. The
-- account is locked.
create or replace function ledger_private.points_earn(
  account_row account, p_type text, p_amount bigint, p_reason text, p_operation text,
  p_fingerprint text, p_at timestamptz, p_expires_at timestamptz, p_batch text, p_source jsonb,
  p_metadata jsonb
) returns ptx
language plpgsql as $$
declare
  program_row program;
  ptx_row ptx;
begin
  ptx_row.workspace := account_row.workspace;
  ptx_row.id := vinr_id('ptx');
  ptx_row.account := account_row.id;
  ptx_row.program := account_row.program;
  ptx_row.type := p_type;
  ptx_row.amount := p_amount;
  ptx_row.balance_after := account_row.balance + p_amount;
  ptx_row.reason := p_reason;
  ptx_row.operation := p_operation;
  ptx_row.fingerprint := p_fingerprint;
  ptx_row.source := p_source;
  ptx_row.payment := p_source ->> 'payment';
  ptx_row.refund := p_source ->> 'refund';
  ptx_row.batch := p_batch;
  select * into program_row from program where workspace = account_row.workspace
    and id = account_row.program;
  ptx_row.expires_at := coalesce(p_expires_at, points_expiry(program_row, p_at));
  ptx_row.metadata := p_metadata;
  ptx_row.at := p_at;
  ptx_row.created_at := clock_timestamp();
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation,
    fingerprint, redemption, payment, refund, source, reverses, batch, expires_at, metadata, at,
    created_at)
  values (ptx_row.workspace, ptx_row.id, ptx_row.account, ptx_row.program, ptx_row.type,
    ptx_row.amount, ptx_row.balance_after, ptx_row.reason, ptx_row.operation, ptx_row.fingerprint,
    ptx_row.redemption, ptx_row.payment, ptx_row.refund, ptx_row.source, ptx_row.reverses,
    ptx_row.batch, ptx_row.expires_at, ptx_row.metadata, ptx_row.at, ptx_row.created_at)
  returning actor into ptx_row.actor;
  perform points_credit(account_row, ptx_row, program_row, p_expires_at is not null);
  perform event_of_ptx(account_row.workspace, 'loyalty.points.earned', ptx_row.id, p_at);
  return ptx_row;
end $$;

-- The ptx that an operation wrote; null where it wrote none.
create or replace function ledger_private.transaction_of_operation(
  p_workspace text, p_operation text
) returns jsonb
language plpgsql stable as $$
begin
  -- callers pass columns of another collation, with which the index would not be used
  return (
    select to_jsonb(ptx) from ptx where workspace = p_workspace
      and operation = p_operation collate "default");
end $$;

-- The balance and the lot of a credit already written as `ptx_row`, with its date; `account_row` is
-- the account before it. A date that was given with it (`p_exact`) is not extended by activity.
create or replace function ledger_private.points_credit(
  account_row account, ptx_row ptx, program_row program, p_exact boolean
) returns void
language plpgsql as $$
declare
  extends boolean := program_row.expiry_reset_on_activity and program_row.expiry_mode <> 'never'
    and not p_exact;
  due timestamptz := ptx_row.expires_at;
  next_check timestamptz;
  activity timestamptz := account_row.activity_extends_to;
begin
  if extends then
    -- an adjustment is no activity, but from now on a redemption is one: the epoch extends nothing
    activity := greatest(activity, case when ptx_row.type = 'earn' then due else 'epoch' end);
  end if;
  next_check := expiry_check_at(program_row, due, ptx_row.at);
  insert into lot (workspace, id, account, points, remaining, earned_at, expires_at,
    extends_with_activity)
  values (ptx_row.workspace, ptx_row.id, account_row.id, ptx_row.amount, ptx_row.amount, ptx_row.at,
    due, extends);
  update account set
    balance = ptx_row.balance_after,
    lifetime_points = lifetime_points
      + case when ptx_row.type in ('earn', 'adjust') then ptx_row.amount else 0 end,
    lots_due_from = least(lots_due_from, due),
    activity_extends_to = activity,
    expiry_wake_at = least(expiry_wake_at, next_check)
  where workspace = ptx_row.workspace and id = account_row.id;
  if next_check < coalesce(account_row.expiry_wake_at, 'infinity') then
    perform expiry_check_outbox(account_row, program_row, next_check);
  end if;
  if account_row.balance < 0 then
    perform deficit_fill(ptx_row.workspace, account_row.id, ptx_row.id, ptx_row.amount,
      -account_row.balance, ptx_row.id);
  end if;
  if due <= ptx_row.at then
    perform lots_expire((select account from account where workspace = ptx_row.workspace
      and id = account_row.id), ptx_row.at, ptx_row.at);
  end if;
  if program_row.tier_config is not null then
    perform tier_after_credit(ptx_row.workspace, account_row.id, program_row,
      greatest(ptx_row.at, ptx_row.created_at));
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
create or replace function ledger_private.lot_expired(
  account_row account, p_lot text
) returns bigint
language sql stable as $$
  select coalesce(sum(allocation.amount), 0)::bigint
  from ptx expiry join allocation on allocation.workspace = expiry.workspace
    and allocation.debit = expiry.id and allocation.lot = p_lot
  where expiry.workspace = account_row.workspace and expiry.account = account_row.id
    and expiry.type = 'expire' and expiry.id > p_lot
$$;

-- What the refunds that stand have taken back of an earn row; the payment of an invoice may have
-- come after it.
create or replace function ledger_private.earn_clawed(ptx_row ptx) returns bigint
language sql stable as $$
  select coalesce(sum(clawback.taken), 0)::bigint
  from earning join clawback on clawback.workspace = earning.workspace
    and clawback.earning = earning.id
  where earning.workspace = ptx_row.workspace and earning.transaction = ptx_row.id
    and earning.payment = coalesce(ptx_row.payment,
      payment_of_invoice(ptx_row.workspace, ptx_row.source ->> 'invoice'))
$$;

-- Takes from one lot first, then from the others, oldest first; what no lot funds stays a deficit.
create or replace function ledger_private.lots_take_from(
  p_workspace text, p_account text, own_lot lot, p_debit text, p_points bigint
)
returns void
language plpgsql as $$
declare
  from_own bigint := least(own_lot.remaining, p_points);
begin
  if from_own > 0 then
    update lot set remaining = remaining - from_own where workspace = p_workspace
      and id = own_lot.id;
    insert into allocation (workspace, debit, lot, cause, amount)
    values (p_workspace, p_debit, own_lot.id, p_debit, from_own);
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
  select array_agg(ptx.id) into lots
  from account_family(p_workspace, p_from) member (id)
  join ptx on ptx.workspace = p_workspace and ptx.account = member.id and ptx.amount > 0;
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
create or replace function ledger_private.account_debtor(account_row account) returns text
language sql immutable as $$
  select case
    when account_row.status = 'closed' then coalesce(account_row.customer,
      account_row.former_customers[cardinality(account_row.former_customers)])
    when account_row.status = 'active' and account_row.customer is null
      then account_row.former_customers[cardinality(account_row.former_customers)]
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
  account_row account;
begin
  for other in select had from accounts_had(heir.workspace, heir.program, heir.customer,
    heir.id) had loop
    account_row := account_locked(heir.workspace, other);
    continue when account_row.id <> other
      or account_debtor(account_row) is distinct from heir.customer;
    account_row := lots_expire(account_row, p_at);
    if account_row.balance < 0 then
      perform deficit_move(account_row, heir.id, p_at, p_announced);
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
  account_row account;
  heir account;
begin
  select * into account_row from account where workspace = p_workspace and id = p_account;
  if account_row.balance >= 0 or account_debtor(account_row) is null then
    return;
  end if;
  heir := account_locked(p_workspace, account_of_customer(p_workspace, account_row.program,
    account_debtor(account_row), account_row.id));
  if heir.status = 'active' and heir.id <> account_row.id then
    perform deficit_move(account_row, heir.id, p_at, true);
  end if;
end $$;

-- Moves all that `account_row` owes to another account; both are locked, and nothing of
-- `account_row` is due.
create or replace function ledger_private.deficit_move(
  account_row account, p_heir text, p_at timestamptz, p_announced boolean
) returns void
language plpgsql as $$
declare
  owed bigint := -account_row.balance;
  heir account;
  plus ptx;
  minus ptx;
begin
  select * into heir from account where workspace = account_row.workspace and id = p_heir;
  heir := lots_expire(heir, p_at);
  minus := deficit_row(heir, -owed, 'into', vinr_id('ptx'), null, account_row.id, p_at);
  plus := deficit_row(account_row, owed, 'out', minus.id, null, heir.id, p_at);
  insert into lot (workspace, id, account, points, remaining, earned_at)
  values (account_row.workspace, plus.id, account_row.id, owed, owed, p_at);
  perform deficit_fill(account_row.workspace, account_row.id, plus.id, owed, owed, plus.id);
  update account set balance = 0, deficit_to = heir.id where workspace = account_row.workspace
    and id = account_row.id;
  perform lots_take(account_row.workspace, heir.id, minus.id, owed);
  update account set balance = minus.balance_after, deficit_to = nullif(deficit_to, account_row.id)
  where workspace = account_row.workspace and id = heir.id;
  perform deficit_event(account_row, p_at);
  if p_announced then
    perform deficit_event(heir, p_at);
  end if;
end $$;

-- After points came back to an account: what of them another took over as a debit settles that.
-- Locked.
create or replace function ledger_private.deficit_settle(
  p_workspace text, p_account text, p_at timestamptz
) returns void
language plpgsql as $$
declare
  account_row account;
  heir account;
  program_row program;
  debit record;
  back ptx;
  points bigint;
begin
  select * into account_row from account where workspace = p_workspace and id = p_account;
  if account_row.deficit_to is null or account_row.balance <= 0 then
    return;
  end if;
  heir := account_locked(p_workspace, account_row.deficit_to);
  if heir.id = account_row.id then
    return;
  end if;
  select * into program_row from program where workspace = p_workspace and id = account_row.program;
  for debit in
    select taken_over.id, -taken_over.amount - coalesce((
      select sum(returned.amount) from ptx returned where returned.workspace = p_workspace
        and returned.reverses = taken_over.id), 0) as owed
    from account_family(p_workspace, heir.id) member (id)
    join ptx taken_over on taken_over.workspace = p_workspace and taken_over.account = member.id
      and taken_over.type = 'merge' and taken_over.amount < 0
      and taken_over.source ->> 'deficit_from' = account_row.id
    order by taken_over.id
  loop
    points := least(account_row.balance, debit.owed);
    continue when points <= 0;
    heir := lots_expire(heir, p_at);
    back := deficit_row(heir, points, 'into', vinr_id('ptx'), debit.id, account_row.id, p_at);
    perform lots_take(p_workspace, account_row.id,
      (deficit_row(account_row, -points, 'out', back.id, null, heir.id, p_at)).id, points);
    update account set balance = balance - points where workspace = p_workspace
      and id = account_row.id;
    perform deficit_event(account_row, p_at);
    perform points_came_back(heir, program_row, back, debit.id, p_at);
    perform deficit_event(heir, p_at);
    select * into account_row from account where workspace = p_workspace and id = account_row.id;
    select * into heir from account where workspace = p_workspace and id = heir.id;
  end loop;
end $$;

-- One of the two rows; `p_pair` is the id of the one on the account that takes over, which names
-- both.
create or replace function ledger_private.deficit_row(
  account_row account, p_amount bigint, p_way text, p_pair text, p_reverses text, p_other text,
  p_at timestamptz
) returns ptx
language plpgsql as $$
declare
  ptx_row ptx;
begin
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation,
    source, reverses, at, created_at)
  values (account_row.workspace, case p_way when 'into' then p_pair else vinr_id('ptx') end,
    account_row.id, account_row.program, 'merge', p_amount, account_row.balance + p_amount,
    'deficit', 'deficit:' || p_way || ':' || p_pair,
    jsonb_build_object(case p_way when 'into' then 'deficit_from' else 'deficit_to' end, p_other),
    p_reverses, p_at, clock_timestamp())
  returning * into ptx_row;
  return ptx_row;
end $$;

-- Says what it changed: the rows of a merge have no events of their own. `before` is the account
-- before.
create or replace function ledger_private.deficit_event(
  before account, p_at timestamptz
) returns void
language plpgsql as $$
begin
  perform event_write(before.workspace, 'loyalty.account.updated', before.id, to_jsonb(account),
    jsonb_build_object('balance', before.balance), p_at)
  from account where workspace = before.workspace and id = before.id;
end $$;
