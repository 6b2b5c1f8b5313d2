ALTER TABLE "reactor_activation" ADD COLUMN "received_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "reactor_activation_received_of_account" ON "reactor_activation" USING btree ("workspace","reactor","account","received_at") WHERE received_at is not null;--> statement-breakpoint
CREATE INDEX "reactor_activation_received" ON "reactor_activation" USING btree ("workspace","reactor","received_at") WHERE received_at is not null;--> statement-breakpoint
comment on column reactor_activation.received_at is 'When the event was received, where the till said that it happened at another time; limits count both.';--> statement-breakpoint
-- What is there says when it happened; its event says when it was received.
alter table reactor_activation disable trigger reactor_activation_append_only;--> statement-breakpoint
update reactor_activation a set received_at = e.created_at from reported_event e
where e.workspace = a.workspace and e.id = a.event and e.created_at <> a.at;--> statement-breakpoint
alter table reactor_activation enable trigger reactor_activation_append_only;
