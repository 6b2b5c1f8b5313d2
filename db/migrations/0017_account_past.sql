ALTER TABLE "account" ADD COLUMN "former_customers" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "account" ADD COLUMN "deficit_to" text collate "C";--> statement-breakpoint
ALTER TABLE "account" ADD COLUMN "enrolled_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "account_by_former_customer" ON "account" USING gin ("former_customers");