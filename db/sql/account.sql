-- Accounts: enrolled, changed, merged and seen; their locks, and who stands for a customer.

-- The account and every account ever merged into it, for queries; functions of the ledger ask the
-- one below, without a change of role.
create or replace function ledger.account_family(
  p_workspace text, p_account text
) returns setof text
language plpgsql stable rows 1 as $$
begin
  return query select * from ledger_private.account_family(p_workspace, p_account);
end $$;

-- The same of what this account was merged into in the end, else itself; null where there is none.
create or replace function ledger.account_survivor(p_workspace text, p_account text) returns text
language plpgsql stable as $$
begin
  return ledger_private.account_survivor(p_workspace, p_account);
end $$;

-- The account and every account ever merged into it, at any depth: whose rows are the member's.
create or replace function ledger_private.account_family(
  p_workspace text, p_account text
) returns setof text
language plpgsql stable rows 1 as $$
begin
  return next p_account;
  -- hardly anybody was merged into: one look at an index; plpgsql, because its plans are kept
  if exists (select from account a where a.workspace = p_workspace
    and a.merged_into = p_account) then
    return query
      with recursive family (id) as (
        select a.id from account a where a.workspace = p_workspace and a.merged_into = p_account
        union
        select a.id from family f join account a on a.workspace = p_workspace
          and a.merged_into = f.id
      )
      select f.id::text from family f;
  end if;
end $$;

-- Where what is meant for this account goes: itself, or what it was merged into in the end. Null
-- where there is none. Merging is irreversible, so that an answer stays true until that one is
-- merged.
create or replace function ledger_private.account_survivor(
  p_workspace text, p_account text
) returns text
language plpgsql stable as $$
declare
  survivor text := p_account;
  following text;
begin
  loop
    select a.merged_into into following from account a where a.workspace = p_workspace
      and a.id = survivor;
    if not found then
      return null;
    end if;
    exit when following is null;
    survivor := following;
  end loop;
  return survivor;
end $$;

-- Whom a customer's merged accounts became, in programs where the customer has no active account of
-- their own.
create or replace function ledger.survivors_of_customer(
  p_workspace text, p_customer text
) returns setof text
language sql stable rows 1 as $$
  select account_survivor(o.workspace, o.id) from account o
  where o.workspace = p_workspace and o.customer = p_customer and o.status = 'merged'
    and not exists (
    select from account a
    where a.workspace = o.workspace and a.program = o.program and a.customer = o.customer
      and a.status = 'active')
$$;

-- Enrols a member by request. Outcomes: created; replayed. `matures_at` is when a welcome that
-- waits is credited (null: none waits). Refused: account_already_exists with the id of the
-- customer's active account, or of the one that theirs was merged into, also where requests race.
create or replace function ledger.account_create(
  p_workspace text, p_id text, p_program text, p_customer text, p_metadata jsonb, p_route text,
  p_key text, p_fingerprint text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  a account;
  earlier text;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  earlier := account_request(p_workspace, p_route, p_key, p_fingerprint, p_id, p_at);
  if earlier is not null then
    select * into a from account where workspace = p_workspace and id = earlier;
    return jsonb_build_object('outcome', 'replayed', 'account', to_jsonb(a));
  end if;
  a := account_enrol(p_workspace, p_id, p_program, p_customer, p_metadata, p_at, p_at);
  if a.id is null then
    perform account_taken(p_workspace, p_program, p_customer);
  end if;
  perform account_alone(a);
  return jsonb_build_object('outcome', 'created', 'account', to_jsonb(a),
    'matures_at', earning_next_maturity(p_workspace, p_id));
end $$;

-- Sets an account's customer (null unlinks, and with it the customers of what was merged into it)
-- and metadata, each only where `p_change` names it; metadata by key, null or empty removing one. A
-- change that changes nothing writes nothing. Outcomes: updated; unchanged; replayed. Refused:
-- resource_missing, account_merged, account_already_exists, parameter_invalid (more than 50 keys).
create or replace function ledger.account_update(
  p_workspace text, p_id text, p_change jsonb, p_route text, p_key text, p_fingerprint text,
  p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  a account;
  before account;
  unlinked int := 0;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if account_request(p_workspace, p_route, p_key, p_fingerprint, p_id, p_at) is not null then
    return account_outcome(p_workspace, p_id, 'replayed');
  end if;
  before := account_to_change(p_workspace, p_id);
  if before.id is null then
    perform refuse(jsonb_build_object('code', 'resource_missing', 'account', p_id));
  end if;
  a := before;
  if p_change ? 'customer' then
    a.customer := p_change ->> 'customer';
    -- who is unlinked is no longer led here by what was merged into it either
    update account m set customer = null, former_customers = account_formers(m)
    where m.workspace = p_workspace and m.id in (select account_family(p_workspace, p_id))
      and m.id <> p_id
      and (a.customer is null or m.customer = before.customer and m.customer <> a.customer)
      and m.customer is not null;
    get diagnostics unlinked = row_count;
    if a.customer is distinct from before.customer then
      a.former_customers := account_formers(before);
    end if;
  end if;
  select coalesce(jsonb_object_agg(key, value), '{}') into a.metadata
  from jsonb_each(before.metadata || coalesce(p_change -> 'metadata', '{}'))
  where value not in ('null', '""');
  if (select count(*) from jsonb_object_keys(a.metadata)) > 50 then
    perform refuse('{"code": "parameter_invalid", "param": "metadata", "most": 50}');
  end if;
  if a.customer is not distinct from before.customer and a.metadata = before.metadata then
    return account_outcome(p_workspace, p_id,
      case when unlinked = 0 then 'unchanged' else 'updated' end);
  end if;
  begin
    update account set customer = a.customer, former_customers = a.former_customers,
      metadata = a.metadata
    where workspace = p_workspace and id = p_id;
  exception when unique_violation then
    perform account_taken(p_workspace, a.program, a.customer);
  end;
  if a.customer is distinct from before.customer and a.status = 'active' then
    perform account_alone(a);
  end if;
  perform event_write(p_workspace, 'loyalty.account.updated', p_id, to_jsonb(a),
    case when a.customer is distinct from before.customer
      then jsonb_build_object('customer', before.customer) else '{}' end
    || case when a.metadata <> before.metadata then jsonb_build_object('metadata', before.metadata)
      else '{}' end, p_at);
  if a.customer is distinct from before.customer and a.status = 'active' then
    perform deficits_inherit(a, p_at);
  end if;
  return account_outcome(p_workspace, p_id, 'updated');
end $$;

-- Closes or reopens an account. Closing touches nothing but the status: a pending redemption still
-- ends by its payment, its cancel or its deadline, and points still expire; earning and spending
-- are refused. One that has the status already stays as it is. Outcomes: changed; unchanged;
-- replayed. Refused: resource_missing; account_merged; on reopening account_already_exists.
create or replace function ledger.account_set_status(
  p_workspace text, p_id text, p_status text, p_route text, p_key text, p_fingerprint text,
  p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  a account;
  before text;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if account_request(p_workspace, p_route, p_key, p_fingerprint, p_id, p_at) is not null then
    return account_outcome(p_workspace, p_id, 'replayed');
  end if;
  a := account_to_change(p_workspace, p_id);
  if a.id is null then
    perform refuse(jsonb_build_object('code', 'resource_missing', 'account', p_id));
  end if;
  if a.status = p_status then
    return account_outcome(p_workspace, p_id, 'unchanged');
  end if;
  before := a.status;
  begin
    update account set status = p_status where workspace = p_workspace and id = p_id
      returning * into a;
  exception when unique_violation then
    perform account_taken(p_workspace, a.program, a.customer);
  end;
  if a.status = 'active' then
    perform account_alone(a);
  end if;
  perform event_write(p_workspace,
    case p_status when 'closed' then 'loyalty.account.closed' else 'loyalty.account.reopened' end,
    p_id, to_jsonb(a), jsonb_build_object('status', before), p_at);
  if a.status = 'active' then
    perform deficits_inherit(a, p_at);
  end if;
  return account_outcome(p_workspace, p_id, 'changed');
end $$;

-- Merges `p_source` into `p_target`, for good: balance, lots with their dates, lifetime points,
-- redemptions, and the customer where the target has none. Both accounts are locked in id order; a
-- target that was merged itself stands for its survivor. The rows of the source stay as they are: a
-- minus row there and a plus row here move the balance. A deficit on one side is netted against the
-- other's lots. Where what came expires before the survivor's run looks, its run is told.
-- Idempotent by (source, target). Outcomes: merged; replayed. Refused, nothing written:
-- resource_missing, parameter_invalid (another program, the same account), account_merged (the
-- source is another's already, or the target was merged into the source), account_closed (the
-- target), redemptions_in_flight (with the pending ones of both).
create or replace function ledger.account_merge(
  p_workspace text, p_source text, p_target text, p_route text, p_key text, p_fingerprint text,
  p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  s account;
  t account;
  survivor text;
  cause text;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if account_request(p_workspace, p_route, p_key, p_fingerprint, p_source, p_at) is not null then
    return account_outcome(p_workspace, account_survivor(p_workspace, p_source), 'replayed');
  end if;
  survivor := account_survivor(p_workspace, p_target);
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || one.id, 0))
  from (select id from unnest(array[p_source, survivor]) id where id is not null
    order by id collate "C") one;
  select * into s from account where workspace = p_workspace and id = p_source;
  select * into t from account where workspace = p_workspace and id = survivor;
  if t.merged_into is not null then
    raise exception 'account % was merged meanwhile', survivor using errcode = '40001';
  end if;
  if s.status = 'merged' and account_survivor(p_workspace, s.id) = t.id then
    return account_outcome(p_workspace, t.id, 'replayed');
  end if;
  perform account_merge_refuse(s, t, p_source, p_target);

  s := lots_expire(s, p_at);
  t := lots_expire(t, p_at);
  cause := account_merge_rows(s, t, p_at);
  update account set status = 'merged', merged_into = t.id, balance = 0, lifetime_points = 0,
    lots_due_from = null, expiry_wake_at = null, activity_extends_to = null, tier_review_at = null,
    deficit_to = null
  where workspace = p_workspace and id = s.id;
  perform lots_move(p_workspace, s.id, t.id);
  insert into expiry_warning (workspace, account, expires_at, points, warned_at)
  select w.workspace, t.id, w.expires_at, w.points, w.warned_at from expiry_warning w
  where w.workspace = p_workspace and w.account = s.id and w.expires_at > p_at
  on conflict do nothing; -- of a date that the target was warned of as well
  perform credit_merge(s, t, p_at);
  update redemption set account = t.id where workspace = p_workspace and account = s.id;
  update tier_spend set account = t.id where workspace = p_workspace and account = s.id;
  if s.balance < 0 or t.balance < 0 then
    perform deficit_net(p_workspace, t.id,
      least(greatest(-s.balance, 0) + greatest(-t.balance, 0),
        greatest(s.balance, 0) + greatest(t.balance, 0)), cause);
  end if;
  t := account_merge_into(s, t, p_at);
  return jsonb_build_object('outcome', 'merged', 'account', to_jsonb(t));
end $$;

-- Everything the API shows of one account, in one statement that writes nothing: the row, the lots
-- that expire by their date (soonest first), what is pending, and how it stands between tiers. Null
-- where there is none.
create or replace function ledger.account_view(p_workspace text, p_id text) returns jsonb
language plpgsql stable as $$
declare
  a account;
  lots jsonb;
  standing jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into a from account where workspace = p_workspace and id = p_id;
  if not found then
    return null;
  end if;
  if a.lots_due_from is not null then
    select jsonb_agg(jsonb_build_object('points', due.points, 'expires_at', due.due_at)
      order by due.due_at) into lots
    from (
      select lot_due_at(l, a.activity_extends_to) as due_at, sum(l.remaining) as points
      from lot l
      where l.workspace = p_workspace and l.account = p_id and l.open and l.expires_at is not null
      group by 1
    ) due;
  end if;
  if a.tier is not null or exists (
    select from program where workspace = p_workspace and id = a.program
      and tier_config is not null) then
    select to_jsonb(s) into standing from tier_standing(p_workspace, array[p_id],
      clock_timestamp()) s;
  end if;
  return jsonb_build_object('account', to_jsonb(a), 'lots', lots, 'tier', standing,
    'pending', account_pending(p_workspace, p_id), 'at', clock_timestamp());
end $$;

-- The account, its advisory lock taken (a fair queue on a hot account) and read again under it,
-- a merged one followed to its survivor. All null where there is none.
create or replace function ledger_private.account_locked(
  p_workspace text, p_account text
) returns account
language plpgsql as $$
declare
  a account;
  target text := p_account;
begin
  loop
    perform pg_advisory_xact_lock(hashtextextended(p_workspace || target, 0));
    select * into a from account where workspace = p_workspace and id = target;
    exit when a.merged_into is null;
    target := a.merged_into;
  end loop;
  return a;
end $$;

-- What the account can spend at `p_at`, without writing: its balance less the lots already due,
-- never negative.
create or replace function ledger_private.account_available(
  a account, p_at timestamptz
) returns bigint
language plpgsql stable as $$
declare
  due bigint := 0;
begin
  if a.lots_due_from <= p_at then
    select coalesce(sum(l.remaining), 0) into due
    from lot l
    where l.workspace = a.workspace and l.account = a.id and l.open and l.expires_at <= p_at
      and lot_due_at(l, a.activity_extends_to) <= p_at;
  end if;
  return greatest(a.balance - due, 0);
end $$;

-- The active account that stands for a customer in a program, `p_but` apart: their own, else the
-- survivor of one of theirs that was merged. Null where there is none.
create or replace function ledger_private.account_of_customer(
  p_workspace text, p_program text, p_customer text, p_but text default null
) returns text
language plpgsql stable as $$
begin
  -- a payment without a customer asks too, and with a null in it the plan would be made anew each
  -- time
  if p_customer is null then
    return null;
  end if;
  return coalesce(
    (select a.id from account a
      where a.workspace = p_workspace and a.program = p_program and a.customer = p_customer
        and a.status = 'active'
        and a.id is distinct from p_but),
    (select x.id from account o
      join account x on x.workspace = o.workspace and x.id = account_survivor(o.workspace, o.id)
      where o.workspace = p_workspace and o.program = p_program and o.customer = p_customer
        and o.status = 'merged'
        and x.status = 'active' and x.id is distinct from p_but
      order by x.created_at desc, x.id desc limit 1));
end $$;

-- The accounts that a customer has or had in a program, merged and unlinked ones too, `p_but`
-- apart, in the order of locks.
create or replace function ledger_private.accounts_had(
  p_workspace text, p_program text, p_customer text, p_but text
)
returns setof text
language plpgsql stable rows 1 as $$
begin
  if p_customer is not null then
    return query
      select a.id::text from account a
      where a.workspace = p_workspace and a.program = p_program and a.id <> p_but
        and (a.customer = p_customer or a.former_customers @> array[p_customer])
      order by a.id;
  end if;
end $$;

-- Inserts a member: the one way an account comes into being, asked for or enrolled by a payment.
-- With it, in the same transaction: what the customer owes from accounts they had, its entry tier,
-- loyalty.account.created, and what the earning rules on that trigger give. `p_on` is when the
-- membership began, at most `p_at`. All null where the customer has an active account in the
-- program already.
create or replace function ledger_private.account_enrol(
  p_workspace text, p_id text, p_program text, p_customer text, p_metadata jsonb, p_on timestamptz,
  p_at timestamptz
) returns account
language plpgsql as $$
declare
  a account;
  p program;
begin
  insert into account (workspace, id, program, customer, metadata, created_at, enrolled_at)
  values (p_workspace, p_id, p_program, p_customer, p_metadata, p_on,
    case when p_on < p_at then p_at end)
  on conflict (workspace, program, customer) where status = 'active'
    and customer is not null do nothing
  returning * into a;
  if a.id is null then
    return null;
  end if;
  perform account_locked(p_workspace, p_id);
  a := deficits_inherit(a, p_at, false);
  select * into p from program where workspace = p_workspace and id = p_program;
  if p.tier_config is not null then
    a := tier_assess(a, p, p_at, 'enrolled');
  end if;
  perform event_write(p_workspace, 'loyalty.account.created', p_id, to_jsonb(a), null, p_at);
  if earning_for_new_account(a, p_at) > 0 then
    select * into a from account where workspace = p_workspace and id = p_id;
  end if;
  return a;
end $$;

-- The refusal of a second active account of a customer in a program.
create or replace function ledger_private.account_taken(
  p_workspace text, p_program text, p_customer text
) returns void
language plpgsql as $$
begin
  perform refuse(jsonb_build_object('code', 'account_already_exists', 'param', 'customer',
    'resource', account_of_customer(p_workspace, p_program, p_customer)));
end $$;

-- Refuses an active account, as it was just written, whose customer another one stands for since a
-- merge. Their own other account is the index's to refuse.
create or replace function ledger_private.account_alone(a account) returns void
language plpgsql as $$
declare
  other text := account_of_customer(a.workspace, a.program, a.customer, a.id);
begin
  if other is not null then
    perform refuse(jsonb_build_object('code', 'account_already_exists', 'param', 'customer',
      'resource', other));
  end if;
end $$;

-- The account a request is about, locked, its key claimed. A merged one is refused with its
-- survivor: it can be read, and what moves points follows it, but it is no member any more. All
-- null where there is none.
create or replace function ledger_private.account_to_change(
  p_workspace text, p_id text
) returns account
language plpgsql as $$
declare
  a account;
begin
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || p_id, 0));
  select * into a from account where workspace = p_workspace and id = p_id;
  if a.status = 'merged' then
    perform refuse(jsonb_build_object('code', 'account_merged', 'resource',
      account_survivor(p_workspace, p_id)));
  end if;
  return a;
end $$;

-- Whom the account was linked to, once it is not linked to its customer any more: the last one at
-- the end.
create or replace function ledger_private.account_formers(a account) returns text[]
language sql immutable as $$
  select case when a.customer is null then a.former_customers
    else array_remove(a.former_customers, a.customer) || a.customer end
$$;

-- What the functions of accounts answer: how it went, and the account as it is now.
create or replace function ledger_private.account_outcome(
  p_workspace text, p_id text, p_outcome text
) returns jsonb
language sql stable as $$
  select jsonb_build_object('outcome', case when a.id is null then 'missing' else p_outcome end,
    'account', to_jsonb(a))
  from (select 1) one left join account a on a.workspace = p_workspace and a.id = p_id
$$;

-- Refuses a merge that may not be; both accounts are locked.
create or replace function ledger_private.account_merge_refuse(
  s account, t account, p_source text, p_target text
) returns void
language plpgsql as $$
declare
  pending jsonb;
begin
  if s.id is null then
    perform refuse(jsonb_build_object('code', 'resource_missing', 'param', 'source', 'account',
      p_source));
  elsif t.id is null then
    perform refuse(jsonb_build_object('code', 'resource_missing', 'param', 'target', 'account',
      p_target));
  elsif s.id = p_target then
    perform refuse('{"code": "parameter_invalid", "param": "target", "same": true}');
  elsif s.merged_into is not null then
    perform refuse(jsonb_build_object('code', 'account_merged', 'param', 'source', 'resource',
      s.merged_into));
  elsif s.id = t.id then
    perform refuse(jsonb_build_object('code', 'account_merged', 'param', 'target', 'resource',
      s.id));
  elsif s.program <> t.program then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'target', 'program',
      s.program));
  elsif t.status = 'closed' then
    perform refuse('{"code": "account_closed", "param": "target"}');
  elsif s.lifetime_points + t.lifetime_points > 9007199254740991 then
    perform refuse(
      '{"code": "parameter_invalid", "param": "target", "countable": 9007199254740991}');
  end if;
  select jsonb_agg(d.id order by d.created_at) into pending
  from redemption d
  where d.workspace = s.workspace and d.account in (s.id, t.id) and d.status = 'pending';
  if pending is not null then
    perform refuse(jsonb_build_object('code', 'redemptions_in_flight', 'redemptions', pending));
  end if;
end $$;

-- The two rows of a merge, which net to nothing; none where there is nothing to move. A deficit
-- moves as well: then the source's row is the positive one. Returns the target's.
create or replace function ledger_private.account_merge_rows(
  s account, t account, p_at timestamptz
) returns text
language plpgsql as $$
declare
  out_of text := vinr_id('ptx');
  into_it text := vinr_id('ptx');
begin
  if s.balance = 0 then
    return into_it;
  end if;
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation,
    source, at, created_at)
  values
    (s.workspace, out_of, s.id, s.program, 'merge', -s.balance, 0, 'merge', 'merge:out:' || s.id,
      jsonb_build_object('merged_into', t.id), p_at, clock_timestamp()),
    (t.workspace, into_it, t.id, t.program, 'merge', s.balance, t.balance + s.balance, 'merge',
      'merge:into:' || s.id, jsonb_build_object('merged_from', s.id), p_at, clock_timestamp());
  return into_it;
end $$;

-- The survivor after a merge, with what the source brought: `s` and `t` are the two before it. The
-- customer follows where the survivor has none and no other active account has it. The survivor's
-- tier is the higher of the two, or what their points together reach.
create or replace function ledger_private.account_merge_into(
  s account, t account, p_at timestamptz
) returns account
language plpgsql as $$
declare
  p program;
  unlinked boolean := t.customer is null and s.customer is not null;
  before account := t;
begin
  update account set
    balance = balance + s.balance,
    lifetime_points = lifetime_points + s.lifetime_points,
    lots_due_from = least(lots_due_from, s.lots_due_from),
    expiry_wake_at = least(expiry_wake_at, s.expiry_wake_at),
    activity_extends_to = greatest(activity_extends_to, s.activity_extends_to)
  where workspace = t.workspace and id = t.id
  returning * into t;
  if unlinked and account_of_customer(s.workspace, s.program, s.customer, t.id) is null then
    begin
      update account set customer = s.customer where workspace = t.workspace and id = t.id
        returning * into t;
    exception when unique_violation then
      null; -- the customer's own active account keeps it
    end;
  end if;
  select * into p from program where workspace = t.workspace and id = t.program;
  if t.expiry_wake_at < coalesce(before.expiry_wake_at, 'infinity') then
    perform expiry_check_outbox(before, p, t.expiry_wake_at);
  end if;
  if p.tier_config is not null then
    t := tier_merge(s, t, p, p_at);
  end if;
  perform event_write(t.workspace, 'loyalty.account.merged', s.id, to_jsonb(x), jsonb_build_object(
    'status', s.status, 'balance', s.balance, 'lifetime_points', s.lifetime_points), p_at)
  from account x where x.workspace = s.workspace and x.id = s.id;
  if unlinked and t.customer is not null then
    perform event_write(t.workspace, 'loyalty.account.updated', t.id, to_jsonb(t),
      '{"customer": null}', p_at);
    t := deficits_inherit(t, p_at);
  end if;
  return t;
end $$;

-- What a payment's change locks after its own row and enrolment: the survivors of all accounts
-- concerned, in the one order of accounts (by the bytes of their ids), before redemptions (by id)
-- and rewards and variants (by id).

-- Locks the survivors of these accounts, and who answers for their debts or owes to them, in order.
-- Raises 40001 where one was merged meanwhile: then the change is tried again.
create or replace function ledger_private.accounts_lock(
  p_workspace text, p_accounts text[]
) returns void
language plpgsql as $$
declare
  survivors text[];
begin
  select array_agg(x.id order by x.id collate "C") into survivors from (
    select distinct account_survivor(p_workspace, y) as id from unnest(p_accounts) y
    where y is not null
  ) x
  where x.id is not null;
  if survivors is null then
    return;
  end if;
  if exists (
    select from account a where a.workspace = p_workspace and a.id = any (survivors)
      and (a.deficit_to is not null or a.status = 'closed' or a.customer is null)) then
    select array_agg(x.id order by x.id collate "C") into survivors from (
      select unnest(survivors) as id
      union
      select account_survivor(p_workspace, y) from account a
      cross join lateral unnest(array[a.deficit_to,
        account_of_customer(p_workspace, a.program, account_debtor(a), a.id)]) y
      where a.workspace = p_workspace and a.id = any (survivors) and y is not null
    ) x
    where x.id is not null;
  end if;
  for n in 1 .. cardinality(survivors) loop
    perform pg_advisory_xact_lock(hashtextextended(p_workspace || survivors[n], 0));
  end loop;
  if exists (
    select from account a where a.workspace = p_workspace and a.id = any (survivors)
      and a.merged_into is not null) then
    raise exception 'an account of % was merged meanwhile', survivors using errcode = '40001';
  end if;
end $$;
