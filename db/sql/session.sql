-- People who sign in. They are of no workspace: every function here runs as the owner, past row
-- security.

-- Who signs in with this e-mail (lower case), what their password is checked by, and whether they
-- have used this browser before; no row where nobody does.
-- @null password_hash
create or replace function ledger.sign_in_find(p_email text, p_device text)
returns table (user_id text, password_hash text, knows_device boolean)
language sql stable security definer as $$
  select team_member.id, credential.password_hash, exists (
    select from known_device
    where known_device.user_id = team_member.id and known_device.hash = p_device)
  from team_member left join credential on credential.user_id = team_member.id
  where team_member.email = p_email
$$;

-- Begins a session, by the hash of its cookie, and remembers the browser, by that of its own.
-- Returns whose.
-- @null p_user_agent name
create or replace function ledger.session_start(
  p_id text, p_user text, p_hash text, p_device text, p_user_agent text, p_at timestamptz,
  p_expires_at timestamptz
) returns table (email text, name text)
language sql security definer as $$
  insert into known_device (user_id, hash, last_at) values (p_user, p_device, p_at)
  on conflict (user_id, hash) do update set last_at = excluded.last_at;
  insert into session (id, user_id, hash, user_agent, created_at, seen_at, expires_at)
  values (p_id, p_user, p_hash, p_user_agent, p_at, p_at, p_expires_at);
  select team_member.email, team_member.name from team_member where team_member.id = p_user
$$;

-- The session with this cookie, where it goes on: not ended, not expired, seen since
-- `p_idle_since`; and what its person is in the workspace, where they are an active member of it.
-- @column role Role
-- @null name role membership livemode
create or replace function ledger.session_find(
  p_hash text, p_workspace text, p_idle_since timestamptz
) returns table (id text, user_id text, email text, name text, expires_at timestamptz, role text,
  membership text, livemode boolean)
language sql stable security definer as $$
  select session.id, session.user_id, team_member.email, team_member.name, session.expires_at,
    membership.role, membership.id, workspace.livemode
  from session
  join team_member on team_member.id = session.user_id
  left join membership on membership.user_id = session.user_id
    and membership.workspace = p_workspace and membership.status = 'active'
    and membership.removed_at is null
  left join workspace on workspace.id = membership.workspace
  where session.hash = p_hash and session.ended_at is null
    and session.expires_at > clock_timestamp() and session.seen_at >= p_idle_since
$$;

-- Notes when sessions were seen last. A row that another process notes at the same moment is left
-- to it.
-- @param p_used SessionUse[]
create or replace function ledger.sessions_seen(p_used jsonb) returns void
language sql security definer as $$
  update session set seen_at = used.at
  from (
    select noted.id, session_use.at
    from jsonb_to_recordset(p_used) session_use(id text, at timestamptz)
    join session noted on noted.id = session_use.id
    where noted.seen_at < session_use.at
    for no key update of noted skip locked
  ) used
  where session.id = used.id
$$;

-- A person's sessions that go on, the newest first.
-- @null user_agent
create or replace function ledger.sessions_of_user(p_user text, p_idle_since timestamptz)
returns table (id text, user_agent text, created_at timestamptz, seen_at timestamptz,
  expires_at timestamptz)
language sql stable security definer as $$
  select session.id, session.user_agent, session.created_at, session.seen_at, session.expires_at
  from session
  where session.user_id = p_user and session.ended_at is null
    and session.expires_at > clock_timestamp() and session.seen_at >= p_idle_since
  order by session.created_at desc, session.id desc
  limit 100
$$;

-- Ends a session of the person, or all of them but `p_except`. Returns how many went on before.
-- @null p_id p_except
create or replace function ledger.sessions_end(
  p_user text, p_id text, p_except text, p_at timestamptz
) returns int
language sql security definer as $$
  with ended as (
    update session set ended_at = p_at
    where user_id = p_user and ended_at is null and expires_at > p_at
      and (p_id is null or id = p_id) and id is distinct from p_except
    returning 1)
  select count(*)::int from ended
$$;

-- The workspaces that a person is an active member of, by name.
-- @column role Role
create or replace function ledger.memberships_of_user(p_user text)
returns table (id text, workspace text, workspace_name text, livemode boolean, role text)
language sql stable security definer as $$
  select membership.id, membership.workspace, workspace.name, workspace.livemode, membership.role
  from membership join workspace on workspace.id = membership.workspace
  where membership.user_id = p_user and membership.status = 'active'
    and membership.removed_at is null
  order by workspace.name, workspace.id
  limit 1000
$$;

-- The hash that a person's password is checked by; null where they have none.
-- @null result
create or replace function ledger.password_hash(p_user text) returns text
language sql stable security definer as $$
  select password_hash from credential where user_id = p_user
$$;

-- Sets a person's password, ends every session of theirs but `p_except`, and makes tokens to reset
-- it worthless.
-- @null p_except
create or replace function ledger.password_set(
  p_user text, p_hash text, p_except text, p_at timestamptz
) returns void
language plpgsql security definer as $$
begin
  insert into credential (user_id, password_hash, changed_at) values (p_user, p_hash, p_at)
  on conflict (user_id) do update
    set password_hash = excluded.password_hash, changed_at = excluded.changed_at;
  update one_time_token set used_at = p_at
  where user_id = p_user and kind = 'reset' and used_at is null;
  perform sessions_end(p_user, null, p_except, p_at);
end $$;

-- Sets what a person calls themselves.
-- @null p_name
create or replace function ledger.team_member_rename(p_user text, p_name text) returns void
language sql security definer as $$
  update team_member set name = p_name where id = p_user
$$;

-- The person who is known by this subject at the issuer; else the one with the e-mail, which the
-- provider has verified, and who is known by the subject from now on. Null where there is none.
-- What they were invited to becomes active.
-- @null p_email result
create or replace function ledger.oidc_sign_in(
  p_issuer text, p_subject text, p_email text, p_at timestamptz
) returns text
language plpgsql security definer as $$
declare
  person text;
begin
  select user_id into person from oidc_identity where issuer = p_issuer and subject = p_subject;
  if person is null and p_email is not null then
    select id into person from team_member where email = p_email;
    insert into oidc_identity (issuer, subject, user_id, created_at)
    select p_issuer, p_subject, person, p_at where person is not null
    on conflict do nothing;
  end if;
  update membership set status = 'active'
  where user_id = person and status = 'invited' and removed_at is null
    and exists (select from one_time_token
      where one_time_token.workspace = membership.workspace
        and one_time_token.membership = membership.id
        and used_at is null and expires_at > p_at);
  return person;
end $$;
