ALTER TABLE "payment" ADD COLUMN "invoice" text collate "C";--> statement-breakpoint
CREATE INDEX "inbox_of_trigger" ON "inbox" USING btree ("workspace","payment") WHERE facts is not null;--> statement-breakpoint
CREATE INDEX "payment_of_invoice" ON "payment" USING btree ("workspace","invoice") WHERE invoice is not null;