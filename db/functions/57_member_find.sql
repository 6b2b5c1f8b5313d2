-- Whom a till means by `user`: the account with this id, or what it was merged into. Null where there is
-- nobody. The one place that knows how a till may name a member.
create or replace function member_find(p_workspace text, p_user text) returns text
language plpgsql stable as $$
begin
  return account_survivor(p_workspace, p_user);
end $$;
