-- Store credit: lots of money by currency, spent by payments.

-- The same for one account by its id, under its lock; may be called at any time.
create or replace function ledger.credit_account_expire(
  p_workspace text, p_account text, p_at timestamptz
) returns int
language plpgsql as $$
declare
  account_row account;
begin
  account_row := command_on_account(p_workspace, p_account);
  return case when account_row.id is null then 0 else credits_expire(account_row, p_at) end;
end $$;

-- What a program owes in store credit as of an instant (event time; null: now), by currency, in
-- minor units: outstanding = issued - spent - expired - reversed. What is due and only not yet
-- written off counts as expired. Null where there is no such program.
-- @returns CreditLiability | null
-- @null p_at
create or replace function ledger.credit_liability(
  p_workspace text, p_program text, p_at timestamptz
) returns jsonb
language plpgsql stable as $$
declare
  as_of timestamptz := coalesce(p_at, clock_timestamp());
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if not exists (select from program where workspace = p_workspace and id = p_program) then
    return null;
  end if;
  return jsonb_build_object('as_of', as_of, 'currencies', (
    select coalesce(jsonb_agg(jsonb_build_object('currency', totals.currency, 'outstanding',
      totals.issued - totals.spent - totals.expired - totals.reversed, 'issued', totals.issued,
      'spent', totals.spent, 'expired', totals.expired, 'reversed', totals.reversed)
      order by totals.currency), '[]')
    from (
      select movement.currency,
        coalesce(sum(movement.amount) filter (where movement.type = 'issue'), 0)::bigint as issued,
        coalesce(-sum(movement.amount)
          filter (where movement.type in ('spend', 'return')), 0)::bigint as spent,
        coalesce(-sum(movement.amount) filter (where movement.type = 'expire'), 0)::bigint
          as expired,
        coalesce(-sum(movement.amount) filter (where movement.type = 'reverse'), 0)::bigint
          as reversed
      from (
        select currency, type, amount from credit_transaction
        where workspace = p_workspace and program = p_program and at <= as_of
        union all
        select currency, 'expire', -remaining from credit
        where workspace = p_workspace and program = p_program and remaining > 0
          and expires_at <= least(as_of, clock_timestamp())
      ) movement
      group by movement.currency
    ) totals));
end $$;

-- Members with store credit that is due, across workspaces; the longest overdue first.
create or replace function ledger.credits_overdue(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, account text)
language sql stable security definer as $$
  select workspace, account from credit
  where remaining > 0 and expires_at <= p_before
  group by workspace, account
  order by min(expires_at), workspace, account limit p_limit offset p_skip
$$;

-- What a member has by currency, and what of it expires when, soonest first; what is due counts as
-- expired. An account that was merged is answered with its survivor's. Null where there is none.
-- @returns AccountWallets | null
create or replace function ledger.credit_wallets(p_workspace text, p_account text) returns jsonb
language plpgsql stable as $$
declare
  member text;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  member := account_survivor(p_workspace, p_account);
  if member is null then
    return null;
  end if;
  return jsonb_build_object('account', member, 'wallets', (
    select coalesce(jsonb_agg(jsonb_build_object('currency', credit_wallet.currency, 'balance',
      credit_wallet.balance - due.amount,
      'expiring', dated.credits) order by credit_wallet.currency), '[]')
    from credit_wallet
    cross join lateral (
      select coalesce(sum(remaining), 0) as amount from credit
      where workspace = credit_wallet.workspace and account = credit_wallet.account
        and currency = credit_wallet.currency and remaining > 0
        and expires_at <= clock_timestamp()
    ) due
    cross join lateral (
      select coalesce(jsonb_agg(jsonb_build_object('credit', id, 'amount', remaining,
        'expires_at', expires_at)
        order by expires_at, id), '[]') as credits
      from credit
      where workspace = credit_wallet.workspace and account = credit_wallet.account
        and currency = credit_wallet.currency and remaining > 0
        and expires_at > clock_timestamp()
    ) dated
    where credit_wallet.workspace = p_workspace and credit_wallet.account = member));
end $$;

-- One movement of money on one credit and on its wallet; the account's lock is held. Returns the
-- row.
create or replace function ledger_private.credit_post(
  credit_row credit, p_type text, p_amount bigint, p_operation text, p_at timestamptz,
  p_refs jsonb default '{}'
) returns credit_transaction
language plpgsql as $$
declare
  movement credit_transaction;
begin
  update credit set remaining = remaining + p_amount where workspace = credit_row.workspace
    and id = credit_row.id;
  update credit_wallet set balance = balance + p_amount
  where workspace = credit_row.workspace and account = credit_row.account
    and currency = credit_row.currency
  returning balance into movement.balance_after;
  if not found then
    insert into credit_wallet (workspace, account, currency, balance)
      values (credit_row.workspace, credit_row.account, credit_row.currency, p_amount)
    returning balance into movement.balance_after;
  end if;
  movement.workspace := credit_row.workspace;
  movement.id := vinr_id('ctx');
  movement.account := credit_row.account;
  movement.program := credit_row.program;
  movement.currency := credit_row.currency;
  movement.type := p_type;
  movement.amount := p_amount;
  movement.credit := credit_row.id;
  movement.redemption := p_refs ->> 'redemption';
  movement.payment := p_refs ->> 'payment';
  movement.refund := p_refs ->> 'refund';
  movement.reverses := p_refs ->> 'reverses';
  movement.operation := coalesce(p_operation, movement.id);
  movement.at := p_at;
  movement.created_at := clock_timestamp();
  movement.actor := case p_type when 'expire' then '{"type": "system", "id": "expiry"}'
    else nullif(current_setting('vinr.actor', true), '') end;
  insert into credit_transaction (workspace, id, account, program, currency, type, amount,
    balance_after, credit, redemption, payment, refund, reverses, operation, at, created_at,
    actor)
  values (movement.workspace, movement.id, movement.account, movement.program, movement.currency,
    movement.type, movement.amount, movement.balance_after, movement.credit, movement.redemption,
    movement.payment, movement.refund, movement.reverses, movement.operation, movement.at,
    movement.created_at, movement.actor);
  return movement;
end $$;

-- Issues the store credit of a redemption, once, in the redemption's own transaction.
create or replace function ledger_private.credit_issue(
  account_row account, redemption_row redemption, p_at timestamptz
) returns void
language plpgsql as $$
declare
  credit_row credit;
begin
  credit_row.workspace := redemption_row.workspace;
  credit_row.id := 'crd_' || substr(redemption_row.id, 5);
  credit_row.account := account_row.id;
  credit_row.program := account_row.program;
  credit_row.redemption := redemption_row.id;
  credit_row.currency := redemption_row.credit ->> 'currency';
  credit_row.amount := (redemption_row.credit ->> 'amount')::bigint;
  credit_row.remaining := 0;
  credit_row.expires_at := (redemption_row.credit ->> 'expires_at')::timestamptz;
  credit_row.created_at := p_at;
  insert into credit (workspace, id, account, program, redemption, currency, amount, remaining,
    expires_at, created_at)
  values (credit_row.workspace, credit_row.id, credit_row.account, credit_row.program,
    credit_row.redemption, credit_row.currency, credit_row.amount, credit_row.remaining,
    credit_row.expires_at, credit_row.created_at);
  perform credit_post(credit_row, 'issue', credit_row.amount, 'issue:' || redemption_row.id, p_at,
    jsonb_build_object('redemption', redemption_row.id));
  credit_row.remaining := credit_row.amount;
  perform event_write(redemption_row.workspace, 'customer.credit.issued', credit_row.id,
    to_jsonb(credit_row) || jsonb_build_object('customer', account_row.customer), null, p_at);
end $$;

-- Writes off what is due on the member's credits; the account's lock is held. The rows' time is the
-- due date, or `p_on` where something came back after it. Returns how many.
create or replace function ledger_private.credits_expire(
  account_row account, p_at timestamptz, p_on timestamptz default null
) returns int
language plpgsql as $$
declare
  credit_row credit;
  expired int := 0;
begin
  for credit_row in
    select * from credit
    where workspace = account_row.workspace and account = account_row.id and remaining > 0
      and expires_at <= p_at
    order by expires_at, id
  loop
    perform credit_post(credit_row, 'expire', -credit_row.remaining, null,
      coalesce(p_on, credit_row.expires_at));
    expired := expired + 1;
  end loop;
  return expired;
end $$;

-- Takes money from a wallet for a payment, from what expires soonest first. The account's lock is
-- held, what is due is written off, and the wallet has as much.
create or replace function ledger_private.credit_take(
  payment_row payment, account_row account, p_amount bigint, p_cause text, p_at timestamptz
)
returns payment
language plpgsql as $$
declare
  credit_row credit;
  needed bigint := p_amount;
begin
  for credit_row in
    select * from credit
    where workspace = account_row.workspace and account = account_row.id
      and currency = upper(payment_row.currency) and remaining > 0
    order by expires_at, id
  loop
    exit when needed = 0;
    perform credit_post(credit_row, 'spend', -least(credit_row.remaining, needed),
      p_cause || ':' || payment_row.id || ':' || credit_row.id, p_at,
      jsonb_build_object('payment', payment_row.id));
    needed := needed - least(credit_row.remaining, needed);
  end loop;
  if needed > 0 then
    -- the lock makes this impossible
    raise exception 'wallet of % lacks % of what its balance said', account_row.id, needed;
  end if;
  payment_row.store_credit := payment_row.store_credit + p_amount;
  payment_row.store_credit_account := account_row.id;
  return payment_row;
end $$;

-- Spends store credit on a payment being created, after its discounts: `p_request` is {account?,
-- amount?}. Without an amount all that the wallet has; never more than is left to charge. Without
-- an account the one that the payment names, or its customer's only active one. Raises (VR001)
-- resource_missing, account_closed, parameter_invalid.
create or replace function ledger_private.credit_spend(
  payment_row payment, account_row account, p_request jsonb, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  available bigint;
  wanted bigint;
begin
  if account_row.status = 'closed' then
    perform refuse('{"code": "account_closed"}');
  elsif payment_row.customer <> account_row.customer
    and account_row.id is distinct from account_of_customer(account_row.workspace,
    account_row.program, payment_row.customer) then
    perform refuse(
      '{"code": "parameter_invalid", "param": "store_credit", "wallet": "other_customer"}');
  end if;
  perform credits_expire(account_row, p_at);
  select coalesce(max(balance), 0) into available from credit_wallet
  where workspace = account_row.workspace and account = account_row.id
    and currency = upper(payment_row.currency);
  wanted := least(coalesce((p_request ->> 'amount')::bigint, available),
    payment_row.amount_charged);
  if wanted > available then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'store_credit',
      'available', available));
  end if;
  payment_row := credit_take(payment_row, account_row, wanted, 'spend', p_at);
  payment_row.amount_charged := payment_row.amount_charged - wanted;
  return payment_row;
end $$;

-- Whose wallet a payment draws on: the account that the request or the payment names, else its
-- customer's only one.
create or replace function ledger_private.credit_account_named(
  payment_row payment, p_request jsonb
) returns text
language plpgsql stable as $$
declare
  named text := coalesce(p_request ->> 'account', payment_row.metadata ->> 'loyalty_account');
  members text[];
begin
  if named is null then
    select coalesce(array_agg(member), '{}') into members
    from program cross join lateral account_of_customer(program.workspace, program.id,
      payment_row.customer) member
    where program.workspace = payment_row.workspace and member is not null;
    if cardinality(members) <> 1 then
      perform refuse('{"code": "parameter_invalid", "param": "store_credit", "wallet": "unnamed"}');
    end if;
    named := members[1];
  end if;
  return named;
end $$;

-- The same, locked.
create or replace function ledger_private.credit_account(
  payment_row payment, p_request jsonb
) returns account
language plpgsql as $$
declare
  named text := credit_account_named(payment_row, p_request);
  account_row account := account_locked(payment_row.workspace, named);
begin
  if account_row.id is null then
    perform refuse(jsonb_build_object('code', 'resource_missing', 'param', 'store_credit',
      'account', named));
  end if;
  return account_row;
end $$;

-- Gives store credit back that a payment had spent, to the credits it came from, those taken last
-- first. What comes back after its date follows the program's expiredReturn, as points do: it
-- expires at once (restore) or lives on for the program's days of grace (extend). `p_cause` makes
-- each give-back unique.
create or replace function ledger_private.credit_return(
  payment_row payment, p_amount bigint, p_cause text, p_refund text, p_at timestamptz
)
returns payment
language plpgsql as $$
declare
  account_row account := account_locked(payment_row.workspace, payment_row.store_credit_account);
  program_row program;
  credit_row credit;
  spent record;
  back bigint;
  rest bigint := p_amount;
begin
  select * into program_row from program where workspace = account_row.workspace
    and id = account_row.program;
  for spent in
    select spend.id, spend.credit, -spend.amount - coalesce((
      select sum(returned.amount) from credit_transaction returned
      where returned.workspace = spend.workspace and returned.payment = payment_row.id
        and returned.reverses = spend.id), 0)::bigint as unreturned
    from credit_transaction spend
    where spend.workspace = payment_row.workspace and spend.payment = payment_row.id
      and spend.type = 'spend'
    order by spend.id desc
  loop
    exit when rest = 0;
    back := least(spent.unreturned, rest);
    continue when back <= 0;
    rest := rest - back;
    if program_row.expired_return = 'extend' then
      update credit set expires_at = p_at + make_interval(days => program_row.grace_days)
      where workspace = payment_row.workspace and id = spent.credit and expires_at <= p_at;
    end if;
    select * into credit_row from credit where workspace = payment_row.workspace
      and id = spent.credit;
    perform credit_post(credit_row, 'return', back, 'return:' || spent.id || ':' || p_cause, p_at,
      jsonb_build_object('payment', payment_row.id, 'refund', p_refund, 'reverses', spent.id));
  end loop;
  if rest > 0 then
    raise exception 'payment % has % less store credit to give back than asked', payment_row.id,
      rest;
  end if;
  perform credits_expire(account_row, p_at, p_at);
  payment_row.store_credit := payment_row.store_credit - p_amount;
  return payment_row;
end $$;

-- What a payment's new status means for the store credit spent on it, under the payment's lock.
-- Failed, canceled or expired: all of it goes back, once. Completed after that (the provider
-- charged all the same): it is taken again as far as the wallet has it; `payment_row` still has its
-- old status.
create or replace function ledger_private.credit_follow(
  payment_row payment, p_status text, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  account_row account;
  owed bigint;
  available bigint;
begin
  if p_status in ('failed', 'canceled', 'expired') and payment_row.store_credit > 0 then
    return credit_return(payment_row, payment_row.store_credit, p_status, null, p_at);
  end if;
  if p_status = 'completed' and payment_row.status in ('failed', 'canceled', 'expired') then
    account_row := account_locked(payment_row.workspace, payment_row.store_credit_account);
    perform credits_expire(account_row, p_at);
    select -sum(amount) into owed from credit_transaction
    where workspace = payment_row.workspace and payment = payment_row.id and type = 'spend';
    select coalesce(max(balance), 0) into available from credit_wallet
    where workspace = account_row.workspace and account = account_row.id
      and currency = upper(payment_row.currency);
    return credit_take(payment_row, account_row, least(owed, available), 'respend', p_at);
  end if;
  return payment_row;
end $$;

-- The part of a redemption's credit that goes with so many of its points: in proportion, rounded
-- up, all of it at the end. A gift took no points: none of it goes, until all of it does.
create or replace function ledger_private.credit_share(
  credit_row credit, redemption_row redemption, p_points bigint
) returns bigint
language sql immutable as $$
  select case when redemption_row.points = 0 then 0
    else divided(credit_row.amount::numeric * p_points, redemption_row.points, 'up')::bigint end
$$;

-- What the next reversal, of so many points, takes of the credit.
create or replace function ledger_private.credit_next_share(
  credit_row credit, redemption_row redemption, p_points bigint
) returns bigint
language sql immutable as $$
  select case when redemption_row.points = 0 then credit_row.amount
    else credit_share(credit_row, redemption_row, redemption_row.reversed_points + p_points)
      - credit_share(credit_row, redemption_row, redemption_row.reversed_points) end
$$;

-- Why a redemption of store credit cannot be reversed by so many points: that share of the money
-- was spent or has expired. Null where it can. `available` is how many points can be (smallest
-- unit).
create or replace function ledger_private.credit_reversal_refusal(
  redemption_row redemption, p_points bigint, p_at timestamptz
) returns jsonb
language plpgsql stable as $$
declare
  credit_row credit;
  remaining bigint;
  taken bigint;
begin
  select * into credit_row from credit where workspace = redemption_row.workspace
    and id = 'crd_' || substr(redemption_row.id, 5);
  remaining := case when credit_row.expires_at <= p_at then 0 else credit_row.remaining end;
  taken := credit_share(credit_row, redemption_row, redemption_row.reversed_points);
  if credit_row.id is null
    or credit_next_share(credit_row, redemption_row, p_points) <= remaining then
    return null;
  end if;
  return jsonb_build_object('code', 'not_reversible', 'credit', credit_row.id, 'currency',
    credit_row.currency, 'remaining', remaining,
    'available',
    div((remaining + taken)::numeric * redemption_row.points, credit_row.amount)::bigint
      - redemption_row.reversed_points);
end $$;

-- Takes back the share of the credit that goes with so many points of its redemption.
create or replace function ledger_private.credit_reverse(
  redemption_row redemption, p_points bigint, p_at timestamptz
) returns void
language plpgsql as $$
declare
  credit_row credit;
  share bigint;
begin
  select * into credit_row from credit where workspace = redemption_row.workspace
    and id = 'crd_' || substr(redemption_row.id, 5);
  share := credit_next_share(credit_row, redemption_row, p_points);
  if share > 0 then
    perform credit_post(credit_row, 'reverse', -share,
      'reverse:' || redemption_row.id || ':' || redemption_row.reversed_points + p_points, p_at,
      jsonb_build_object('redemption', redemption_row.id));
  end if;
end $$;

-- A merge brings the source's credits to the survivor, by a minus and a plus row for each that has
-- something left; spent ones follow as well, so that what comes back comes to the survivor.
create or replace function ledger_private.credit_merge(
  source_row account, target_row account, p_at timestamptz
) returns void
language plpgsql as $$
declare
  credit_row credit;
  moved bigint;
begin
  for credit_row in select * from credit where workspace = source_row.workspace
    and account = source_row.id order by id loop
    moved := credit_row.remaining;
    if moved > 0 then
      perform credit_post(credit_row, 'merge', -moved,
        'merge:out:' || source_row.id || ':' || credit_row.id, p_at);
    end if;
    update credit set account = target_row.id where workspace = source_row.workspace
      and id = credit_row.id returning * into credit_row;
    if moved > 0 then
      perform credit_post(credit_row, 'merge', moved,
        'merge:into:' || source_row.id || ':' || credit_row.id, p_at);
    end if;
  end loop;
end $$;
