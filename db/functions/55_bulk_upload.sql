-- The files of imports while they are read. Their checked chunks are in bulk_chunk under the upload's id,
-- where no import knows them, until the whole file was good and they become the import's.

-- An upload is marked every 15 s: one that was not by then is a dead process's.
create or replace function bulk_upload_dead_before() returns timestamptz
language sql volatile as $$ select clock_timestamp() - interval '1 minute' $$;

-- Begins to read a file. False where the workspace reads so many already, in all processes together. What
-- dead ones left is removed, and counts no more.
create or replace function bulk_upload_open(p_workspace text, p_upload text, p_most int) returns boolean
language plpgsql as $$
declare
  dead_before timestamptz;
begin
  perform set_config('vinr.workspace', p_workspace, true);
  perform pg_advisory_xact_lock(hashtextextended('uploads:' || p_workspace, 0));
  dead_before := bulk_upload_dead_before();
  perform bulk_upload_forget(p_workspace, dead.id) from (
    select id from bulk_upload where workspace = p_workspace and alive_at < dead_before for update skip locked
  ) dead;
  if (select count(*) from bulk_upload where workspace = p_workspace and alive_at >= dead_before) >= p_most then
    return false;
  end if;
  insert into bulk_upload (workspace, id, opened_at, alive_at)
  values (p_workspace, p_upload, clock_timestamp(), clock_timestamp());
  return true;
end $$;

-- Keeps one chunk. False where the upload is no longer there: it was taken for dead.
create or replace function bulk_upload_keep(p_workspace text, p_upload text, p_no int, p_rows text) returns boolean
language plpgsql as $$
begin
  perform set_config('vinr.workspace', p_workspace, true);
  update bulk_upload set alive_at = clock_timestamp() where workspace = p_workspace and id = p_upload;
  if not found then
    return false;
  end if;
  insert into bulk_chunk (workspace, bulk, no, rows) values (p_workspace, p_upload, p_no, p_rows::jsonb);
  return true;
end $$;

-- Makes an upload's chunks those of an import, in the transaction that makes the import: their rows are not
-- written again. Returns how many; null where the upload is no longer there.
create or replace function bulk_upload_adopt(p_workspace text, p_upload text, p_bulk text) returns int
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

-- Removes an upload and its chunks; nothing else can be removed by it, and nothing of a workspace that the
-- connection has not named. Runs as the owner: a request may not delete.
create or replace function bulk_upload_forget(p_workspace text, p_upload text) returns void
language plpgsql security definer set search_path = public as $$
begin
  delete from bulk_upload
  where workspace = p_workspace and workspace = current_setting('vinr.workspace', true) and id = p_upload;
  if found then
    delete from bulk_chunk where workspace = p_workspace and bulk = p_upload;
  end if;
end $$;

-- Removes what dead processes left, in all workspaces, the oldest first; returns of how many uploads.
create or replace function net_forget_uploads(p_limit int) returns int
language plpgsql security definer set search_path = public as $$
declare
  dead bulk_upload;
  gone int := 0;
begin
  for dead in
    select * from bulk_upload where alive_at < bulk_upload_dead_before() order by alive_at limit p_limit
    for update skip locked
  loop
    delete from bulk_chunk where workspace = dead.workspace and bulk = dead.id;
    delete from bulk_upload where workspace = dead.workspace and id = dead.id;
    gone := gone + 1;
  end loop;
  return gone;
end $$;
