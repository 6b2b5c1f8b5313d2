CREATE TABLE "erasure" (
	"workspace" text collate "C" NOT NULL,
	"account" text collate "C" NOT NULL,
	"status" text DEFAULT 'waiting' NOT NULL,
	"waits_for" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"stores" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"found" jsonb,
	"shared" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"payments" text[] DEFAULT '{}' NOT NULL,
	"customers" text[],
	"requested_at" timestamp with time zone NOT NULL,
	"checked_at" timestamp with time zone,
	"searched_at" timestamp with time zone,
	"completed_at" timestamp with time zone,
	"progressed_at" timestamp with time zone NOT NULL,
	CONSTRAINT "erasure_workspace_account_pk" PRIMARY KEY("workspace","account")
);
--> statement-breakpoint
ALTER TABLE "payment" ADD COLUMN "erased_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "erasure_open" ON "erasure" USING btree ("progressed_at") WHERE status <> 'completed';--> statement-breakpoint
CREATE INDEX "inbox_of_payment" ON "inbox" USING btree ("workspace","payment");--> statement-breakpoint
alter table erasure enable row level security;
--> statement-breakpoint
create policy own_workspace on erasure
  using (workspace = current_setting('vinr.workspace', true))
  with check (workspace = current_setting('vinr.workspace', true));
--> statement-breakpoint
comment on table erasure is 'A member whose personal data is removed: how far that is, and at its end the certificate.';
--> statement-breakpoint

-- What a member's erasure may change of rows that are appended only: what somebody wrote there, and nothing else.
create function append_only_but_text() returns trigger language plpgsql as $$
begin
  if tg_op <> 'UPDATE' or current_setting('vinr.erasing', true) is distinct from 'on' then
    raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = '42501';
  end if;
  return null;
end $$;
--> statement-breakpoint
create function only_text_changes() returns trigger language plpgsql as $$
begin
  if to_jsonb(new) - tg_argv <> to_jsonb(old) - tg_argv then
    raise exception '% is append-only but for its text: UPDATE refused', tg_table_name using errcode = '42501';
  end if;
  return new;
end $$;
--> statement-breakpoint
drop trigger ptx_append_only on ptx;
--> statement-breakpoint
create trigger ptx_append_only before update or delete or truncate on ptx
  for each statement execute function append_only_but_text();
--> statement-breakpoint
create trigger ptx_only_text before update on ptx
  for each row execute function only_text_changes('reason', 'metadata');
--> statement-breakpoint
drop trigger reported_event_append_only on reported_event;
--> statement-breakpoint
create trigger reported_event_append_only before update or delete or truncate on reported_event
  for each statement execute function append_only_but_text();
--> statement-breakpoint
create trigger reported_event_only_text before update on reported_event
  for each row execute function only_text_changes('user_id');
