ALTER TABLE "redemption" ADD COLUMN "reversed_quantity" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "redemption" ADD COLUMN "overdue_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "redemption" ADD COLUMN "payment_unaffected" jsonb;--> statement-breakpoint
CREATE INDEX "redemption_overdue" ON "redemption" USING btree ("overdue_at") WHERE status = 'fulfillment_pending';--> statement-breakpoint
ALTER TABLE "redemption" ADD CONSTRAINT "redemption_returned_within" CHECK (reversed_quantity between 0 and quantity);