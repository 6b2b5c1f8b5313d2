CREATE TABLE "approval" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"kind" text NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"account" text collate "C",
	"batch" text,
	"reason" text,
	"command" jsonb NOT NULL,
	"effect" jsonb NOT NULL,
	"ceiling" bigint,
	"fingerprint" text NOT NULL,
	"requested_by" jsonb NOT NULL,
	"settled_by" jsonb,
	"confirmed_alone" boolean DEFAULT false NOT NULL,
	"note" text,
	"result" text collate "C",
	"created_at" timestamp with time zone NOT NULL,
	"reminds_at" timestamp with time zone NOT NULL,
	"reminded_at" timestamp with time zone,
	"expires_at" timestamp with time zone NOT NULL,
	"settled_at" timestamp with time zone,
	"revision" bigint NOT NULL,
	CONSTRAINT "approval_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE INDEX "approval_newest" ON "approval" USING btree ("workspace","created_at","id");--> statement-breakpoint
CREATE INDEX "approval_pending" ON "approval" USING btree ("workspace","id") WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX "approval_result" ON "approval" USING btree ("workspace","result") WHERE status = 'approved';--> statement-breakpoint
-- Row security, as of every other table (0001_guards).
alter table approval enable row level security;--> statement-breakpoint
create policy own_workspace on approval
  using (workspace = current_setting('vinr.workspace', true))
  with check (workspace = current_setting('vinr.workspace', true));--> statement-breakpoint
comment on table approval is 'Commands that wait for another person''s yes, with what they would do.';
