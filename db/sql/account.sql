-- Accounts: enrolled, changed, merged and seen; their locks, and who stands for a customer.

-- The account and every account ever merged into it, for queries; functions of the ledger ask the
-- one below, without a change of role.
-- @query
create or replace function ledger.account_family(
  p_workspace text, p_account text
) returns setof text
language plpgsql stable rows 1 as $$
begin
  return query select * from ledger_private.account_family(p_workspace, p_account);
end $$;

-- The same of what this account was merged into in the end, else itself; null where there is none.
-- @query
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
  if exists (select from account where workspace = p_workspace
    and merged_into = p_account) then
    return query
      with recursive family (id) as (
        select id from account where workspace = p_workspace and merged_into = p_account
        union
        select account.id from family join account on account.workspace = p_workspace
          and account.merged_into = family.id
      )
      select family.id::text from family;
  end if;
end $$;

-- Whom a customer's merged accounts became, in programs where the customer has no active account of
-- their own.
-- @query
create or replace function ledger.survivors_of_customer(
  p_workspace text, p_customer text
) returns setof text
language sql stable rows 1 as $$
  select account_survivor(former.workspace, former.id) from account former
  where former.workspace = p_workspace and former.customer = p_customer
    and former.status = 'merged'
    and not exists (
    select from account own
    where own.workspace = former.workspace and own.program = former.program
      and own.customer = former.customer and own.status = 'active')
$$;

-- Enrols a member by request. Outcomes: created; replayed. `matures_at` is when a welcome that
-- waits is credited (null: none waits). Refused: account_already_exists with the id of the
-- customer's active account, or of the one that theirs was merged into, also where requests race.
-- @returns AccountAnswer
-- @param p_metadata Record<string, string>
-- @null p_customer p_key
create or replace function ledger.account_create(
  p_workspace text, p_id text, p_program text, p_customer text, p_metadata jsonb, p_route text,
  p_key text, p_fingerprint text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  account_row account;
  earlier text;
begin
  earlier := command_start(p_workspace, p_route, p_key, p_fingerprint, p_id, p_at);
  if earlier is not null then
    select * into account_row from account where workspace = p_workspace and id = earlier;
    return jsonb_build_object('outcome', 'replayed', 'account', to_jsonb(account_row));
  end if;
  account_row := account_enrol(p_workspace, p_id, p_program, p_customer, p_metadata, p_at, p_at);
  if account_row.id is null then
    perform account_taken(p_workspace, p_program, p_customer);
  end if;
  perform account_alone(account_row);
  return jsonb_build_object('outcome', 'created', 'account', to_jsonb(account_row),
    'matures_at', earning_next_maturity(p_workspace, p_id));
end $$;

-- Sets an account's customer (null unlinks, and with it the customers of what was merged into it)
-- and metadata, each only where `p_change` names it; metadata by key, null or empty removing one. A
-- change that changes nothing writes nothing. Outcomes: updated; unchanged; replayed. Refused:
-- resource_missing, account_merged, account_closed (erased), account_already_exists,
-- parameter_invalid (more than 50 keys).
-- @returns AccountAnswer
-- @param p_change AccountChange
-- @null p_key
create or replace function ledger.account_update(
  p_workspace text, p_id text, p_change jsonb, p_route text, p_key text, p_fingerprint text,
  p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  account_row account;
  before account;
  unlinked int := 0;
begin
  if command_start(p_workspace, p_route, p_key, p_fingerprint, p_id, p_at) is not null then
    return account_outcome(p_workspace, p_id, 'replayed');
  end if;
  before := account_to_change(p_workspace, p_id);
  if before.id is null then
    perform refuse(jsonb_build_object('code', 'resource_missing', 'account', p_id));
  end if;
  if before.status = 'closed' and account_is_erased(p_workspace, p_id) then
    perform refuse('{"code": "account_closed"}');
  end if;
  account_row := before;
  if p_change ? 'customer' then
    account_row.customer := p_change ->> 'customer';
    -- who is unlinked is no longer led here by what was merged into it either
    update account former set customer = null, former_customers = account_formers(former)
    where former.workspace = p_workspace and former.id in (select account_family(p_workspace, p_id))
      and former.id <> p_id
      and (account_row.customer is null or former.customer = before.customer
        and former.customer <> account_row.customer)
      and former.customer is not null;
    get diagnostics unlinked = row_count;
    if account_row.customer is distinct from before.customer then
      account_row.former_customers := account_formers(before);
    end if;
  end if;
  select coalesce(jsonb_object_agg(key, value), '{}') into account_row.metadata
  from jsonb_each(before.metadata || coalesce(p_change -> 'metadata', '{}'))
  where value not in ('null', '""');
  if (select count(*) from jsonb_object_keys(account_row.metadata)) > 50 then
    perform refuse('{"code": "parameter_invalid", "param": "metadata", "most": 50}');
  end if;
  if account_row.customer is not distinct from before.customer
    and account_row.metadata = before.metadata then
    return account_outcome(p_workspace, p_id,
      case when unlinked = 0 then 'unchanged' else 'updated' end);
  end if;
  begin
    update account set customer = account_row.customer,
      former_customers = account_row.former_customers, metadata = account_row.metadata
    where workspace = p_workspace and id = p_id;
  exception when unique_violation then
    perform account_taken(p_workspace, account_row.program, account_row.customer);
  end;
  if account_row.customer is distinct from before.customer and account_row.status = 'active' then
    perform account_alone(account_row);
  end if;
  perform event_write(p_workspace, 'loyalty.account.updated', p_id, to_jsonb(account_row),
    case when account_row.customer is distinct from before.customer
      then jsonb_build_object('customer', before.customer) else '{}' end
    || case when account_row.metadata <> before.metadata
      then jsonb_build_object('metadata', before.metadata)
      else '{}' end, p_at);
  if account_row.customer is distinct from before.customer and account_row.status = 'active' then
    perform deficits_inherit(account_row, p_at);
  end if;
  return account_outcome(p_workspace, p_id, 'updated');
end $$;

-- Closes or reopens an account. Closing touches nothing but the status: a pending redemption still
-- ends by its payment, its cancel or its deadline, and points still expire; earning and spending
-- are refused. One that has the status already stays as it is. Outcomes: changed; unchanged;
-- replayed. Refused: resource_missing; account_merged; on reopening account_already_exists.
-- @returns AccountAnswer
-- @param p_status 'active' | 'closed'
-- @null p_key
create or replace function ledger.account_set_status(
  p_workspace text, p_id text, p_status text, p_route text, p_key text, p_fingerprint text,
  p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  account_row account;
  before text;
begin
  if command_start(p_workspace, p_route, p_key, p_fingerprint, p_id, p_at) is not null then
    return account_outcome(p_workspace, p_id, 'replayed');
  end if;
  account_row := account_to_change(p_workspace, p_id);
  if account_row.id is null then
    perform refuse(jsonb_build_object('code', 'resource_missing', 'account', p_id));
  end if;
  if account_row.status = p_status then
    return account_outcome(p_workspace, p_id, 'unchanged');
  end if;
  if account_is_erased(p_workspace, p_id) then
    perform refuse('{"code": "account_closed"}');
  end if;
  before := account_row.status;
  begin
    update account set status = p_status where workspace = p_workspace and id = p_id
      returning * into account_row;
  exception when unique_violation then
    perform account_taken(p_workspace, account_row.program, account_row.customer);
  end;
  if account_row.status = 'active' then
    perform account_alone(account_row);
  end if;
  perform event_write(p_workspace,
    case p_status when 'closed' then 'loyalty.account.closed' else 'loyalty.account.reopened' end,
    p_id, to_jsonb(account_row), jsonb_build_object('status', before), p_at);
  if account_row.status = 'active' then
    perform deficits_inherit(account_row, p_at);
  end if;
  return account_outcome(p_workspace, p_id, 'changed');
end $$;

-- Merges `p_source` into `p_target`, for good: balance, lots with their dates, lifetime points,
-- redemptions, and the customer where the target has none. Both accounts are locked in id order; a
-- target that was merged itself stands for its survivor. The rows of the source stay as they are: a
-- minus row there and a plus row here move the balance. A deficit on one side is netted against the
-- other's lots. Where what came expires before the survivor's next check, its run is signalled.
-- Idempotent by (source, target). Outcomes: merged; replayed. Refused, nothing written:
-- resource_missing, parameter_invalid (another program, the same account), account_merged (the
-- source is another's already, or the target was merged into the source), account_closed (the
-- target), redemptions_in_flight (with the pending ones of both).
-- @returns AccountAnswer
-- @null p_key
create or replace function ledger.account_merge(
  p_workspace text, p_source text, p_target text, p_route text, p_key text, p_fingerprint text,
  p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  source_row account;
  target_row account;
  survivor text;
  cause text;
begin
  if command_start(p_workspace, p_route, p_key, p_fingerprint, p_source, p_at) is not null then
    return account_outcome(p_workspace, account_survivor(p_workspace, p_source), 'replayed');
  end if;
  survivor := account_survivor(p_workspace, p_target);
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || one.id, 0))
  from (select id from unnest(array[p_source, survivor]) id where id is not null
    order by id collate "C") one;
  select * into source_row from account where workspace = p_workspace and id = p_source;
  select * into target_row from account where workspace = p_workspace and id = survivor;
  if target_row.merged_into is not null then
    raise exception 'account % was merged meanwhile', survivor using errcode = '40001';
  end if;
  if source_row.status = 'merged'
    and account_survivor(p_workspace, source_row.id) = target_row.id then
    return account_outcome(p_workspace, target_row.id, 'replayed');
  end if;
  perform account_merge_refuse(source_row, target_row, p_source, p_target);

  source_row := lots_expire(source_row, p_at);
  target_row := lots_expire(target_row, p_at);
  cause := account_merge_rows(source_row, target_row, p_at);
  update account set status = 'merged', merged_into = target_row.id, balance = 0,
    lifetime_points = 0, lots_due_from = null, expiry_wake_at = null, activity_extends_to = null,
      tier_review_at = null, deficit_to = null
  where workspace = p_workspace and id = source_row.id;
  perform lots_move(p_workspace, source_row.id, target_row.id);
  insert into expiry_warning (workspace, account, expires_at, points, warned_at)
  select warning.workspace, target_row.id, warning.expires_at, warning.points, warning.warned_at
  from expiry_warning warning
  where warning.workspace = p_workspace and warning.account = source_row.id
    and warning.expires_at > p_at
  on conflict do nothing; -- of a date that the target was warned of as well
  perform credit_merge(source_row, target_row, p_at);
  update redemption set account = target_row.id where workspace = p_workspace
    and account = source_row.id;
  update tier_spend set account = target_row.id where workspace = p_workspace
    and account = source_row.id;
  if source_row.balance < 0 or target_row.balance < 0 then
    perform deficit_net(p_workspace, target_row.id,
      least(greatest(-source_row.balance, 0) + greatest(-target_row.balance, 0),
        greatest(source_row.balance, 0) + greatest(target_row.balance, 0)), cause);
  end if;
  target_row := account_merge_into(source_row, target_row, p_at);
  return jsonb_build_object('outcome', 'merged', 'account', to_jsonb(target_row));
end $$;

-- Everything the API shows of one account, in one statement that writes nothing: the row, the lots
-- that expire by their date (soonest first), what is pending, and how it stands between tiers. Null
-- where there is none.
-- @returns ViewAnswer | null
create or replace function ledger.account_view(p_workspace text, p_id text) returns jsonb
language plpgsql stable as $$
declare
  account_row account;
  lots jsonb;
  standing jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into account_row from account where workspace = p_workspace and id = p_id;
  if not found then
    return null;
  end if;
  if account_row.lots_due_from is not null then
    select jsonb_agg(jsonb_build_object('points', due.points, 'expires_at', due.due_at)
      order by due.due_at) into lots
    from (
      select lot_due_at(lot, account_row.activity_extends_to) as due_at, sum(remaining) as points
      from lot
      where workspace = p_workspace and account = p_id and open and expires_at is not null
      group by 1
    ) due;
  end if;
  if account_row.tier is not null or exists (
    select from program where workspace = p_workspace and id = account_row.program
      and tier_config is not null) then
    select to_jsonb(tier_row) into standing from tier_standing(p_workspace, array[p_id],
      clock_timestamp()) tier_row;
  end if;
  return jsonb_build_object('account', to_jsonb(account_row), 'lots', lots, 'tier', standing,
    'pending', account_pending(p_workspace, p_id), 'at', clock_timestamp());
end $$;

-- What the account can spend at `p_at`, without writing: its balance less the lots already due,
-- never negative.
create or replace function ledger_private.account_available(
  account_row account, p_at timestamptz
) returns bigint
language plpgsql stable as $$
declare
  due bigint := 0;
begin
  if account_row.lots_due_from <= p_at then
    select coalesce(sum(remaining), 0) into due
    from lot
    where workspace = account_row.workspace and account = account_row.id and open
      and expires_at <= p_at and lot_due_at(lot, account_row.activity_extends_to) <= p_at;
  end if;
  return greatest(account_row.balance - due, 0);
end $$;

-- The active account that stands for a customer in a program, `p_but` apart: their own, else the
-- survivor of one of theirs that was merged. Null where there is none.
create or replace function ledger_private.account_of_customer(
  p_workspace text, p_program text, p_customer text, p_but text default null
) returns text
language plpgsql stable as $$
begin
  -- a payment without a customer asks too, and with a null in it the plan would be made anew each
  -- time. The collation is the column's: a row's own workspace gives all arguments another.
  if p_customer is null then
    return null;
  end if;
  return coalesce(
    (select own.id from account own
      where own.workspace = p_workspace and own.program = p_program
        and own.customer = p_customer collate "default" and own.status = 'active'
        and own.id is distinct from p_but),
    (with former as materialized ( -- as in earning_members
        select account_survivor(workspace, id) as survivor from account
        where workspace = p_workspace and program = p_program
          and customer = p_customer collate "default" and status = 'merged'
      )
      select survivor.id from former
      join account survivor on survivor.workspace = p_workspace and survivor.id = former.survivor
      where survivor.status = 'active' and survivor.id is distinct from p_but
      order by survivor.created_at desc, survivor.id desc limit 1));
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
      select account.id::text from account
      where account.workspace = p_workspace and account.program = p_program and account.id <> p_but
        and (account.customer = p_customer or account.former_customers @> array[p_customer])
      order by account.id;
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
  account_row account;
  program_row program;
begin
  insert into account (workspace, id, program, customer, metadata, created_at, enrolled_at)
  values (p_workspace, p_id, p_program, p_customer, p_metadata, p_on,
    case when p_on < p_at then p_at end)
  on conflict (workspace, program, customer) where status = 'active'
    and customer is not null do nothing
  returning * into account_row;
  if account_row.id is null then
    return null;
  end if;
  perform account_locked(p_workspace, p_id);
  account_row := deficits_inherit(account_row, p_at, false);
  select * into program_row from program where workspace = p_workspace and id = p_program;
  if program_row.tier_config is not null then
    account_row := tier_assess(account_row, program_row, p_at, 'enrolled');
  end if;
  perform event_write(p_workspace, 'loyalty.account.created', p_id, to_jsonb(account_row), null,
    p_at);
  if earning_for_new_account(account_row, p_at) > 0 then
    select * into account_row from account where workspace = p_workspace and id = p_id;
  end if;
  return account_row;
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
create or replace function ledger_private.account_alone(account_row account) returns void
language plpgsql as $$
declare
  other text := account_of_customer(account_row.workspace, account_row.program,
    account_row.customer, account_row.id);
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
  account_row account;
begin
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || p_id, 0));
  select * into account_row from account where workspace = p_workspace and id = p_id;
  if account_row.status = 'merged' then
    perform refuse(jsonb_build_object('code', 'account_merged', 'resource',
      account_survivor(p_workspace, p_id)));
  end if;
  return account_row;
end $$;

-- Whom the account was linked to, once it is not linked to its customer any more: the last one at
-- the end.
create or replace function ledger_private.account_formers(account_row account) returns text[]
language sql immutable as $$
  select case when account_row.customer is null then account_row.former_customers
    else array_remove(account_row.former_customers, account_row.customer)
      || account_row.customer end
$$;

-- What the functions of accounts answer: how it went, and the account as it is now.
create or replace function ledger_private.account_outcome(
  p_workspace text, p_id text, p_outcome text
) returns jsonb
language sql stable as $$
  select jsonb_build_object('outcome', case when account.id is null then 'missing'
    else p_outcome end, 'account', to_jsonb(account))
  from (select 1) one left join account on account.workspace = p_workspace and account.id = p_id
$$;

-- Refuses a merge that may not be; both accounts are locked.
create or replace function ledger_private.account_merge_refuse(
  source_row account, target_row account, p_source text, p_target text
) returns void
language plpgsql as $$
declare
  pending jsonb;
begin
  if source_row.id is null then
    perform refuse(jsonb_build_object('code', 'resource_missing', 'param', 'source', 'account',
      p_source));
  elsif target_row.id is null then
    perform refuse(jsonb_build_object('code', 'resource_missing', 'param', 'target', 'account',
      p_target));
  elsif source_row.id = p_target then
    perform refuse('{"code": "parameter_invalid", "param": "target", "same": true}');
  elsif source_row.merged_into is not null then
    perform refuse(jsonb_build_object('code', 'account_merged', 'param', 'source', 'resource',
      source_row.merged_into));
  elsif source_row.id = target_row.id then
    perform refuse(jsonb_build_object('code', 'account_merged', 'param', 'target', 'resource',
      source_row.id));
  elsif source_row.program <> target_row.program then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'target', 'program',
      source_row.program));
  elsif target_row.status = 'closed' then
    perform refuse('{"code": "account_closed", "param": "target"}');
  elsif account_is_erased(source_row.workspace, source_row.id) then
    perform refuse('{"code": "account_closed", "param": "source"}');
  elsif source_row.lifetime_points + target_row.lifetime_points > 9007199254740991 then
    perform refuse(
      '{"code": "parameter_invalid", "param": "target", "countable": 9007199254740991}');
  end if;
  select jsonb_agg(id order by created_at) into pending
  from redemption
  where workspace = source_row.workspace and account in (source_row.id, target_row.id)
    and status = 'pending';
  if pending is not null then
    perform refuse(jsonb_build_object('code', 'redemptions_in_flight', 'redemptions', pending));
  end if;
end $$;

-- The two rows of a merge, which net to nothing; none where there is nothing to move. A deficit
-- moves as well: then the source's row is the positive one. Returns the target's.
create or replace function ledger_private.account_merge_rows(
  source_row account, target_row account, p_at timestamptz
) returns text
language plpgsql as $$
declare
  out_of text := vinr_id('ptx');
  into_it text := vinr_id('ptx');
begin
  if source_row.balance = 0 then
    return into_it;
  end if;
  insert into ptx (workspace, id, account, program, type, amount, balance_after, reason, operation,
    source, at, created_at)
  values
    (source_row.workspace, out_of, source_row.id, source_row.program, 'merge', -source_row.balance,
      0, 'merge', 'merge:out:' || source_row.id, jsonb_build_object('merged_into', target_row.id),
      p_at, clock_timestamp()),
    (target_row.workspace, into_it, target_row.id, target_row.program, 'merge', source_row.balance,
      target_row.balance + source_row.balance, 'merge', 'merge:into:' || source_row.id,
      jsonb_build_object('merged_from', source_row.id), p_at, clock_timestamp());
  return into_it;
end $$;

-- The survivor after a merge, with what the source brought: `source_row` and `target_row` are the
-- two before it. The customer follows where the survivor has none and no other active account has
-- it. The survivor's tier is the higher of the two, or what their points together reach.
create or replace function ledger_private.account_merge_into(
  source_row account, target_row account, p_at timestamptz
) returns account
language plpgsql as $$
declare
  program_row program;
  unlinked boolean := target_row.customer is null and source_row.customer is not null;
  before account := target_row;
begin
  update account set
    balance = balance + source_row.balance,
    lifetime_points = lifetime_points + source_row.lifetime_points,
    lots_due_from = least(lots_due_from, source_row.lots_due_from),
    expiry_wake_at = least(expiry_wake_at, source_row.expiry_wake_at),
    activity_extends_to = greatest(activity_extends_to, source_row.activity_extends_to)
  where workspace = target_row.workspace and id = target_row.id
  returning * into target_row;
  if unlinked and account_of_customer(source_row.workspace, source_row.program, source_row.customer,
    target_row.id) is null then
    begin
      update account set customer = source_row.customer
      where workspace = target_row.workspace and id = target_row.id
      returning * into target_row;
    exception when unique_violation then
      null; -- the customer's own active account keeps it
    end;
  end if;
  select * into program_row from program where workspace = target_row.workspace
    and id = target_row.program;
  if target_row.expiry_wake_at < coalesce(before.expiry_wake_at, 'infinity') then
    perform expiry_check_outbox(before, program_row, target_row.expiry_wake_at);
  end if;
  if program_row.tier_config is not null then
    target_row := tier_merge(source_row, target_row, program_row, p_at);
  end if;
  perform event_write(target_row.workspace, 'loyalty.account.merged', source_row.id,
    to_jsonb(merged), jsonb_build_object('status', source_row.status,
      'balance', source_row.balance, 'lifetime_points', source_row.lifetime_points), p_at)
  from account merged where merged.workspace = source_row.workspace and merged.id = source_row.id;
  if unlinked and target_row.customer is not null then
    perform event_write(target_row.workspace, 'loyalty.account.updated', target_row.id,
      to_jsonb(target_row), '{"customer": null}', p_at);
    target_row := deficits_inherit(target_row, p_at);
  end if;
  return target_row;
end $$;
