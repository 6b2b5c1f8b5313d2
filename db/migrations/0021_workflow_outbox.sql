CREATE TABLE "workflow_outbox" (
	"workspace" text collate "C" NOT NULL,
	"workflow_id" text collate "C" NOT NULL,
	"workflow_type" text NOT NULL,
	"input" jsonb NOT NULL,
	"start_at" timestamp with time zone,
	"facts" jsonb NOT NULL,
	"revision" bigint NOT NULL,
	"change" text NOT NULL,
	"written_at" timestamp with time zone NOT NULL,
	"next_attempt_at" timestamp with time zone NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	CONSTRAINT "workflow_outbox_workspace_workflow_id_pk" PRIMARY KEY("workspace","workflow_id")
);
--> statement-breakpoint
ALTER TABLE "payment" ADD COLUMN "revision" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "redemption" ADD COLUMN "revision" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "workflow_outbox_due" ON "workflow_outbox" USING btree ("next_attempt_at");--> statement-breakpoint
-- Rows live for milliseconds: vacuumed by their number, not by a share of a table that is empty at night.
alter table workflow_outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 20000,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000);--> statement-breakpoint
-- Row security, as of every other table (0001_guards).
alter table workflow_outbox enable row level security;--> statement-breakpoint
create policy own_workspace on workflow_outbox
  using (workspace = current_setting('vinr.workspace', true))
  with check (workspace = current_setting('vinr.workspace', true));--> statement-breakpoint
comment on table workflow_outbox is 'What Temporal must be told, one row for each workflow; deleted once it is sent.';
