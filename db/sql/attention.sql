-- What waits for a person.

-- Notes what happened once and needs a person. Noted before under its key, it is only counted, even
-- where it was settled since.
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

-- Notes a state that comes and goes and needs a person while it lasts. Settled before, it is open
-- again from `p_at` on, snoozed by nobody; still open, it is only counted.
create or replace function ledger_private.attention_raise(
  p_workspace text, p_kind text, p_object text, p_details jsonb, p_at timestamptz
) returns void
language plpgsql as $$
begin
  insert into attention as old (workspace, id, kind, object, key, details, since, last_at)
  values (p_workspace, vinr_id('att'), p_kind, p_object, p_object, p_details, p_at, p_at)
  on conflict (workspace, kind, key) do update set times = old.times + 1,
    last_at = excluded.last_at, details = excluded.details, settled_at = null,
    since = case when old.settled_at is null then old.since else excluded.since end,
    snoozed_until = case when old.settled_at is null then old.snoozed_until end,
    decision = case when old.settled_at is null then old.decision end;
end $$;

-- Settles what was raised about an object: the state is over.
create or replace function ledger_private.attention_settle(
  p_workspace text, p_kind text, p_object text, p_at timestamptz
) returns void
language plpgsql as $$
begin
  update attention set settled_at = p_at
  where attention.workspace = p_workspace and attention.kind = p_kind and attention.key = p_object
    and attention.settled_at is null;
end $$;
