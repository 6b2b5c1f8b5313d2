-- Whom a payment's metadata names: the member of `loyalty_account`; where it has none, whom the shop's own
-- `client_reference_id` means, be it an account, an external id or a customer with an account. It may as well be
-- a cart, and names nobody then. Of a merged account its survivor.
create or replace function account_named(p_workspace text, p_metadata jsonb) returns setof account
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
    return query select x.* from account x where x.workspace = p_workspace and x.id = member;
  elsif reference is not null and not p_metadata ? 'loyalty_account' then
    return query
      select x.* from program p
      join account x on x.workspace = p.workspace and x.id = account_of_customer(p.workspace, p.id, reference)
      where p.workspace = p_workspace;
  end if;
end $$;

-- Whom a payment, invoice or referral belongs to, one account for each program: the customer's (an active one
-- before a closed one; where it was merged and none is left, its survivor), else, where the customer has none
-- in that program or there is no customer, the one that the metadata names. Members at `p_on` only; null
-- leaves that open (a replay), and so does a program that enrols by itself: it would have enrolled the
-- customer then, so that payments racing to be the first all earn.
create or replace function earning_members(p_workspace text, p_customer text, p_metadata jsonb, p_on timestamptz)
returns setof account
language plpgsql stable as $$
declare
  programs text[] := '{}';
  a account;
begin
  if p_customer is not null then
    for a in
      select distinct on (x.program) x.*
      from account o
      join account x on x.workspace = o.workspace and x.id = account_survivor(o.workspace, o.id)
      join program p on p.workspace = x.workspace and p.id = x.program
      where o.workspace = p_workspace and o.customer = p_customer
        and (p_on is null or o.created_at <= p_on or p.auto_enroll)
      order by x.program, x.status <> 'active', o.status = 'merged', x.created_at desc, x.id desc
    loop
      programs := programs || a.program::text;
      return next a;
    end loop;
  end if;
  return query
    select x.* from account_named(p_workspace, p_metadata) x
    where x.program <> all (programs) and (p_on is null or x.created_at <= p_on);
end $$;

-- Enrols a customer into every program that enrols by itself and has no account of theirs, closed
-- ones included: who left is not brought back; nor one where the metadata names a member, who is meant.
-- Returns the new accounts' ids. Concurrent enrolments of one customer make one account.
drop function if exists earning_enrol(text, text, timestamptz, timestamptz);
create or replace function earning_enrol(
  p_workspace text, p_customer text, p_metadata jsonb, p_on timestamptz, p_at timestamptz
) returns setof text
language plpgsql as $$
declare
  p record;
  a account;
begin
  if p_customer is null then
    return;
  end if;
  for p in
    select id from program x
    where x.workspace = p_workspace and x.auto_enroll and not exists (
      select from account o where o.workspace = p_workspace and o.program = x.id and o.customer = p_customer)
      and not exists (select from account_named(p_workspace, p_metadata) o where o.program = x.id)
    order by id
  loop
    a := account_enrol(p_workspace, vinr_id('loy'), p.id, p_customer, '{}', least(p_on, p_at), p_at);
    continue when a.id is null;
    return next a.id;
  end loop;
end $$;
