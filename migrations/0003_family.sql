CREATE TABLE "family_link" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"payer_citizen_id" text NOT NULL,
	"beneficiary_citizen_id" text NOT NULL,
	"status" text NOT NULL,
	"proof" text,
	"papers" "bytea",
	"visit_cap" bigint NOT NULL,
	"monthly_cap" bigint NOT NULL,
	"used_by_month" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"accepted_at" timestamp with time zone,
	"accepted_via" text,
	"ends_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"end_reason" text,
	"version" integer DEFAULT 1 NOT NULL,
	CONSTRAINT "family_link_kind" CHECK ("family_link"."kind" in ('minorChild','parentCare')),
	CONSTRAINT "family_link_status" CHECK ("family_link"."status" in ('pending','active','ended')),
	CONSTRAINT "family_link_proof" CHECK ("family_link"."proof" in ('registry','papers')),
	CONSTRAINT "family_link_accepted" CHECK ("family_link"."accepted_via" in ('guardian','app','counter')),
	CONSTRAINT "family_link_active" CHECK ("family_link"."status" <> 'active' or ("family_link"."accepted_at" is not null and "family_link"."proof" is not null)),
	CONSTRAINT "family_link_ended" CHECK (("family_link"."status" = 'ended') = ("family_link"."ended_at" is not null)),
	CONSTRAINT "family_link_minor_ends" CHECK ("family_link"."kind" <> 'minorChild' or "family_link"."ends_at" is not null),
	CONSTRAINT "family_link_caps" CHECK ("family_link"."visit_cap" > 0 and "family_link"."monthly_cap" > 0),
	CONSTRAINT "family_link_others" CHECK ("family_link"."payer_citizen_id" <> "family_link"."beneficiary_citizen_id")
);
--> statement-breakpoint
CREATE TABLE "hold_confirmation" (
	"id" text PRIMARY KEY NOT NULL,
	"visit_id" text NOT NULL,
	"payer_citizen_id" text NOT NULL,
	"amount" bigint NOT NULL,
	"status" text NOT NULL,
	"confirmed_by" text,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"resolved_at" timestamp with time zone,
	CONSTRAINT "hold_confirmation_status" CHECK ("hold_confirmation"."status" in ('pending','confirmed','declined','expired')),
	CONSTRAINT "hold_confirmation_amount" CHECK ("hold_confirmation"."amount" > 0)
);
--> statement-breakpoint
CREATE TABLE "terminal_vendor" (
	"id" text PRIMARY KEY NOT NULL,
	"issuer" text NOT NULL,
	"name" text NOT NULL,
	"keys" jsonb NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "terminal_vendor_issuer_unique" UNIQUE("issuer")
);
--> statement-breakpoint
ALTER TABLE "hold" ADD COLUMN "family_link_id" text;--> statement-breakpoint
ALTER TABLE "hold" ADD COLUMN "visit_cap_then" bigint;--> statement-breakpoint
ALTER TABLE "hold" ADD COLUMN "visit_used_then" bigint;--> statement-breakpoint
ALTER TABLE "hold" ADD COLUMN "monthly_cap_then" bigint;--> statement-breakpoint
ALTER TABLE "hold" ADD COLUMN "month_used_then" bigint;--> statement-breakpoint
ALTER TABLE "visit" ADD COLUMN "filing" jsonb;--> statement-breakpoint
ALTER TABLE "visit" ADD COLUMN "discharged_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "visit" ADD COLUMN "proxy_citizen_id" text;--> statement-breakpoint
ALTER TABLE "family_link" ADD CONSTRAINT "family_link_payer_citizen_id_citizen_id_fk" FOREIGN KEY ("payer_citizen_id") REFERENCES "citizen"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "family_link" ADD CONSTRAINT "family_link_beneficiary_citizen_id_citizen_id_fk" FOREIGN KEY ("beneficiary_citizen_id") REFERENCES "citizen"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hold_confirmation" ADD CONSTRAINT "hold_confirmation_payer_citizen_id_citizen_id_fk" FOREIGN KEY ("payer_citizen_id") REFERENCES "citizen"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "family_link_one" ON "family_link" USING btree ("payer_citizen_id","beneficiary_citizen_id") WHERE status <> 'ended';--> statement-breakpoint
CREATE INDEX "family_link_beneficiary" ON "family_link" USING btree ("beneficiary_citizen_id") WHERE status <> 'ended';--> statement-breakpoint
CREATE INDEX "family_link_end" ON "family_link" USING btree ("ends_at") WHERE status <> 'ended';--> statement-breakpoint
CREATE UNIQUE INDEX "hold_confirmation_one" ON "hold_confirmation" USING btree ("visit_id") WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX "hold_confirmation_payer" ON "hold_confirmation" USING btree ("payer_citizen_id") WHERE status = 'pending';--> statement-breakpoint
ALTER TABLE "hold" ADD CONSTRAINT "hold_family_link_id_family_link_id_fk" FOREIGN KEY ("family_link_id") REFERENCES "family_link"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "visit" ADD CONSTRAINT "visit_proxy_citizen_id_citizen_id_fk" FOREIGN KEY ("proxy_citizen_id") REFERENCES "citizen"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "hold_family_link" ON "hold" USING btree ("family_link_id") WHERE family_link_id is not null;--> statement-breakpoint
ALTER TABLE "hold" ADD CONSTRAINT "hold_within_caps" CHECK (case when "hold"."family_link_id" is null then "hold"."visit_cap_then" is null
        else coalesce("hold"."visit_used_then" + "hold"."amount" <= "hold"."visit_cap_then"
          and "hold"."month_used_then" + "hold"."amount" <= "hold"."monthly_cap_then", false) end);