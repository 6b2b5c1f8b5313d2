-- The account a request is about, locked, its key claimed. A merged one is refused with its survivor:
-- it can be read, and what moves points follows it, but it is no member any more. All null where there is none.
create or replace function account_to_change(p_workspace text, p_id text) returns account
language plpgsql as $$
declare
  a account;
begin
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || p_id, 0));
  select * into a from account where workspace = p_workspace and id = p_id;
  if a.status = 'merged' then
    perform refuse(jsonb_build_object('code', 'account_merged', 'resource', account_survivor(p_workspace, p_id)));
  end if;
  return a;
end $$;

-- Sets an account's customer (null unlinks, and with it the customers of what was merged into it) and metadata, each only where `p_change` names it; metadata
-- by key, null or empty removing one. A change that changes nothing writes nothing. Outcomes: updated;
-- unchanged; replayed. Refused: resource_missing, account_merged, account_already_exists,
-- parameter_invalid (more than 50 keys).
create or replace function account_update(
  p_workspace text, p_id text, p_change jsonb, p_route text, p_key text, p_fingerprint text, p_at timestamptz
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
    where m.workspace = p_workspace and m.id in (select account_family(p_workspace, p_id)) and m.id <> p_id
      and (a.customer is null or m.customer = before.customer and m.customer <> a.customer) and m.customer is not null;
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
    return account_outcome(p_workspace, p_id, case when unlinked = 0 then 'unchanged' else 'updated' end);
  end if;
  begin
    update account set customer = a.customer, former_customers = a.former_customers, metadata = a.metadata
    where workspace = p_workspace and id = p_id;
  exception when unique_violation then
    perform account_taken(p_workspace, a.program, a.customer);
  end;
  if a.customer is distinct from before.customer and a.status = 'active' then
    perform account_alone(a);
  end if;
  perform event_write(p_workspace, 'loyalty.account.updated', p_id, to_jsonb(a),
    case when a.customer is distinct from before.customer then jsonb_build_object('customer', before.customer) else '{}' end
    || case when a.metadata <> before.metadata then jsonb_build_object('metadata', before.metadata) else '{}' end, p_at);
  if a.customer is distinct from before.customer and a.status = 'active' then
    perform deficits_inherit(a, p_at);
  end if;
  return account_outcome(p_workspace, p_id, 'updated');
end $$;

-- Whom the account was linked to, once it is not linked to its customer any more: the last one at the end.
create or replace function account_formers(a account) returns text[]
language sql immutable as $$
  select case when a.customer is null then a.former_customers
    else array_remove(a.former_customers, a.customer) || a.customer end
$$;

-- Closes or reopens an account. Closing touches nothing but the status: a pending redemption still ends
-- by its payment, its cancel or its deadline, and points still expire; earning and spending are refused.
-- One that has the status already stays as it is. Outcomes: changed; unchanged; replayed.
-- Refused: resource_missing; account_merged; on reopening account_already_exists.
create or replace function account_set_status(
  p_workspace text, p_id text, p_status text, p_route text, p_key text, p_fingerprint text, p_at timestamptz
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
    update account set status = p_status where workspace = p_workspace and id = p_id returning * into a;
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

-- What the functions of accounts answer: how it went, and the account as it is now.
create or replace function account_outcome(p_workspace text, p_id text, p_outcome text) returns jsonb
language sql stable as $$
  select jsonb_build_object('outcome', case when a.id is null then 'missing' else p_outcome end, 'account', to_jsonb(a))
  from (select 1) one left join account a on a.workspace = p_workspace and a.id = p_id
$$;
