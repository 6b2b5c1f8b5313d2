CREATE TABLE "backfill" (
	"store" text PRIMARY KEY NOT NULL,
	"through" text[] DEFAULT '{"","",""}' NOT NULL,
	"seen" bigint DEFAULT 0 NOT NULL,
	"changed" bigint DEFAULT 0 NOT NULL,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "inbox" ADD COLUMN "fingerprint" text;--> statement-breakpoint
CREATE INDEX "inbox_payload_age" ON "inbox" USING btree ("received_at") WHERE payload <> '{}' and payload <> '{"erased": true}';--> statement-breakpoint
alter table backfill enable row level security;--> statement-breakpoint
comment on table backfill is 'How far rows from before are brought in line, store by store.';--> statement-breakpoint
insert into backfill (store) values ('events'), ('inbox'), ('attention');
