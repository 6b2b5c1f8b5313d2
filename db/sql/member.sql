-- Members as a till or a payment names them.

-- All that a till shows of a member, in one statement that writes nothing: the account's view, its
-- program, what a point is worth by the settings, and store credit. Null where there is no such
-- user.
-- @returns WalletAnswer | null
create or replace function ledger.member_view(p_workspace text, p_user text) returns jsonb
language plpgsql stable as $$
declare
  member text;
  seen jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  member := member_find(p_workspace, p_user);
  if member is null then
    return null;
  end if;
  seen := account_view(p_workspace, member);
  return jsonb_build_object(
    'view', seen,
    'program', (select to_jsonb(program) from program
      where workspace = p_workspace and id = seen #>> '{account,program}'),
    'points_currency_value', setting_value(p_workspace, 'pointsCurrencyValue'),
    'credits', member_credits(p_workspace, member));
end $$;

-- Who a till has before it, by one kind of identity. Of a device its token's step (30 s each since
-- 1970) must be of the last three minutes, at most one ahead, and not older than the newest one
-- read; that newest one is answered again to the till that read it first (`p_by`), and to no other.
-- Null in every other case, whatever its cause. Two tills at once: one row, one of them.
-- @returns WalletAnswer | null
-- @null p_step
create or replace function ledger.member_presented(
  p_workspace text, p_kind text, p_value text, p_step bigint, p_by text
)
returns jsonb
language plpgsql as $$
declare
  member text;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  if p_kind = 'user' then
    return member_view(p_workspace, p_value);
  elsif p_kind <> 'device' then
    select account into member from member_identity
    where workspace = p_workspace and kind = p_kind and value = p_value and revoked_at is null;
  elsif clock_timestamp() between to_timestamp(p_step * 30 - 60)
    and to_timestamp(p_step * 30 + 180) then
    update member_identity set last_step = p_step, last_by = p_by
    where workspace = p_workspace and kind = 'device' and value = p_value and revoked_at is null
      and (last_step is null or last_step < p_step)
    returning account into member;
    if member is null then
      select account into member from member_identity
      where workspace = p_workspace and kind = 'device' and value = p_value and revoked_at is null
        and last_step = p_step and last_by = p_by;
    end if;
  end if;
  return case when member is not null then member_view(p_workspace, member) end;
end $$;

-- Registers a way to recognise a member. Outcomes: registered; exists (the same on the same
-- member); replayed; missing. Refused: account_merged, account_closed, account_already_exists with
-- the id of the member who has it, also where two requests race for it.
-- @returns IdentityAnswer
-- @null p_label p_key
create or replace function ledger.member_identify(
  p_workspace text, p_id text, p_account text, p_kind text, p_value text, p_label text,
  p_route text, p_key text, p_fingerprint text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  account_row account;
  identity_row member_identity;
  earlier text;
begin
  earlier := command_start(p_workspace, p_route, p_key, p_fingerprint, p_id, p_at);
  if earlier is not null then
    select * into identity_row from member_identity where workspace = p_workspace and id = earlier;
    return jsonb_build_object('outcome', 'replayed', 'identity', to_jsonb(identity_row));
  end if;
  account_row := account_to_change(p_workspace, p_account);
  if account_row.id is null then
    perform refuse('{"code": "resource_missing", "param": "id"}');
  elsif account_row.status = 'closed' then
    perform refuse('{"code": "account_closed"}');
  end if;
  insert into member_identity (workspace, id, account, kind, value, label, created_at)
  values (p_workspace, p_id, p_account, p_kind, p_value, p_label, p_at)
  on conflict (workspace, kind, value) where revoked_at is null do nothing
  returning * into identity_row;
  if identity_row.id is not null then
    return jsonb_build_object('outcome', 'registered', 'identity', to_jsonb(identity_row));
  end if;
  select * into identity_row from member_identity
  where workspace = p_workspace and kind = p_kind and value = p_value and revoked_at is null;
  if identity_row.id is null then
    -- tried again by the caller
    raise exception 'the identity was revoked meanwhile' using errcode = '40001';
  end if;
  if account_survivor(p_workspace, identity_row.account) <> p_account then
    perform refuse(jsonb_build_object('code', 'account_already_exists', 'kind', p_kind,
      'resource', account_survivor(p_workspace, identity_row.account)));
  end if;
  if p_key is not null then -- the key stands for the one there is
    update idempotency_key set resource = identity_row.id
    where workspace = p_workspace and route = p_route and key = p_key;
  end if;
  return jsonb_build_object('outcome', 'exists', 'identity', to_jsonb(identity_row));
end $$;

-- Ends an identity: no till recognises it from now on. A repeat changes nothing. Null where there
-- is none.
-- @returns Snapshot | null
create or replace function ledger.member_forget(
  p_workspace text, p_id text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  identity_row member_identity;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  update member_identity set revoked_at = coalesce(revoked_at, p_at)
  where workspace = p_workspace and id = p_id
  returning * into identity_row;
  return case when identity_row.id is not null then to_jsonb(identity_row) end;
end $$;

-- The workspace's pepper: `p_fresh` becomes it where there is none yet; of two at once the first
-- one stays.
create or replace function ledger.member_pepper_of(p_workspace text, p_fresh text) returns text
language plpgsql as $$
declare
  kept text;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select pepper into kept from member_pepper where workspace = p_workspace;
  if kept is null then
    insert into member_pepper (workspace, pepper) values (p_workspace, p_fresh)
      on conflict do nothing;
    select pepper into kept from member_pepper where workspace = p_workspace;
  end if;
  return kept;
end $$;

-- The member's store credit by currency, without what is empty: [{"currency", "amount"}], in minor
-- units.
create or replace function ledger_private.member_credits(
  p_workspace text, p_account text
) returns jsonb
language plpgsql stable as $$
begin
  if not exists (select from credit_wallet where workspace = p_workspace
    and account = p_account) then
    return '[]';
  end if;
  return (
    select coalesce(jsonb_agg(jsonb_build_object('currency', wallet ->> 'currency', 'amount',
      (wallet ->> 'balance')::bigint)
      order by wallet ->> 'currency'), '[]')
    from jsonb_array_elements(credit_wallets(p_workspace, p_account) -> 'wallets') wallet
    where (wallet ->> 'balance')::bigint <> 0);
end $$;

-- Whom a payment's metadata names: the member of `loyalty_account`; where it has none, whom the
-- shop's own `client_reference_id` means, be it an account, an external id or a customer with an
-- account. It may as well be a cart, and names nobody then. Of a merged account its survivor.
create or replace function ledger_private.account_named(
  p_workspace text, p_metadata jsonb
) returns setof account
language plpgsql stable rows 1 as $$
declare
  reference text := p_metadata ->> 'client_reference_id';
  member text;
begin
  if p_metadata ? 'loyalty_account' then
    member := account_survivor(p_workspace, p_metadata ->> 'loyalty_account');
  elsif reference is not null then
    member := member_find(p_workspace, reference);
  end if;
  if member is not null then
    return query select * from account where workspace = p_workspace and id = member;
  elsif reference is not null and not p_metadata ? 'loyalty_account' then
    return query
      select account.* from program
      join account on account.workspace = program.workspace
        and account.id = account_of_customer(program.workspace, program.id, reference)
      where program.workspace = p_workspace;
  end if;
end $$;

-- Whom a till means by `user`: the account with this id, else the one with this external id; of a
-- merged one its survivor. Null where there is nobody. The one place that knows how a till may name
-- a member.
create or replace function ledger_private.member_find(p_workspace text, p_user text) returns text
language plpgsql stable as $$
declare
  member text := account_survivor(p_workspace, p_user);
begin
  if member is null then
    select account_survivor(p_workspace, account) into member from member_identity
    where workspace = p_workspace and kind = 'external_id' and value = p_user
      and revoked_at is null;
  end if;
  return member;
end $$;
