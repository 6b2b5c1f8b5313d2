-- What a payment's change locks after its own row and enrolment: the survivors of all accounts concerned, in the
-- one order of accounts (by the bytes of their ids), before redemptions (by id) and rewards and variants (by id).

-- Locks the survivors of these accounts, and who answers for their debts or owes to them, in order. Raises 40001
-- where one was merged meanwhile: then the change is tried again.
create or replace function accounts_lock(p_workspace text, p_accounts text[]) returns void
language plpgsql as $$
declare
  survivors text[];
begin
  select array_agg(x.id order by x.id collate "C") into survivors from (
    select distinct account_survivor(p_workspace, y) as id from unnest(p_accounts) y where y is not null
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
    select from account a where a.workspace = p_workspace and a.id = any (survivors) and a.merged_into is not null) then
    raise exception 'an account of % was merged meanwhile', survivors using errcode = '40001';
  end if;
end $$;

-- Locks all accounts that a payment's change may touch: those it earns for (`p_members`) or has earned for, the
-- owners of redemptions that are attached or named, the one whose store credit it uses.
create or replace function payment_accounts_lock(pay payment, p_known boolean, p_change jsonb, p_members text[])
returns void
language plpgsql as $$
declare
  accounts text[] := p_members || pay.store_credit_account::text;
begin
  if p_change -> 'named' <> '[]' then
    accounts := accounts || array(
      select d.account::text from redemption d
      where d.workspace = pay.workspace
        and d.id = any (array(select x ->> 'id' from jsonb_array_elements(p_change -> 'named') x)));
  end if;
  if p_known then
    accounts := accounts || array(
      select d.account::text from redemption d where d.workspace = pay.workspace and d.payment = pay.id
      union all
      select e.account from earning e where e.workspace = pay.workspace and e.payment = pay.id
      union all
      select e.account from earning e where e.workspace = pay.workspace and e.source = pay.invoice
      union all
      select s.account from program p
      join tier_spend s on s.workspace = p.workspace and s.program = p.id and s.payment = pay.id
      where p.workspace = pay.workspace and p.tier_config is not null);
  end if;
  if p_change ->> 'kind' = 'create' and p_change -> 'store_credit' <> 'null' then
    accounts := accounts || credit_account_named(pay, p_change -> 'store_credit');
  end if;
  perform accounts_lock(pay.workspace, accounts);
end $$;

-- Locks the rewards, then the variants, of which these redemptions took stock; of one alone its return locks it.
create or replace function stock_lock(p_workspace text, p_redemptions redemption[]) returns void
language plpgsql as $$
begin
  if coalesce(cardinality(p_redemptions), 0) < 2 then
    return;
  end if;
  perform from reward r
  where r.workspace = p_workspace
    and r.id in (select d.reward from unnest(p_redemptions) d where d.took_stock and d.variant is null)
  order by r.id for update;
  perform from reward_variant v
  where v.workspace = p_workspace
    and (v.reward, v.id) in (select d.reward, d.variant from unnest(p_redemptions) d where d.took_stock)
  order by v.reward, v.id for update;
end $$;
