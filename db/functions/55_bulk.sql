-- Writes one waiting chunk of an import: all its rows and that they are written, in one transaction,
-- so that a crash anywhere doubles none. Accounts are locked in id order. A chunk that cannot be written
-- falls back to its rows, each on its own: a bad one keeps none of the others from being written. A row
-- that the ledger refuses is counted and noted by its line. Expiry checks are the minute's batch's. Outcomes: posted; done (was written before, or
-- canceled); paused; canceled; missing.
create or replace function bulk_post_chunk(p_workspace text, p_bulk text, p_no int, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
  b bulk;
  c bulk_chunk;
  written record;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into b from bulk where workspace = p_workspace and id = p_bulk;
  if b.status is distinct from 'running' then
    return jsonb_build_object('outcome', coalesce(b.status, 'missing'));
  end if;
  select * into c from bulk_chunk where workspace = p_workspace and bulk = p_bulk and no = p_no for update;
  if c.posted_at is not null then
    return '{"outcome": "done"}';
  end if;
  perform expiry_checks_by_batch();
  perform plans_for_many();
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || x.account, 0)) -- as account_locked does
  from (select distinct (e ->> 'account') collate "C" as account from jsonb_array_elements(c.rows) e order by 1) x;
  begin
    select * into written from bulk_post_together(b, c.rows, p_at);
  exception when data_exception or integrity_constraint_violation or plpgsql_error then
    raise warning 'chunk % of % cannot be written, its rows are, one by one: %', p_no, p_bulk, sqlerrm;
    select * into written from bulk_post_singly(b, c.rows, p_at);
  end;
  update bulk_chunk set posted_at = p_at, rows = '[]' where workspace = p_workspace and bulk = p_bulk and no = p_no;
  perform bulk_progress(p_workspace, p_bulk, written.posted, written.refusals, null, p_at);
  return '{"outcome": "posted"}';
end $$;

-- Plain credits are written together, the others one by one, in the order of their lines.
drop function if exists bulk_post_together(bulk, jsonb, timestamptz);
create or replace function bulk_post_together(
  b bulk, p_rows jsonb, p_at timestamptz, out posted int, out refusals jsonb
)
language plpgsql as $$
declare
  credited record;
  r record;
  code text;
begin
  refusals := '[]';
  select * into credited from bulk_credit(b.workspace, b.id, b.batch, p_rows, p_at);
  posted := credited.posted;
  for r in
    select * from jsonb_to_recordset(p_rows)
      as x (line int, account text, amount bigint, reason text, expires_at timestamptz, metadata jsonb)
    where x.line = any (credited.others) order by x.line
  loop
    code := bulk_post_row(b, r.line, r.account, r.amount, r.reason, r.expires_at, r.metadata, p_at);
    if code is null then
      posted := posted + 1;
    else
      refusals := refusals || jsonb_build_object('line', r.line, 'code', code);
    end if;
  end loop;
end $$;

-- Each row for itself: one that cannot be written at all is noted as parameter_invalid, and its cause logged.
drop function if exists bulk_post_singly(bulk, jsonb, timestamptz);
create or replace function bulk_post_singly(
  b bulk, p_rows jsonb, p_at timestamptz, out posted int, out refusals jsonb
)
language plpgsql as $$
declare
  e jsonb;
  r record;
  code text;
begin
  posted := 0;
  refusals := '[]';
  for e in select x from jsonb_array_elements(p_rows) x order by (x ->> 'line')::int loop
    begin
      select * into r from jsonb_to_record(e)
        as x (line int, account text, amount bigint, reason text, expires_at timestamptz, metadata jsonb);
      code := bulk_post_row(b, r.line, r.account, r.amount, r.reason, r.expires_at, r.metadata, p_at);
    exception when data_exception or integrity_constraint_violation or plpgsql_error then
      raise warning 'line % of % cannot be written: %', e ->> 'line', b.id, sqlerrm;
      code := 'parameter_invalid';
    end;
    if code is null then
      posted := posted + 1;
    else
      refusals := refusals || jsonb_build_object('line', (e ->> 'line')::int, 'code', code);
    end if;
  end loop;
end $$;

-- Writes that the run of an import or a reversal must look at its row: it was created, paused, resumed or
-- canceled, or its run was lost. Nothing of one that is completed.
create or replace function bulk_outbox(p_workspace text, p_bulk text) returns void
language plpgsql as $$
declare
  b bulk;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into b from bulk where workspace = p_workspace and id = p_bulk;
  if b.status <> 'completed' then
    perform outbox_write(p_workspace, p_bulk, 'bulkRun',
      jsonb_build_object('workspace', p_workspace, 'bulk', p_bulk), null, jsonb_build_object('status', b.status), null,
      case when b.status = 'canceled' then 'ended' else 'changed' end);
  end if;
end $$;

-- Cancels an import that runs or is paused: rows under way are finished, those that wait are dropped.
-- What is written stays, and its batch can be reversed. Waits for chunks under way before it takes the
-- import's row, as they do.
create or replace function bulk_cancel(p_workspace text, p_bulk text, p_at timestamptz) returns void
language plpgsql as $$
begin
  update bulk_chunk set posted_at = p_at, rows = '[]'
  where workspace = p_workspace and bulk = p_bulk and posted_at is null;
  update bulk set status = 'canceled', completed_at = p_at, progressed_at = p_at
  where workspace = p_workspace and id = p_bulk and kind = 'import' and status in ('running', 'paused');
end $$;

-- Writes one row of an import; null where it is written, now or before, else the code of its refusal.
create or replace function bulk_post_row(
  b bulk, p_line int, p_account text, p_amount bigint, p_reason text, p_expires_at timestamptz, p_metadata jsonb,
  p_at timestamptz
) returns text
language plpgsql as $$
declare
  posted jsonb;
begin
  posted := points_post(b.workspace, p_account, 'adjust', p_amount, p_reason, b.id || ':' || p_line, b.id, p_at,
    p_expires_at, b.batch, null, p_metadata, false);
  return case posted ->> 'outcome' when 'posted' then null when 'replayed' then null when 'missing' then 'resource_missing'
    else posted -> 'refusal' ->> 'code' end;
end $$;

-- A connection that planned its statements while the tables were small reads them from end to end
-- for each row, until something analyses them. Many rows at once are worth new plans, by index.
create or replace function plans_for_many() returns void
language plpgsql as $$
begin
  perform set_config('enable_seqscan', 'off', true);
  execute 'discard plans';
end $$;

-- Adds to a run's counts; keeps the first hundred refusals by their line.
create or replace function bulk_progress(
  p_workspace text, p_bulk text, p_posted int, p_refusals jsonb, p_cursor text, p_at timestamptz
) returns void
language sql as $$
  update bulk set posted = posted + p_posted, refused = refused + jsonb_array_length(p_refusals),
    refusals = case when jsonb_array_length(refusals) < 100 then refusals || p_refusals else refusals end,
    cursor = coalesce(p_cursor, cursor), progressed_at = p_at
  where workspace = p_workspace and id = p_bulk
$$;

-- Reverses the next rows of a batch, the newest first, so that a debit is given back before the credit
-- it took from is taken away. What cannot be reversed is counted and noted. Expiry checks are the minute's
-- batch's. Outcomes: posted (there
-- may be more); done (there are none left); paused; missing.
create or replace function bulk_reverse_chunk(p_workspace text, p_bulk text, p_limit int, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
  b bulk;
  ids text[];
  one text;
  answer jsonb;
  refusals jsonb := '[]';
  n int := 0;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into b from bulk where workspace = p_workspace and id = p_bulk for update;
  if b.status is distinct from 'running' then
    return jsonb_build_object('outcome', coalesce(b.status, 'missing'));
  end if;
  select array_agg(x.id order by x.id desc) into ids from (
    select id from ptx
    where workspace = p_workspace and batch = b.batch and (b.cursor is null or id < b.cursor)
    order by id desc limit p_limit
  ) x;
  if ids is null then
    return '{"outcome": "done"}';
  end if;
  perform expiry_checks_by_batch();
  perform plans_for_many();
  perform account_locked(p_workspace, x.account)
  from (select distinct account collate "C" as account from ptx where workspace = p_workspace and id = any (ids) order by 1) x;
  foreach one in array ids loop
    answer := points_reverse(p_workspace, one, 'batch_reversal', p_bulk || ':' || one, p_bulk,
      jsonb_build_object('reversed_batch', b.batch), p_at);
    if answer ->> 'outcome' = 'reversed' then
      n := n + 1;
    elsif not bulk_was_reversed(p_workspace, one) then
      refusals := refusals || jsonb_build_object('transaction', one, 'code', answer -> 'refusal' ->> 'code');
    end if;
  end loop;
  perform bulk_progress(p_workspace, p_bulk, n, refusals, ids[array_upper(ids, 1)], p_at);
  return '{"outcome": "posted"}';
end $$;

create or replace function bulk_was_reversed(p_workspace text, p_ptx text) returns boolean
language sql stable as $$
  select exists (select from ptx where workspace = p_workspace and reverses = p_ptx and type = 'reverse')
$$;

-- Completes a run where nothing is left to do. Returns it as it is.
create or replace function bulk_complete(p_workspace text, p_bulk text, p_at timestamptz) returns jsonb
language plpgsql as $$
declare
  b bulk;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  update bulk set status = 'completed', completed_at = p_at, progressed_at = p_at
  where workspace = p_workspace and id = p_bulk and status = 'running'
    and not exists (select from bulk_chunk c where c.workspace = p_workspace and c.bulk = p_bulk and c.posted_at is null);
  select * into b from bulk where workspace = p_workspace and id = p_bulk;
  return to_jsonb(b);
end $$;

drop function if exists bulk_wakes(jsonb);
