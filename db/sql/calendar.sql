-- Days and windows of a program's time zone.

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
