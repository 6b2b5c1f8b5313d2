DROP INDEX "workflow_outbox_due";--> statement-breakpoint
CREATE INDEX "workflow_outbox_due" ON "workflow_outbox" USING btree ((case when change = 'ended' then 1 else 0 end),"next_attempt_at");