do $$
declare
  tenant_table text;
begin
  foreach tenant_table in array array['settings', 'member_pepper', 'member_identity']
  loop
    execute format('alter table %I enable row level security', tenant_table);
    execute format($policy$create policy own_workspace on %I
      using (workspace = current_setting('vinr.workspace', true))
      with check (workspace = current_setting('vinr.workspace', true))$policy$, tenant_table);
  end loop;
end $$;
--> statement-breakpoint
comment on table settings is 'Key:value pairs that tills read, one flat object a workspace.';
--> statement-breakpoint
comment on table member_pepper is 'What members'' phones, cards and devices are hashed with. Never changed.';
--> statement-breakpoint
comment on table member_identity is 'How a till recognises a member: an external id in plain, a phone or card as its keyed hash, a device by its id.';
--> statement-breakpoint

-- last_step is rewritten at each reading of a device's token
alter table member_identity set (fillfactor = 80);
--> statement-breakpoint

-- Of indexes that promise the same the planner takes the youngest (0001_guards): the ones that find one row.
alter table member_identity drop constraint member_identity_workspace_id_pk;
--> statement-breakpoint
alter table member_identity add constraint member_identity_workspace_id_pk primary key (workspace, id);
--> statement-breakpoint
drop index member_identity_live;
--> statement-breakpoint
create unique index member_identity_live on member_identity using btree (workspace, kind, value) where revoked_at is null;
