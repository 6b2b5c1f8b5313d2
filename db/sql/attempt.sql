-- Attempts that may fail: how often, of all processes together.

-- Counts one more attempt for each limit, unless one of them says wait: then none is counted.
-- Returns for how many milliseconds, 0 where it may be made. Each failure leaks away after its
-- `leak_ms`; beyond `free` of them each further one waits twice as long as the one before, at most
-- `longest_ms`: never for good. What is counted is at most eight above `free`, so that a long
-- attack is over soon after it ends.
-- @param p_limits AttemptLimit[]
create or replace function ledger.attempts_take(p_limits jsonb, p_at timestamptz) returns int
language plpgsql security definer as $$
declare
  attempt_limit record;
  counted attempt;
  new_level double precision;
  wait_ms double precision := 0;
begin
  insert into attempt (key, level, at, next_at)
  select limits.key, 0, p_at, 'epoch' from jsonb_to_recordset(p_limits) limits(key text)
  on conflict (key) do nothing;
  perform from attempt
  where key in (select limits.key from jsonb_to_recordset(p_limits) limits(key text))
  order by key for update;
  select max(extract(epoch from next_at - p_at) * 1000) into wait_ms from attempt
  where key in (select limits.key from jsonb_to_recordset(p_limits) limits(key text));
  if wait_ms > 0 then return ceil(wait_ms); end if;
  for attempt_limit in
    select * from jsonb_to_recordset(p_limits)
      limits(key text, free int, leak_ms bigint, first_ms bigint, longest_ms bigint)
  loop
    select * into counted from attempt where key = attempt_limit.key;
    new_level := 1 + greatest(0, counted.level
      - greatest(0, extract(epoch from p_at - counted.at) * 1000) / attempt_limit.leak_ms);
    update attempt set level = least(new_level, attempt_limit.free + 8), at = p_at,
      next_at = case when new_level < attempt_limit.free then 'epoch'
        else p_at + make_interval(secs => least(attempt_limit.longest_ms,
          attempt_limit.first_ms * 2 ^ least(floor(new_level - attempt_limit.free), 30))
          / 1000.0) end
    where key = attempt_limit.key;
  end loop;
  return 0;
end $$;

-- Takes one attempt back that did not fail after all, and its wait.
create or replace function ledger.attempts_give_back(p_keys text[]) returns void
language sql security definer as $$
  update attempt set level = greatest(0, level - 1), next_at = 'epoch'
  where key = any (p_keys)
$$;

-- Counts one more failure of the key in a window of this length, which begins with the first after
-- the one before has ended. Returns how many it holds, and when it ends.
create or replace function ledger.failures_count(p_key text, p_window_ms bigint, p_at timestamptz)
returns table (failures int, ends_at timestamptz)
language sql security definer as $$
  insert into attempt as counted (key, level, at, next_at)
  values (p_key, 1, p_at, p_at + make_interval(secs => p_window_ms / 1000.0))
  on conflict (key) do update set at = excluded.at,
    level = case when counted.next_at <= excluded.at then 1 else counted.level + 1 end,
    next_at = case when counted.next_at <= excluded.at then excluded.next_at
      else counted.next_at end
  returning counted.level::int, counted.next_at
$$;

-- Deletes what nobody tries any more, and what people no longer need: sessions, tokens and
-- browsers of before. Returns how many rows.
create or replace function ledger.people_forget(p_at timestamptz) returns bigint
language plpgsql security definer as $$
declare
  latest timestamptz := least(p_at, clock_timestamp());
  deleted bigint;
  total bigint := 0;
begin
  delete from attempt where at < latest - interval '2 days';
  get diagnostics deleted = row_count; total := total + deleted;
  delete from session where least(expires_at, ended_at) < latest - interval '30 days';
  get diagnostics deleted = row_count; total := total + deleted;
  delete from one_time_token where least(expires_at, used_at) < latest - interval '30 days';
  get diagnostics deleted = row_count; total := total + deleted;
  delete from known_device where last_at < latest - interval '180 days';
  get diagnostics deleted = row_count; total := total + deleted;
  return total;
end $$;
