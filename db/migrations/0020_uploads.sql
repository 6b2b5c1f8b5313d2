CREATE TABLE "bulk_upload" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"opened_at" timestamp with time zone NOT NULL,
	"alive_at" timestamp with time zone NOT NULL,
	CONSTRAINT "bulk_upload_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE INDEX "bulk_upload_alive" ON "bulk_upload" USING btree ("alive_at");--> statement-breakpoint
-- Row security, as of every other table (0001_guards).
alter table bulk_upload enable row level security;--> statement-breakpoint
create policy own_workspace on bulk_upload
  using (workspace = current_setting('vinr.workspace', true))
  with check (workspace = current_setting('vinr.workspace', true));--> statement-breakpoint
comment on table bulk_upload is 'Files of imports that are being read; their checked chunks are in bulk_chunk under this id until they are an import''s.';
