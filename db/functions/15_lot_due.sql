-- When a lot is due: its own date, or the account's last activity plus months where it extends with activity.
create or replace function lot_due_at(l lot, p_activity_extends_to timestamptz) returns timestamptz
language sql immutable parallel safe as $$
  select case when l.extends_with_activity then greatest(l.expires_at, p_activity_extends_to) else l.expires_at end
$$;

-- The account, its advisory lock taken (a fair queue on a hot account) and read again under it,
-- a merged one followed to its survivor. All null where there is none.
create or replace function account_locked(p_workspace text, p_account text) returns account
language plpgsql as $$
declare
  a account;
  target text := p_account;
begin
  loop
    perform pg_advisory_xact_lock(hashtextextended(p_workspace || target, 0));
    select * into a from account where workspace = p_workspace and id = target;
    exit when a.merged_into is null;
    target := a.merged_into;
  end loop;
  return a;
end $$;

-- What the account can spend at `p_at`, without writing: its balance less the lots already due, never negative.
create or replace function account_available(a account, p_at timestamptz) returns bigint
language plpgsql stable as $$
declare
  due bigint := 0;
begin
  if a.lots_due_from <= p_at then
    select coalesce(sum(l.remaining), 0) into due
    from lot l
    where l.workspace = a.workspace and l.account = a.id and l.open and l.expires_at <= p_at
      and lot_due_at(l, a.activity_extends_to) <= p_at;
  end if;
  return greatest(a.balance - due, 0);
end $$;
