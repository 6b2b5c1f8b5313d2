CREATE TABLE "attempt" (
	"key" text PRIMARY KEY NOT NULL,
	"level" double precision NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"next_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "credential" (
	"user_id" text collate "C" PRIMARY KEY NOT NULL,
	"password_hash" text NOT NULL,
	"changed_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "known_device" (
	"user_id" text collate "C" NOT NULL,
	"hash" text NOT NULL,
	"last_at" timestamp with time zone NOT NULL,
	CONSTRAINT "known_device_user_id_hash_pk" PRIMARY KEY("user_id","hash")
);
--> statement-breakpoint
CREATE TABLE "membership" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"user_id" text collate "C" NOT NULL,
	"role" text NOT NULL,
	"status" text NOT NULL,
	"invited_by" jsonb,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"removed_at" timestamp with time zone,
	CONSTRAINT "membership_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "oidc_identity" (
	"issuer" text NOT NULL,
	"subject" text NOT NULL,
	"user_id" text collate "C" NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "oidc_identity_issuer_subject_pk" PRIMARY KEY("issuer","subject")
);
--> statement-breakpoint
CREATE TABLE "one_time_token" (
	"hash" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"user_id" text collate "C" NOT NULL,
	"workspace" text collate "C",
	"membership" text collate "C",
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "session" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"user_id" text collate "C" NOT NULL,
	"hash" text NOT NULL,
	"user_agent" text,
	"created_at" timestamp with time zone NOT NULL,
	"seen_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "team_member" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"name" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "credential" ADD CONSTRAINT "credential_user_id_team_member_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."team_member"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "known_device" ADD CONSTRAINT "known_device_user_id_team_member_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."team_member"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "membership" ADD CONSTRAINT "membership_workspace_workspace_id_fk" FOREIGN KEY ("workspace") REFERENCES "public"."workspace"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "membership" ADD CONSTRAINT "membership_user_id_team_member_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."team_member"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "oidc_identity" ADD CONSTRAINT "oidc_identity_user_id_team_member_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."team_member"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "one_time_token" ADD CONSTRAINT "one_time_token_user_id_team_member_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."team_member"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "session" ADD CONSTRAINT "session_user_id_team_member_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."team_member"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "attempt_at" ON "attempt" USING btree ("at");--> statement-breakpoint
CREATE UNIQUE INDEX "membership_user" ON "membership" USING btree ("user_id","workspace") WHERE removed_at is null;--> statement-breakpoint
CREATE INDEX "one_time_token_user" ON "one_time_token" USING btree ("user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "session_hash" ON "session" USING btree ("hash");--> statement-breakpoint
CREATE INDEX "session_user" ON "session" USING btree ("user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "team_member_email" ON "team_member" USING btree ("email");--> statement-breakpoint
-- Row security. A membership is its workspace's; a person is seen by the workspaces that they are of. Everything
-- else of people belongs to no workspace: it has no policy, so that only functions of the owner reach it.
alter table membership enable row level security;--> statement-breakpoint
create policy own_workspace on membership
  using (workspace = current_setting('vinr.workspace', true))
  with check (workspace = current_setting('vinr.workspace', true));--> statement-breakpoint
alter table team_member enable row level security;--> statement-breakpoint
create policy of_own_workspace on team_member for select using (exists (
  select from membership where membership.user_id = team_member.id
    and membership.workspace = current_setting('vinr.workspace', true)));--> statement-breakpoint
alter table credential enable row level security;--> statement-breakpoint
alter table oidc_identity enable row level security;--> statement-breakpoint
alter table session enable row level security;--> statement-breakpoint
alter table one_time_token enable row level security;--> statement-breakpoint
alter table known_device enable row level security;--> statement-breakpoint
alter table attempt enable row level security;--> statement-breakpoint
comment on table team_member is 'A person who signs in, of no workspace; memberships say of which.';--> statement-breakpoint
comment on table membership is 'A person in a workspace, with their role there. Removed ones stay.';--> statement-breakpoint
comment on table credential is 'The argon2id hash of a person''s password. No role but the owner''s functions reads it.';--> statement-breakpoint
comment on table oidc_identity is 'Who a person is at an OpenID provider.';--> statement-breakpoint
comment on table session is 'A person who is signed in, by the hash of their cookie.';--> statement-breakpoint
comment on table one_time_token is 'What an invitation, a reset or a first sign-in is redeemed with, once, by its hash.';--> statement-breakpoint
comment on table known_device is 'A browser that a person has signed in with before, by the hash of its cookie.';--> statement-breakpoint
comment on table attempt is 'How often something failed lately, of all processes together.';
