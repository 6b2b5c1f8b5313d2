CREATE TABLE "request" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"method" text NOT NULL,
	"route" text NOT NULL,
	"resource" text collate "C",
	"status" integer,
	"error_code" text,
	"error_param" text,
	"key" text collate "C",
	"has_idempotency_key" boolean NOT NULL,
	"replayed" boolean NOT NULL,
	"duration_ms" integer NOT NULL,
	"body" jsonb,
	CONSTRAINT "request_workspace_id_pk" PRIMARY KEY("workspace","id")
) PARTITION BY RANGE ("id");
--> statement-breakpoint
CREATE INDEX "request_resource" ON "request" USING btree ("workspace","resource","id") WHERE resource is not null;--> statement-breakpoint
CREATE INDEX "request_refused" ON "request" USING btree ("workspace","status","id") WHERE status >= 400;--> statement-breakpoint
-- Each day's partition is in here, where nobody but the owner looks: rows are reached by "request" and its row security alone.
create schema request_partition;--> statement-breakpoint
-- Row security, as of every other table (0001_guards); but one statement writes what requests of several workspaces left.
alter table request enable row level security;--> statement-breakpoint
create policy own_workspace on request for select using (workspace = current_setting('vinr.workspace', true));--> statement-breakpoint
create policy any_workspace on request for insert with check (true);--> statement-breakpoint
comment on table request is 'Requests that were answered, without what is secret or personal; a partition each day (UTC), dropped after REQUEST_LOG_DAYS.';
