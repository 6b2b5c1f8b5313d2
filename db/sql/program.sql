-- The decimals of a program: fixed once it has a transaction.

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
