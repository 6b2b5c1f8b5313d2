ALTER TABLE "redemption" DROP CONSTRAINT "redemption_workspace_account_account_workspace_id_fk";
--> statement-breakpoint
ALTER TABLE "redemption" DROP CONSTRAINT "redemption_workspace_reward_reward_workspace_id_fk";
