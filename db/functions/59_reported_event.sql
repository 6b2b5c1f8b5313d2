-- All that is needed before a reported event is judged, in one statement that writes nothing: a stored
-- event with this event_id, the type, the member, the reactors in their order, and the database's time.
-- `p_reactors`: active (those that act), all (a dry run), or the id of one. `p_occurred_at` is what a till says,
-- null where it says nothing; with it comes from when on the member may have events, and how old they may be.
drop function if exists event_precheck(text, text, text, text, text);
create or replace function event_precheck(
  p_workspace text, p_event_id text, p_type text, p_user text, p_reactors text, p_occurred_at timestamptz
) returns jsonb
language plpgsql stable as $$
declare
  stored reported_event;
  t event_type;
  a account;
  p program;
  reactors jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into stored from reported_event where workspace = p_workspace and event_id = p_event_id;
  if found then
    select * into p from program where workspace = p_workspace and id = stored.program;
    return jsonb_build_object('outcome', 'exists', 'event', to_jsonb(stored), 'decimals', p.decimals);
  end if;
  select * into t from event_type where workspace = p_workspace and name = p_type;
  if not found then
    return '{"outcome": "no_type"}';
  end if;
  select * into a from account where workspace = p_workspace and id = member_find(p_workspace, p_user);
  select * into p from program where workspace = p_workspace and id = a.program;
  select jsonb_agg(jsonb_build_object('id', r.id, 'version', r.version, 'name', r.name, 'conditions', r.conditions,
    'reactions', r.reactions, 'active', r.active or p_reactors = r.id, 'created_at', r.created_at, 'starts_at', r.starts_at,
    'ends_at', r.ends_at)
    order by r.position, r.created_at, r.id) into reactors
  from reactor r
  where r.workspace = p_workspace and r.trigger = p_type and r.deleted_at is null
    and case p_reactors when 'active' then r.active when 'all' then true else r.id = p_reactors end;
  return jsonb_build_object('outcome', 'found', 'at', clock_timestamp(), 'type', t.id, 'version', t.version,
    'account', a.id, 'decimals', p.decimals, 'rounding', p.rounding, 'reactors', coalesce(reactors, '[]'),
    'strict', setting_value(p_workspace, 'strict') = 'true')
    || case when p_occurred_at is null then '{}' else jsonb_build_object(
      'member_since', (select min(created_at) from account
        where workspace = p_workspace and id in (select account_family(p_workspace, a.id))),
      'most_days', setting_value(p_workspace, 'eventMaxAgeDays')) end;
end $$;

-- Writes a reported event and does what its reactors plan, all of it or nothing: one transaction under the
-- account's lock, once by `p_event_id`. `p_plan` is what the rules in domain/reactor.ts made of it. A dry
-- run takes everything back and returns what would have been. Outcomes: processed; replayed (the stored
-- one); stale (a reactor or the program's decimals were changed since it was planned: plan again); refused; missing. A strict event
-- that would take the balance below zero raises insufficient_points (VR001).
drop function if exists event_report(text, text, text, text, text, text, text, int, jsonb, timestamptz, timestamptz,
  boolean, jsonb, boolean);
create or replace function event_report(
  p_workspace text, p_id text, p_event_id text, p_fingerprint text, p_user text, p_account text, p_type text,
  p_type_version int, p_payload jsonb, p_occurred_at timestamptz, p_at timestamptz, p_strict boolean, p_plan jsonb,
  p_dry_run boolean, p_decimals int
) returns jsonb
language plpgsql as $$
declare
  a account;
  e reported_event;
  planned jsonb;
  result jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  a := account_locked(p_workspace, p_account);
  if a.id is null then
    return '{"outcome": "missing"}';
  end if;
  select * into e from reported_event where workspace = p_workspace and event_id = p_event_id;
  if found then
    return jsonb_build_object('outcome', 'replayed', 'event', to_jsonb(e));
  end if;
  if a.status = 'closed' then
    return '{"outcome": "refused", "refusal": {"code": "account_closed"}}';
  end if;
  if reactors_edited(p_workspace, p_plan) then
    return '{"outcome": "stale"}';
  end if;
  if a.lots_due_from <= p_at then
    a := lots_expire(a, p_at);
  end if;
  e := event_begun(a, p_id, p_event_id, p_fingerprint, p_user, p_type, p_type_version, p_strict, p_occurred_at, p_at);
  for planned in select * from jsonb_array_elements(p_plan) loop
    e.outcomes := e.outcomes || reactor_act(e, planned, p_at);
  end loop;
  e.points := outcomes_points(e.outcomes);
  if not decimals_stayed(p_workspace, a.program, p_decimals) then
    raise exception using errcode = 'VR002', message = '{"outcome": "stale"}';
  end if;
  select balance into e.balance_after from account where workspace = p_workspace and id = a.id;
  result := jsonb_build_object('outcome', 'processed', 'event', to_jsonb(e));
  if p_dry_run then
    raise exception using errcode = 'VR002', message = result::text; -- takes back all of it
  end if;
  perform event_report_write(e, p_payload);
  return result;
end $$;

-- Whether a reactor is not what it was when it was planned with.
create or replace function reactors_edited(p_workspace text, p_plan jsonb) returns boolean
language plpgsql stable as $$
begin
  return (
    select exists (
      select from jsonb_to_recordset(p_plan) x (reactor text, version int)
      left join reactor r on r.workspace = p_workspace and r.id = x.reactor and r.deleted_at is null
      where r.version is distinct from x.version));
end $$;

-- A reported event of the account before anything follows from it.
create or replace function event_begun(
  a account, p_id text, p_event_id text, p_fingerprint text, p_user text, p_type text, p_type_version int,
  p_strict boolean, p_occurred_at timestamptz, p_at timestamptz
) returns reported_event
language plpgsql immutable as $$
declare
  e reported_event;
begin
  e.workspace := a.workspace;
  e.id := p_id;
  e.event_id := p_event_id;
  e.fingerprint := p_fingerprint;
  e.type := p_type;
  e.type_version := p_type_version;
  e.account := a.id;
  e.program := a.program;
  e.user_id := p_user;
  e.is_strict := p_strict;
  e.outcomes := '[]';
  e.occurred_at := p_occurred_at;
  e.created_at := p_at;
  return e;
end $$;

-- What all reactions together moved, in the smallest unit.
create or replace function outcomes_points(p_outcomes jsonb) returns bigint
language plpgsql immutable as $$
begin
  return (
    select coalesce(sum((x ->> 'amount')::bigint), 0)
    from jsonb_array_elements(p_outcomes) o, jsonb_array_elements(o -> 'reactions') x);
end $$;

-- The rows of a reported event: what became of it, and the fact itself with its webhook deliveries. The
-- same event_id under another account's lock a moment ago: taken back, to be found on another try (40001).
create or replace function event_report_write(e reported_event, p_payload jsonb) returns void
language plpgsql as $$
begin
  insert into reported_event values (e.*) on conflict (workspace, event_id) do nothing;
  if not found then
    raise exception 'event % was reported meanwhile', e.event_id using errcode = '40001';
  end if;
  insert into event (workspace, id, type, object, data, created_at)
  values (e.workspace, e.id, e.type, e.id, jsonb_build_object('event_id', e.event_id, 'user', e.user_id,
    'account', e.account, 'payload', p_payload, 'occurred_at', e.occurred_at), e.created_at);
  perform webhook_deliver(e.workspace, e.id, e.type);
end $$;
