alter table tier_reassessment enable row level security;
--> statement-breakpoint
create policy own_workspace on tier_reassessment
  using (workspace = current_setting('vinr.workspace', true))
  with check (workspace = current_setting('vinr.workspace', true));
--> statement-breakpoint
comment on table tier_reassessment is 'One walk over a program''s members after a change of its tiers: how far it has come. A later change starts it over.';
