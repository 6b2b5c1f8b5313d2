create trigger credit_transaction_append_only before update or delete or truncate on credit_transaction
  for each statement execute function append_only();
--> statement-breakpoint
do $$
declare
  tenant_table text;
begin
  foreach tenant_table in array array['reward_variant', 'code_pool', 'code_batch', 'gift_code', 'credit', 'credit_wallet',
    'credit_transaction']
  loop
    execute format('alter table %I enable row level security', tenant_table);
    execute format($policy$create policy own_workspace on %I
      using (workspace = current_setting('vinr.workspace', true))
      with check (workspace = current_setting('vinr.workspace', true))$policy$, tenant_table);
  end loop;
end $$;
--> statement-breakpoint
comment on table reward_variant is 'One size or colour of a reward, with its own stock. Never deleted: redemptions name it.';
--> statement-breakpoint
comment on table code_pool is 'Gift card codes uploaded in advance.';
--> statement-breakpoint
comment on table code_batch is 'One upload of codes, and which lines of it were there already.';
--> statement-breakpoint
comment on table gift_code is 'One code, sealed. available -> given -> void; it never goes back, and no two have the same hash.';
--> statement-breakpoint
comment on table credit_wallet is 'A member''s store credit in one currency. balance = sum(credit_transaction.amount), written by the ledger functions alone.';
--> statement-breakpoint
comment on table credit is 'One issue of store credit. remaining = sum of its transactions; spent soonest expiry first.';
--> statement-breakpoint
comment on table credit_transaction is 'One signed movement of money on one credit of one wallet, in minor units. Append-only.';
--> statement-breakpoint

-- Redemptions that took stock before this was noted on them.
update redemption d set took_stock = true
from reward r
where r.workspace = d.workspace and r.id = d.reward and r.inventory is not null
  and d.status in ('pending', 'fulfillment_pending', 'applied', 'fulfilled');
--> statement-breakpoint

alter table credit set (fillfactor = 80);
--> statement-breakpoint
alter table gift_code set (fillfactor = 80);
--> statement-breakpoint

-- As in the first guards: of indexes that promise the same the youngest is taken, so the one that finds
-- one row is made last, and after it those of rows in one state, which nothing else can use.
alter table gift_code drop constraint gift_code_workspace_id_pk;
--> statement-breakpoint
alter table gift_code add constraint gift_code_workspace_id_pk primary key (workspace, id);
--> statement-breakpoint
drop index gift_code_next;
--> statement-breakpoint
create index gift_code_next on gift_code using btree (workspace, pool, id) where status = 'available';
--> statement-breakpoint
alter table credit drop constraint credit_workspace_id_pk;
--> statement-breakpoint
alter table credit add constraint credit_workspace_id_pk primary key (workspace, id);
--> statement-breakpoint
drop index credit_open;
--> statement-breakpoint
create index credit_open on credit using btree (workspace, account, currency, expires_at, id) where remaining > 0;
--> statement-breakpoint
alter table credit_transaction drop constraint credit_transaction_workspace_id_pk;
--> statement-breakpoint
alter table credit_transaction add constraint credit_transaction_workspace_id_pk primary key (workspace, id);
