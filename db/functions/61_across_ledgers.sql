-- More functions that see across workspaces (security definer): the expiry of shared dates, the
-- roll-up of totals, the daily snapshot, and what the reconciler looks for.

-- Accounts whose expiry should have been looked at before `p_before`, the longest overdue first. Many share
-- a date: among them the order is the index's own, which reads no more of them than it gives.
drop function if exists net_due_expiries(timestamptz, int);
create or replace function net_due_expiries(p_before timestamptz, p_limit int, p_skip int default 0)
returns table (workspace text, account text)
language sql stable security definer set search_path = public as $$
  select a.workspace, a.id from account a
  where a.expiry_wake_at <= p_before and a.merged_into is null
  order by a.expiry_wake_at limit p_limit offset p_skip
$$;

-- Imports and reversals that stand still: nothing written since `p_before`, and not paused.
drop function if exists net_stalled_bulks(timestamptz, int);
create or replace function net_stalled_bulks(p_before timestamptz, p_limit int, p_skip int default 0)
returns table (workspace text, bulk text)
language sql stable security definer set search_path = public as $$
  select b.workspace, b.id from bulk b
  where b.status = 'running' and b.progressed_at <= p_before
  order by b.progressed_at, b.workspace, b.id limit p_limit offset p_skip
$$;

-- Makes outbox rows due at once that were written before `p_before` and not sent: whoever had them is gone, or
-- nobody sweeps. Those that Temporal refused keep their own time, of at most ten minutes. Whoever has one still
-- sends it too, which changes nothing. Returns how many it found, at most `p_limit`.
create or replace function outbox_make_due(p_before timestamptz, p_limit int) returns int
language plpgsql security definer set search_path = public as $$
declare
  found_rows int;
  now timestamptz := clock_timestamp();
begin
  with overdue as (
    select o.workspace, o.workflow_id from workflow_outbox o
    where o.written_at <= p_before
      and (o.attempts = 0 or o.next_attempt_at <= p_before or o.next_attempt_at > now + interval '10 minutes')
    limit p_limit
    for update skip locked
  ),
  due as (
    update workflow_outbox o set next_attempt_at = now
    from overdue x where o.workspace = x.workspace and o.workflow_id = x.workflow_id and o.next_attempt_at > now
  )
  select count(*)::int from overdue into found_rows;
  return found_rows;
end $$;

-- Adds to the daily totals every ptx with an id below a time that is certain to be complete: this
-- function notes its own transaction number and the time; a later run, once every transaction up to
-- that number has ended, counts through that time less ten seconds (between an id's making and its
-- row's writing lie microseconds). Ids come from this server's clock; where that is set back,
-- reconcile tells, and ledger_recount() mends. Returns the rows added; one run at a time.
create or replace function ledger_roll_up() returns int
language plpgsql security definer set search_path = public as $$
declare
  low timestamptz;
  high timestamptz;
  looked_at timestamptz := clock_timestamp();
  r ledger_rollup;
  w text;
  n int;
  added int := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('ledger_roll_up', 0)) then
    return 0;
  end if;
  insert into ledger_rollup (id, through) values (1, 'epoch') on conflict do nothing;
  select * into r from ledger_rollup where id = 1;
  low := r.through;
  high := r.noted_at - interval '10 seconds';
  if high > low and r.noted_xid::xid8 < pg_snapshot_xmin(pg_current_snapshot()) then
    for w in select id from workspace loop
      insert into ledger_total as l (workspace, program, day, part, amount, rows)
      select w, t.program, (t.at at time zone 'UTC')::date,
        case when t.type = 'reverse' then ptx_part(t) else ptx_type_part(t.type) end, sum(t.amount), count(*)
      from ptx t
      where t.workspace = w and t.id >= vinr_id_from('ptx', low) and t.id < vinr_id_from('ptx', high)
      group by 2, 3, 4
      on conflict (workspace, program, day, part) do update
        set amount = l.amount + excluded.amount, rows = l.rows + excluded.rows;
      get diagnostics n = row_count;
      added := added + n;
    end loop;
    update ledger_rollup set through = high, noted_at = null, noted_xid = null where id = 1;
    r.noted_xid := null;
  end if;
  -- a note from another server's count (a restored dump) never comes true: replace it
  if r.noted_xid is null or r.noted_xid::xid8 > pg_current_xact_id() then
    update ledger_rollup set noted_at = looked_at, noted_xid = pg_current_xact_id()::text where id = 1;
  end if;
  return added;
end $$;

-- Throws the totals away; the next roll-ups count everything again.
create or replace function ledger_recount() returns void
language sql security definer set search_path = public as $$
  delete from ledger_total;
  delete from ledger_rollup;
$$;

-- Every program, for the daily snapshot.
create or replace function all_programs() returns table (workspace text, program text)
language sql stable security definer set search_path = public as $$
  select p.workspace, p.id from program p order by 1, 2
$$;

-- The day's snapshot of a program's liability as an event, once for each UTC midnight: the id is the day's.
create or replace function liability_snapshot(p_workspace text, p_program text, p_midnight timestamptz) returns boolean
language plpgsql as $$
declare
  report jsonb := liability_report(p_workspace, p_program, p_midnight) || jsonb_build_object('program', p_program);
  event_id text := vinr_id_from('evt', p_midnight) || left(md5(p_workspace || p_program), 9);
begin
  insert into event (workspace, id, type, object, data, created_at)
  values (p_workspace, event_id, 'program.liability.snapshot', p_program, report, clock_timestamp())
  on conflict do nothing;
  if not found then
    return false;
  end if;
  perform webhook_deliver(p_workspace, event_id, 'program.liability.snapshot');
  return true;
end $$;
