-- People and what they are invited with. They are of no workspace: every function here runs as the
-- owner.

-- The person with this e-mail (lower case), who is made where there is none yet.
create or replace function ledger.team_member_ensure(p_id text, p_email text, p_at timestamptz)
returns text
language plpgsql security definer as $$
declare
  person text;
begin
  insert into team_member (id, email, created_at) values (p_id, p_email, p_at)
  on conflict (email) do nothing;
  select id into person from team_member where email = p_email;
  return person;
end $$;

-- Makes a one-time token, by its hash; those of the same kind and membership that it follows are
-- worthless.
-- @param p_kind TokenKind
-- @null p_workspace p_membership
create or replace function ledger.token_create(
  p_hash text, p_kind text, p_user text, p_workspace text, p_membership text, p_at timestamptz,
  p_expires_at timestamptz
) returns void
language plpgsql security definer as $$
begin
  update one_time_token set used_at = p_at
  where user_id = p_user and kind = p_kind and used_at is null
    and workspace is not distinct from p_workspace
    and membership is not distinct from p_membership;
  insert into one_time_token (hash, kind, user_id, workspace, membership, created_at, expires_at)
  values (p_hash, p_kind, p_user, p_workspace, p_membership, p_at, p_expires_at);
end $$;

-- Whose a token is that can still be redeemed, what for, and by what their password is checked; no
-- row else.
-- @column kind TokenKind
-- @null password_hash
create or replace function ledger.token_find(p_hash text, p_at timestamptz)
returns table (user_id text, kind text, password_hash text)
language sql stable security definer as $$
  select one_time_token.user_id, one_time_token.kind, credential.password_hash
  from one_time_token left join credential on credential.user_id = one_time_token.user_id
  where one_time_token.hash = p_hash and one_time_token.used_at is null
    and one_time_token.expires_at > p_at
$$;

-- Redeems a token, once: an invitation makes its membership active, and gives a person without a
-- password this one; a reset gives them this one and ends their sessions. Null where it cannot be
-- redeemed, then nothing has changed.
-- @null p_password_hash p_name result
create or replace function ledger.token_redeem(
  p_hash text, p_password_hash text, p_name text, p_at timestamptz
) returns text
language plpgsql security definer as $$
declare
  token one_time_token;
  has_password boolean;
begin
  update one_time_token set used_at = p_at
  where hash = p_hash and used_at is null and expires_at > p_at
  returning * into token;
  if not found then return null; end if;
  perform from team_member where id = token.user_id for no key update;
  has_password := exists (select from credential where user_id = token.user_id);
  if token.kind = 'reset' then
    perform password_set(token.user_id, p_password_hash, null, p_at);
  elsif p_password_hash is not null and not has_password then
    insert into credential (user_id, password_hash, changed_at)
    values (token.user_id, p_password_hash, p_at);
  end if;
  if p_name is not null then
    update team_member set name = p_name where id = token.user_id;
  end if;
  if token.membership is not null then
    update membership set status = 'active'
    where workspace = token.workspace and id = token.membership
      and status = 'invited' and removed_at is null;
  end if;
  return token.user_id;
end $$;

-- Whether the person is of this workspace alone, or an owner of `p_workspace` is also one of each
-- other that they are of: who resets a password by a link comes into all of them.
create or replace function ledger.team_member_is_only_of(
  p_user text, p_workspace text
) returns boolean
language sql stable security definer as $$
  select not exists (
    select from membership
    where user_id = p_user and workspace <> p_workspace and removed_at is null)
$$;

-- A person by e-mail, for whoever runs the installation; null where there is none.
-- @null result
create or replace function ledger.team_member_by_email(p_email text) returns text
language sql stable security definer as $$
  select id from team_member where email = p_email
$$;
