-- Whom a till means by `user`: the account with this id, else the one with this external id; of a merged
-- one its survivor. Null where there is nobody. The one place that knows how a till may name a member.
create or replace function member_find(p_workspace text, p_user text) returns text
language plpgsql stable as $$
declare
  member text := account_survivor(p_workspace, p_user);
begin
  if member is null then
    select account_survivor(p_workspace, i.account) into member from member_identity i
    where i.workspace = p_workspace and i.kind = 'external_id' and i.value = p_user and i.revoked_at is null;
  end if;
  return member;
end $$;
