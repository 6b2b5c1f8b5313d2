CREATE TABLE "attention" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"kind" text NOT NULL,
	"object" text NOT NULL,
	"key" text NOT NULL,
	"details" jsonb NOT NULL,
	"times" integer DEFAULT 1 NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"last_at" timestamp with time zone NOT NULL,
	"settled_at" timestamp with time zone,
	CONSTRAINT "attention_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "source_owner" (
	"workspace" text collate "C" NOT NULL,
	"id" text collate "C" NOT NULL,
	"provider" text NOT NULL,
	"endpoint" text collate "C",
	CONSTRAINT "source_owner_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
ALTER TABLE "payment_secret" ADD COLUMN "endpoint" text collate "C";--> statement-breakpoint
ALTER TABLE "payment_secret" ADD COLUMN "shared_address" boolean DEFAULT false NOT NULL;--> statement-breakpoint
-- Ids become part of an address: they are random from here on, not made of the secret.
update payment_secret set id = 'whs_' || translate(gen_random_uuid()::text, '-', ''), shared_address = true;--> statement-breakpoint
-- Secrets of one provider stood beside each other while one was rolled, so they are one endpoint, whose
-- events are known as before; another mapping is another system.
update payment_secret s set endpoint = (
  select o.id from payment_secret o
  where o.workspace = s.workspace and o.provider = s.provider and o.mapping is not distinct from s.mapping
  order by o.created_at, o.id limit 1);--> statement-breakpoint
ALTER TABLE "payment_secret" ALTER COLUMN "endpoint" SET NOT NULL;--> statement-breakpoint
CREATE INDEX "payment_secret_endpoint" ON "payment_secret" USING btree ("endpoint");--> statement-breakpoint
-- What a provider's only endpoint told is that endpoint's. A payment made by the API (it has an expiry)
-- waits for its first event; so does all of a provider of several endpoints.
ALTER TABLE "payment" ADD COLUMN "endpoint" text collate "C";--> statement-breakpoint
create temporary table only_endpoint on commit drop as
  select workspace, provider, min(endpoint) as endpoint from payment_secret
  group by workspace, provider having count(distinct endpoint) = 1;--> statement-breakpoint
update payment p set endpoint = o.endpoint from only_endpoint o
where o.workspace = p.workspace and o.provider = p.provider and p.expires_at is null;--> statement-breakpoint
ALTER TABLE "inbox" ADD COLUMN "endpoint" text collate "C" DEFAULT '' NOT NULL;--> statement-breakpoint
update inbox i set endpoint = o.endpoint from only_endpoint o
where o.workspace = i.workspace and o.provider = i.provider and not exists (
  select from payment p where p.workspace = i.workspace and p.id = i.payment and p.endpoint is distinct from o.endpoint);--> statement-breakpoint
ALTER TABLE "inbox" DROP CONSTRAINT "inbox_workspace_id_pk";--> statement-breakpoint
ALTER TABLE "inbox" ADD CONSTRAINT "inbox_workspace_endpoint_id_pk" PRIMARY KEY("workspace","endpoint","id");--> statement-breakpoint
insert into source_owner (workspace, id, provider, endpoint)
select distinct on (i.workspace, i.payment) i.workspace, i.payment, i.provider, nullif(i.endpoint, '')
from inbox i
where i.payment is not null and not exists (
  select from payment p where p.workspace = i.workspace and p.id = i.payment)
order by i.workspace, i.payment, i.received_at;--> statement-breakpoint
CREATE UNIQUE INDEX "attention_once" ON "attention" USING btree ("workspace","kind","key");--> statement-breakpoint
CREATE INDEX "attention_open" ON "attention" USING btree ("workspace","since") WHERE settled_at is null;--> statement-breakpoint
-- Of indexes that promise the same the planner takes the youngest (0001_guards): the one that finds one row.
alter table attention drop constraint attention_workspace_id_pk;--> statement-breakpoint
alter table attention add constraint attention_workspace_id_pk primary key (workspace, id);--> statement-breakpoint
-- Row security, as of every other table (0001_guards).
do $$
declare
  tenant_table text;
begin
  foreach tenant_table in array array['attention', 'source_owner'] loop
    execute format('alter table %I enable row level security', tenant_table);
    execute format($policy$create policy own_workspace on %I
      using (workspace = current_setting('vinr.workspace', true))
      with check (workspace = current_setting('vinr.workspace', true))$policy$, tenant_table);
  end loop;
end $$;--> statement-breakpoint
comment on table attention is 'What needs a person, once for each key: kept until it is settled.';--> statement-breakpoint
comment on table source_owner is 'Whose an id is that events speak of and no payment has: a payment not known yet, an invoice, a referral.';--> statement-breakpoint
comment on table inbox is 'Provider events, once for each endpoint and id; processed when all that follows from them is done.';
