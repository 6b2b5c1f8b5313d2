-- The decimals of a program: fixed once it has a transaction.

-- Keeps the program's decimals as they are until this transaction ends, and waits for a change of
-- them under way: what reckons in them reads them after it. Many hold it at once; it is this
-- program's alone.
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
    select from account a where a.workspace = p_workspace and a.program = p_program
      and exists (select from ptx t where t.workspace = a.workspace and t.account = a.id))
  or exists (
    select from earning e where e.workspace = p_workspace and e.program = p_program
      and e.outcome = 'pending')
  or exists (
    select from bulk b join bulk_chunk c on c.workspace = b.workspace and c.bulk = b.id
      and c.posted_at is null,
      jsonb_array_elements(c.rows) r join account a on a.workspace = p_workspace
      and a.id = r ->> 'account'
    where b.workspace = p_workspace and b.status in ('running', 'paused')
      and a.program = p_program);
end $$;
