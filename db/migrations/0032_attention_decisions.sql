DROP INDEX "attention_open";--> statement-breakpoint
ALTER TABLE "attention" ADD COLUMN "snoozed_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "attention" ADD COLUMN "decision" jsonb;--> statement-breakpoint
CREATE INDEX "attention_open_of_kind" ON "attention" USING btree ("workspace","kind",(coalesce(snoozed_until, since)),"id") WHERE settled_at is null;--> statement-breakpoint
CREATE INDEX "attention_settled" ON "attention" USING btree ("workspace","settled_at","id") WHERE settled_at is not null;--> statement-breakpoint
CREATE INDEX "attention_open" ON "attention" USING btree ("workspace",(coalesce(snoozed_until, since)),"id") WHERE settled_at is null;--> statement-breakpoint
-- What already waits for a person, by the kinds that were not noted before.
insert into attention (workspace, id, kind, object, key, details, since, last_at)
select waiting.workspace,
  'att_' || lpad(to_hex((extract(epoch from clock_timestamp()) * 1000000)::bigint + row_number() over ()), 13, '0')
    || left(md5(random()::text), 9),
  waiting.kind, waiting.object, waiting.object, waiting.details, waiting.since, waiting.since
from (
  select workspace, 'late_payment' as kind, id as object,
    jsonb_build_object('payment', late_payment ->> 'payment', 'account', account) as details,
    (late_payment ->> 'at')::timestamptz as since
  from redemption where late_payment ->> 'outcome' = 'flagged'
  union all
  select workspace, 'fulfillment_overdue', id, jsonb_build_object('account', account, 'reward', reward),
    coalesce((fulfillment ->> 'deadline')::timestamptz, overdue_at, created_at)
  from redemption where status = 'fulfillment_pending' and fulfillment ? 'overdue_notices'
  union all
  select workspace, 'webhook_endpoint_failing', id, '{}', failing_since
  from webhook_endpoint where status = 'enabled' and deleted_at is null and failing_since is not null
  union all
  select workspace, 'webhook_endpoint_disabled', id, jsonb_build_object('reason', disabled_reason),
    coalesce(subscribed_until, last_failure_at, created_at)
  from webhook_endpoint
  where status = 'disabled' and deleted_at is null and disabled_reason in ('gone', 'failing')
  union all
  select workspace, 'code_pool_low', id, jsonb_build_object('low_at', low_at), low_since
  from code_pool where low_since is not null
) waiting
on conflict do nothing;
