-- The account and every account ever merged into it, at any depth: whose rows are the member's.
create or replace function account_family(p_workspace text, p_account text) returns setof text
language plpgsql stable rows 1 as $$
begin
  return next p_account;
  -- hardly anybody was merged into: one look at an index; plpgsql, because its plans are kept
  if exists (select from account a where a.workspace = p_workspace and a.merged_into = p_account) then
    return query
      with recursive family (id) as (
        select a.id from account a where a.workspace = p_workspace and a.merged_into = p_account
        union
        select a.id from family f join account a on a.workspace = p_workspace and a.merged_into = f.id
      )
      select f.id::text from family f;
  end if;
end $$;

-- Where what is meant for this account goes: itself, or what it was merged into in the end. Null
-- where there is none. Merging is irreversible, so that an answer stays true until that one is merged.
create or replace function account_survivor(p_workspace text, p_account text) returns text
language plpgsql stable as $$
declare
  survivor text := p_account;
  following text;
begin
  loop
    select a.merged_into into following from account a where a.workspace = p_workspace and a.id = survivor;
    if not found then
      return null;
    end if;
    exit when following is null;
    survivor := following;
  end loop;
  return survivor;
end $$;

-- The active account that stands for a customer in a program, `p_but` apart: their own, else the survivor
-- of one of theirs that was merged. Null where there is none.
drop function if exists account_of_customer(text, text, text);
create or replace function account_of_customer(
  p_workspace text, p_program text, p_customer text, p_but text default null
) returns text
language plpgsql stable as $$
begin
  -- a payment without a customer asks too, and with a null in it the plan would be made anew each time
  if p_customer is null then
    return null;
  end if;
  return coalesce(
    (select a.id from account a
      where a.workspace = p_workspace and a.program = p_program and a.customer = p_customer and a.status = 'active'
        and a.id is distinct from p_but),
    (select x.id from account o
      join account x on x.workspace = o.workspace and x.id = account_survivor(o.workspace, o.id)
      where o.workspace = p_workspace and o.program = p_program and o.customer = p_customer and o.status = 'merged'
        and x.status = 'active' and x.id is distinct from p_but
      order by x.created_at desc, x.id desc limit 1));
end $$;

-- Whom a customer's merged accounts became, in programs where the customer has no active account of their own.
create or replace function survivors_of_customer(p_workspace text, p_customer text) returns setof text
language sql stable rows 1 as $$
  select account_survivor(o.workspace, o.id) from account o
  where o.workspace = p_workspace and o.customer = p_customer and o.status = 'merged' and not exists (
    select from account a
    where a.workspace = o.workspace and a.program = o.program and a.customer = o.customer and a.status = 'active')
$$;

-- The accounts that a customer has or had in a program, merged and unlinked ones too, `p_but` apart, in the
-- order of locks.
create or replace function accounts_had(p_workspace text, p_program text, p_customer text, p_but text)
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
