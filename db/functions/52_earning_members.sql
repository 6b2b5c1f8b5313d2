-- Whom a payment, invoice or referral belongs to: the accounts of its customer, one for each program
-- (an active one before a closed one; where it was merged and none is left, its survivor), else the one
-- that `metadata.loyalty_account` pins. Members at `p_on` only; null leaves that open (a replay), and so
-- does a program that enrols by itself: it would have enrolled the customer then, so that payments racing
-- to be the first all earn. A merged account is followed to its survivor.
create or replace function earning_members(p_workspace text, p_customer text, p_metadata jsonb, p_on timestamptz)
returns setof account
language plpgsql stable as $$
declare
  a account;
  named text := p_metadata ->> 'loyalty_account';
begin
  if p_customer is not null then
    return query
      select distinct on (x.program) x.*
      from account o
      join account x on x.workspace = o.workspace and x.id = account_survivor(o.workspace, o.id)
      join program p on p.workspace = x.workspace and p.id = x.program
      where o.workspace = p_workspace and o.customer = p_customer
        and (p_on is null or o.created_at <= p_on or p.auto_enroll)
      order by x.program, x.status <> 'active', o.status = 'merged', x.created_at desc, x.id desc;
    return;
  end if;
  select * into a from account where workspace = p_workspace and id = named;
  if a.id is null or a.created_at > p_on then
    return;
  end if;
  while a.merged_into is not null loop
    select * into a from account where workspace = p_workspace and id = a.merged_into;
  end loop;
  return next a;
end $$;

-- Enrols a customer into every program that enrols by itself and has no account of theirs, closed
-- ones included: who left is not brought back. Returns the new accounts' ids. Concurrent enrolments
-- of one customer make one account.
create or replace function earning_enrol(p_workspace text, p_customer text, p_on timestamptz, p_at timestamptz)
returns setof text
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
    order by id
  loop
    a := account_enrol(p_workspace, vinr_id('loy'), p.id, p_customer, '{}', least(p_on, p_at), p_at);
    continue when a.id is null;
    return next a.id;
  end loop;
end $$;
