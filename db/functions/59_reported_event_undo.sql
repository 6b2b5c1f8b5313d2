-- Undoes what an event moved, by a second event that names it: each of its transactions is reversed, so
-- that the points return to the very lots they came from; what it held or gave is reversed as a redemption. All of
-- it or nothing, and once: a second one, under whatever event_id, is answered with the first. A tier that
-- was set and events that were emitted stay, and limits still count the activation. `p_points` is what the
-- caller says it undoes (smallest unit, null: nothing said). Outcomes: processed; replayed (the same
-- event_id); undone (another one undid it); missing (no such event of this member). Raises (VR001)
-- parameter_invalid (other points), not_reversible, redemption_already_settled, insufficient_points.
create or replace function event_undo(
  p_workspace text, p_id text, p_event_id text, p_fingerprint text, p_user text, p_type text, p_type_version int,
  p_payload jsonb, p_reverses text, p_points bigint, p_occurred_at timestamptz, p_at timestamptz
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
  if o.id is null or account_survivor(p_workspace, o.account) is distinct from member_find(p_workspace, p_user) then
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
    perform refuse(jsonb_build_object('code', 'parameter_invalid', 'param', 'payload.points', 'available', abs(o.points)));
  end if;
  e := event_begun(a, p_id, p_event_id, p_fingerprint, p_user, p_type, p_type_version, false, p_occurred_at, p_at);
  e.reverses := o.event_id;
  e.undone := case when o.redemption is null then event_undo_moved(o, p_at) else event_undo_held(o, p_at) end;
  perform event_undo_gifts(o, p_at);
  select coalesce(sum((x ->> 'amount')::bigint), 0) into e.points from jsonb_array_elements(e.undone) x;
  select balance into e.balance_after from account where workspace = p_workspace and id = a.id;
  perform event_report_write(e, p_payload);
  return jsonb_build_object('outcome', 'processed', 'event', to_jsonb(e));
end $$;

-- The points that the event's own payload names, where it names a whole number of them, in the smallest unit.
create or replace function event_said_points(o reported_event) returns table (said bigint)
language sql stable as $$
  select (abs((e.data #>> '{payload,points}')::numeric) * 10 ^ p.decimals)::bigint
  from event e join program p on p.workspace = o.workspace and p.id = o.program
  where e.workspace = o.workspace and e.id = o.id and jsonb_typeof(e.data #> '{payload,points}') = 'number'
    and abs((e.data #>> '{payload,points}')::numeric) <= 100000000000
$$;

-- Reverses each transaction of an event, the last one first.
create or replace function event_undo_moved(o reported_event, p_at timestamptz) returns jsonb
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
    posted := points_reverse(o.workspace, moved, 'event_reversed', 'undo:' || moved, null, '{}', p_at);
    if posted ->> 'outcome' <> 'reversed' then
      perform refuse(coalesce(posted -> 'refusal', '{"code": "not_reversible"}'));
    end if;
    undone := undone || jsonb_build_object('transaction', posted #> '{transaction,id}',
      'amount', posted #> '{transaction,amount}', 'reverses', moved);
  end loop;
  return undone;
end $$;

-- Reverses what an event held, confirmed or not. What returned by itself already is refused as settled.
create or replace function event_undo_held(o reported_event, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
  posted jsonb := redemption_reverse(
    o.workspace, o.redemption, null, null, 'event_reversed', 'undo:' || o.id, o.id, p_at, null, null);
begin
  if posted ->> 'outcome' <> 'reversed' then
    perform refuse(coalesce(posted -> 'refusal', '{"code": "not_reversible"}'));
  end if;
  return (
    select jsonb_agg(jsonb_build_object('transaction', t.id, 'amount', t.amount, 'reverses', t.reverses))
    from ptx t where t.workspace = o.workspace and t.operation = 'undo:' || o.id);
end $$;
