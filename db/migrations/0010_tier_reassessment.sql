CREATE TABLE "tier_reassessment" (
	"workspace" text collate "C" NOT NULL,
	"program" text collate "C" NOT NULL,
	"revision" integer DEFAULT 1 NOT NULL,
	"through" text collate "C" DEFAULT '' NOT NULL,
	"judged" bigint DEFAULT 0 NOT NULL,
	"progressed_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "tier_reassessment_workspace_program_pk" PRIMARY KEY("workspace","program")
);
--> statement-breakpoint
CREATE INDEX "tier_reassessment_open" ON "tier_reassessment" USING btree ("progressed_at") WHERE "tier_reassessment"."ended_at" is null;