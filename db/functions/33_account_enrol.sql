-- Inserts a member: the one way an account comes into being, asked for or enrolled by a payment.
-- With it, in the same transaction: what the customer owes from accounts they had, its entry tier,
-- loyalty.account.created, and what the earning rules on that trigger give. `p_on` is when the membership began, at most `p_at`. All null where the customer
-- has an active account in the program already.
create or replace function account_enrol(
  p_workspace text, p_id text, p_program text, p_customer text, p_metadata jsonb, p_on timestamptz, p_at timestamptz
) returns account
language plpgsql as $$
declare
  a account;
  p program;
begin
  insert into account (workspace, id, program, customer, metadata, created_at, enrolled_at)
  values (p_workspace, p_id, p_program, p_customer, p_metadata, p_on, case when p_on < p_at then p_at end)
  on conflict (workspace, program, customer) where status = 'active' and customer is not null do nothing
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

-- Enrols a member by request. Outcomes: created; replayed. `matures_at` is when a welcome that waits is
-- credited (null: none waits). Refused: account_already_exists with
-- the id of the customer's active account, or of the one that theirs was merged into, also where requests race.
create or replace function account_create(
  p_workspace text, p_id text, p_program text, p_customer text, p_metadata jsonb,
  p_route text, p_key text, p_fingerprint text, p_at timestamptz
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

-- Claims a request's key for `p_resource`. Null: go on. Else the id that the first request with this key
-- was about. Raises the refusal of a key that came with another body.
create or replace function account_request(
  p_workspace text, p_route text, p_key text, p_fingerprint text, p_resource text, p_at timestamptz
) returns text
language plpgsql as $$
declare
  earlier idempotency_key;
begin
  if p_key is null then
    return null;
  end if;
  earlier := idempotency_claim(p_workspace, p_route, p_key, p_fingerprint, p_resource, p_at);
  if earlier.key is not null and earlier.fingerprint <> p_fingerprint then
    perform refuse('{"code": "idempotency_key_reused"}');
  end if;
  return earlier.resource;
end $$;

-- Refuses and takes back all that this transaction wrote, the claimed key included.
create or replace function refuse(p_refusal jsonb) returns void
language plpgsql as $$
begin
  raise exception using errcode = 'VR001', message = p_refusal::text;
end $$;

-- The refusal of a second active account of a customer in a program.
create or replace function account_taken(p_workspace text, p_program text, p_customer text) returns void
language plpgsql as $$
begin
  perform refuse(jsonb_build_object('code', 'account_already_exists', 'param', 'customer', 'resource',
    account_of_customer(p_workspace, p_program, p_customer)));
end $$;

-- Refuses an active account, as it was just written, whose customer another one stands for since a merge.
-- Their own other account is the index's to refuse.
create or replace function account_alone(a account) returns void
language plpgsql as $$
declare
  other text := account_of_customer(a.workspace, a.program, a.customer, a.id);
begin
  if other is not null then
    perform refuse(jsonb_build_object('code', 'account_already_exists', 'param', 'customer', 'resource', other));
  end if;
end $$;
