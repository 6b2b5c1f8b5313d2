-- The events that tills report: reported, held, undone.

-- All that is needed before a reported event is judged, in one statement that writes nothing: a
-- stored event with this event_id, the type, the member, the reactors in their order, and the
-- database's time. `p_reactors`: active (those that act), all (a dry run), or the id of one.
-- `p_occurred_at` is what a till says, null where it says nothing; with it comes from when on the
-- member may have events, and how old they may be.
-- @returns EventPrecheck
-- @null p_occurred_at
create or replace function ledger.event_precheck(
  p_workspace text, p_event_id text, p_type text, p_user text, p_reactors text,
  p_occurred_at timestamptz
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
    return jsonb_build_object('outcome', 'exists', 'event', to_jsonb(stored), 'decimals',
      p.decimals);
  end if;
  select * into t from event_type where workspace = p_workspace and name = p_type;
  if not found then
    return '{"outcome": "no_type"}';
  end if;
  select * into a from account where workspace = p_workspace
    and id = member_find(p_workspace, p_user);
  select * into p from program where workspace = p_workspace and id = a.program;
  select jsonb_agg(jsonb_build_object('id', r.id, 'version', r.version, 'name', r.name,
    'conditions', r.conditions,
    'reactions', r.reactions, 'active', r.active or p_reactors = r.id, 'created_at', r.created_at,
    'starts_at', r.starts_at,
    'ends_at', r.ends_at)
    order by r.position, r.created_at, r.id) into reactors
  from reactor r
  where r.workspace = p_workspace and r.trigger = p_type and r.deleted_at is null
    and case p_reactors when 'active' then r.active when 'all' then true else r.id = p_reactors end;
  return jsonb_build_object('outcome', 'found', 'at', clock_timestamp(), 'type', t.id, 'version',
    t.version,
    'account', a.id, 'decimals', p.decimals, 'rounding', p.rounding, 'reactors',
    coalesce(reactors, '[]'),
    'strict', setting_value(p_workspace, 'strict') = 'true')
    || case when p_occurred_at is null then '{}' else jsonb_build_object(
      'member_since', (select min(created_at) from account
        where workspace = p_workspace and id in (select account_family(p_workspace, a.id))),
      'most_days', setting_value(p_workspace, 'eventMaxAgeDays')) end;
end $$;

-- Writes a reported event and does what its reactors plan, all of it or nothing: one transaction
-- under the account's lock, once by `p_event_id`. `p_plan` is what the rules in domain/reactor.ts
-- made of it. A dry run takes everything back and returns what would have been. Outcomes:
-- processed; replayed (the stored one); stale (a reactor or the program's decimals were changed
-- since it was planned: plan again); refused; missing. A strict event that would take the balance
-- below zero raises insufficient_points (VR001).
-- @returns ReportResult
-- @param p_payload unknown
-- @param p_plan ReactionPlan[]
create or replace function ledger.event_report(
  p_workspace text, p_id text, p_event_id text, p_fingerprint text, p_user text, p_account text,
  p_type text, p_type_version int, p_payload jsonb, p_occurred_at timestamptz, p_at timestamptz,
  p_strict boolean, p_plan jsonb, p_dry_run boolean, p_decimals int
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
  e := event_begun(a, p_id, p_event_id, p_fingerprint, p_user, p_type, p_type_version, p_strict,
    p_occurred_at, p_at);
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

-- Holds what an event's reactors would take, instead of taking it for good: one pending redemption
-- of all of it, which returns by itself after `p_hold_minutes` unless it is confirmed. Otherwise as
-- `event_report` when it is strict; reactors may do nothing but take points, and limits count a
-- hold as an activation. The discount is what the points are worth, floor(points x p_minor /
-- p_per). Outcomes: processed; replayed; stale; refused; missing. Raises (VR001)
-- insufficient_points, and parameter_invalid where nothing is to be held, or the points are worth
-- more than any amount of money may be.
-- @returns ReportResult
-- @param p_payload unknown
-- @param p_plan ReactionPlan[]
create or replace function ledger.event_hold(
  p_workspace text, p_id text, p_event_id text, p_fingerprint text, p_user text, p_account text,
  p_type text, p_type_version int, p_payload jsonb, p_occurred_at timestamptz, p_at timestamptz,
  p_plan jsonb, p_redemption text, p_hold_minutes numeric, p_code text, p_minor numeric,
  p_per numeric, p_currency text, p_decimals int
) returns jsonb
language plpgsql as $$
declare
  a account;
  e reported_event;
  planned jsonb;
  held bigint := 0;
  worth numeric;
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
  elsif reactors_edited(p_workspace, p_plan) then
    return '{"outcome": "stale"}';
  end if;
  if a.lots_due_from <= p_at then
    a := lots_expire(a, p_at);
  end if;
  e := event_begun(a, p_id, p_event_id, p_fingerprint, p_user, p_type, p_type_version, true,
    p_occurred_at, p_at);
  e.redemption := p_redemption;
  for planned in select * from jsonb_array_elements(p_plan) loop
    e.outcomes := e.outcomes || reactor_hold(e, a, planned);
  end loop;
  e.points := outcomes_points(e.outcomes);
  held := -e.points;
  if held = 0 then
    perform refuse('{"code": "parameter_invalid", "param": "hold"}');
  elsif a.balance < held then
    perform refuse(points_missing(held, a.balance));
  end if;
  worth := div(held * p_minor, p_per);
  if worth > 1000000000000 then -- as every amount that a request may name
    perform refuse('{"code": "parameter_invalid", "param": "hold", "worth": true}');
  end if;
  perform redemption_hold(a, p_redemption, held, worth::bigint, p_currency, p_code,
    date_trunc('milliseconds', p_at + make_interval(secs => p_hold_minutes * 60)),
    p_fingerprint, jsonb_build_object('event', p_event_id), p_at);
  if not decimals_stayed(p_workspace, a.program, p_decimals) then
    raise exception 'the decimals of % changed', a.program using errcode = '40001';
  end if;
  e.balance_after := a.balance - held;
  perform event_report_write(e, p_payload);
  return jsonb_build_object('outcome', 'processed', 'event', to_jsonb(e));
end $$;

-- Undoes what an event moved, by a second event that names it: each of its transactions is
-- reversed, so that the points return to the very lots they came from; what it held or gave is
-- reversed as a redemption. All of it or nothing, and once: a second one, under whatever event_id,
-- is answered with the first. A tier that was set and events that were emitted stay, and limits
-- still count the activation. `p_points` is what the caller says it undoes (smallest unit, null:
-- nothing said). Outcomes: processed; replayed (the same event_id); undone (another one undid it);
-- missing (no such event of this member). Raises (VR001) parameter_invalid (other points),
-- not_reversible, redemption_already_settled, insufficient_points.
-- @returns ReportResult
-- @param p_payload unknown
-- @null p_points
create or replace function ledger.event_undo(
  p_workspace text, p_id text, p_event_id text, p_fingerprint text, p_user text, p_type text,
  p_type_version int, p_payload jsonb, p_reverses text, p_points bigint, p_occurred_at timestamptz,
  p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  o reported_event;
  e reported_event;
  a account;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into o from reported_event where workspace = p_workspace and event_id = p_reverses;
  if not found then
    select * into o from reported_event where workspace = p_workspace and id = p_reverses;
  end if;
  if o.id is null or account_survivor(p_workspace,
    o.account) is distinct from member_find(p_workspace, p_user) then
    return '{"outcome": "missing"}';
  end if;
  if o.redemption is not null then
    perform redemption_locked(p_workspace, o.redemption); -- its payment comes before the account
  end if;
  perform 1 from payment where workspace = p_workspace and id in (
    select payment from redemption where workspace = p_workspace and id = any (event_gifts(o)))
  order by id for update; -- so do those of what it gave
  a := account_locked(p_workspace, o.account);
  select * into e from reported_event where workspace = p_workspace and event_id = p_event_id;
  if found then
    return jsonb_build_object('outcome', 'replayed', 'event', to_jsonb(e));
  end if;
  select * into e from reported_event where workspace = p_workspace and reverses = o.event_id;
  if found then
    return jsonb_build_object('outcome', 'undone', 'event', to_jsonb(e));
  end if;
  if o.reverses is not null then
    perform refuse('{"code": "not_reversible"}');
  elsif p_points not in (select abs(o.points) union all select said from event_said_points(o)) then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'payload.points',
      'available', abs(o.points)));
  end if;
  e := event_begun(a, p_id, p_event_id, p_fingerprint, p_user, p_type, p_type_version, false,
    p_occurred_at, p_at);
  e.reverses := o.event_id;
  e.undone := case when o.redemption is null then event_undo_moved(o, p_at)
    else event_undo_held(o, p_at) end;
  perform event_undo_gifts(o, p_at);
  select coalesce(sum((x ->> 'amount')::bigint), 0) into e.points
    from jsonb_array_elements(e.undone) x;
  select balance into e.balance_after from account where workspace = p_workspace and id = a.id;
  perform event_report_write(e, p_payload);
  return jsonb_build_object('outcome', 'processed', 'event', to_jsonb(e));
end $$;

-- Whether a reactor is not what it was when it was planned with.
create or replace function ledger_private.reactors_edited(
  p_workspace text, p_plan jsonb
) returns boolean
language plpgsql stable as $$
begin
  return (
    select exists (
      select from jsonb_to_recordset(p_plan) x (reactor text, version int)
      left join reactor r on r.workspace = p_workspace and r.id = x.reactor and r.deleted_at is null
      where r.version is distinct from x.version));
end $$;

-- A reported event of the account before anything follows from it.
create or replace function ledger_private.event_begun(
  a account, p_id text, p_event_id text, p_fingerprint text, p_user text, p_type text,
  p_type_version int, p_strict boolean, p_occurred_at timestamptz, p_at timestamptz
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
create or replace function ledger_private.outcomes_points(p_outcomes jsonb) returns bigint
language plpgsql immutable as $$
begin
  return (
    select coalesce(sum((x ->> 'amount')::bigint), 0)
    from jsonb_array_elements(p_outcomes) o, jsonb_array_elements(o -> 'reactions') x);
end $$;

-- The rows of a reported event: what became of it, and the fact itself with its webhook deliveries.
-- The same event_id under another account's lock a moment ago: taken back, to be found on another
-- try (40001).
create or replace function ledger_private.event_report_write(
  e reported_event, p_payload jsonb
) returns void
language plpgsql as $$
begin
  insert into reported_event (workspace, id, event_id, fingerprint, type, type_version, account,
    program, user_id, is_strict, outcomes, points, balance_after, occurred_at, created_at, reverses,
    undone, redemption)
  values (e.workspace, e.id, e.event_id, e.fingerprint, e.type, e.type_version, e.account,
    e.program, e.user_id, e.is_strict, e.outcomes, e.points, e.balance_after, e.occurred_at,
    e.created_at, e.reverses, e.undone, e.redemption)
  on conflict (workspace, event_id) do nothing;
  if not found then
    raise exception 'event % was reported meanwhile', e.event_id using errcode = '40001';
  end if;
  insert into event (workspace, id, type, object, data, created_at)
  values (e.workspace, e.id, e.type, e.id, jsonb_build_object('event_id', e.event_id, 'user',
    e.user_id,
    'account', e.account, 'payload', p_payload, 'occurred_at', e.occurred_at), e.created_at);
  perform webhook_deliver(e.workspace, e.id, e.type);
end $$;

-- What a reactor of a held event takes; nothing is posted yet. The account's lock is held.
create or replace function ledger_private.reactor_hold(
  e reported_event, a account, p_planned jsonb
) returns jsonb
language plpgsql as $$
declare
  r reactor;
  reaction jsonb;
  outcome jsonb := p_planned - 'version';
  reached text;
begin
  if p_planned ->> 'outcome' <> 'ready' then
    return outcome;
  end if;
  select * into r from reactor where workspace = e.workspace and id = p_planned ->> 'reactor';
  reached := reactor_limit_reached(r, a, e.occurred_at, e.created_at);
  if reached is not null then
    return outcome || jsonb_build_object('outcome', 'skipped', 'reason', 'limit_reached',
      'explanation', reached,
      'reactions', '[]'::jsonb);
  end if;
  for reaction in select * from jsonb_array_elements(p_planned -> 'reactions') loop
    if reaction ->> 'type' <> 'adjust_points' or (reaction ->> 'amount')::bigint > 0 then
      perform refuse('{"code": "parameter_invalid", "param": "hold"}');
    end if;
  end loop;
  insert into reactor_activation (workspace, event, reactor, account, at, received_at)
  values (e.workspace, e.id, r.id, e.account, e.occurred_at, nullif(e.created_at, e.occurred_at));
  return outcome || jsonb_build_object('outcome', 'activated', 'reactions', (
    select jsonb_agg(jsonb_build_object('type', 'adjust_points', 'amount', x -> 'amount'))
    from jsonb_array_elements(p_planned -> 'reactions') x));
end $$;

-- Takes points for a sale at a till that is not through yet: a pending redemption of the program's
-- reward for that, which comes into being with its first hold and which nobody can redeem
-- otherwise. The account's lock is held, the balance suffices.
create or replace function ledger_private.redemption_hold(
  a account, p_id text, p_points bigint, p_amount bigint, p_currency text, p_code text,
  p_expires_at timestamptz, p_fingerprint text, p_metadata jsonb, p_at timestamptz
) returns void
language plpgsql as $$
declare
  d redemption;
  for_tills text := 'rwd_at_till_' || substr(a.program, 6, 48);
begin
  if not exists (select from reward where workspace = a.workspace and id = for_tills) then
    insert into reward (workspace, id, program, name, type, cost, value, active, created_at)
    values (a.workspace, for_tills, a.program, 'Points at the till', 'discount_amount', 1,
      jsonb_build_object('amount', 1, 'currency', p_currency), false, p_at)
    on conflict do nothing;
  end if;
  d.workspace := a.workspace;
  d.id := p_id;
  d.account := a.id;
  d.reward := for_tills;
  d.program := a.program;
  d.status := 'pending';
  d.points := p_points;
  d.quantity := 1;
  d.discount := jsonb_build_object('amount', p_amount, 'currency', p_currency);
  d.code := p_code;
  d.expires_at := p_expires_at;
  d.fingerprint := p_fingerprint;
  d.metadata := p_metadata;
  d.created_at := p_at;
  perform redemption_insert(d, a, p_at);
end $$;

-- The points that the event's own payload names, where it names a whole number of them, in the
-- smallest unit.
create or replace function ledger_private.event_said_points(
  o reported_event) returns table (said bigint
)
language sql stable as $$
  select (abs((e.data #>> '{payload,points}')::numeric) * 10 ^ p.decimals)::bigint
  from event e join program p on p.workspace = o.workspace and p.id = o.program
  where e.workspace = o.workspace and e.id = o.id
    and jsonb_typeof(e.data #> '{payload,points}') = 'number'
    and abs((e.data #>> '{payload,points}')::numeric) <= 100000000000
$$;

-- Reverses each transaction of an event, the last one first.
create or replace function ledger_private.event_undo_moved(
  o reported_event, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  moved text;
  posted jsonb;
  undone jsonb := '[]';
begin
  for moved in
    select x ->> 'transaction'
    from jsonb_array_elements(o.outcomes) with ordinality reactor (outcome, nth),
      jsonb_array_elements(outcome -> 'reactions') with ordinality reaction (x, mth)
    where x ->> 'transaction' is not null
    order by nth desc, mth desc
  loop
    posted := points_reverse(o.workspace, moved, 'event_reversed', 'undo:' || moved, null, '{}',
      p_at);
    if posted ->> 'outcome' <> 'reversed' then
      perform refuse(coalesce(posted -> 'refusal', '{"code": "not_reversible"}'));
    end if;
    undone := undone || jsonb_build_object('transaction', posted #> '{transaction,id}',
      'amount', posted #> '{transaction,amount}', 'reverses', moved);
  end loop;
  return undone;
end $$;

-- Reverses what an event held, confirmed or not. What returned by itself already is refused as
-- settled.
create or replace function ledger_private.event_undo_held(
  o reported_event, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  posted jsonb := redemption_reverse(
    o.workspace, o.redemption, null, null, 'event_reversed', 'undo:' || o.id, o.id, p_at, null,
    null);
begin
  if posted ->> 'outcome' <> 'reversed' then
    perform refuse(coalesce(posted -> 'refusal', '{"code": "not_reversible"}'));
  end if;
  return (
    select jsonb_agg(jsonb_build_object('transaction', t.id, 'amount', t.amount, 'reverses',
      t.reverses))
    from ptx t where t.workspace = o.workspace and t.operation = 'undo:' || o.id);
end $$;
