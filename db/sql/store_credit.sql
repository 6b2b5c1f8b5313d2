-- Store credit: lots of money by currency, spent by payments.

-- The same for one account by its id, under its lock; may be called at any time.
create or replace function ledger.credit_account_expire(
  p_workspace text, p_account text, p_at timestamptz
) returns int
language plpgsql as $$
declare
  a account;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  a := account_locked(p_workspace, p_account);
  return case when a.id is null then 0 else credits_expire(a, p_at) end;
end $$;

-- What a program owes in store credit as of an instant (event time; null: now), by currency, in
-- minor units: outstanding = issued - spent - expired - reversed. What is due and only not yet
-- written off counts as expired. Null where there is no such program.
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
    select coalesce(jsonb_agg(jsonb_build_object('currency', x.currency, 'outstanding',
      x.issued - x.spent - x.expired - x.reversed,
      'issued', x.issued, 'spent', x.spent, 'expired', x.expired, 'reversed', x.reversed)
      order by x.currency), '[]')
    from (
      select m.currency,
        coalesce(sum(m.amount) filter (where m.type = 'issue'), 0)::bigint as issued,
        coalesce(-sum(m.amount) filter (where m.type in ('spend', 'return')), 0)::bigint as spent,
        coalesce(-sum(m.amount) filter (where m.type = 'expire'), 0)::bigint as expired,
        coalesce(-sum(m.amount) filter (where m.type = 'reverse'), 0)::bigint as reversed
      from (
        select currency, type, amount from credit_transaction
        where workspace = p_workspace and program = p_program and at <= as_of
        union all
        select currency, 'expire', -remaining from credit
        where workspace = p_workspace and program = p_program and remaining > 0
          and expires_at <= least(as_of, clock_timestamp())
      ) m
      group by m.currency
    ) x));
end $$;

-- Members with store credit that is due, across workspaces; the longest overdue first.
create or replace function ledger.net_due_credits(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, account text)
language sql stable security definer as $$
  select c.workspace, c.account from credit c
  where c.remaining > 0 and c.expires_at <= p_before
  group by c.workspace, c.account
  order by min(c.expires_at), c.workspace, c.account limit p_limit offset p_skip
$$;

-- What a member has by currency, and what of it expires when, soonest first; what is due counts as
-- expired. An account that was merged is answered with its survivor's. Null where there is none.
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
    select coalesce(jsonb_agg(jsonb_build_object('currency', w.currency, 'balance',
      w.balance - due.amount,
      'expiring', dated.credits) order by w.currency), '[]')
    from credit_wallet w
    cross join lateral (
      select coalesce(sum(c.remaining), 0) as amount from credit c
      where c.workspace = w.workspace and c.account = w.account and c.currency = w.currency
        and c.remaining > 0
        and c.expires_at <= clock_timestamp()
    ) due
    cross join lateral (
      select coalesce(jsonb_agg(jsonb_build_object('credit', c.id, 'amount', c.remaining,
        'expires_at', c.expires_at)
        order by c.expires_at, c.id), '[]') as credits
      from credit c
      where c.workspace = w.workspace and c.account = w.account and c.currency = w.currency
        and c.remaining > 0
        and c.expires_at > clock_timestamp()
    ) dated
    where w.workspace = p_workspace and w.account = member));
end $$;

-- One movement of money on one credit and on its wallet; the account's lock is held. Returns the
-- row.
create or replace function ledger_private.credit_post(
  c credit, p_type text, p_amount bigint, p_operation text, p_at timestamptz,
  p_refs jsonb default '{}'
) returns credit_transaction
language plpgsql as $$
declare
  t credit_transaction;
begin
  update credit set remaining = remaining + p_amount where workspace = c.workspace and id = c.id;
  update credit_wallet set balance = balance + p_amount
  where workspace = c.workspace and account = c.account and currency = c.currency
  returning balance into t.balance_after;
  if not found then
    insert into credit_wallet (workspace, account, currency, balance)
      values (c.workspace, c.account, c.currency, p_amount)
    returning balance into t.balance_after;
  end if;
  t.workspace := c.workspace;
  t.id := vinr_id('ctx');
  t.account := c.account;
  t.program := c.program;
  t.currency := c.currency;
  t.type := p_type;
  t.amount := p_amount;
  t.credit := c.id;
  t.redemption := p_refs ->> 'redemption';
  t.payment := p_refs ->> 'payment';
  t.refund := p_refs ->> 'refund';
  t.reverses := p_refs ->> 'reverses';
  t.operation := coalesce(p_operation, t.id);
  t.at := p_at;
  t.created_at := clock_timestamp();
  insert into credit_transaction (workspace, id, account, program, currency, type, amount,
    balance_after, credit, redemption, payment, refund, reverses, operation, at, created_at)
  values (t.workspace, t.id, t.account, t.program, t.currency, t.type, t.amount, t.balance_after,
    t.credit, t.redemption, t.payment, t.refund, t.reverses, t.operation, t.at, t.created_at);
  return t;
end $$;

-- Issues the store credit of a redemption, once, in the redemption's own transaction.
create or replace function ledger_private.credit_issue(
  a account, d redemption, p_at timestamptz
) returns void
language plpgsql as $$
declare
  c credit;
begin
  c.workspace := d.workspace;
  c.id := 'crd_' || substr(d.id, 5);
  c.account := a.id;
  c.program := a.program;
  c.redemption := d.id;
  c.currency := d.credit ->> 'currency';
  c.amount := (d.credit ->> 'amount')::bigint;
  c.remaining := 0;
  c.expires_at := (d.credit ->> 'expires_at')::timestamptz;
  c.created_at := p_at;
  insert into credit (workspace, id, account, program, redemption, currency, amount, remaining,
    expires_at, created_at)
  values (c.workspace, c.id, c.account, c.program, c.redemption, c.currency, c.amount, c.remaining,
    c.expires_at, c.created_at);
  perform credit_post(c, 'issue', c.amount, 'issue:' || d.id, p_at,
    jsonb_build_object('redemption', d.id));
  c.remaining := c.amount;
  perform event_write(d.workspace, 'customer.credit.issued', c.id,
    to_jsonb(c) || jsonb_build_object('customer', a.customer), null, p_at);
end $$;

-- Writes off what is due on the member's credits; the account's lock is held. The rows' time is the
-- due date, or `p_on` where something came back after it. Returns how many.
create or replace function ledger_private.credits_expire(
  a account, p_at timestamptz, p_on timestamptz default null
) returns int
language plpgsql as $$
declare
  c credit;
  n int := 0;
begin
  for c in
    select * from credit
    where workspace = a.workspace and account = a.id and remaining > 0 and expires_at <= p_at
    order by expires_at, id
  loop
    perform credit_post(c, 'expire', -c.remaining, null, coalesce(p_on, c.expires_at));
    n := n + 1;
  end loop;
  return n;
end $$;

-- Takes money from a wallet for a payment, from what expires soonest first. The account's lock is
-- held, what is due is written off, and the wallet has as much.
create or replace function ledger_private.credit_take(
  pay payment, a account, p_amount bigint, p_cause text, p_at timestamptz
)
returns payment
language plpgsql as $$
declare
  c credit;
  needed bigint := p_amount;
begin
  for c in
    select * from credit
    where workspace = a.workspace and account = a.id and currency = upper(pay.currency)
      and remaining > 0
    order by expires_at, id
  loop
    exit when needed = 0;
    perform credit_post(c, 'spend', -least(c.remaining, needed),
      p_cause || ':' || pay.id || ':' || c.id, p_at,
      jsonb_build_object('payment', pay.id));
    needed := needed - least(c.remaining, needed);
  end loop;
  if needed > 0 then
    -- the lock makes this impossible
    raise exception 'wallet of % lacks % of what its balance said', a.id, needed;
  end if;
  pay.store_credit := pay.store_credit + p_amount;
  pay.store_credit_account := a.id;
  return pay;
end $$;

-- Spends store credit on a payment being created, after its discounts: `p_asked` is {account?,
-- amount?}. Without an amount all that the wallet has; never more than is left to charge. Without
-- an account the one that the payment names, or its customer's only active one. Raises (VR001)
-- resource_missing, account_closed, parameter_invalid.
create or replace function ledger_private.credit_spend(
  pay payment, a account, p_asked jsonb, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  available bigint;
  wanted bigint;
begin
  if a.status = 'closed' then
    perform refuse('{"code": "account_closed"}');
  elsif pay.customer <> a.customer and a.id is distinct from account_of_customer(a.workspace,
    a.program, pay.customer) then
    perform refuse(
      '{"code": "parameter_invalid", "param": "store_credit", "wallet": "other_customer"}');
  end if;
  perform credits_expire(a, p_at);
  select coalesce(max(balance), 0) into available from credit_wallet
  where workspace = a.workspace and account = a.id and currency = upper(pay.currency);
  wanted := least(coalesce((p_asked ->> 'amount')::bigint, available), pay.amount_charged);
  if wanted > available then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'store_credit',
      'available', available));
  end if;
  pay := credit_take(pay, a, wanted, 'spend', p_at);
  pay.amount_charged := pay.amount_charged - wanted;
  return pay;
end $$;

-- Whose wallet a payment draws on: the account that the request or the payment names, else its
-- customer's only one.
create or replace function ledger_private.credit_account_named(
  pay payment, p_asked jsonb
) returns text
language plpgsql stable as $$
declare
  named text := coalesce(p_asked ->> 'account', pay.metadata ->> 'loyalty_account');
  members text[];
begin
  if named is null then
    select coalesce(array_agg(m), '{}') into members
    from program p cross join lateral account_of_customer(p.workspace, p.id, pay.customer) m
    where p.workspace = pay.workspace and m is not null;
    if cardinality(members) <> 1 then
      perform refuse('{"code": "parameter_invalid", "param": "store_credit", "wallet": "unnamed"}');
    end if;
    named := members[1];
  end if;
  return named;
end $$;

-- The same, locked.
create or replace function ledger_private.credit_account(pay payment, p_asked jsonb) returns account
language plpgsql as $$
declare
  named text := credit_account_named(pay, p_asked);
  a account := account_locked(pay.workspace, named);
begin
  if a.id is null then
    perform refuse(jsonb_build_object('code', 'resource_missing', 'param', 'store_credit',
      'account', named));
  end if;
  return a;
end $$;

-- Gives store credit back that a payment had spent, to the credits it came from, those taken last
-- first. What comes back after its date follows the program's expiredReturn, as points do: it
-- expires at once (restore) or lives on for the program's days of grace (extend). `p_cause` makes
-- each give-back unique.
create or replace function ledger_private.credit_return(
  pay payment, p_amount bigint, p_cause text, p_refund text, p_at timestamptz
)
returns payment
language plpgsql as $$
declare
  a account := account_locked(pay.workspace, pay.store_credit_account);
  p program;
  c credit;
  s record;
  back bigint;
  rest bigint := p_amount;
begin
  select * into p from program where workspace = a.workspace and id = a.program;
  for s in
    select t.id, t.credit, -t.amount - coalesce((
      select sum(r.amount) from credit_transaction r
      where r.workspace = t.workspace and r.payment = pay.id and r.reverses = t.id),
        0)::bigint as unreturned
    from credit_transaction t
    where t.workspace = pay.workspace and t.payment = pay.id and t.type = 'spend'
    order by t.id desc
  loop
    exit when rest = 0;
    back := least(s.unreturned, rest);
    continue when back <= 0;
    rest := rest - back;
    if p.expired_return = 'extend' then
      update credit set expires_at = p_at + make_interval(days => p.grace_days)
      where workspace = pay.workspace and id = s.credit and expires_at <= p_at;
    end if;
    select * into c from credit where workspace = pay.workspace and id = s.credit;
    perform credit_post(c, 'return', back, 'return:' || s.id || ':' || p_cause, p_at,
      jsonb_build_object(
      'payment', pay.id, 'refund', p_refund, 'reverses', s.id));
  end loop;
  if rest > 0 then
    raise exception 'payment % has % less store credit to give back than asked', pay.id, rest;
  end if;
  perform credits_expire(a, p_at, p_at);
  pay.store_credit := pay.store_credit - p_amount;
  return pay;
end $$;

-- What a payment's new status means for the store credit spent on it, under the payment's lock.
-- Failed, canceled or expired: all of it goes back, once. Completed after that (the provider
-- charged all the same): it is taken again as far as the wallet has it; `pay` still has its old
-- status.
create or replace function ledger_private.credit_follow(
  pay payment, p_status text, p_at timestamptz
) returns payment
language plpgsql as $$
declare
  a account;
  owed bigint;
  available bigint;
begin
  if p_status in ('failed', 'canceled', 'expired') and pay.store_credit > 0 then
    return credit_return(pay, pay.store_credit, p_status, null, p_at);
  end if;
  if p_status = 'completed' and pay.status in ('failed', 'canceled', 'expired') then
    a := account_locked(pay.workspace, pay.store_credit_account);
    perform credits_expire(a, p_at);
    select -sum(amount) into owed from credit_transaction
    where workspace = pay.workspace and payment = pay.id and type = 'spend';
    select coalesce(max(balance), 0) into available from credit_wallet
    where workspace = a.workspace and account = a.id and currency = upper(pay.currency);
    return credit_take(pay, a, least(owed, available), 'respend', p_at);
  end if;
  return pay;
end $$;

-- The part of a redemption's credit that goes with so many of its points: in proportion, rounded
-- up, all of it at the end. A gift took no points: none of it goes, until all of it does.
create or replace function ledger_private.credit_share(
  c credit, d redemption, p_points bigint
) returns bigint
language sql immutable as $$
  select case when d.points = 0 then 0
    else divided(c.amount::numeric * p_points, d.points, 'up')::bigint end
$$;

-- What the next reversal, of so many points, takes of the credit.
create or replace function ledger_private.credit_next_share(
  c credit, d redemption, p_points bigint
) returns bigint
language sql immutable as $$
  select case when d.points = 0 then c.amount
    else credit_share(c, d, d.reversed_points + p_points) - credit_share(c, d,
      d.reversed_points) end
$$;

-- Why a redemption of store credit cannot be reversed by so many points: that share of the money
-- was spent or has expired. Null where it can. `available` is how many points can be (smallest
-- unit).
create or replace function ledger_private.credit_reversal_refusal(
  d redemption, p_points bigint, p_at timestamptz
) returns jsonb
language plpgsql stable as $$
declare
  c credit;
  remaining bigint;
  taken bigint;
begin
  select * into c from credit where workspace = d.workspace and id = 'crd_' || substr(d.id, 5);
  remaining := case when c.expires_at <= p_at then 0 else c.remaining end;
  taken := credit_share(c, d, d.reversed_points);
  if c.id is null or credit_next_share(c, d, p_points) <= remaining then
    return null;
  end if;
  return jsonb_build_object('code', 'not_reversible', 'credit', c.id, 'currency', c.currency,
    'remaining', remaining,
    'available', div((remaining + taken)::numeric * d.points,
      c.amount)::bigint - d.reversed_points);
end $$;

-- Takes back the share of the credit that goes with so many points of its redemption.
create or replace function ledger_private.credit_reverse(
  d redemption, p_points bigint, p_at timestamptz
) returns void
language plpgsql as $$
declare
  c credit;
  share bigint;
begin
  select * into c from credit where workspace = d.workspace and id = 'crd_' || substr(d.id, 5);
  share := credit_next_share(c, d, p_points);
  if share > 0 then
    perform credit_post(c, 'reverse', -share,
      'reverse:' || d.id || ':' || d.reversed_points + p_points, p_at,
      jsonb_build_object('redemption', d.id));
  end if;
end $$;

-- A merge brings the source's credits to the survivor, by a minus and a plus row for each that has
-- something left; spent ones follow as well, so that what comes back comes to the survivor.
create or replace function ledger_private.credit_merge(
  s account, t account, p_at timestamptz
) returns void
language plpgsql as $$
declare
  c credit;
  moved bigint;
begin
  for c in select * from credit where workspace = s.workspace and account = s.id order by id loop
    moved := c.remaining;
    if moved > 0 then
      perform credit_post(c, 'merge', -moved, 'merge:out:' || s.id || ':' || c.id, p_at);
    end if;
    update credit set account = t.id where workspace = s.workspace and id = c.id returning * into c;
    if moved > 0 then
      perform credit_post(c, 'merge', moved, 'merge:into:' || s.id || ':' || c.id, p_at);
    end if;
  end loop;
end $$;
