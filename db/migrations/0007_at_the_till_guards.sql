-- Row security of the tables at the till, as of every other (0001_guards).
do $$
declare
  tenant_table text;
begin
  foreach tenant_table in array array['event_type', 'event_type_version', 'reactor', 'reactor_activation',
    'reported_event']
  loop
    execute format('alter table %I enable row level security', tenant_table);
    execute format($policy$create policy own_workspace on %I
      using (workspace = current_setting('vinr.workspace', true))
      with check (workspace = current_setting('vinr.workspace', true))$policy$, tenant_table);
  end loop;
end $$;
--> statement-breakpoint
create trigger event_type_version_append_only before update or delete or truncate on event_type_version
  for each statement execute function append_only();
--> statement-breakpoint
create trigger reactor_activation_append_only before update or delete or truncate on reactor_activation
  for each statement execute function append_only();
--> statement-breakpoint
create trigger reported_event_append_only before update or delete or truncate on reported_event
  for each statement execute function append_only();
--> statement-breakpoint
comment on table event_type is 'Kinds of events that callers may report; the platform''s own are none of them.';
--> statement-breakpoint
comment on table event_type_version is 'Every schema that an event type ever had. Append-only.';
--> statement-breakpoint
comment on table reactor is 'What follows when an event is reported. Deleted ones stay, for the transactions that name them.';
--> statement-breakpoint
comment on table reactor_activation is 'Activations of reactors, once for each event: what limits count, whatever became of the reactor since. Append-only.';
--> statement-breakpoint
comment on table reported_event is 'Events that tills reported, once by event_id, with what each reactor did; written in the transaction that did it. Append-only.';
--> statement-breakpoint

-- Of indexes that promise the same the planner takes the youngest (0001_guards): the one that finds one row.
alter table reactor drop constraint reactor_workspace_id_pk;
--> statement-breakpoint
alter table reactor add constraint reactor_workspace_id_pk primary key (workspace, id);
--> statement-breakpoint
alter table reported_event drop constraint reported_event_workspace_id_pk;
--> statement-breakpoint
alter table reported_event add constraint reported_event_workspace_id_pk primary key (workspace, id);
--> statement-breakpoint
drop index reported_event_once;
--> statement-breakpoint
create unique index reported_event_once on reported_event using btree (workspace, event_id);
--> statement-breakpoint
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
