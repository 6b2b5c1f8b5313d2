CREATE TABLE "code_batch" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"pool" text collate "C" NOT NULL,
	"added" integer NOT NULL,
	"duplicates" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "code_batch_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "code_pool" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"name" text NOT NULL,
	"low_at" integer NOT NULL,
	"low_since" timestamp with time zone,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "code_pool_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "gift_code" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"pool" text collate "C",
	"batch" text collate "C",
	"line" integer,
	"hash" text NOT NULL,
	"sealed" text NOT NULL,
	"last4" text NOT NULL,
	"status" text DEFAULT 'available' NOT NULL,
	"redemption" text collate "C",
	"given_at" timestamp with time zone,
	"voided_at" timestamp with time zone,
	CONSTRAINT "gift_code_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "credit" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"account" text collate "C" NOT NULL,
	"program" text collate "C" NOT NULL,
	"redemption" text collate "C" NOT NULL,
	"currency" text NOT NULL,
	"amount" bigint NOT NULL,
	"remaining" bigint NOT NULL,
	"expires_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "credit_workspace_id_pk" PRIMARY KEY("workspace","id"),
	CONSTRAINT "credit_remaining_within" CHECK (remaining between 0 and amount)
);
--> statement-breakpoint
CREATE TABLE "credit_transaction" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"account" text collate "C" NOT NULL,
	"program" text collate "C" NOT NULL,
	"currency" text NOT NULL,
	"type" text NOT NULL,
	"amount" bigint NOT NULL,
	"balance_after" bigint NOT NULL,
	"credit" text collate "C" NOT NULL,
	"redemption" text collate "C",
	"payment" text collate "C",
	"refund" text collate "C",
	"reverses" text collate "C",
	"operation" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "credit_transaction_workspace_id_pk" PRIMARY KEY("workspace","id"),
	CONSTRAINT "credit_transaction_moves" CHECK (amount <> 0)
);
--> statement-breakpoint
CREATE TABLE "credit_wallet" (
	"workspace" text collate "C" NOT NULL,
	"account" text collate "C" NOT NULL,
	"currency" text NOT NULL,
	"balance" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "credit_wallet_workspace_account_currency_pk" PRIMARY KEY("workspace","account","currency"),
	CONSTRAINT "credit_wallet_never_below_zero" CHECK (balance >= 0)
);
--> statement-breakpoint
CREATE TABLE "reward_variant" (
	"workspace" text collate "C" NOT NULL,
	"reward" text collate "C" NOT NULL,
	"id" text NOT NULL,
	"attributes" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"inventory" integer,
	"cost" bigint,
	"active" boolean DEFAULT true NOT NULL,
	"position" integer NOT NULL,
	CONSTRAINT "reward_variant_workspace_reward_id_pk" PRIMARY KEY("workspace","reward","id"),
	CONSTRAINT "reward_variant_cost_positive" CHECK (cost > 0),
	CONSTRAINT "reward_variant_inventory_counts" CHECK (inventory >= 0)
);
--> statement-breakpoint
ALTER TABLE "payment" ADD COLUMN "store_credit" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "payment" ADD COLUMN "store_credit_account" text collate "C";--> statement-breakpoint
ALTER TABLE "refund" ADD COLUMN "store_credit" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "redemption" ADD COLUMN "variant" text;--> statement-breakpoint
ALTER TABLE "redemption" ADD COLUMN "took_stock" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "redemption" ADD COLUMN "gift_cards" jsonb;--> statement-breakpoint
ALTER TABLE "reward" ADD COLUMN "limit_window" text DEFAULT 'lifetime' NOT NULL;--> statement-breakpoint
ALTER TABLE "reward" ADD COLUMN "tier_costs" jsonb;--> statement-breakpoint
ALTER TABLE "reward" ADD COLUMN "has_variants" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "reward" ADD COLUMN "codes" jsonb;--> statement-breakpoint
ALTER TABLE "reward" ADD COLUMN "categories" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "reward" ADD COLUMN "images" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "reward" ADD COLUMN "archived_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "credit_wallet" ADD CONSTRAINT "credit_wallet_workspace_account_account_workspace_id_fk" FOREIGN KEY ("workspace","account") REFERENCES "public"."account"("workspace","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "reward_variant" ADD CONSTRAINT "reward_variant_workspace_reward_reward_workspace_id_fk" FOREIGN KEY ("workspace","reward") REFERENCES "public"."reward"("workspace","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "code_pool_newest" ON "code_pool" USING btree ("workspace","created_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "gift_code_once" ON "gift_code" USING btree ("workspace","hash");--> statement-breakpoint
CREATE INDEX "gift_code_next" ON "gift_code" USING btree ("workspace","pool","id") WHERE status = 'available';--> statement-breakpoint
CREATE INDEX "gift_code_of_redemption" ON "gift_code" USING btree ("workspace","redemption") WHERE redemption is not null;--> statement-breakpoint
CREATE INDEX "credit_open" ON "credit" USING btree ("workspace","account","currency","expires_at","id") WHERE remaining > 0;--> statement-breakpoint
CREATE INDEX "credit_due" ON "credit" USING btree ("expires_at") WHERE remaining > 0 and expires_at is not null;--> statement-breakpoint
CREATE INDEX "credit_transaction_of_account" ON "credit_transaction" USING btree ("workspace","account","id");--> statement-breakpoint
CREATE INDEX "credit_transaction_of_payment" ON "credit_transaction" USING btree ("workspace","payment") WHERE payment is not null;--> statement-breakpoint
CREATE INDEX "credit_transaction_of_program" ON "credit_transaction" USING btree ("workspace","program","at");--> statement-breakpoint
CREATE UNIQUE INDEX "credit_transaction_operation" ON "credit_transaction" USING btree ("workspace","operation");