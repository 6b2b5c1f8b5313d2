CREATE TABLE "event_type" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"name" text NOT NULL,
	"description" text,
	"version" integer DEFAULT 1 NOT NULL,
	"schema" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "event_type_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "event_type_version" (
	"workspace" text collate "C" NOT NULL,
	"event_type" text collate "C" NOT NULL,
	"version" integer NOT NULL,
	"schema" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "event_type_version_workspace_event_type_version_pk" PRIMARY KEY("workspace","event_type","version")
);
--> statement-breakpoint
CREATE TABLE "reactor" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"name" text NOT NULL,
	"trigger" text NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"conditions" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"reactions" jsonb NOT NULL,
	"limits" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"position" integer DEFAULT 0 NOT NULL,
	"starts_at" timestamp with time zone,
	"ends_at" timestamp with time zone,
	"active" boolean DEFAULT true NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "reactor_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "reactor_activation" (
	"workspace" text collate "C" NOT NULL,
	"event" text collate "C" NOT NULL,
	"reactor" text collate "C" NOT NULL,
	"account" text collate "C" NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "reactor_activation_workspace_event_reactor_pk" PRIMARY KEY("workspace","event","reactor")
);
--> statement-breakpoint
CREATE TABLE "reported_event" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"event_id" text NOT NULL,
	"fingerprint" text NOT NULL,
	"type" text NOT NULL,
	"type_version" integer NOT NULL,
	"account" text collate "C" NOT NULL,
	"program" text collate "C" NOT NULL,
	"user_id" text NOT NULL,
	"is_strict" boolean NOT NULL,
	"outcomes" jsonb NOT NULL,
	"points" bigint NOT NULL,
	"balance_after" bigint NOT NULL,
	"occurred_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"reverses" text,
	"undone" jsonb,
	"redemption" text collate "C",
	CONSTRAINT "reported_event_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "member_identity" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"account" text collate "C" NOT NULL,
	"kind" text NOT NULL,
	"value" text collate "C" NOT NULL,
	"label" text,
	"last_step" bigint,
	"last_by" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "member_identity_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "member_pepper" (
	"workspace" text collate "C" PRIMARY KEY NOT NULL,
	"pepper" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "settings" (
	"workspace" text collate "C" PRIMARY KEY NOT NULL,
	"entries" jsonb NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "member_identity" ADD CONSTRAINT "member_identity_workspace_account_account_workspace_id_fk" FOREIGN KEY ("workspace","account") REFERENCES "public"."account"("workspace","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "event_type_name" ON "event_type" USING btree ("workspace","name");--> statement-breakpoint
CREATE INDEX "reactor_by_trigger" ON "reactor" USING btree ("workspace","trigger") WHERE deleted_at is null;--> statement-breakpoint
CREATE INDEX "reactor_activation_of_account" ON "reactor_activation" USING btree ("workspace","reactor","account","at");--> statement-breakpoint
CREATE INDEX "reactor_activation_at" ON "reactor_activation" USING btree ("workspace","reactor","at");--> statement-breakpoint
CREATE UNIQUE INDEX "reported_event_reversal" ON "reported_event" USING btree ("workspace","reverses") WHERE reverses is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "reported_event_once" ON "reported_event" USING btree ("workspace","event_id");--> statement-breakpoint
CREATE INDEX "reported_event_of_account" ON "reported_event" USING btree ("workspace","account","id");--> statement-breakpoint
CREATE UNIQUE INDEX "member_identity_live" ON "member_identity" USING btree ("workspace","kind","value") WHERE revoked_at is null;--> statement-breakpoint
CREATE INDEX "member_identity_of_account" ON "member_identity" USING btree ("workspace","account","id");