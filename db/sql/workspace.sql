-- A workspace: its settings, and whose an API key is.

-- The workspace's settings, one flat object.
-- @returns Settings
create or replace function ledger.settings_read(p_workspace text) returns jsonb
language plpgsql stable as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  return coalesce((select entries from settings where workspace = p_workspace), '{}');
end $$;

-- Merges `p_change` into the settings; null removes a key. Two at once: both count. Returns all of
-- them. Refused: parameter_invalid, more than `p_most` keys, with nothing changed.
-- @returns MergedSettings
-- @param p_change SettingsChange
create or replace function ledger.settings_merge(
  p_workspace text, p_change jsonb, p_most int, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  merged jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  insert into settings as stored (workspace, entries, updated_at)
  values (p_workspace, jsonb_strip_nulls(p_change), p_at)
  on conflict (workspace) do update
    set entries = jsonb_strip_nulls(stored.entries || p_change), updated_at = excluded.updated_at
  returning entries into merged;
  if (select count(*) from jsonb_object_keys(merged)) > p_most then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'settings', 'most',
      p_most));
  end if;
  return jsonb_build_object('settings', merged);
end $$;

-- One setting; null where it is not set.
create or replace function ledger_private.setting_value(p_workspace text, p_key text) returns jsonb
language plpgsql stable as $$
begin
  return (
    select entries -> p_key from settings where workspace = p_workspace);
end $$;
