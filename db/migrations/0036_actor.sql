ALTER TABLE "bulk" ADD COLUMN "actor" jsonb DEFAULT nullif(current_setting('vinr.actor', true), '')::jsonb;--> statement-breakpoint
ALTER TABLE "credit_transaction" ADD COLUMN "actor" jsonb DEFAULT nullif(current_setting('vinr.actor', true), '')::jsonb;--> statement-breakpoint
ALTER TABLE "event" ADD COLUMN "actor" jsonb DEFAULT nullif(current_setting('vinr.actor', true), '')::jsonb;--> statement-breakpoint
ALTER TABLE "ptx" ADD COLUMN "actor" jsonb DEFAULT nullif(current_setting('vinr.actor', true), '')::jsonb;