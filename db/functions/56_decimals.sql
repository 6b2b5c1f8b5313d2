-- Whether anything is kept in the program's smallest unit, so that it can no longer change: a
-- transaction, an earning still to mature, or rows of an import still to be written. Waits for the
-- movements under way, and keeps new ones waiting until this transaction ends: the answer holds
-- until then. Runs as the owner, because the application may not lock a table it only adds to.
create or replace function decimals_used(p_workspace text, p_program text) returns boolean
language plpgsql security definer set search_path = public as $$
begin
  lock table ptx, earning, bulk_chunk in share mode;
  return exists (
    select from account a where a.workspace = p_workspace and a.program = p_program
      and exists (select from ptx t where t.workspace = a.workspace and t.account = a.id))
  or exists (
    select from earning e where e.workspace = p_workspace and e.program = p_program and e.outcome = 'pending')
  or exists (
    select from bulk b join bulk_chunk c on c.workspace = b.workspace and c.bulk = b.id and c.posted_at is null,
      jsonb_array_elements(c.rows) r join account a on a.workspace = p_workspace and a.id = r ->> 'account'
    where b.workspace = p_workspace and b.status <> 'completed' and a.program = p_program);
end $$;
