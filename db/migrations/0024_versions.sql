CREATE TABLE "program_version" (
	"workspace" text collate "C" NOT NULL,
	"program" text collate "C" NOT NULL,
	"valid_from" timestamp with time zone NOT NULL,
	"data" jsonb NOT NULL,
	CONSTRAINT "program_version_workspace_program_valid_from_pk" PRIMARY KEY("workspace","program","valid_from")
);
--> statement-breakpoint
CREATE TABLE "rule_version" (
	"workspace" text collate "C" NOT NULL,
	"rule" text collate "C" NOT NULL,
	"valid_from" timestamp with time zone NOT NULL,
	"data" jsonb NOT NULL,
	CONSTRAINT "rule_version_workspace_rule_valid_from_pk" PRIMARY KEY("workspace","rule","valid_from")
);
