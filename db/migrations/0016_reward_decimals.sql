ALTER TABLE "reward" ADD COLUMN "decimals" integer;--> statement-breakpoint
UPDATE "reward" r SET "decimals" = p."decimals" FROM "program" p WHERE p."workspace" = r."workspace" AND p."id" = r."program";
