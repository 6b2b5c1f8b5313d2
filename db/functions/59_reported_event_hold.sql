-- Holds what an event's reactors would take, instead of taking it for good: one pending redemption of all
-- of it, which returns by itself after `p_hold_minutes` unless it is confirmed. Otherwise as `event_report`
-- when it is strict; reactors may do nothing but take points, and limits count a hold as an activation. The
-- discount is what the points are worth, floor(points x p_minor / p_per). Outcomes: processed; replayed;
-- stale; refused; missing. Raises (VR001) insufficient_points, and
-- parameter_invalid where nothing is to be held, or the points are worth more than any amount of money may be.
create or replace function event_hold(
  p_workspace text, p_id text, p_event_id text, p_fingerprint text, p_user text, p_account text, p_type text,
  p_type_version int, p_payload jsonb, p_occurred_at timestamptz, p_at timestamptz, p_plan jsonb,
  p_redemption text, p_hold_minutes numeric, p_code text, p_minor numeric, p_per numeric,
  p_currency text, p_decimals int
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
  e := event_begun(a, p_id, p_event_id, p_fingerprint, p_user, p_type, p_type_version, true, p_occurred_at, p_at);
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

-- What a reactor of a held event takes; nothing is posted yet. The account's lock is held.
create or replace function reactor_hold(e reported_event, a account, p_planned jsonb) returns jsonb
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
    return outcome || jsonb_build_object('outcome', 'skipped', 'reason', 'limit_reached', 'explanation', reached,
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

-- Takes points for a sale at a till that is not through yet: a pending redemption of the program's reward
-- for that, which comes into being with its first hold and which nobody can redeem otherwise. The
-- account's lock is held, the balance suffices.
create or replace function redemption_hold(
  a account, p_id text, p_points bigint, p_amount bigint, p_currency text, p_code text, p_expires_at timestamptz,
  p_fingerprint text, p_metadata jsonb, p_at timestamptz
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
