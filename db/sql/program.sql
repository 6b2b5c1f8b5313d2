-- What a program says for all of its accounts: the decimals that points are counted in, fixed once
-- it has a transaction, and the zone that its days and windows are of.

-- Keeps the program's decimals as they are until this transaction ends, and waits for a change of
-- them under way: what reckons in them reads them after it. Many hold it at once; it is this
-- program's alone.
-- @query
create or replace function ledger.decimals_keep(p_workspace text, p_program text) returns void
language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(hashtextextended('decimals:' || p_workspace || ':'
    || p_program, 0));
end $$;

-- The same for a program whose decimals something was reckoned in already; raises 40001 where it
-- has others.
create or replace function ledger.decimals_kept(
  p_workspace text, p_program text, p_decimals int
) returns void
language plpgsql as $$
begin
  perform decimals_keep(p_workspace, p_program);
  if not decimals_stayed(p_workspace, p_program, p_decimals) then
    raise exception 'the decimals of % changed', p_program using errcode = '40001';
  end if;
end $$;

-- Whether anything is kept in the program's smallest unit, so that it can no longer change: a
-- transaction, an earning still to mature, or rows of an import still to be written. Waits for what
-- may be the program's first of these, and keeps new ones waiting until this transaction ends: the
-- answer holds until then. Other programs' movements wait for nothing.
create or replace function ledger.decimals_used(p_workspace text, p_program text) returns boolean
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('decimals:' || p_workspace || ':' || p_program,
    0));
  return exists (
    select from account where account.workspace = p_workspace and account.program = p_program
      and exists (select from ptx where workspace = account.workspace and account = account.id))
  or exists (
    select from earning where workspace = p_workspace and program = p_program
      and outcome = 'pending')
  or exists (
    select from bulk join bulk_chunk on bulk_chunk.workspace = bulk.workspace
      and bulk_chunk.bulk = bulk.id and bulk_chunk.posted_at is null,
      jsonb_array_elements(bulk_chunk.rows) input join account on account.workspace = p_workspace
      and account.id = input ->> 'account'
    where bulk.workspace = p_workspace and bulk.status in ('running', 'paused')
      and account.program = p_program);
end $$;

-- The first instant of a local date: its midnight, the earlier one where the clock shows it twice,
-- and the first instant after the gap where the clock skips it.
-- @query
create or replace function ledger.local_midnight(p_date date, p_zone text) returns timestamptz
language plpgsql immutable as $$
declare
  at timestamptz := p_date::timestamp at time zone p_zone;
begin
  -- Postgres reads a doubled time as the later one
  if (at - interval '1 hour') at time zone p_zone = p_date::timestamp then
    return at - interval '1 hour';
  end if;
  return at;
end $$;

-- The zone that a bare date is a day of: the program's, else that of the account's program, else
-- prog_default's.
-- @query
create or replace function ledger.day_zone(
  p_workspace text, p_program text, p_account text
) returns text
language plpgsql stable as $$
declare
  zone text;
begin
  select expiry_time_zone into zone from program
  where workspace = p_workspace and id = any (array[p_program, 'prog_default',
    (select program from account where workspace = p_workspace and id = p_account)])
  order by id = p_program desc nulls last, id = 'prog_default' limit 1;
  return coalesce(zone, 'UTC');
end $$;

-- The window that `p_on` falls into: a day, a week (from Monday) or a month of the zone, all of
-- time for `lifetime`. One ends where the next begins, whatever the clock does that night.
create or replace function ledger_private.window_of(
  p_window text, p_on timestamptz, p_zone text
) returns tstzrange
language plpgsql immutable as $$
declare
  first_day date;
begin
  if p_window = 'lifetime' then
    return '(,)';
  end if;
  first_day := date_trunc(p_window, p_on at time zone p_zone);
  return tstzrange(local_midnight(first_day, p_zone),
    local_midnight((first_day + ('1 ' || p_window)::interval)::date, p_zone));
end $$;

-- Whether the program still has the decimals that an amount was reckoned in; null: those it has.
-- Asked while `decimals_keep` holds them, or where the program has transactions already.
create or replace function ledger_private.decimals_stayed(
  p_workspace text, p_program text, p_decimals int
) returns boolean
language plpgsql stable as $$
begin
  -- not one expression: the plan of one with a null in it is made anew by every call
  if p_decimals is null then
    return true;
  end if;
  return exists (select from program where workspace = p_workspace and id = p_program
    and decimals = p_decimals);
end $$;
