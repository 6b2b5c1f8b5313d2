ALTER TABLE "earning" ADD COLUMN "tier" text;--> statement-breakpoint
ALTER TABLE "earning" ADD COLUMN "rounding" text;--> statement-breakpoint
ALTER TABLE "earning" ADD COLUMN "uncapped" bigint;--> statement-breakpoint
ALTER TABLE "earning" ADD COLUMN "cap_left" bigint;--> statement-breakpoint
ALTER TABLE "payment" ADD COLUMN "judged_at" timestamp with time zone;