-- Row security and append-only, as of every other (0001_guards).
do $$
declare
  tenant_table text;
begin
  foreach tenant_table in array array['rule_version', 'program_version'] loop
    execute format('alter table %I enable row level security', tenant_table);
    execute format($policy$create policy own_workspace on %I
      using (workspace = current_setting('vinr.workspace', true))
      with check (workspace = current_setting('vinr.workspace', true))$policy$, tenant_table);
    execute format('create trigger %I before update or delete or truncate on %I
      for each statement execute function append_only()', tenant_table || '_append_only', tenant_table);
  end loop;
end $$;
--> statement-breakpoint
comment on table rule_version is 'An earning rule as it was from valid_from on, until its next version. Append-only.';
--> statement-breakpoint
comment on table program_version is 'A program as it was from valid_from on, until its next version. Append-only.';
--> statement-breakpoint

-- Whoever changes a rule or a program, by whatever path, writes its version in the same transaction. A new
-- one is valid from its creation: only what was there before this migration has a first version that is younger.
create function rule_version_write() returns trigger language plpgsql as $$
begin
  insert into rule_version (workspace, rule, valid_from, data)
  values (new.workspace, new.id,
    case tg_op when 'INSERT' then new.created_at else greatest(clock_timestamp(), (
      select max(v.valid_from) + interval '1 microsecond' from rule_version v
      where v.workspace = new.workspace and v.rule = new.id)) end,
    to_jsonb(new));
  return null;
end $$;
--> statement-breakpoint
create function program_version_write() returns trigger language plpgsql as $$
begin
  insert into program_version (workspace, program, valid_from, data)
  values (new.workspace, new.id,
    case tg_op when 'INSERT' then new.created_at else greatest(clock_timestamp(), (
      select max(v.valid_from) + interval '1 microsecond' from program_version v
      where v.workspace = new.workspace and v.program = new.id)) end,
    to_jsonb(new));
  return null;
end $$;
--> statement-breakpoint
create trigger earning_rule_created after insert on earning_rule
  for each row execute function rule_version_write();
--> statement-breakpoint
create trigger earning_rule_changed after update on earning_rule
  for each row when (old.* is distinct from new.*) execute function rule_version_write();
--> statement-breakpoint
create trigger program_created after insert on program
  for each row execute function program_version_write();
--> statement-breakpoint
create trigger program_changed after update on program
  for each row when (old.* is distinct from new.*) execute function program_version_write();
--> statement-breakpoint

-- What is there today is the first version, from now on: of what was before nothing is known. The
-- triggers hold the tables until this transaction ends, so that no change falls between.
insert into rule_version (workspace, rule, valid_from, data)
select r.workspace, r.id, clock_timestamp(), to_jsonb(r) from earning_rule r;
--> statement-breakpoint
insert into program_version (workspace, program, valid_from, data)
select p.workspace, p.id, clock_timestamp(), to_jsonb(p) from program p;
