-- What the database itself refuses, whoever asks.

-- ptx and allocation are append-only: a movement is undone by another movement.
create function append_only() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = '42501';
end $$;
--> statement-breakpoint
create trigger ptx_append_only before update or delete or truncate on ptx
  for each statement execute function append_only();
--> statement-breakpoint
create trigger allocation_append_only before update or delete or truncate on allocation
  for each statement execute function append_only();
--> statement-breakpoint

-- Row security, the second lock: a connection sees the workspace it has named in vinr.workspace,
-- and none where it has named none. The first lock is the workspace in every query.
do $$
declare
  tenant_table text;
begin
  foreach tenant_table in array array['api_key', 'payment_secret', 'idempotency_key', 'program', 'account', 'lot',
    'ptx', 'allocation', 'event', 'reward', 'redemption', 'redemption_message', 'payment', 'refund', 'inbox',
    'earning_rule', 'earning', 'clawback', 'tier_change', 'tier_spend', 'webhook_endpoint', 'webhook_delivery',
    'point_value', 'ledger_total', 'expiry_warning', 'bulk', 'bulk_chunk']
  loop
    execute format('alter table %I enable row level security', tenant_table);
    execute format($policy$create policy own_workspace on %I
      using (workspace = current_setting('vinr.workspace', true))
      with check (workspace = current_setting('vinr.workspace', true))$policy$, tenant_table);
  end loop;
end $$;
--> statement-breakpoint
comment on table workspace is 'The tenant; a merchant''s test mode and live mode are two.';
--> statement-breakpoint
comment on table account is 'A member of one program. balance = sum(ptx.amount), written by the ledger functions alone.';
--> statement-breakpoint
comment on table ptx is 'One signed movement of points on one account. Append-only.';
--> statement-breakpoint
comment on table lot is 'What is left of the points that one credit brought, with the date they expire; its id is the credit''s.';
--> statement-breakpoint
comment on table allocation is 'How much a debit took from a lot; giving back is a negative row. For each debit: -amount - returned = sum(allocation) + unfunded. Append-only.';
--> statement-breakpoint
comment on table redemption is 'One spend of points on one reward. pending -> applied | released | reversed; released -> applied (rehold); fulfillment_pending -> fulfilled | reversed; applied | fulfilled -> reversed.';
--> statement-breakpoint
comment on table redemption_message is 'Messages obeyed, by operation: a repeat returns the redemption and changes nothing.';
--> statement-breakpoint
comment on table payment is 'A payment as its provider told us. Its status only advances.';
--> statement-breakpoint
comment on table inbox is 'Provider events, once each; processed when all that follows from them is done.';
--> statement-breakpoint
comment on table earning_rule is 'What earns points in a program. An earning keeps the rule as it was.';
--> statement-breakpoint
comment on table earning is 'What a rule made of one source for one account, once. clawed = the target of the refunds that stand.';
--> statement-breakpoint
comment on table clawback is 'One refund''s share of one earning: taken + shrunk + expired + forgiven; the shares that stand sum to earning.clawed.';
--> statement-breakpoint
comment on table event is 'Facts that happened, written in the transaction that caused them.';
--> statement-breakpoint
comment on table tier_change is 'Every change of a member''s tier, and what counted then.';
--> statement-breakpoint
comment on table tier_spend is 'What a payment counts towards a tier that spend qualifies for: charged less refunded.';
--> statement-breakpoint
comment on table webhook_endpoint is 'Where a workspace''s events are sent. Deleted ones stay, disabled, for their delivery log.';
--> statement-breakpoint
comment on table webhook_delivery is 'One event on its way to one endpoint, written in the transaction that wrote the event; its retries are in the row.';
--> statement-breakpoint
comment on table ledger_total is 'Sums of ptx by program, UTC day and part, of the rows whose ids ledger_rollup counts; reconcile proves it.';
--> statement-breakpoint
comment on table ledger_rollup is 'Up to which ptx id, by its time, ledger_total counts. One row.';
--> statement-breakpoint
comment on table point_value is 'What a point was worth from when on.';
--> statement-breakpoint
comment on table expiry_warning is 'Dates that an account was warned of, once each.';
--> statement-breakpoint
comment on table bulk is 'Many movements as one run: an import, or the reversal of a batch.';
--> statement-breakpoint
comment on table bulk_chunk is 'Checked rows of an import, written to the ledger together; emptied when written.';
--> statement-breakpoint
comment on table idempotency_key is 'Keys of requests whose objects are not on the ledger, for 24 hours.';
--> statement-breakpoint

-- Rows rewritten in place find room on their page, so that an update touches no index.
alter table account set (fillfactor = 70);
--> statement-breakpoint
alter table lot set (fillfactor = 70);
--> statement-breakpoint
alter table redemption set (fillfactor = 80);
--> statement-breakpoint
alter table webhook_delivery set (fillfactor = 70);
--> statement-breakpoint

-- Of indexes that promise the same the planner takes the youngest, and on an empty table all promise
-- the same; a plan made then lives as long as its connection. So the index that finds one row comes last.
do $$
declare
  one_row record;
  reference record;
begin
  create temporary table pointing on commit drop as
    select conrelid::regclass as of_table, conname as name, pg_get_constraintdef(oid) as definition
    from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace;
  for one_row in
    select c.conrelid::regclass as of_table, c.conname as name, pg_get_constraintdef(c.oid) as definition
    from pg_constraint c
    where c.contype = 'p' and c.connamespace = 'public'::regnamespace
      and (select count(*) from pg_index i where i.indrelid = c.conrelid) > 1
  loop
    execute format('alter table %s drop constraint %I cascade', one_row.of_table, one_row.name);
    execute format('alter table %s add constraint %I %s', one_row.of_table, one_row.name, one_row.definition);
  end loop;
  for reference in
    select p.* from pointing p
    where not exists (select from pg_constraint c where c.conrelid = p.of_table and c.conname = p.name)
  loop
    execute format('alter table %s add constraint %I %s', reference.of_table, reference.name, reference.definition);
  end loop;
end $$;
--> statement-breakpoint
drop index ptx_operation;
--> statement-breakpoint
create unique index ptx_operation on ptx using btree (workspace, operation);
