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
ALTER TABLE "reported_event" ADD COLUMN "reverses" text;--> statement-breakpoint
ALTER TABLE "reported_event" ADD COLUMN "undone" jsonb;--> statement-breakpoint
ALTER TABLE "reported_event" ADD COLUMN "redemption" text collate "C";--> statement-breakpoint
ALTER TABLE "member_identity" ADD CONSTRAINT "member_identity_workspace_account_account_workspace_id_fk" FOREIGN KEY ("workspace","account") REFERENCES "public"."account"("workspace","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "member_identity_live" ON "member_identity" USING btree ("workspace","kind","value") WHERE revoked_at is null;--> statement-breakpoint
CREATE INDEX "member_identity_of_account" ON "member_identity" USING btree ("workspace","account","id");--> statement-breakpoint
CREATE UNIQUE INDEX "reported_event_reversal" ON "reported_event" USING btree ("workspace","reverses") WHERE reverses is not null;