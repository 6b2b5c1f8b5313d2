-- Ids of providers are known by their endpoint: each moves only what is its own. The first endpoint that
-- names an id has it as it is (`pay_pi_…`), for good; where another names the same, that one's is an id
-- derived from both, always the same. What nobody has sent an event about yet (a payment that the API
-- made, what is from before endpoints) is its provider's, and becomes the first endpoint's that does.

create or replace function derived_id(p_prefix text, p_endpoint text, p_named text, p_try int) returns text
language sql immutable parallel safe as $$
  select p_prefix || '_' || left(translate(encode(sha256(convert_to(
    jsonb_build_array(p_endpoint, p_named, p_try)::text, 'UTF8')), 'base64'), E'+/=\n', 'Aa'), 22)
$$;

-- Whose an id is; null where nobody's.
create or replace function source_owner_of(p_workspace text, p_id text) returns source_owner
language plpgsql as $$
declare
  owner source_owner;
begin
  select workspace, id, provider, endpoint into owner from payment where workspace = p_workspace and id = p_id;
  if not found then
    select * into owner from source_owner where workspace = p_workspace and id = p_id;
  end if;
  return owner;
end $$;

create or replace function source_is_ours(owner source_owner, p_provider text, p_endpoint text) returns boolean
language sql immutable as $$
  select coalesce(owner.endpoint = p_endpoint, owner.provider = p_provider, true)
$$;

-- Our id of what an endpoint calls `p_named` (a payment, invoice, subscription or referral). The caller
-- holds the lock of that name (source_lock), so that two endpoints' first events do not both get it.
create or replace function source_of_endpoint(p_workspace text, p_provider text, p_endpoint text, p_named text)
returns text
language plpgsql as $$
declare
  candidate text := p_named;
  tries int := 0;
begin
  while not source_is_ours(source_owner_of(p_workspace, candidate), p_provider, p_endpoint) loop
    tries := tries + 1;
    candidate := derived_id('pay', p_endpoint, p_named, tries);
  end loop;
  return candidate;
end $$;

create or replace function source_lock(p_workspace text, p_named text) returns void
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || p_named, 0));
end $$;

-- From now on the id is this endpoint's.
create or replace function source_claim(p_workspace text, p_provider text, p_endpoint text, p_id text) returns void
language plpgsql as $$
declare
  owner source_owner := source_owner_of(p_workspace, p_id);
begin
  if owner.endpoint is not null then
    return;
  end if;
  update payment set endpoint = p_endpoint where workspace = p_workspace and id = p_id and endpoint is null;
  if not found then
    insert into source_owner as old (workspace, id, provider, endpoint)
    values (p_workspace, p_id, p_provider, p_endpoint)
    on conflict (workspace, id) do update set endpoint = excluded.endpoint where old.endpoint is null;
  end if;
end $$;

-- The refunds that an event reports of a payment of its endpoint, by our ids: as they are, or where
-- another endpoint's refund has that id, by one derived. Locks their names, in one order.
create or replace function refunds_of_endpoint(
  p_workspace text, p_provider text, p_endpoint text, p_payment text, p_refunds jsonb
) returns jsonb
language plpgsql as $$
declare
  r jsonb;
  named jsonb := '{}';
  candidate text;
  tries int;
  other text;
begin
  for r in select x from jsonb_array_elements(p_refunds) x order by x ->> 'id' collate "C" loop
    candidate := r ->> 'id';
    tries := 0;
    perform source_lock(p_workspace, ' refund ' || candidate);
    loop
      select payment into other from refund where workspace = p_workspace and id = candidate;
      exit when not found or other = p_payment
        or source_is_ours(source_owner_of(p_workspace, other), p_provider, p_endpoint);
      tries := tries + 1;
      candidate := derived_id('re', p_endpoint, r ->> 'id', tries);
    end loop;
    named := named || jsonb_build_object(r ->> 'id', candidate);
  end loop;
  return (
    select coalesce(jsonb_agg(x || jsonb_build_object('id', named ->> (x ->> 'id')) order by position), '[]')
    from jsonb_array_elements(p_refunds) with ordinality as entry (x, position));
end $$;
