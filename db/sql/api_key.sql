-- API keys: whose one is, and when it was used.

-- Whose this API key is, by its hash; no row where nobody has it. The secret before a roll ends
-- with the overlap.
-- @column kind KeyKind
-- @column scopes string[]
-- @null expires_at revoked_at name
create or replace function ledger.api_key_find(p_hash text)
returns table (workspace text, id text, kind text, livemode boolean, expires_at timestamptz,
  revoked_at timestamptz, name text, scopes text[])
language sql stable security definer as $$
  select api_key.workspace, api_key.id, api_key.kind, workspace.livemode, api_key.expires_at,
    api_key.revoked_at, api_key.name, api_key.scopes
  from api_key join workspace on workspace.id = api_key.workspace where api_key.hash = p_hash
  union all
  select api_key.workspace, api_key.id, api_key.kind, workspace.livemode,
    least(api_key.expires_at, api_key.previous_expires_at), api_key.revoked_at, api_key.name,
    api_key.scopes
  from api_key join workspace on workspace.id = api_key.workspace
  where api_key.previous_hash = p_hash
$$;

-- Notes when keys were used last: an array of {workspace, id, at}, of any workspaces. A row that
-- another process notes at the same moment is left to it.
-- @param p_used KeyUse[]
create or replace function ledger.api_keys_used(p_used jsonb) returns void
language sql security definer as $$
  update api_key set last_used_at = used.at
  from (
    select noted.workspace, noted.id, key_use.at
    from jsonb_to_recordset(p_used) key_use(workspace text, id text, at timestamptz)
    join api_key noted on noted.workspace = key_use.workspace and noted.id = key_use.id
    where noted.last_used_at is null or noted.last_used_at < key_use.at
    for no key update of noted skip locked
  ) used
  where api_key.workspace = used.workspace and api_key.id = used.id
$$;
