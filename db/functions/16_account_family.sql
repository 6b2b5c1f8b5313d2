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

drop function if exists account_of_customer(text, text, text);
