CREATE INDEX "account_tier_reviews" ON "account" USING btree ("workspace","tier_review_at","id") WHERE tier_review_at is not null;--> statement-breakpoint
CREATE INDEX "account_expiry_checks" ON "account" USING btree ("workspace","expiry_wake_at","id") WHERE expiry_wake_at is not null and merged_into is null;--> statement-breakpoint
CREATE INDEX "earning_maturing" ON "earning" USING btree ("workspace","matures_at","id") WHERE outcome = 'pending';--> statement-breakpoint
CREATE INDEX "payment_expiries" ON "payment" USING btree ("workspace","expires_at","id") WHERE expires_at is not null and status in ('requires_payment', 'processing');--> statement-breakpoint
CREATE INDEX "payment_open_of_customer" ON "payment" USING btree ("workspace","customer") WHERE expires_at is not null and status in ('requires_payment', 'processing');--> statement-breakpoint
CREATE INDEX "redemption_releases" ON "redemption" USING btree ("workspace","expires_at","id") WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX "redemption_deadlines" ON "redemption" USING btree ("workspace","overdue_at","id") WHERE status = 'fulfillment_pending';--> statement-breakpoint
CREATE INDEX "redemption_waiting" ON "redemption" USING btree ("workspace","account") WHERE status in ('pending', 'fulfillment_pending');