ALTER TABLE "api_key" ADD COLUMN "name" text;--> statement-breakpoint
ALTER TABLE "api_key" ADD COLUMN "prefix" text;--> statement-breakpoint
ALTER TABLE "api_key" ADD COLUMN "scopes" text[] DEFAULT '{"*"}' NOT NULL;--> statement-breakpoint
ALTER TABLE "api_key" ADD COLUMN "created_by" jsonb;--> statement-breakpoint
ALTER TABLE "api_key" ADD COLUMN "last_used_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "api_key" ADD COLUMN "previous_hash" text;--> statement-breakpoint
ALTER TABLE "api_key" ADD COLUMN "previous_expires_at" timestamp with time zone;--> statement-breakpoint
CREATE UNIQUE INDEX "api_key_previous_hash" ON "api_key" USING btree ("previous_hash");