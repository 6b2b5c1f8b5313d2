CREATE TABLE "account" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"program" text collate "C" NOT NULL,
	"customer" text,
	"status" text DEFAULT 'active' NOT NULL,
	"balance" bigint DEFAULT 0 NOT NULL,
	"lifetime_points" bigint DEFAULT 0 NOT NULL,
	"tier" text,
	"tier_since" timestamp with time zone,
	"tier_review_at" timestamp with time zone,
	"tier_review_armed_at" timestamp with time zone,
	"merged_into" text collate "C",
	"lots_due_from" timestamp with time zone,
	"activity_extends_to" timestamp with time zone,
	"expiry_wake_at" timestamp with time zone,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "account_workspace_id_pk" PRIMARY KEY("workspace","id"),
	CONSTRAINT "account_balance_safe" CHECK (balance between -9007199254740991 and 9007199254740991)
);
--> statement-breakpoint
CREATE TABLE "lot" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"account" text collate "C" NOT NULL,
	"points" bigint NOT NULL,
	"remaining" bigint NOT NULL,
	"open" boolean GENERATED ALWAYS AS (remaining > 0) STORED NOT NULL,
	"earned_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone,
	"extends_with_activity" boolean DEFAULT false NOT NULL,
	CONSTRAINT "lot_workspace_id_pk" PRIMARY KEY("workspace","id"),
	CONSTRAINT "lot_remaining_within" CHECK (remaining >= 0 and remaining <= points)
);
--> statement-breakpoint
CREATE TABLE "bulk" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"kind" text NOT NULL,
	"batch" text NOT NULL,
	"status" text DEFAULT 'running' NOT NULL,
	"total" integer NOT NULL,
	"posted" integer DEFAULT 0 NOT NULL,
	"refused" integer DEFAULT 0 NOT NULL,
	"refusals" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"cursor" text,
	"fingerprint" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"progressed_at" timestamp with time zone NOT NULL,
	"completed_at" timestamp with time zone,
	CONSTRAINT "bulk_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "bulk_chunk" (
	"workspace" text collate "C" NOT NULL,
	"bulk" text collate "C" NOT NULL,
	"no" integer NOT NULL,
	"rows" jsonb NOT NULL,
	"posted_at" timestamp with time zone,
	CONSTRAINT "bulk_chunk_workspace_bulk_no_pk" PRIMARY KEY("workspace","bulk","no")
);
--> statement-breakpoint
CREATE TABLE "clawback" (
	"workspace" text collate "C" NOT NULL,
	"earning" text collate "C" NOT NULL,
	"refund" text collate "C" NOT NULL,
	"taken" bigint NOT NULL,
	"shrunk" bigint NOT NULL,
	"expired" bigint NOT NULL,
	"forgiven" bigint NOT NULL,
	"transaction" text collate "C",
	"undone" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "clawback_workspace_earning_refund_pk" PRIMARY KEY("workspace","earning","refund"),
	CONSTRAINT "clawback_share" CHECK (least(taken, shrunk, expired, forgiven) >= 0)
);
--> statement-breakpoint
CREATE TABLE "earning" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"source" text collate "C" NOT NULL,
	"payment" text collate "C",
	"rule" text collate "C" NOT NULL,
	"account" text collate "C" NOT NULL,
	"program" text collate "C" NOT NULL,
	"outcome" text NOT NULL,
	"reason" text,
	"points" bigint NOT NULL,
	"clawed" bigint DEFAULT 0 NOT NULL,
	"terms" jsonb NOT NULL,
	"ptx_source" jsonb NOT NULL,
	"earned_on" timestamp with time zone NOT NULL,
	"matures_at" timestamp with time zone,
	"transaction" text collate "C",
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "earning_workspace_id_pk" PRIMARY KEY("workspace","id"),
	CONSTRAINT "earning_clawed_within" CHECK (points >= 0 and clawed between 0 and points)
);
--> statement-breakpoint
CREATE TABLE "earning_rule" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"program" text collate "C" NOT NULL,
	"name" text,
	"trigger" text DEFAULT 'payment.completed' NOT NULL,
	"award" jsonb NOT NULL,
	"multiplier" numeric DEFAULT 1 NOT NULL,
	"cap" jsonb,
	"conditions" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"pending_days" numeric DEFAULT 0 NOT NULL,
	"starts_at" timestamp with time zone,
	"ends_at" timestamp with time zone,
	"active" boolean DEFAULT true NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "earning_rule_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "expiry_warning" (
	"workspace" text collate "C" NOT NULL,
	"account" text collate "C" NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"points" bigint NOT NULL,
	"warned_at" timestamp with time zone NOT NULL,
	CONSTRAINT "expiry_warning_workspace_account_expires_at_pk" PRIMARY KEY("workspace","account","expires_at")
);
--> statement-breakpoint
CREATE TABLE "ledger_rollup" (
	"id" integer PRIMARY KEY NOT NULL,
	"through" timestamp with time zone NOT NULL,
	"noted_at" timestamp with time zone,
	"noted_xid" text
);
--> statement-breakpoint
CREATE TABLE "ledger_total" (
	"workspace" text collate "C" NOT NULL,
	"program" text collate "C" NOT NULL,
	"day" date NOT NULL,
	"part" text NOT NULL,
	"amount" bigint NOT NULL,
	"rows" integer NOT NULL,
	CONSTRAINT "ledger_total_workspace_program_day_part_pk" PRIMARY KEY("workspace","program","day","part")
);
--> statement-breakpoint
CREATE TABLE "point_value" (
	"workspace" text collate "C" NOT NULL,
	"program" text collate "C" NOT NULL,
	"from" timestamp with time zone NOT NULL,
	"value" numeric NOT NULL,
	"currency" text NOT NULL,
	CONSTRAINT "point_value_workspace_program_from_pk" PRIMARY KEY("workspace","program","from")
);
--> statement-breakpoint
CREATE TABLE "inbox" (
	"workspace" text collate "C" NOT NULL,
	"id" text NOT NULL,
	"provider" text NOT NULL,
	"type" text NOT NULL,
	"payment" text collate "C",
	"payload" jsonb NOT NULL,
	"facts" jsonb,
	"received_at" timestamp with time zone NOT NULL,
	"processed_at" timestamp with time zone,
	CONSTRAINT "inbox_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "payment" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"provider" text NOT NULL,
	"status" text NOT NULL,
	"amount" bigint NOT NULL,
	"amount_charged" bigint NOT NULL,
	"amount_refunded" bigint DEFAULT 0 NOT NULL,
	"currency" text NOT NULL,
	"customer" text,
	"discounts" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"refunds" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"disputes" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"award" text,
	"refused_discounts" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"awaits_confirmation" boolean DEFAULT false NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"completed_at" timestamp with time zone,
	"expires_at" timestamp with time zone,
	CONSTRAINT "payment_workspace_id_pk" PRIMARY KEY("workspace","id"),
	CONSTRAINT "payment_charge_positive" CHECK (amount >= 0 and amount_charged >= 0)
);
--> statement-breakpoint
CREATE TABLE "refund" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"payment" text collate "C" NOT NULL,
	"amount" bigint NOT NULL,
	"status" text DEFAULT 'succeeded' NOT NULL,
	"kind" text DEFAULT 'refund' NOT NULL,
	"return_redemption" boolean DEFAULT false NOT NULL,
	"reason" text,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "refund_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "program" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"name" text NOT NULL,
	"currency_name" text DEFAULT 'Points' NOT NULL,
	"currency_code" text DEFAULT 'EUR' NOT NULL,
	"point_value" numeric DEFAULT 1 NOT NULL,
	"rounding" text DEFAULT 'down' NOT NULL,
	"decimals" integer DEFAULT 0 NOT NULL,
	"expiry_mode" text DEFAULT 'never' NOT NULL,
	"expiry_months" integer,
	"expiry_fixed_date" text,
	"expiry_reset_on_activity" boolean DEFAULT false NOT NULL,
	"expiry_warn_days_before" integer,
	"expiry_time_zone" text DEFAULT 'UTC' NOT NULL,
	"expiry_round_to" text DEFAULT 'day' NOT NULL,
	"clawback_allow_negative" boolean DEFAULT true NOT NULL,
	"auto_enroll" boolean DEFAULT false NOT NULL,
	"hold_minutes" numeric,
	"late_payment" text DEFAULT 'flag' NOT NULL,
	"expired_return" text DEFAULT 'restore' NOT NULL,
	"grace_days" integer DEFAULT 30 NOT NULL,
	"tier_config" jsonb,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "program_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "redemption" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"account" text collate "C" NOT NULL,
	"reward" text collate "C" NOT NULL,
	"program" text collate "C" NOT NULL,
	"status" text NOT NULL,
	"points" bigint NOT NULL,
	"reversed_points" bigint DEFAULT 0 NOT NULL,
	"quantity" integer NOT NULL,
	"discount" jsonb,
	"code" text,
	"fulfillment" jsonb,
	"credit" jsonb,
	"payment" text collate "C",
	"transaction" text collate "C" NOT NULL,
	"expires_at" timestamp with time zone,
	"applied_at" timestamp with time zone,
	"released_at" timestamp with time zone,
	"fulfilled_at" timestamp with time zone,
	"reversed_at" timestamp with time zone,
	"reason" text,
	"late_payment" jsonb,
	"fingerprint" text NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "redemption_workspace_id_pk" PRIMARY KEY("workspace","id"),
	CONSTRAINT "redemption_reversed_within" CHECK (reversed_points between 0 and points)
);
--> statement-breakpoint
CREATE TABLE "redemption_message" (
	"workspace" text collate "C" NOT NULL,
	"operation" text NOT NULL,
	"redemption" text collate "C" NOT NULL,
	"kind" text NOT NULL,
	"fingerprint" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "redemption_message_workspace_operation_pk" PRIMARY KEY("workspace","operation")
);
--> statement-breakpoint
CREATE TABLE "reward" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"program" text collate "C" NOT NULL,
	"name" text NOT NULL,
	"type" text NOT NULL,
	"cost" bigint NOT NULL,
	"value" jsonb NOT NULL,
	"active" boolean DEFAULT true NOT NULL,
	"inventory" integer,
	"starts_at" timestamp with time zone,
	"ends_at" timestamp with time zone,
	"per_member_limit" integer,
	"min_tier" text,
	"hold_minutes" numeric,
	"fulfillment" jsonb,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "reward_workspace_id_pk" PRIMARY KEY("workspace","id"),
	CONSTRAINT "reward_cost_positive" CHECK (cost > 0),
	CONSTRAINT "reward_inventory_counts" CHECK (inventory >= 0)
);
--> statement-breakpoint
CREATE TABLE "tier_change" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"account" text collate "C" NOT NULL,
	"from_tier" text,
	"to_tier" text,
	"reason" text NOT NULL,
	"note" text,
	"qualifying" bigint,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "tier_change_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "tier_spend" (
	"workspace" text collate "C" NOT NULL,
	"program" text collate "C" NOT NULL,
	"payment" text collate "C" NOT NULL,
	"account" text collate "C" NOT NULL,
	"amount" bigint NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "tier_spend_workspace_program_payment_pk" PRIMARY KEY("workspace","program","payment")
);
--> statement-breakpoint
CREATE TABLE "allocation" (
	"workspace" text collate "C" NOT NULL,
	"debit" text collate "C" NOT NULL,
	"lot" text collate "C" NOT NULL,
	"cause" text collate "C" NOT NULL,
	"amount" bigint NOT NULL,
	CONSTRAINT "allocation_workspace_debit_lot_cause_pk" PRIMARY KEY("workspace","debit","lot","cause")
);
--> statement-breakpoint
CREATE TABLE "event" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"type" text NOT NULL,
	"object" text collate "C" NOT NULL,
	"data" jsonb,
	"previous" jsonb,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "event_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "ptx" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"account" text collate "C" NOT NULL,
	"program" text collate "C" NOT NULL,
	"type" text NOT NULL,
	"amount" bigint NOT NULL,
	"balance_after" bigint NOT NULL,
	"reason" text,
	"operation" text NOT NULL,
	"fingerprint" text,
	"redemption" text collate "C",
	"payment" text collate "C",
	"refund" text collate "C",
	"source" jsonb,
	"reverses" text collate "C",
	"batch" text,
	"expires_at" timestamp with time zone,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "ptx_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "webhook_delivery" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"endpoint" text collate "C" NOT NULL,
	"event" text collate "C" NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone,
	"attempts" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"operation" text,
	"created_at" timestamp with time zone NOT NULL,
	"settled_at" timestamp with time zone,
	CONSTRAINT "webhook_delivery_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "webhook_endpoint" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"url" text NOT NULL,
	"enabled_events" text[] NOT NULL,
	"description" text,
	"status" text DEFAULT 'enabled' NOT NULL,
	"disabled_reason" text,
	"secret" text NOT NULL,
	"previous_secret" text,
	"previous_secret_expires_at" timestamp with time zone,
	"busy_until" timestamp with time zone,
	"failing_since" timestamp with time zone,
	"last_success_at" timestamp with time zone,
	"last_failure_at" timestamp with time zone,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "webhook_endpoint_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "api_key" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"hash" text NOT NULL,
	"kind" text NOT NULL,
	"last4" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "api_key_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "idempotency_key" (
	"workspace" text collate "C" NOT NULL,
	"route" text NOT NULL,
	"key" text NOT NULL,
	"fingerprint" text NOT NULL,
	"resource" text collate "C" NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "idempotency_key_workspace_route_key_pk" PRIMARY KEY("workspace","route","key")
);
--> statement-breakpoint
CREATE TABLE "payment_secret" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"provider" text NOT NULL,
	"secret" text NOT NULL,
	"mapping" jsonb,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "payment_secret_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "workspace" (
	"id" text collate "C" PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"livemode" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "account" ADD CONSTRAINT "account_workspace_program_program_workspace_id_fk" FOREIGN KEY ("workspace","program") REFERENCES "public"."program"("workspace","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "redemption" ADD CONSTRAINT "redemption_workspace_account_account_workspace_id_fk" FOREIGN KEY ("workspace","account") REFERENCES "public"."account"("workspace","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "redemption" ADD CONSTRAINT "redemption_workspace_reward_reward_workspace_id_fk" FOREIGN KEY ("workspace","reward") REFERENCES "public"."reward"("workspace","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "reward" ADD CONSTRAINT "reward_workspace_program_program_workspace_id_fk" FOREIGN KEY ("workspace","program") REFERENCES "public"."program"("workspace","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_key" ADD CONSTRAINT "api_key_workspace_workspace_id_fk" FOREIGN KEY ("workspace") REFERENCES "public"."workspace"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payment_secret" ADD CONSTRAINT "payment_secret_workspace_workspace_id_fk" FOREIGN KEY ("workspace") REFERENCES "public"."workspace"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "account_one_active_per_customer" ON "account" USING btree ("workspace","program","customer") WHERE status = 'active' and customer is not null;--> statement-breakpoint
CREATE INDEX "account_by_customer" ON "account" USING btree ("workspace","customer") WHERE customer is not null;--> statement-breakpoint
CREATE INDEX "account_newest" ON "account" USING btree ("workspace","created_at","id");--> statement-breakpoint
CREATE INDEX "account_inactive" ON "account" USING btree ("workspace","status","created_at","id") WHERE status <> 'active';--> statement-breakpoint
CREATE INDEX "account_expiry_wake" ON "account" USING btree ("expiry_wake_at") WHERE expiry_wake_at is not null;--> statement-breakpoint
CREATE INDEX "account_merged_into" ON "account" USING btree ("workspace","merged_into") WHERE merged_into is not null;--> statement-breakpoint
CREATE INDEX "account_metadata" ON "account" USING gin ("metadata" jsonb_path_ops);--> statement-breakpoint
CREATE INDEX "account_tier_review" ON "account" USING btree ("tier_review_at") WHERE tier_review_at is not null;--> statement-breakpoint
CREATE INDEX "account_tier_unarmed" ON "account" USING btree ("tier_review_at") WHERE tier_review_at is not null and tier_review_armed_at is distinct from tier_review_at;--> statement-breakpoint
CREATE INDEX "lot_oldest_open" ON "lot" USING btree ("workspace","account","earned_at","id") WHERE open;--> statement-breakpoint
CREATE INDEX "lot_due" ON "lot" USING btree ("workspace","account","expires_at") WHERE open and expires_at is not null;--> statement-breakpoint
CREATE INDEX "bulk_newest" ON "bulk" USING btree ("workspace","created_at","id");--> statement-breakpoint
CREATE INDEX "bulk_batch" ON "bulk" USING btree ("workspace","batch");--> statement-breakpoint
CREATE UNIQUE INDEX "earning_once" ON "earning" USING btree ("workspace","source","rule","account");--> statement-breakpoint
CREATE INDEX "earning_of_payment" ON "earning" USING btree ("workspace","payment") WHERE payment is not null;--> statement-breakpoint
CREATE INDEX "earning_of_account" ON "earning" USING btree ("workspace","account","rule","earned_on");--> statement-breakpoint
CREATE INDEX "earning_waiting" ON "earning" USING btree ("workspace","account") WHERE outcome = 'pending';--> statement-breakpoint
CREATE INDEX "earning_pending" ON "earning" USING btree ("matures_at") WHERE outcome = 'pending';--> statement-breakpoint
CREATE INDEX "earning_rule_by_trigger" ON "earning_rule" USING btree ("workspace","program","trigger") WHERE active;--> statement-breakpoint
CREATE INDEX "expiry_warning_age" ON "expiry_warning" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "inbox_waiting" ON "inbox" USING btree ("workspace","payment") WHERE processed_at is null;--> statement-breakpoint
CREATE INDEX "inbox_age" ON "inbox" USING btree ("received_at") WHERE processed_at is null;--> statement-breakpoint
CREATE INDEX "payment_newest" ON "payment" USING btree ("workspace","created_at","id");--> statement-breakpoint
CREATE INDEX "payment_of_customer" ON "payment" USING btree ("workspace","customer","created_at") WHERE customer is not null;--> statement-breakpoint
CREATE INDEX "payment_open" ON "payment" USING btree ("expires_at") WHERE expires_at is not null and status in ('requires_payment', 'processing');--> statement-breakpoint
CREATE INDEX "refund_of_payment" ON "refund" USING btree ("workspace","payment");--> statement-breakpoint
CREATE INDEX "refund_newest" ON "refund" USING btree ("workspace","created_at","id");--> statement-breakpoint
CREATE INDEX "redemption_newest" ON "redemption" USING btree ("workspace","created_at","id");--> statement-breakpoint
CREATE INDEX "redemption_of_account" ON "redemption" USING btree ("workspace","account","created_at","id");--> statement-breakpoint
CREATE INDEX "redemption_of_payment" ON "redemption" USING btree ("workspace","payment") WHERE payment is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "redemption_code" ON "redemption" USING btree ("workspace","code") WHERE code is not null;--> statement-breakpoint
CREATE INDEX "redemption_deadline" ON "redemption" USING btree ("expires_at") WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX "reward_newest" ON "reward" USING btree ("workspace","created_at","id");--> statement-breakpoint
CREATE INDEX "tier_change_of_account" ON "tier_change" USING btree ("workspace","account","id");--> statement-breakpoint
CREATE INDEX "tier_spend_of_account" ON "tier_spend" USING btree ("workspace","account","at");--> statement-breakpoint
CREATE INDEX "event_of_object" ON "event" USING btree ("workspace","object","id") WHERE data is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "ptx_operation" ON "ptx" USING btree ("workspace","operation");--> statement-breakpoint
CREATE INDEX "ptx_of_account" ON "ptx" USING btree ("workspace","account","id");--> statement-breakpoint
CREATE INDEX "ptx_reverses" ON "ptx" USING btree ("workspace","reverses") WHERE reverses is not null;--> statement-breakpoint
CREATE INDEX "ptx_payment" ON "ptx" USING btree ("workspace","payment") WHERE payment is not null;--> statement-breakpoint
CREATE INDEX "ptx_at" ON "ptx" USING brin ("at");--> statement-breakpoint
CREATE INDEX "ptx_batch" ON "ptx" USING btree ("workspace","batch","id") WHERE batch is not null;--> statement-breakpoint
CREATE INDEX "webhook_delivery_due" ON "webhook_delivery" USING btree ("workspace","endpoint","next_attempt_at") WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX "webhook_delivery_of_endpoint" ON "webhook_delivery" USING btree ("workspace","endpoint","id");--> statement-breakpoint
CREATE INDEX "webhook_delivery_overdue" ON "webhook_delivery" USING btree ("next_attempt_at") WHERE status = 'pending';--> statement-breakpoint
CREATE UNIQUE INDEX "webhook_delivery_once" ON "webhook_delivery" USING btree ("workspace","endpoint","event","operation") WHERE operation is not null;--> statement-breakpoint
CREATE INDEX "webhook_endpoint_enabled" ON "webhook_endpoint" USING btree ("workspace") WHERE status = 'enabled';--> statement-breakpoint
CREATE UNIQUE INDEX "api_key_hash" ON "api_key" USING btree ("hash");--> statement-breakpoint
CREATE INDEX "idempotency_key_age" ON "idempotency_key" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "payment_secret_provider" ON "payment_secret" USING btree ("provider");