-- What waits for a person.

-- Notes that something needs a person. Noted before under its key, it is only counted.
create or replace function ledger_private.attention_note(
  p_workspace text, p_kind text, p_object text, p_key text, p_details jsonb, p_at timestamptz
) returns void
language plpgsql as $$
begin
  insert into attention as old (workspace, id, kind, object, key, details, since, last_at)
  values (p_workspace, vinr_id('att'), p_kind, p_object, p_key, p_details, p_at, p_at)
  on conflict (workspace, kind, key) do update set times = old.times + 1,
    last_at = excluded.last_at;
end $$;
