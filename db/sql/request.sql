-- The request log: its partitions, one for each day of UTC, by the time that ids begin with.

-- Makes the partitions of the day before `p_at`, of its own and of the three after it that are not
-- there yet; returns how many. It waits neither for readers nor for writers of the log.
create or replace function ledger.request_partitions_create(p_at timestamptz) returns int
language plpgsql security definer as $$
declare
  today date := (p_at at time zone 'UTC')::date;
  partition_day date;
  partition_name text;
  made int := 0;
begin
  if (select bool_and(to_regclass(request_partition_name(today + n)) is not null)
      from generate_series(-1, 3) n) then
    return 0;
  end if;
  lock table public.request in share update exclusive mode; -- one at a time
  for partition_day in select today + n from generate_series(-1, 3) n loop
    partition_name := request_partition_name(partition_day);
    continue when to_regclass(partition_name) is not null;
    execute format('create table %s (like public.request including all)', partition_name);
    execute format('alter table public.request attach partition %s for values from (%L) to (%L)',
      partition_name, vinr_id_from('req', partition_day::timestamp at time zone 'UTC'),
      vinr_id_from('req', (partition_day + 1)::timestamp at time zone 'UTC'));
    made := made + 1;
  end loop;
  return made;
end $$;

-- Drops the partitions of days that ended at `p_before` or earlier, never of one that goes on;
-- returns how many. Where somebody reads the log for longer than a second none is dropped: the
-- next call tries again.
create or replace function ledger.request_partitions_drop(p_before timestamptz) returns int
language plpgsql security definer as $$
declare
  last_day date := (least(p_before, clock_timestamp()) at time zone 'UTC')::date;
  waiting text := current_setting('lock_timeout');
  partition regclass;
  dropped int := 0;
begin
  perform set_config('lock_timeout', '1s', true);
  lock table public.request in share update exclusive mode; -- one at a time
  for partition in
    select pg_class.oid::regclass from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'public.request'::regclass
      and relname < 'day_' || to_char(last_day, 'YYYYMMDD')
    order by relname
  loop
    execute format('drop table %s', partition);
    dropped := dropped + 1;
  end loop;
  perform set_config('lock_timeout', waiting, true);
  return dropped;
exception when lock_not_available then
  return 0;
end $$;

-- Where the requests of a day are.
create or replace function ledger_private.request_partition_name(p_day date) returns text
language sql stable as $$
  select 'request_partition.day_' || to_char(p_day, 'YYYYMMDD')
$$;
