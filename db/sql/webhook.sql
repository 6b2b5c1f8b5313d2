-- The delivery of events to webhook endpoints: what their workflow takes, sends and says of it.

-- Takes up to `p_limit` due deliveries of an endpoint for the run that works on it, leaving out
-- `p_taken` (under way in that run), and marks the endpoint busy for `p_busy_ms`: who writes new
-- deliveries meanwhile need not signal anybody. Where nothing is due and nothing is under way the
-- endpoint is idle first and looked at again after, so that no delivery falls in between.
-- Outcomes: work; idle (with next_due); gone (disabled or deleted).
-- @returns DeliveryBatch
create or replace function ledger.webhook_take(
  p_workspace text, p_endpoint text, p_taken text[], p_limit int, p_busy_ms int
)
returns jsonb
language plpgsql as $$
declare
  endpoint_row webhook_endpoint;
  due jsonb;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  -- a crash that forgets this costs a repeat, which a receiver must bear anyway
  perform set_config('synchronous_commit', 'off', true);
  update webhook_endpoint set
    busy_until = clock_timestamp() + make_interval(secs => p_busy_ms / 1000.0)
  where workspace = p_workspace and id = p_endpoint and status = 'enabled'
  returning * into endpoint_row;
  if not found then
    return '{"outcome": "gone"}';
  end if;
  select jsonb_agg(jsonb_build_object('id', delivery.id, 'event', delivery.event, 'attempt',
    delivery.attempt)) into due
  from (
    select id, event, attempt from webhook_delivery
    where workspace = p_workspace and endpoint = p_endpoint and status = 'pending'
      and next_attempt_at <= clock_timestamp() and id <> all (p_taken)
    order by next_attempt_at limit p_limit
  ) delivery;
  return jsonb_build_object('outcome', 'work', 'deliveries', coalesce(due, '[]'), 'url',
    endpoint_row.url, 'livemode', (select livemode from workspace where id = p_workspace),
    'secrets', case when endpoint_row.previous_secret_expires_at > clock_timestamp()
      then jsonb_build_array(endpoint_row.secret, endpoint_row.previous_secret)
      else jsonb_build_array(endpoint_row.secret) end);
end $$;

-- The run has nothing left to do: from here on whoever writes a delivery wakes it. A transaction of
-- its own, so that what was committed before it is seen by the look that follows.
create or replace function ledger.webhook_rest(p_workspace text, p_endpoint text) returns void
language plpgsql as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  -- a crash that forgets this costs a repeat, which a receiver must bear anyway
  perform set_config('synchronous_commit', 'off', true);
  update webhook_endpoint set busy_until = null where workspace = p_workspace and id = p_endpoint;
end $$;

-- When the endpoint's next delivery is due (null: nothing is pending), and whether that is now.
-- @returns NextDelivery
create or replace function ledger.webhook_next_due(p_workspace text, p_endpoint text) returns jsonb
language plpgsql as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  return (
    select jsonb_build_object('at', min(next_attempt_at),
      'due', coalesce(min(next_attempt_at) <= clock_timestamp(), false),
      -- greatest leaves nulls out: nothing pending is null, and not due at once
      'in_ms', case when count(*) > 0
        then greatest(0,
          ceil(extract(epoch from min(next_attempt_at) - clock_timestamp()) * 1000)) end)
    from webhook_delivery
    where workspace = p_workspace and endpoint = p_endpoint
      and status = 'pending');
end $$;

-- What came of one try: succeeded, or another try in `p_retry_ms` (null: that was the last).
-- Idempotent by the try's number. Success ends a failing spell. A failure disables the endpoint
-- where it says it is gone (`p_gone`), or where the spell has lasted `p_failing_ms`. Returns
-- whether it was disabled.
-- @returns DeliverySettlement
-- @param p_try DeliveryAttempt
-- @null p_retry_ms
create or replace function ledger.webhook_settle(
  p_workspace text, p_endpoint text, p_delivery text, p_attempt int, p_try jsonb, p_ok boolean,
  p_gone boolean, p_retry_ms bigint, p_failing_ms bigint
) returns jsonb
language plpgsql as $$
declare
  endpoint_row webhook_endpoint;
  now timestamptz := clock_timestamp();
begin
  perform set_config('vinr.workspace', p_workspace, true);
  -- a crash that forgets this costs a repeat, which a receiver must bear anyway
  perform set_config('synchronous_commit', 'off', true);
  update webhook_delivery set
    attempt = p_attempt,
    attempts = attempts || p_try,
    status = case when p_ok then 'succeeded' when p_retry_ms is null then 'failed'
      else 'pending' end,
    next_attempt_at = case when not p_ok then now + make_interval(secs => p_retry_ms / 1000.0) end,
    settled_at = case when p_ok or p_retry_ms is null then now end
  where workspace = p_workspace and id = p_delivery and attempt = p_attempt - 1;
  if not found then
    return '{"disabled": false}';
  end if;
  if p_ok then
    -- at most once a second: a busy endpoint is one row that every success would otherwise rewrite
    update webhook_endpoint set failing_since = null, last_success_at = now
    where workspace = p_workspace and id = p_endpoint
      and (failing_since is not null or last_success_at is null
        or last_success_at < now - interval '1 second');
    if found then
      perform attention_settle(p_workspace, 'webhook_endpoint_failing', p_endpoint, now);
    end if;
    return '{"disabled": false}';
  end if;
  update webhook_endpoint set failing_since = coalesce(failing_since, now), last_failure_at = now
  where workspace = p_workspace and id = p_endpoint
  returning * into endpoint_row;
  if endpoint_row.failing_since = now and endpoint_row.status = 'enabled' then
    perform attention_raise(p_workspace, 'webhook_endpoint_failing', p_endpoint,
      jsonb_strip_nulls(jsonb_build_object('response_status', p_try -> 'response_status', 'error',
        p_try -> 'error')), now);
  end if;
  if endpoint_row.status = 'enabled'
    and (p_gone
      or endpoint_row.failing_since <= now - make_interval(secs => p_failing_ms / 1000.0)) then
    perform webhook_disable(endpoint_row, case when p_gone then 'gone' else 'failing' end);
    return '{"disabled": true}';
  end if;
  return '{"disabled": false}';
end $$;

-- Disables an endpoint: what is pending fails (a replay brings it back), and the others get an
-- event of it.
-- @query
create or replace function ledger.webhook_disable(
  endpoint_row webhook_endpoint, p_reason text
) returns webhook_endpoint
language plpgsql as $$
declare
  now timestamptz := clock_timestamp();
begin
  update webhook_endpoint set status = 'disabled', disabled_reason = p_reason, busy_until = null,
    subscribed_until = now
  where workspace = endpoint_row.workspace and id = endpoint_row.id and status = 'enabled'
  returning * into endpoint_row;
  if found then
    update webhook_delivery set status = 'failed', next_attempt_at = null, settled_at = now
    where workspace = endpoint_row.workspace and endpoint = endpoint_row.id and status = 'pending';
    perform attention_settle(endpoint_row.workspace, 'webhook_endpoint_failing', endpoint_row.id,
      now);
    if p_reason <> 'by_request' then
      perform attention_raise(endpoint_row.workspace, 'webhook_endpoint_disabled', endpoint_row.id,
        jsonb_build_object('reason', p_reason), now);
    end if;
    perform event_write(endpoint_row.workspace, 'webhook_endpoint.disabled', endpoint_row.id,
      to_jsonb(endpoint_row) - array['secret', 'previous_secret', 'busy_until', 'subscribed_since',
        'subscribed_until'], null, now);
  end if;
  return endpoint_row;
end $$;

-- An event of type webhook_endpoint.test for this endpoint alone, whatever it subscribes to.
-- Returns the event's id; null where the endpoint is not enabled.
-- @null result
create or replace function ledger.webhook_test(
  p_workspace text, p_endpoint text, p_event text
) returns text
language plpgsql as $$
declare
  endpoint_row webhook_endpoint;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into endpoint_row from webhook_endpoint
  where workspace = p_workspace and id = p_endpoint and status = 'enabled' and deleted_at is null;
  if not found then
    return null;
  end if;
  insert into event (workspace, id, type, object, data, created_at)
  values (p_workspace, p_event, 'webhook_endpoint.test', endpoint_row.id,
    to_jsonb(endpoint_row) - array['secret', 'previous_secret', 'busy_until', 'subscribed_since',
      'subscribed_until'], clock_timestamp());
  insert into webhook_delivery (workspace, id, endpoint, event, next_attempt_at, created_at)
  values (p_workspace, vinr_id('dlv'), endpoint_row.id, p_event, clock_timestamp(),
    clock_timestamp());
  perform set_config('vinr.deliveries', 'written', true);
  return p_event;
end $$;

-- Delivers again, once for each operation: the events named, or all of a window (by the events'
-- time, [from, to), what the endpoint subscribes to alone). Returns how many deliveries there are.
-- @returns number
-- @null p_events
create or replace function ledger.webhook_replay(
  p_workspace text, p_endpoint text, p_operation text, p_events text[], p_from timestamptz,
  p_to timestamptz
) returns jsonb
language plpgsql as $$
declare
  endpoint_row webhook_endpoint;
  replayed int;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into endpoint_row from webhook_endpoint where workspace = p_workspace and id = p_endpoint
    and deleted_at is null;
  insert into webhook_delivery (workspace, id, endpoint, event, operation, next_attempt_at,
    created_at)
  select p_workspace, vinr_id('dlv'), endpoint_row.id, event.id, p_operation, clock_timestamp(),
    clock_timestamp()
  from event
  where event.workspace = p_workspace and case
    when p_events is not null then event.id = any (p_events)
    else event.created_at >= p_from and event.created_at < p_to
      and endpoint_row.enabled_events && event_names(event.type) end
  order by event.id
  on conflict do nothing;
  perform set_config('vinr.deliveries', 'written', true);
  select count(*) into replayed from webhook_delivery
  where workspace = p_workspace and endpoint = p_endpoint and operation = p_operation;
  return to_jsonb(replayed);
end $$;

-- The workspace's endpoints that have something due and no run at work; for the signal after a
-- commit. `enabled` counts all that are enabled.
-- @returns WaitingEndpoints
create or replace function ledger.webhook_waiting(p_workspace text) returns jsonb
language plpgsql stable as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  return (
    select jsonb_build_object('enabled', count(*), 'waiting',
      coalesce(jsonb_agg(webhook_endpoint.id) filter (where
      (webhook_endpoint.busy_until is null or webhook_endpoint.busy_until <= clock_timestamp())
      and exists (
        select from webhook_delivery where webhook_delivery.workspace = p_workspace
          and webhook_delivery.endpoint = webhook_endpoint.id
          and webhook_delivery.status = 'pending'
          and webhook_delivery.next_attempt_at <= clock_timestamp())), '[]'))
    from webhook_endpoint where webhook_endpoint.workspace = p_workspace
      and webhook_endpoint.status = 'enabled');
end $$;

-- Which of these endpoints ([{endpoint, underway}]) have something due that is not under way.
-- @returns string[]
-- @param p_asked EndpointUnderway[]
create or replace function ledger.webhook_due(p_workspace text, p_asked jsonb) returns jsonb
language plpgsql stable as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  return (
    select coalesce(jsonb_agg(asked.endpoint), '[]')
    from jsonb_to_recordset(p_asked) asked (endpoint text, underway jsonb)
    where exists (
      select from webhook_delivery where webhook_delivery.workspace = p_workspace
        and webhook_delivery.endpoint = asked.endpoint
        and webhook_delivery.status = 'pending'
        and webhook_delivery.next_attempt_at <= clock_timestamp()
        and not asked.underway ? webhook_delivery.id));
end $$;

-- What the reconciler looks for: endpoints of any workspace with a delivery overdue and no run at
-- work.
create or replace function ledger.endpoints_undelivered(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, endpoint text)
language sql stable security definer as $$
  select webhook_endpoint.workspace, webhook_endpoint.id from webhook_endpoint
  cross join lateral (
    select min(webhook_delivery.next_attempt_at) as at from webhook_delivery
    where webhook_delivery.workspace = webhook_endpoint.workspace
      and webhook_delivery.endpoint = webhook_endpoint.id and webhook_delivery.status = 'pending'
  ) due
  where webhook_endpoint.status = 'enabled' and (webhook_endpoint.busy_until is null
    or webhook_endpoint.busy_until <= clock_timestamp())
    and due.at <= p_before
  order by due.at, webhook_endpoint.workspace, webhook_endpoint.id limit p_limit offset p_skip
$$;
