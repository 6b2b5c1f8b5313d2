-- What a customer owes follows them. An account that is no longer theirs to use (closed, or linked to nobody)
-- hands its deficit to their active one by two `merge` rows, which net to nothing: the plus fills what was
-- unfunded there, the minus is a debit here. Points that come back to the first one later settle that debit.

-- Whose debts an account's are while they do not use it; null: it answers for itself.
create or replace function account_debtor(a account) returns text
language sql immutable as $$
  select case
    when a.status = 'closed' then coalesce(a.customer, a.former_customers[cardinality(a.former_customers)])
    when a.status = 'active' and a.customer is null then a.former_customers[cardinality(a.former_customers)]
  end
$$;

-- Takes over what other accounts of this one's customer owe: it has just become theirs. All of those are locked,
-- for what one owes may be being written. `p_announced`: whether the account is known to listeners yet.
-- Returns the account as it is then.
create or replace function deficits_inherit(heir account, p_at timestamptz, p_announced boolean default true)
returns account
language plpgsql as $$
declare
  other text;
  a account;
begin
  for other in select had from accounts_had(heir.workspace, heir.program, heir.customer, heir.id) had loop
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

-- After a debit: what the account owes goes to its customer's active one, where it is not theirs to use itself.
-- It is locked.
create or replace function deficit_follow(p_workspace text, p_account text, p_at timestamptz) returns void
language plpgsql as $$
declare
  a account;
  heir account;
begin
  select * into a from account where workspace = p_workspace and id = p_account;
  if a.balance >= 0 or account_debtor(a) is null then
    return;
  end if;
  heir := account_locked(p_workspace, account_of_customer(p_workspace, a.program, account_debtor(a), a.id));
  if heir.status = 'active' and heir.id <> a.id then
    perform deficit_move(a, heir.id, p_at, true);
  end if;
end $$;

-- Moves all that `a` owes to another account; both are locked, and nothing of `a` is due.
create or replace function deficit_move(a account, p_heir text, p_at timestamptz, p_announced boolean) returns void
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

-- After points came back to an account: what of them another took over as a debit settles that. Locked.
create or replace function deficit_settle(p_workspace text, p_account text, p_at timestamptz) returns void
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
      select sum(r.amount) from ptx r where r.workspace = p_workspace and r.reverses = t.id), 0) as owed
    from account_family(p_workspace, heir.id) f (id)
    join ptx t on t.workspace = p_workspace and t.account = f.id and t.type = 'merge' and t.amount < 0
      and t.source ->> 'deficit_from' = a.id
    order by t.id
  loop
    points := least(a.balance, debit.owed);
    continue when points <= 0;
    heir := lots_expire(heir, p_at);
    back := deficit_row(heir, points, 'into', vinr_id('ptx'), debit.id, a.id, p_at);
    perform lots_take(p_workspace, a.id, (deficit_row(a, -points, 'out', back.id, null, heir.id, p_at)).id, points);
    update account set balance = balance - points where workspace = p_workspace and id = a.id;
    perform deficit_told(a, p_at);
    perform points_came_back(heir, p, back, debit.id, p_at);
    perform deficit_told(heir, p_at);
    select * into a from account where workspace = p_workspace and id = a.id;
    select * into heir from account where workspace = p_workspace and id = heir.id;
  end loop;
end $$;

-- One of the two rows; `p_pair` is the id of the one on the account that takes over, which names both.
create or replace function deficit_row(
  a account, p_amount bigint, p_way text, p_pair text, p_reverses text, p_other text, p_at timestamptz
) returns ptx
language plpgsql as $$
declare
  t ptx;
begin
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation, source, reverses, at, created_at)
  values (a.workspace, case p_way when 'into' then p_pair else vinr_id('ptx') end, a.id, a.program, 'merge', p_amount,
    a.balance + p_amount, 'deficit', 'deficit:' || p_way || ':' || p_pair,
    jsonb_build_object(case p_way when 'into' then 'deficit_from' else 'deficit_to' end, p_other), p_reverses, p_at,
    clock_timestamp())
  returning * into t;
  return t;
end $$;

-- Says what it changed: the rows of a merge have no events of their own. `before` is the account before.
create or replace function deficit_told(before account, p_at timestamptz) returns void
language plpgsql as $$
begin
  perform event_write(before.workspace, 'loyalty.account.updated', before.id, to_jsonb(a),
    jsonb_build_object('balance', before.balance), p_at)
  from account a where a.workspace = before.workspace and a.id = before.id;
end $$;
