-- The events that tills report: reported, held, undone.

-- All that is needed before what a reported event does is known, in one statement that writes
-- nothing: a stored event with this event_id, the type, the member, the reactors in their order,
-- and the database's time. `p_reactors`: active (those that act), all (a dry run), or the id of
-- one. `p_occurred_at` is what a till says, null where it says nothing; with it comes from when on
-- the member may have events, and how old they may be.
-- @returns EventPrecheck
-- @null p_occurred_at
create or replace function ledger.event_precheck(
  p_workspace text, p_event_id text, p_type text, p_user text, p_reactors text,
  p_occurred_at timestamptz
) returns jsonb
language plpgsql stable as $$
declare
  stored reported_event;
  type_row event_type;
  account_row account;
  program_row program;
  reactors jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into stored from reported_event where workspace = p_workspace and event_id = p_event_id;
  if found then
    select * into program_row from program where workspace = p_workspace and id = stored.program;
    return jsonb_build_object('outcome', 'exists', 'event', to_jsonb(stored), 'decimals',
      program_row.decimals);
  end if;
  select * into type_row from event_type where workspace = p_workspace and name = p_type;
  if not found then
    return '{"outcome": "no_type"}';
  end if;
  select * into account_row from account where workspace = p_workspace
    and id = member_find(p_workspace, p_user);
  select * into program_row from program where workspace = p_workspace and id = account_row.program;
  select jsonb_agg(jsonb_build_object('id', reactor.id, 'version', reactor.version, 'name',
    reactor.name, 'conditions', reactor.conditions,
    'reactions', reactor.reactions, 'active', reactor.active or p_reactors = reactor.id,
    'created_at', reactor.created_at, 'starts_at', reactor.starts_at,
    'ends_at', reactor.ends_at)
    order by reactor.position, reactor.created_at, reactor.id) into reactors
  from reactor
  where reactor.workspace = p_workspace and reactor.trigger = p_type and reactor.deleted_at is null
    and case p_reactors when 'active' then reactor.active when 'all'
    then true else reactor.id = p_reactors end;
  return jsonb_build_object('outcome', 'found', 'at', clock_timestamp(), 'type', type_row.id,
    'version', type_row.version,
    'account', account_row.id, 'decimals', program_row.decimals, 'rounding', program_row.rounding,
    'reactors', coalesce(reactors, '[]'),
    'strict', setting_value(p_workspace, 'strict') = 'true')
    || case when p_occurred_at is null then '{}' else jsonb_build_object(
      'member_since', (select min(created_at) from account
        where workspace = p_workspace and id in (select account_family(p_workspace,
          account_row.id))),
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
-- @param p_plan readonly ReactionPlan[]
create or replace function ledger.event_report(
  p_workspace text, p_id text, p_event_id text, p_fingerprint text, p_user text, p_account text,
  p_type text, p_type_version int, p_payload jsonb, p_occurred_at timestamptz, p_at timestamptz,
  p_strict boolean, p_plan jsonb, p_dry_run boolean, p_decimals int
) returns jsonb
language plpgsql as $$
declare
  account_row account;
  event_row reported_event;
  planned jsonb;
  result jsonb;
begin
  account_row := command_on_account(p_workspace, p_account);
  if account_row.id is null then
    return '{"outcome": "missing"}';
  end if;
  select * into event_row from reported_event where workspace = p_workspace
    and event_id = p_event_id;
  if found then
    return jsonb_build_object('outcome', 'replayed', 'event', to_jsonb(event_row));
  end if;
  if account_row.status = 'closed' then
    return '{"outcome": "refused", "refusal": {"code": "account_closed"}}';
  end if;
  if reactors_edited(p_workspace, p_plan) then
    return '{"outcome": "stale"}';
  end if;
  if account_row.lots_due_from <= p_at then
    account_row := lots_expire(account_row, p_at);
  end if;
  event_row := event_draft(account_row, p_id, p_event_id, p_fingerprint, p_user, p_type,
    p_type_version, p_strict, p_occurred_at, p_at);
  for planned in select * from jsonb_array_elements(p_plan) loop
    event_row.outcomes := event_row.outcomes || reactor_act(event_row, planned, p_at);
  end loop;
  event_row.points := outcomes_points(event_row.outcomes);
  if not decimals_stayed(p_workspace, account_row.program, p_decimals) then
    raise exception using errcode = 'VR002', message = '{"outcome": "stale"}';
  end if;
  select balance into event_row.balance_after from account where workspace = p_workspace
    and id = account_row.id;
  result := jsonb_build_object('outcome', 'processed', 'event', to_jsonb(event_row));
  if p_dry_run then
    raise exception using errcode = 'VR002', message = result::text; -- takes back all of it
  end if;
  perform event_report_write(event_row, p_payload);
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
-- @param p_plan readonly ReactionPlan[]
create or replace function ledger.event_hold(
  p_workspace text, p_id text, p_event_id text, p_fingerprint text, p_user text, p_account text,
  p_type text, p_type_version int, p_payload jsonb, p_occurred_at timestamptz, p_at timestamptz,
  p_plan jsonb, p_redemption text, p_hold_minutes numeric, p_code text, p_minor numeric,
  p_per numeric, p_currency text, p_decimals int
) returns jsonb
language plpgsql as $$
declare
  account_row account;
  event_row reported_event;
  planned jsonb;
  held bigint := 0;
  worth numeric;
begin
  account_row := command_on_account(p_workspace, p_account);
  if account_row.id is null then
    return '{"outcome": "missing"}';
  end if;
  select * into event_row from reported_event where workspace = p_workspace
    and event_id = p_event_id;
  if found then
    return jsonb_build_object('outcome', 'replayed', 'event', to_jsonb(event_row));
  end if;
  if account_row.status = 'closed' then
    return '{"outcome": "refused", "refusal": {"code": "account_closed"}}';
  elsif reactors_edited(p_workspace, p_plan) then
    return '{"outcome": "stale"}';
  end if;
  if account_row.lots_due_from <= p_at then
    account_row := lots_expire(account_row, p_at);
  end if;
  event_row := event_draft(account_row, p_id, p_event_id, p_fingerprint, p_user, p_type,
    p_type_version, true, p_occurred_at, p_at);
  event_row.redemption := p_redemption;
  for planned in select * from jsonb_array_elements(p_plan) loop
    event_row.outcomes := event_row.outcomes || reactor_hold(event_row, account_row, planned);
  end loop;
  event_row.points := outcomes_points(event_row.outcomes);
  held := -event_row.points;
  if held = 0 then
    perform refuse('{"code": "parameter_invalid", "param": "hold"}');
  elsif account_row.balance < held then
    perform refuse(points_missing(held, account_row.balance));
  end if;
  worth := div(held * p_minor, p_per);
  if worth > 1000000000000 then -- as every amount that a request may name
    perform refuse('{"code": "parameter_invalid", "param": "hold", "worth": true}');
  end if;
  perform redemption_hold(account_row, p_redemption, held, worth::bigint, p_currency, p_code,
    date_trunc('milliseconds', p_at + make_interval(secs => p_hold_minutes * 60)),
    p_fingerprint, jsonb_build_object('event', p_event_id), p_at);
  if not decimals_stayed(p_workspace, account_row.program, p_decimals) then
    raise exception 'the decimals of % changed', account_row.program using errcode = '40001';
  end if;
  event_row.balance_after := account_row.balance - held;
  perform event_report_write(event_row, p_payload);
  return jsonb_build_object('outcome', 'processed', 'event', to_jsonb(event_row));
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
  original reported_event;
  event_row reported_event;
  account_row account;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into original from reported_event where workspace = p_workspace
    and event_id = p_reverses;
  if not found then
    select * into original from reported_event where workspace = p_workspace and id = p_reverses;
  end if;
  if original.id is null or account_survivor(p_workspace,
    original.account) is distinct from member_find(p_workspace, p_user) then
    return '{"outcome": "missing"}';
  end if;
  if original.redemption is not null then
    -- its payment comes before the account
    perform redemption_locked(p_workspace, original.redemption);
  end if;
  perform 1 from payment where workspace = p_workspace and id in (
    select payment from redemption where workspace = p_workspace
      and id = any (event_gifts(original)))
  order by id for update; -- so do those of what it gave
  account_row := account_locked(p_workspace, original.account);
  select * into event_row from reported_event where workspace = p_workspace
    and event_id = p_event_id;
  if found then
    return jsonb_build_object('outcome', 'replayed', 'event', to_jsonb(event_row));
  end if;
  select * into event_row from reported_event where workspace = p_workspace
    and reverses = original.event_id;
  if found then
    return jsonb_build_object('outcome', 'undone', 'event', to_jsonb(event_row));
  end if;
  if original.reverses is not null then
    perform refuse('{"code": "not_reversible"}');
  elsif p_points not in (select abs(original.points) union all select said
    from event_said_points(original)) then
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'payload.points',
      'available', abs(original.points)));
  end if;
  event_row := event_draft(account_row, p_id, p_event_id, p_fingerprint, p_user, p_type,
    p_type_version, false, p_occurred_at, p_at);
  event_row.reverses := original.event_id;
  event_row.undone := case when original.redemption is null then event_undo_moved(original, p_at)
    else event_undo_held(original, p_at) end;
  perform event_undo_gifts(original, p_at);
  select coalesce(sum((item ->> 'amount')::bigint), 0) into event_row.points
    from jsonb_array_elements(event_row.undone) item;
  select balance into event_row.balance_after from account where workspace = p_workspace
    and id = account_row.id;
  perform event_report_write(event_row, p_payload);
  return jsonb_build_object('outcome', 'processed', 'event', to_jsonb(event_row));
end $$;

-- Whether a reactor is not what it was when it was planned with.
create or replace function ledger_private.reactors_edited(
  p_workspace text, p_plan jsonb
) returns boolean
language plpgsql stable as $$
begin
  return (
    select exists (
      select from jsonb_to_recordset(p_plan) planned (reactor text, version int)
      left join reactor on reactor.workspace = p_workspace and reactor.id = planned.reactor
      and reactor.deleted_at is null
      where reactor.version is distinct from planned.version));
end $$;

-- A reported event of the account before anything follows from it.
create or replace function ledger_private.event_draft(
  account_row account, p_id text, p_event_id text, p_fingerprint text, p_user text, p_type text,
  p_type_version int, p_strict boolean, p_occurred_at timestamptz, p_at timestamptz
) returns reported_event
language plpgsql immutable as $$
declare
  event_row reported_event;
begin
  event_row.workspace := account_row.workspace;
  event_row.id := p_id;
  event_row.event_id := p_event_id;
  event_row.fingerprint := p_fingerprint;
  event_row.type := p_type;
  event_row.type_version := p_type_version;
  event_row.account := account_row.id;
  event_row.program := account_row.program;
  event_row.user_id := p_user;
  event_row.is_strict := p_strict;
  event_row.outcomes := '[]';
  event_row.occurred_at := p_occurred_at;
  event_row.created_at := p_at;
  return event_row;
end $$;

-- What all reactions together moved, in the smallest unit.
create or replace function ledger_private.outcomes_points(p_outcomes jsonb) returns bigint
language plpgsql immutable as $$
begin
  return (
    select coalesce(sum((reaction ->> 'amount')::bigint), 0)
    from jsonb_array_elements(p_outcomes) outcome,
      jsonb_array_elements(outcome -> 'reactions') reaction);
end $$;

-- The rows of a reported event: what became of it, and the fact itself with its webhook deliveries.
-- The same event_id under another account's lock a moment ago: taken back, to be found on another
-- try (40001).
create or replace function ledger_private.event_report_write(
  event_row reported_event, p_payload jsonb
) returns void
language plpgsql as $$
begin
  insert into reported_event (workspace, id, event_id, fingerprint, type, type_version, account,
    program, user_id, is_strict, outcomes, points, balance_after, occurred_at, created_at, reverses,
    undone, redemption)
  values (event_row.workspace, event_row.id, event_row.event_id, event_row.fingerprint,
    event_row.type, event_row.type_version, event_row.account, event_row.program, event_row.user_id,
    event_row.is_strict, event_row.outcomes, event_row.points, event_row.balance_after,
    event_row.occurred_at, event_row.created_at, event_row.reverses, event_row.undone,
    event_row.redemption)
  on conflict (workspace, event_id) do nothing;
  if not found then
    raise exception 'event % was reported meanwhile', event_row.event_id using errcode = '40001';
  end if;
  insert into event (workspace, id, type, object, data, created_at)
  values (event_row.workspace, event_row.id, event_row.type, event_row.id,
    jsonb_build_object('event_id', event_row.event_id, 'user', event_row.user_id,
    'account', event_row.account, 'payload', p_payload, 'occurred_at', event_row.occurred_at),
    event_row.created_at);
  perform webhook_deliver(event_row.workspace, event_row.id, event_row.type);
end $$;

-- What a reactor of a held event takes; nothing is posted yet. The account's lock is held.
create or replace function ledger_private.reactor_hold(
  event_row reported_event, account_row account, p_planned jsonb
) returns jsonb
language plpgsql as $$
declare
  reactor_row reactor;
  reaction jsonb;
  outcome jsonb := p_planned - 'version';
  reached text;
begin
  if p_planned ->> 'outcome' <> 'ready' then
    return outcome;
  end if;
  select * into reactor_row from reactor where workspace = event_row.workspace
    and id = p_planned ->> 'reactor';
  reached := reactor_limit_reached(reactor_row, account_row, event_row.occurred_at,
    event_row.created_at);
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
  values (event_row.workspace, event_row.id, reactor_row.id, event_row.account,
    event_row.occurred_at, nullif(event_row.created_at, event_row.occurred_at));
  return outcome || jsonb_build_object('outcome', 'activated', 'reactions', (
    select jsonb_agg(jsonb_build_object('type', 'adjust_points', 'amount', held -> 'amount'))
    from jsonb_array_elements(p_planned -> 'reactions') held));
end $$;

-- Takes points for a sale at a till that is not through yet: a pending redemption of the program's
-- reward for that, which comes into being with its first hold and which nobody can redeem
-- otherwise. The account's lock is held, the balance suffices.
create or replace function ledger_private.redemption_hold(
  account_row account, p_id text, p_points bigint, p_amount bigint, p_currency text, p_code text,
  p_expires_at timestamptz, p_fingerprint text, p_metadata jsonb, p_at timestamptz
) returns void
language plpgsql as $$
declare
  redemption_row redemption;
  for_tills text := 'rwd_at_till_' || substr(account_row.program, 6, 48);
begin
  if not exists (select from reward where workspace = account_row.workspace and id = for_tills) then
    insert into reward (workspace, id, program, name, type, cost, value, active, created_at)
    values (account_row.workspace, for_tills, account_row.program, 'Points at the till',
      'discount_amount', 1, jsonb_build_object('amount', 1, 'currency', p_currency), false, p_at)
    on conflict do nothing;
  end if;
  redemption_row.workspace := account_row.workspace;
  redemption_row.id := p_id;
  redemption_row.account := account_row.id;
  redemption_row.reward := for_tills;
  redemption_row.program := account_row.program;
  redemption_row.status := 'pending';
  redemption_row.points := p_points;
  redemption_row.quantity := 1;
  redemption_row.discount := jsonb_build_object('amount', p_amount, 'currency', p_currency);
  redemption_row.code := p_code;
  redemption_row.expires_at := p_expires_at;
  redemption_row.fingerprint := p_fingerprint;
  redemption_row.metadata := p_metadata;
  redemption_row.created_at := p_at;
  perform redemption_insert(redemption_row, account_row, p_at);
end $$;

-- The points that the event's own payload names, where it names a whole number of them, in the
-- smallest unit.
create or replace function ledger_private.event_said_points(event_row reported_event)
returns table (said bigint)
language sql stable as $$
  select (abs((event.data #>> '{payload,points}')::numeric) * 10 ^ program.decimals)::bigint
  from event join program on program.workspace = event_row.workspace
    and program.id = event_row.program
  where event.workspace = event_row.workspace and event.id = event_row.id
    and jsonb_typeof(event.data #> '{payload,points}') = 'number'
    and abs((event.data #>> '{payload,points}')::numeric) <= 100000000000
$$;

-- Reverses each transaction of an event, the last one first.
create or replace function ledger_private.event_undo_moved(
  event_row reported_event, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  moved text;
  posted jsonb;
  undone jsonb := '[]';
begin
  for moved in
    select done ->> 'transaction'
    from jsonb_array_elements(event_row.outcomes) with ordinality reactor (outcome, nth),
      jsonb_array_elements(outcome -> 'reactions') with ordinality reaction (done, mth)
    where done ->> 'transaction' is not null
    order by nth desc, mth desc
  loop
    posted := points_reverse(event_row.workspace, moved, 'event_reversed', 'undo:' || moved, null,
      '{}', p_at);
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
  event_row reported_event, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  posted jsonb := redemption_reverse(
    event_row.workspace, event_row.redemption, null, null, 'event_reversed', 'undo:'
    || event_row.id, event_row.id, p_at, null, null);
begin
  if posted ->> 'outcome' <> 'reversed' then
    perform refuse(coalesce(posted -> 'refusal', '{"code": "not_reversible"}'));
  end if;
  return (
    select jsonb_agg(jsonb_build_object('transaction', ptx.id, 'amount', ptx.amount, 'reverses',
      ptx.reverses))
    from ptx where ptx.workspace = event_row.workspace and ptx.operation = 'undo:' || event_row.id);
end $$;
