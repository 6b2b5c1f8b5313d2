-- Imports and the reversals of their batches, a chunk a transaction.

-- Writes one waiting chunk of an import: all its rows and that they are written, in one
-- transaction, so that a crash anywhere doubles none. Accounts are locked in id order. A chunk that
-- cannot be written falls back to its rows, each on its own: a bad one keeps none of the others
-- from being written. A row that the ledger refuses is counted and noted by its line. Expiry checks
-- are the minute's batch's. Outcomes: posted; done (was written before, or canceled); paused;
-- canceled; missing.
-- @returns ChunkResult
create or replace function ledger.bulk_post_chunk(
  p_workspace text, p_bulk text, p_no int, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  bulk_row bulk;
  chunk_row bulk_chunk;
  written record;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into bulk_row from bulk where workspace = p_workspace and id = p_bulk;
  if bulk_row.status is distinct from 'running' then
    return jsonb_build_object('outcome', coalesce(bulk_row.status, 'missing'));
  end if;
  select * into chunk_row from bulk_chunk where workspace = p_workspace and bulk = p_bulk
    and no = p_no for update;
  if chunk_row.posted_at is not null then
    return '{"outcome": "done"}';
  end if;
  perform expiry_checks_by_batch();
  perform plans_for_many();
  -- as account_locked does
  perform pg_advisory_xact_lock(hashtextextended(p_workspace || named.account, 0))
  from (select distinct (input ->> 'account') collate "C" as account
    from jsonb_array_elements(chunk_row.rows) input
    order by 1) named;
  begin
    select * into written from bulk_post_together(bulk_row, chunk_row.rows, p_at);
  exception when data_exception or integrity_constraint_violation or plpgsql_error then
    raise warning 'chunk % of % cannot be written, its rows are, one by one: %', p_no, p_bulk,
      sqlerrm;
    select * into written from bulk_post_singly(bulk_row, chunk_row.rows, p_at);
  end;
  update bulk_chunk set posted_at = p_at, rows = '[]' where workspace = p_workspace
    and bulk = p_bulk and no = p_no;
  perform bulk_progress(p_workspace, p_bulk, written.posted, written.refusals, null, p_at);
  return '{"outcome": "posted"}';
end $$;

-- Writes that the run of an import or a reversal must look at its row: it was created, paused,
-- resumed or canceled, or its run was lost. Nothing of one that is completed, or that waits for its
-- approval.
create or replace function ledger.bulk_outbox(p_workspace text, p_bulk text) returns void
language plpgsql as $$
declare
  bulk_row bulk;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into bulk_row from bulk where workspace = p_workspace and id = p_bulk;
  if bulk_row.status not in ('completed', 'waiting') then
    perform outbox_write(p_workspace, p_bulk, 'bulkRun',
      jsonb_build_object('workspace', p_workspace, 'bulk', p_bulk), null,
      jsonb_build_object('status', bulk_row.status), null,
      case when bulk_row.status = 'canceled' then 'ended' else 'changed' end);
  end if;
end $$;

-- Cancels an import that runs or is paused: rows under way are finished, those that wait are
-- dropped. What is written stays, and its batch can be reversed. Waits for chunks under way before
-- it takes the import's row, as they do.
create or replace function ledger.bulk_cancel(
  p_workspace text, p_bulk text, p_at timestamptz default clock_timestamp()
) returns void
language plpgsql as $$
begin
  update bulk_chunk set posted_at = p_at, rows = '[]'
  where workspace = p_workspace and bulk = p_bulk and posted_at is null;
  update bulk set status = 'canceled', completed_at = p_at, progressed_at = p_at
  where workspace = p_workspace and id = p_bulk and kind = 'import'
    and status in ('running', 'paused');
  update approval set status = 'done' where workspace = p_workspace and result = p_bulk
    and status = 'approved';
end $$;

-- Reverses the next rows of a batch, the newest first, so that a debit is given back before the
-- credit it took from is taken away. What cannot be reversed is counted and noted. Expiry checks
-- are the minute's batch's. Outcomes: posted (there may be more); done (there are none left);
-- paused; missing.
-- @returns ChunkResult
create or replace function ledger.bulk_reverse_chunk(
  p_workspace text, p_bulk text, p_limit int, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  bulk_row bulk;
  ids text[];
  one text;
  answer jsonb;
  refusals jsonb := '[]';
  reversed int := 0;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  select * into bulk_row from bulk where workspace = p_workspace and id = p_bulk for update;
  if bulk_row.status is distinct from 'running' then
    return jsonb_build_object('outcome', coalesce(bulk_row.status, 'missing'));
  end if;
  select array_agg(movement.id order by movement.id desc) into ids from (
    select id from ptx
    where workspace = p_workspace and batch = bulk_row.batch
      and (bulk_row.cursor is null or id < bulk_row.cursor)
    order by id desc limit p_limit
  ) movement;
  if ids is null then
    return '{"outcome": "done"}';
  end if;
  perform expiry_checks_by_batch();
  perform plans_for_many();
  perform account_locked(p_workspace, movement.account)
  from (select distinct account collate "C" as account from ptx where workspace = p_workspace
    and id = any (ids) order by 1) movement;
  foreach one in array ids loop
    answer := points_reverse(p_workspace, one, 'batch_reversal', p_bulk || ':' || one, p_bulk,
      jsonb_build_object('reversed_batch', bulk_row.batch), p_at);
    if answer ->> 'outcome' = 'reversed' then
      reversed := reversed + 1;
    elsif not bulk_was_reversed(p_workspace, one) then
      refusals := refusals || jsonb_build_object('transaction', one, 'code',
        answer -> 'refusal' ->> 'code');
    end if;
  end loop;
  perform bulk_progress(p_workspace, p_bulk, reversed, refusals, ids[array_upper(ids, 1)], p_at);
  return '{"outcome": "posted"}';
end $$;

-- Completes a run where nothing is left to do. Returns it as it is.
-- @returns Snapshot | null
create or replace function ledger.bulk_complete(
  p_workspace text, p_bulk text, p_at timestamptz
) returns jsonb
language plpgsql as $$
declare
  bulk_row bulk;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  update bulk set status = 'completed', completed_at = p_at, progressed_at = p_at
  where workspace = p_workspace and id = p_bulk and status = 'running'
    and not exists (select from bulk_chunk where workspace = p_workspace and bulk = p_bulk
      and posted_at is null);
  if found then
    update approval set status = 'done' where workspace = p_workspace and result = p_bulk
      and status = 'approved';
  end if;
  select * into bulk_row from bulk where workspace = p_workspace and id = p_bulk;
  if bulk_row.completed_at = p_at and bulk_row.refused > 0 then
    perform attention_note(p_workspace, 'rows_refused', p_bulk, p_bulk, jsonb_build_object('batch',
      bulk_row.batch, 'refused', bulk_row.refused), p_at);
  end if;
  return to_jsonb(bulk_row);
end $$;

-- Begins to read a file. False where the workspace reads so many already, in all processes
-- together. What dead ones left is removed, and counts no more.
create or replace function ledger.bulk_upload_open(
  p_workspace text, p_upload text, p_most int
) returns boolean
language plpgsql as $$
declare
  dead_before timestamptz;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  perform pg_advisory_xact_lock(hashtextextended('uploads:' || p_workspace, 0));
  dead_before := bulk_upload_dead_before();
  perform bulk_upload_forget(p_workspace, dead.id) from (
    select id from bulk_upload where workspace = p_workspace
      and alive_at < dead_before for update skip locked
  ) dead;
  if (select count(*) from bulk_upload where workspace = p_workspace
    and alive_at >= dead_before) >= p_most then
    return false;
  end if;
  insert into bulk_upload (workspace, id, opened_at, alive_at)
  values (p_workspace, p_upload, clock_timestamp(), clock_timestamp());
  return true;
end $$;

-- Keeps one chunk. False where the upload is no longer there: it was taken for dead.
create or replace function ledger.bulk_upload_keep(
  p_workspace text, p_upload text, p_no int, p_rows text
) returns boolean
language plpgsql as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  update bulk_upload set alive_at = clock_timestamp() where workspace = p_workspace
    and id = p_upload;
  if not found then
    return false;
  end if;
  insert into bulk_chunk (workspace, bulk, no, rows)
    values (p_workspace, p_upload, p_no, p_rows::jsonb);
  return true;
end $$;

-- Makes an upload's chunks those of an import, in the transaction that makes the import: their rows
-- are not written again. Returns how many; null where the upload is no longer there.
-- @null result
create or replace function ledger.bulk_upload_adopt(
  p_workspace text, p_upload text, p_bulk text
) returns int
language plpgsql as $$
declare
  chunks int;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  perform from bulk_upload where workspace = p_workspace and id = p_upload for update;
  if not found then
    return null;
  end if;
  update bulk_chunk set bulk = p_bulk where workspace = p_workspace and bulk = p_upload;
  get diagnostics chunks = row_count;
  perform bulk_upload_forget(p_workspace, p_upload);
  return chunks;
end $$;

-- Removes an upload and its chunks; nothing else can be removed by it, and nothing of a workspace
-- that the connection has not named. Runs as the owner: a request may not delete.
create or replace function ledger.bulk_upload_forget(p_workspace text, p_upload text) returns void
language plpgsql security definer as $$
begin
  delete from bulk_upload
  where workspace = p_workspace and workspace = current_setting('vinr.workspace', true)
    and id = p_upload;
  if found then
    delete from bulk_chunk where workspace = p_workspace and bulk = p_upload;
  end if;
end $$;

-- Removes what dead processes left, in all workspaces, the oldest first; returns of how many
-- uploads.
create or replace function ledger.bulk_uploads_forget_dead(p_limit int) returns int
language plpgsql security definer as $$
declare
  dead bulk_upload;
  gone int := 0;
begin
  for dead in
    select * from bulk_upload where alive_at < bulk_upload_dead_before()
    order by alive_at limit p_limit
    for update skip locked
  loop
    delete from bulk_chunk where workspace = dead.workspace and bulk = dead.id;
    delete from bulk_upload where workspace = dead.workspace and id = dead.id;
    gone := gone + 1;
  end loop;
  return gone;
end $$;

-- Imports and reversals that stand still: nothing written since `p_before`, and not paused.
create or replace function ledger.bulks_stalled(
  p_before timestamptz, p_limit int, p_skip int default 0
)
returns table (workspace text, bulk text)
language sql stable security definer as $$
  select workspace, id from bulk
  where status = 'running' and progressed_at <= p_before
  order by progressed_at, workspace, id limit p_limit offset p_skip
$$;

-- Plain credits are written together, the others one by one, in the order of their lines.
create or replace function ledger_private.bulk_post_together(
  bulk_row bulk, p_rows jsonb, p_at timestamptz, out posted int, out refusals jsonb
)
language plpgsql as $$
declare
  credited record;
  input record;
  code text;
begin
  refusals := '[]';
  select * into credited from bulk_credit(bulk_row.workspace, bulk_row.id, bulk_row.batch, p_rows,
    p_at);
  posted := credited.posted;
  for input in
    select * from jsonb_to_recordset(p_rows)
      as listed (line int, account text, amount bigint, reason text, expires_at timestamptz,
        metadata jsonb)
    where listed.line = any (credited.others) order by listed.line
  loop
    code := bulk_post_row(bulk_row, input.line, input.account, input.amount, input.reason,
      input.expires_at, input.metadata, p_at);
    if code is null then
      posted := posted + 1;
    else
      refusals := refusals || jsonb_build_object('line', input.line, 'code', code);
    end if;
  end loop;
end $$;

-- Each row for itself: one that cannot be written at all is noted as parameter_invalid, and its
-- cause logged.
create or replace function ledger_private.bulk_post_singly(
  bulk_row bulk, p_rows jsonb, p_at timestamptz, out posted int, out refusals jsonb
)
language plpgsql as $$
declare
  element jsonb;
  input record;
  code text;
begin
  posted := 0;
  refusals := '[]';
  for element in select element_row from jsonb_array_elements(p_rows) element_row
    order by (element_row ->> 'line')::int loop
    begin
      select * into input from jsonb_to_record(element)
        as element_row (line int, account text, amount bigint, reason text, expires_at timestamptz,
          metadata jsonb);
      code := bulk_post_row(bulk_row, input.line, input.account, input.amount, input.reason,
        input.expires_at, input.metadata, p_at);
    exception when data_exception or integrity_constraint_violation or plpgsql_error then
      raise warning 'line % of % cannot be written: %', element ->> 'line', bulk_row.id, sqlerrm;
      code := 'parameter_invalid';
    end;
    if code is null then
      posted := posted + 1;
    else
      refusals := refusals || jsonb_build_object('line', (element ->> 'line')::int, 'code', code);
    end if;
  end loop;
end $$;

-- Writes one row of an import; null where it is written, now or before, else the code of its
-- refusal.
create or replace function ledger_private.bulk_post_row(
  bulk_row bulk, p_line int, p_account text, p_amount bigint, p_reason text,
  p_expires_at timestamptz, p_metadata jsonb, p_at timestamptz
) returns text
language plpgsql as $$
declare
  posted jsonb;
begin
  posted := points_post(bulk_row.workspace, p_account, 'adjust', p_amount, p_reason,
    bulk_row.id || ':' || p_line, bulk_row.id, p_at, p_expires_at, bulk_row.batch, null, p_metadata,
    false);
  return case posted ->> 'outcome' when 'posted' then null when 'replayed' then null when 'missing'
    then 'resource_missing'
    else posted -> 'refusal' ->> 'code' end;
end $$;

-- A connection that planned its statements while the tables were small reads them from end to end
-- for each row, until something analyses them. Many rows at once are worth new plans, by index.
create or replace function ledger_private.plans_for_many() returns void
language plpgsql as $$
begin
  perform set_config('enable_seqscan', 'off', true);
  execute 'discard plans';
end $$;

-- Adds to a run's counts; keeps the first hundred refusals by their line.
create or replace function ledger_private.bulk_progress(
  p_workspace text, p_bulk text, p_posted int, p_refusals jsonb, p_cursor text, p_at timestamptz
) returns void
language sql as $$
  update bulk set posted = posted + p_posted, refused = refused + jsonb_array_length(p_refusals),
    refusals = case when jsonb_array_length(refusals) < 100 then refusals || p_refusals
      else refusals end,
    cursor = coalesce(p_cursor, cursor), progressed_at = p_at
  where workspace = p_workspace and id = p_bulk
$$;

-- Whether a transaction of a batch has been reversed already.
create or replace function ledger_private.bulk_was_reversed(
  p_workspace text, p_ptx text
) returns boolean
language sql stable as $$
  select exists (select from ptx where workspace = p_workspace and reverses = p_ptx
    and type = 'reverse')
$$;

-- Writes the credits among a chunk's rows, all of them by one statement: rows whose account is
-- active, owes nothing, has nothing due and gets nothing but credits here. They become what
-- points_post would have made of them one by one: ptx, lot, event, deliveries, the account's
-- balance and dates. The locks of all accounts are held. `others`: the lines it left alone, for
-- points_post to judge. A row that is written already is among them.
create or replace function ledger_private.bulk_credit(
  p_workspace text, p_bulk text, p_batch text, p_rows jsonb, p_at timestamptz, out posted int,
  out others int[]
)
language plpgsql as $$
declare
  -- Read under the locks: later than any id on these accounts. The rows' ids are a microsecond
  -- apart from here on, so that they sort as the lines do; writing a row takes many of those.
  from_here timestamptz := clock_timestamp();
begin
  with rules as materialized (
    select id, program as program, points_expiry(program, p_at) as due,
      expiry_reset_on_activity and expiry_mode <> 'never' as extends
    from program where workspace = p_workspace
  ),
  given as materialized (
    select input.line, input.account, input.amount, input.reason, input.expires_at, input.metadata,
      rules.id as program, coalesce(input.expires_at, rules.due) as due, rules.extends
        and input.expires_at is null as extends, p_bulk || ':' || input.line as operation,
      expiry_check_at(rules.program, coalesce(input.expires_at, rules.due), p_at) as next_check,
      vinr_id_after('ptx', from_here, row_number() over (order by input.line)) as id,
      account.balance + sum(input.amount) over (partition by input.account
        order by input.line) as balance_after,
        account.lifetime_points + sum(input.amount) over (partition by input.account
        order by input.line) as lifetime_after,
      account.status = 'active' and account.merged_into is null and account.balance >= 0
        and input.amount > 0 and coalesce(account.lots_due_from > p_at, true)
        and coalesce(input.expires_at, rules.due, 'infinity') > p_at as simple
    from jsonb_to_recordset(p_rows)
      as input (line int, account text, amount bigint, reason text, expires_at timestamptz,
        metadata jsonb)
    left join account on account.workspace = p_workspace and account.id = input.account
    left join rules on rules.id = account.program
  ),
  checked as materialized (
    select given.*, coalesce(bool_and(given.simple and given.lifetime_after <= 9007199254740991
      and not exists (
      select from ptx where workspace = p_workspace and operation = given.operation
    )) over (partition by given.account), false) as plain
    from given
  ),
  good as materialized (select * from checked where plain),
  movements as (
    insert into ptx (workspace, id, account, program, type, amount, balance_after, reason,
      operation, fingerprint, batch, expires_at, metadata, at, created_at)
    select p_workspace, id, account, program, 'adjust', amount, balance_after, reason, operation,
      p_bulk, p_batch, due, metadata, p_at, clock_timestamp()
    from good
  ),
  lots as (
    insert into lot (workspace, id, account, points, remaining, earned_at, expires_at,
      extends_with_activity)
    select p_workspace, id, account, amount, amount, p_at, due, extends from good
  ),
  events as (
    insert into event (workspace, id, type, object, created_at, actor)
    select p_workspace, 'evt' || substr(id, 4), 'loyalty.points.earned', id, p_at, null from good
  ),
  deliveries as (
    insert into webhook_delivery (workspace, id, endpoint, event, next_attempt_at, created_at)
    select p_workspace, vinr_id('dlv'), webhook_endpoint.id, 'evt' || substr(good.id, 4),
      clock_timestamp(), clock_timestamp()
    from webhook_endpoint cross join good
    where webhook_endpoint.workspace = p_workspace and webhook_endpoint.status = 'enabled'
      and webhook_endpoint.enabled_events && event_names('loyalty.points.earned')
  ),
  sums as materialized (
    select account, sum(amount)::bigint as amount, min(due) as due, min(next_check) as next_check,
      bool_or(extends) as extends
    from good group by account
  ),
  balances as (
    update account set
      balance = account.balance + sums.amount,
      lifetime_points = account.lifetime_points + sums.amount,
      lots_due_from = least(account.lots_due_from, sums.due),
      activity_extends_to = case when sums.extends
        then greatest(account.activity_extends_to, 'epoch')
        else account.activity_extends_to end,
      expiry_wake_at = least(account.expiry_wake_at, sums.next_check)
    from sums where account.workspace = p_workspace and account.id = sums.account
  )
  select (select count(*) from good), array(select line from checked where not plain order by line)
  into posted, others;
  if exists (select from webhook_endpoint where workspace = p_workspace and status = 'enabled') then
    perform set_config('vinr.deliveries', 'written', true);
  end if;
  if exists (select from program where workspace = p_workspace and tier_config is not null) then
    perform bulk_credit_tiers(p_workspace, p_rows, others, p_at);
  end if;
end $$;

-- What many credits at once mean for their members' tiers: judged once for each, by all of them.
create or replace function ledger_private.bulk_credit_tiers(
  p_workspace text, p_rows jsonb, p_others int[], p_at timestamptz
) returns void
language plpgsql as $$
declare
  one record;
begin
  for one in
    select distinct account.id, program_row as program
    from jsonb_to_recordset(p_rows) as input (line int, account text)
    join account on account.workspace = p_workspace and account.id = input.account
    join program program_row on program_row.workspace = account.workspace
      and program_row.id = account.program and program_row.tier_config is not null
    where input.line <> all (p_others)
    order by account.id
  loop
    perform tier_after_credit(p_workspace, one.id, one.program, greatest(p_at, clock_timestamp()));
  end loop;
end $$;

-- The files of imports while they are read. Their checked chunks are in bulk_chunk under the
-- upload's id, where no import knows them, until the whole file was good and they become the
-- import's.

-- An upload is marked every 15 s: one that was not by then is a dead process's.
create or replace function ledger_private.bulk_upload_dead_before() returns timestamptz
language sql volatile as $$ select clock_timestamp() - interval '1 minute' $$;
