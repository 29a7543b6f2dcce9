CREATE TABLE "access_log" (
	"id" text PRIMARY KEY NOT NULL,
	"citizen_id" text NOT NULL,
	"actor" text NOT NULL,
	"hospital_code" text,
	"action" text NOT NULL,
	"at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "business_clock" (
	"one" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"offset_seconds" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "business_clock_one" CHECK ("business_clock"."one")
);
--> statement-breakpoint
CREATE TABLE "charge" (
	"visit_id" text NOT NULL,
	"line_number" integer NOT NULL,
	"batch" text NOT NULL,
	"code" text NOT NULL,
	"name" text NOT NULL,
	"quantity" numeric(16, 4) NOT NULL,
	"unit_price" numeric(18, 6) NOT NULL,
	"amount" bigint NOT NULL,
	"occurred_at" timestamp with time zone NOT NULL,
	"is_outside_insurance" boolean DEFAULT false NOT NULL,
	"detail" jsonb NOT NULL,
	"refunded_quantity" numeric(16, 4) DEFAULT '0' NOT NULL,
	"refunded_amount" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "charge_visit_id_line_number_pk" PRIMARY KEY("visit_id","line_number"),
	CONSTRAINT "charge_amount" CHECK ("charge"."amount" = round("charge"."quantity" * "charge"."unit_price" * 100)),
	CONSTRAINT "charge_refunded" CHECK ("charge"."refunded_amount" between 0 and "charge"."amount"
      and "charge"."refunded_quantity" between 0 and "charge"."quantity")
);
--> statement-breakpoint
CREATE TABLE "charge_batch" (
	"visit_id" text NOT NULL,
	"batch" text NOT NULL,
	"position" integer NOT NULL,
	"total" bigint NOT NULL,
	"settlement_id" text,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "charge_batch_visit_id_batch_pk" PRIMARY KEY("visit_id","batch"),
	CONSTRAINT "batch_total" CHECK ("charge_batch"."total" >= 0)
);
--> statement-breakpoint
CREATE TABLE "citizen" (
	"id" text PRIMARY KEY NOT NULL,
	"id_index" "bytea" NOT NULL,
	"id_number" "bytea" NOT NULL,
	"name" "bytea" NOT NULL,
	"phone" "bytea",
	"use_personal_account" boolean DEFAULT false NOT NULL,
	"use_family_account" boolean DEFAULT false NOT NULL,
	"bank_account" "bytea",
	"bank_code" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "citizen_idIndex_unique" UNIQUE("id_index")
);
--> statement-breakpoint
CREATE TABLE "claim" (
	"id" text PRIMARY KEY NOT NULL,
	"settlement_id" text NOT NULL,
	"setl_id" text NOT NULL,
	"hospital_code" text NOT NULL,
	"mdtrt_id" text NOT NULL,
	"msgid" text NOT NULL,
	"status" text NOT NULL,
	"insutype" text NOT NULL,
	"clr_type" text NOT NULL,
	"clr_optins" text NOT NULL,
	"setl_time" timestamp with time zone NOT NULL,
	"total" bigint NOT NULL,
	"fund" bigint NOT NULL,
	"account" bigint NOT NULL,
	"family_account" bigint NOT NULL,
	"hospital_borne" bigint NOT NULL,
	"cash" bigint NOT NULL,
	"split" "bytea" NOT NULL,
	"reversal_setl_id" text,
	"reversed_at" timestamp with time zone,
	CONSTRAINT "claim_status" CHECK ("claim"."status" in ('live','reversed')),
	CONSTRAINT "claim_sums" CHECK ("claim"."total" = "claim"."fund" + "claim"."account" + "claim"."hospital_borne" + "claim"."cash"
      and "claim"."family_account" between 0 and "claim"."account" and "claim"."fund" >= 0 and "claim"."cash" >= 0
      and "claim"."hospital_borne" >= 0)
);
--> statement-breakpoint
CREATE TABLE "consent" (
	"citizen_id" text NOT NULL,
	"kind" text NOT NULL,
	"agreement_version" text NOT NULL,
	"granted_at" timestamp with time zone NOT NULL,
	"withdrawn_at" timestamp with time zone,
	CONSTRAINT "consent_citizen_id_kind_granted_at_pk" PRIMARY KEY("citizen_id","kind","granted_at")
);
--> statement-breakpoint
CREATE TABLE "conversion" (
	"id" text PRIMARY KEY NOT NULL,
	"settlement_id" text NOT NULL,
	"hospital_code" text NOT NULL,
	"route" text NOT NULL,
	"cause" text NOT NULL,
	"status" text NOT NULL,
	"reason" text,
	"attempts" jsonb NOT NULL,
	"before" jsonb NOT NULL,
	"after" jsonb,
	"outage_id" text,
	"unknown_msgid" text,
	"unknown_since" timestamp with time zone,
	"broken_claims" integer DEFAULT 0 NOT NULL,
	"tries" integer DEFAULT 0 NOT NULL,
	"requested_by" text,
	"confirmed_at" timestamp with time zone,
	"next_attempt_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"resolved_at" timestamp with time zone,
	CONSTRAINT "conversion_status" CHECK ("conversion"."status" in
      ('queued','claiming','awaitingPatient','converted','rejected','cancelled'))
);
--> statement-breakpoint
CREATE TABLE "credit_line" (
	"id" text PRIMARY KEY NOT NULL,
	"citizen_id" text NOT NULL,
	"lender" text NOT NULL,
	"product" text NOT NULL,
	"status" text NOT NULL,
	"suspended_for" text,
	"consented" boolean DEFAULT true NOT NULL,
	"limit" bigint NOT NULL,
	"inpatient_extra" bigint NOT NULL,
	"outage_extra" bigint NOT NULL,
	"held" bigint DEFAULT 0 NOT NULL,
	"outstanding" bigint DEFAULT 0 NOT NULL,
	"score_value" integer NOT NULL,
	"score_tier" integer NOT NULL,
	"score_as_of" timestamp with time zone NOT NULL,
	"policy_version" integer NOT NULL,
	"agreement_version" text NOT NULL,
	"opened_at" timestamp with time zone NOT NULL,
	"closed_at" timestamp with time zone,
	CONSTRAINT "credit_line_status" CHECK ("credit_line"."status" in ('active','suspended','closed')),
	CONSTRAINT "credit_line_signs" CHECK ("credit_line"."held" >= 0 and "credit_line"."outstanding" >= 0 and "credit_line"."limit" >= 0
      and "credit_line"."inpatient_extra" >= 0 and "credit_line"."outage_extra" >= 0),
	CONSTRAINT "credit_line_closed_empty" CHECK ("credit_line"."status" <> 'closed' or ("credit_line"."held" = 0 and "credit_line"."outstanding" = 0))
);
--> statement-breakpoint
CREATE TABLE "event" (
	"id" text PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"hospital_code" text,
	"citizen_id" text,
	"data" jsonb NOT NULL,
	"occurred_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "finance_case" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"subject_id" text NOT NULL,
	"hospital_code" text,
	"detail" jsonb NOT NULL,
	"status" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"closed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "hold" (
	"id" text PRIMARY KEY NOT NULL,
	"line_id" text NOT NULL,
	"visit_id" text NOT NULL,
	"status" text NOT NULL,
	"amount" bigint NOT NULL,
	"captured" bigint DEFAULT 0 NOT NULL,
	"limit_then" bigint NOT NULL,
	"extra_then" bigint NOT NULL,
	"held_then" bigint NOT NULL,
	"outstanding_then" bigint NOT NULL,
	"placed_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"resolved_at" timestamp with time zone,
	CONSTRAINT "hold_status" CHECK ("hold"."status" in ('placed','captured','voided','expired')),
	CONSTRAINT "hold_amounts" CHECK ("hold"."amount" > 0 and "hold"."captured" >= 0),
	CONSTRAINT "hold_resolved" CHECK (("hold"."status" = 'placed') = ("hold"."resolved_at" is null)
      and ("hold"."status" = 'captured' or "hold"."captured" = 0)),
	CONSTRAINT "hold_within_limit" CHECK ("hold"."held_then" + "hold"."outstanding_then" + "hold"."amount" <= "hold"."limit_then" + "hold"."extra_then")
);
--> statement-breakpoint
CREATE TABLE "hospital" (
	"code" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"level" integer NOT NULL,
	"region" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "idempotency_key" (
	"client" text NOT NULL,
	"key" text NOT NULL,
	"request_hash" "bytea" NOT NULL,
	"status" integer,
	"content_type" text,
	"body" text,
	"lease_until" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_key_client_key_pk" PRIMARY KEY("client","key")
);
--> statement-breakpoint
CREATE TABLE "insurance_message" (
	"msgid" text PRIMARY KEY NOT NULL,
	"intent_id" text NOT NULL,
	"attempt" integer NOT NULL,
	"infno" text NOT NULL,
	"route" text NOT NULL,
	"hospital_code" text NOT NULL,
	"visit_id" text NOT NULL,
	"request" "bytea" NOT NULL,
	"request_hash" "bytea" NOT NULL,
	"sent_at" timestamp with time zone NOT NULL,
	"outcome" text,
	"answer" "bytea",
	"answered_at" timestamp with time zone,
	"fate" text
);
--> statement-breakpoint
CREATE TABLE "insurance_route" (
	"route" text PRIMARY KEY NOT NULL,
	"status" text NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"reason" text,
	"outage_id" text,
	"failures" integer DEFAULT 0 NOT NULL,
	"first_failure_at" timestamp with time zone,
	"trial_at" timestamp with time zone,
	"trial_token" text,
	"trial_until" timestamp with time zone,
	CONSTRAINT "insurance_route_status" CHECK ("insurance_route"."status" in ('online','offline'))
);
--> statement-breakpoint
CREATE TABLE "intent" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"status" text NOT NULL,
	"visit_id" text NOT NULL,
	"settlement_id" text,
	"request" "bytea" NOT NULL,
	"client" text,
	"key" text,
	"lease_token" text NOT NULL,
	"lease_until" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "intent_kind" CHECK ("intent"."kind" in ('settle','oneScan','preview','refund','convert')),
	CONSTRAINT "intent_status" CHECK ("intent"."status" in ('running','finished','undone'))
);
--> statement-breakpoint
CREATE TABLE "job" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"subject_id" text NOT NULL,
	"payload" jsonb NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	"next_attempt_at" timestamp with time zone DEFAULT now() NOT NULL,
	"done_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "journal_entry" (
	"id" text PRIMARY KEY NOT NULL,
	"fact" text NOT NULL,
	"subject_id" text NOT NULL,
	"settlement_id" text,
	"leg_count" integer NOT NULL,
	"occurred_at" timestamp with time zone NOT NULL,
	"recorded_at" timestamp with time zone NOT NULL,
	"business_date" date NOT NULL,
	CONSTRAINT "journal_entry_legs" UNIQUE("id","leg_count"),
	CONSTRAINT "journal_entry_leg_count" CHECK ("journal_entry"."leg_count" >= 2)
);
--> statement-breakpoint
CREATE TABLE "lender" (
	"code" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "money_back" (
	"id" text PRIMARY KEY NOT NULL,
	"settlement_id" text NOT NULL,
	"cause_id" text NOT NULL,
	"position" integer NOT NULL,
	"kind" text NOT NULL,
	"amount" bigint NOT NULL,
	"is_reduction" boolean NOT NULL,
	"status" text NOT NULL,
	"citizen_id" text,
	"reference" text,
	"voucher_code" text,
	"reason" text,
	"created_at" timestamp with time zone NOT NULL,
	"resolved_at" timestamp with time zone,
	CONSTRAINT "money_back_voucherCode_unique" UNIQUE("voucher_code"),
	CONSTRAINT "money_back_amount" CHECK ("money_back"."amount" > 0),
	CONSTRAINT "money_back_status" CHECK ("money_back"."status" in ('pending','sent','done','failed','voucher'))
);
--> statement-breakpoint
CREATE TABLE "one_time_credential" (
	"hash" "bytea" PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"citizen_id" text NOT NULL,
	"terminal_id" text,
	"proof" "bytea",
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "outage" (
	"id" text PRIMARY KEY NOT NULL,
	"route" text NOT NULL,
	"is_planned" boolean NOT NULL,
	"reason" text NOT NULL,
	"starts_at" timestamp with time zone NOT NULL,
	"detected_at" timestamp with time zone,
	"ends_at" timestamp with time zone,
	"drained_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "policy" (
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"version" integer NOT NULL,
	"valid_from" timestamp with time zone NOT NULL,
	"data" jsonb NOT NULL,
	CONSTRAINT "policy_kind_name_version_pk" PRIMARY KEY("kind","name","version")
);
--> statement-breakpoint
CREATE TABLE "posting" (
	"entry_id" text NOT NULL,
	"leg" integer NOT NULL,
	"leg_count" integer NOT NULL,
	"owner_kind" text NOT NULL,
	"owner" text NOT NULL,
	"account" text NOT NULL,
	"amount" bigint NOT NULL,
	"counterparty" text,
	"citizen_id" text,
	"settlement_id" text,
	"claim_id" text,
	"reference" text,
	"occurred_at" timestamp with time zone NOT NULL,
	"undoes_entry_id" text,
	"undoes_leg" integer,
	"undone" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "posting_entry_id_leg_pk" PRIMARY KEY("entry_id","leg"),
	CONSTRAINT "posting_leg" CHECK ("posting"."leg" between 1 and "posting"."leg_count"),
	CONSTRAINT "posting_owner" CHECK ("posting"."owner_kind" in ('H','B')),
	CONSTRAINT "posting_amount" CHECK ("posting"."amount" <> 0),
	CONSTRAINT "posting_undone" CHECK ("posting"."undone" between 0 and abs("posting"."amount")),
	CONSTRAINT "posting_undoes" CHECK (("posting"."undoes_entry_id" is null) = ("posting"."undoes_leg" is null))
);
--> statement-breakpoint
CREATE TABLE "proposal" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"subject_id" text NOT NULL,
	"hospital_code" text,
	"detail" jsonb NOT NULL,
	"reason" text NOT NULL,
	"maker" text NOT NULL,
	"checker" text,
	"status" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"resolved_at" timestamp with time zone,
	CONSTRAINT "proposal_status" CHECK ("proposal"."status" in ('proposed','approved','declined')),
	CONSTRAINT "proposal_four_eyes" CHECK ("proposal"."checker" is null or "proposal"."checker" <> "proposal"."maker")
);
--> statement-breakpoint
CREATE TABLE "receivable" (
	"id" text PRIMARY KEY NOT NULL,
	"line_id" text NOT NULL,
	"citizen_id" text NOT NULL,
	"lender" text NOT NULL,
	"settlement_id" text NOT NULL,
	"hold_id" text,
	"amount" bigint NOT NULL,
	"paid" bigint DEFAULT 0 NOT NULL,
	"reduced" bigint DEFAULT 0 NOT NULL,
	"written_off" bigint DEFAULT 0 NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"awaits_insurance" boolean DEFAULT false NOT NULL,
	"overdue_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "receivable_signs" CHECK ("receivable"."amount" > 0 and "receivable"."paid" >= 0 and "receivable"."reduced" >= 0
      and "receivable"."written_off" >= 0 and "receivable"."paid" + "receivable"."reduced" + "receivable"."written_off" <= "receivable"."amount")
);
--> statement-breakpoint
CREATE TABLE "refund" (
	"id" text PRIMARY KEY NOT NULL,
	"settlement_id" text NOT NULL,
	"status" text NOT NULL,
	"amount" bigint NOT NULL,
	"lines" jsonb NOT NULL,
	"insurer_parts" jsonb,
	"reason" text NOT NULL,
	"failure" text,
	"created_at" timestamp with time zone NOT NULL,
	"resolved_at" timestamp with time zone,
	CONSTRAINT "refund_status" CHECK ("refund"."status" in ('processing','completed','failed'))
);
--> statement-breakpoint
CREATE TABLE "repayment" (
	"id" text PRIMARY KEY NOT NULL,
	"citizen_id" text NOT NULL,
	"line_id" text NOT NULL,
	"lender" text NOT NULL,
	"cause" text NOT NULL,
	"amount" bigint NOT NULL,
	"status" text NOT NULL,
	"bank_serial" text,
	"reason" text,
	"created_at" timestamp with time zone NOT NULL,
	"resolved_at" timestamp with time zone,
	CONSTRAINT "repayment_amount" CHECK ("repayment"."amount" > 0),
	CONSTRAINT "repayment_status" CHECK ("repayment"."status" in ('processing','paid','failed','unknown'))
);
--> statement-breakpoint
CREATE TABLE "repayment_allocation" (
	"repayment_id" text NOT NULL,
	"receivable_id" text NOT NULL,
	"amount" bigint NOT NULL,
	"is_open" boolean NOT NULL,
	CONSTRAINT "repayment_allocation_repayment_id_receivable_id_pk" PRIMARY KEY("repayment_id","receivable_id"),
	CONSTRAINT "allocation_amount" CHECK ("repayment_allocation"."amount" > 0)
);
--> statement-breakpoint
CREATE TABLE "seen_credential" (
	"hash" "bytea" PRIMARY KEY NOT NULL,
	"citizen_id" text NOT NULL,
	"seen_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "settlement" (
	"id" text PRIMARY KEY NOT NULL,
	"visit_id" text NOT NULL,
	"hospital_code" text NOT NULL,
	"citizen_id" text,
	"status" text NOT NULL,
	"insurance_status" text NOT NULL,
	"insurance_reason" text,
	"total" bigint NOT NULL,
	"due_at_counter" bigint NOT NULL,
	"due_reduced" bigint DEFAULT 0 NOT NULL,
	"arrears" bigint DEFAULT 0 NOT NULL,
	"arrears_reduced" bigint DEFAULT 0 NOT NULL,
	"unused" jsonb NOT NULL,
	"payer" text,
	"payer_citizen_id" text,
	"receipt_number" text,
	"invoice" jsonb,
	"is_interim" boolean DEFAULT false NOT NULL,
	"is_late_capture" boolean DEFAULT false NOT NULL,
	"refundable" bigint NOT NULL,
	"settled_at" timestamp with time zone NOT NULL,
	"recorded_at" timestamp with time zone NOT NULL,
	"business_date" date NOT NULL,
	"terminal_id" text,
	CONSTRAINT "settlement_status" CHECK ("settlement"."status" in ('awaitingPayment','settled','partlyRefunded','refunded')),
	CONSTRAINT "settlement_insurance" CHECK ("settlement"."insurance_status" in
      ('claimed','awaitingInsurance','converted','rejected','notInsured','skipped','reversed')),
	CONSTRAINT "settlement_amounts" CHECK ("settlement"."due_at_counter" between 0 and "settlement"."total"
      and "settlement"."refundable" between 0 and "settlement"."total"),
	CONSTRAINT "settlement_due" CHECK (("settlement"."status" <> 'awaitingPayment' or "settlement"."due_at_counter" > 0)
      and "settlement"."due_reduced" between 0 and "settlement"."due_at_counter"
        and "settlement"."arrears_reduced" between 0 and "settlement"."arrears")
);
--> statement-breakpoint
CREATE TABLE "signing_key" (
	"kid" text PRIMARY KEY NOT NULL,
	"purpose" text NOT NULL,
	"public_jwk" jsonb NOT NULL,
	"private_jwk" "bytea" NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "spent_token" (
	"hash" "bytea" PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tender" (
	"settlement_id" text NOT NULL,
	"position" integer NOT NULL,
	"kind" text NOT NULL,
	"amount" bigint NOT NULL,
	"reference" text,
	"given_back" bigint DEFAULT 0 NOT NULL,
	"paid_at" timestamp with time zone NOT NULL,
	CONSTRAINT "tender_settlement_id_position_pk" PRIMARY KEY("settlement_id","position"),
	CONSTRAINT "tender_amounts" CHECK ("tender"."amount" > 0 and "tender"."given_back" between 0 and "tender"."amount")
);
--> statement-breakpoint
CREATE TABLE "terminal" (
	"id" text PRIMARY KEY NOT NULL,
	"client_id" text NOT NULL,
	"hospital_code" text NOT NULL,
	"name" text NOT NULL,
	"jwk" jsonb NOT NULL,
	"revoked_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "terminal_clientId_unique" UNIQUE("client_id")
);
--> statement-breakpoint
CREATE TABLE "text_meaning" (
	"region" text NOT NULL,
	"infno" text NOT NULL,
	"text" text NOT NULL,
	"meaning" text NOT NULL,
	"set_by" text NOT NULL,
	"set_at" timestamp with time zone NOT NULL,
	CONSTRAINT "text_meaning_region_infno_text_pk" PRIMARY KEY("region","infno","text")
);
--> statement-breakpoint
CREATE TABLE "unlisted_text" (
	"region" text NOT NULL,
	"infno" text NOT NULL,
	"text" text NOT NULL,
	"count" integer NOT NULL,
	"first_at" timestamp with time zone NOT NULL,
	"last_at" timestamp with time zone NOT NULL,
	CONSTRAINT "unlisted_text_region_infno_text_pk" PRIMARY KEY("region","infno","text")
);
--> statement-breakpoint
CREATE TABLE "used_reference" (
	"hospital_code" text NOT NULL,
	"kind" text NOT NULL,
	"reference" text NOT NULL,
	"settlement_id" text NOT NULL,
	CONSTRAINT "used_reference_hospital_code_kind_reference_pk" PRIMARY KEY("hospital_code","kind","reference")
);
--> statement-breakpoint
CREATE TABLE "visit" (
	"id" text PRIMARY KEY NOT NULL,
	"hospital_code" text NOT NULL,
	"visit_number" text NOT NULL,
	"kind" text NOT NULL,
	"status" text NOT NULL,
	"citizen_id" text,
	"payer" text,
	"payer_citizen_id" text,
	"credential_kind" text,
	"business_date" date NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"insured_person" "bytea",
	"insured" jsonb NOT NULL,
	"mdtrt_id" text,
	"hold_decline" text,
	"clinical" "bytea",
	"use_personal_account" boolean NOT NULL,
	"use_family_account" boolean NOT NULL,
	"operator" "bytea",
	"terminal_id" text,
	"charged_total" bigint DEFAULT 0 NOT NULL,
	"opened_at" timestamp with time zone NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	CONSTRAINT "visit_status" CHECK ("visit"."status" in ('open','settling','settled','cancelled')),
	CONSTRAINT "visit_charged" CHECK ("visit"."charged_total" >= 0)
);
--> statement-breakpoint
CREATE TABLE "webhook_endpoint" (
	"id" text PRIMARY KEY NOT NULL,
	"client" text NOT NULL,
	"hospital_code" text,
	"url" text NOT NULL,
	"event_types" jsonb NOT NULL,
	"secret" "bytea" NOT NULL,
	"disabled_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "charge" ADD CONSTRAINT "charge_visit_id_batch_charge_batch_visit_id_batch_fk" FOREIGN KEY ("visit_id","batch") REFERENCES "charge_batch"("visit_id","batch") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "charge_batch" ADD CONSTRAINT "charge_batch_visit_id_visit_id_fk" FOREIGN KEY ("visit_id") REFERENCES "visit"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "claim" ADD CONSTRAINT "claim_settlement_id_settlement_id_fk" FOREIGN KEY ("settlement_id") REFERENCES "settlement"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "consent" ADD CONSTRAINT "consent_citizen_id_citizen_id_fk" FOREIGN KEY ("citizen_id") REFERENCES "citizen"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversion" ADD CONSTRAINT "conversion_settlement_id_settlement_id_fk" FOREIGN KEY ("settlement_id") REFERENCES "settlement"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credit_line" ADD CONSTRAINT "credit_line_citizen_id_citizen_id_fk" FOREIGN KEY ("citizen_id") REFERENCES "citizen"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "credit_line" ADD CONSTRAINT "credit_line_lender_lender_code_fk" FOREIGN KEY ("lender") REFERENCES "lender"("code") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hold" ADD CONSTRAINT "hold_line_id_credit_line_id_fk" FOREIGN KEY ("line_id") REFERENCES "credit_line"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "intent" ADD CONSTRAINT "intent_visit_id_visit_id_fk" FOREIGN KEY ("visit_id") REFERENCES "visit"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "money_back" ADD CONSTRAINT "money_back_settlement_id_settlement_id_fk" FOREIGN KEY ("settlement_id") REFERENCES "settlement"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "one_time_credential" ADD CONSTRAINT "one_time_credential_citizen_id_citizen_id_fk" FOREIGN KEY ("citizen_id") REFERENCES "citizen"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "posting" ADD CONSTRAINT "posting_entry_id_leg_count_journal_entry_id_leg_count_fk" FOREIGN KEY ("entry_id","leg_count") REFERENCES "journal_entry"("id","leg_count") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "posting" ADD CONSTRAINT "posting_undoes_entry_id_undoes_leg_posting_entry_id_leg_fk" FOREIGN KEY ("undoes_entry_id","undoes_leg") REFERENCES "posting"("entry_id","leg") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "receivable" ADD CONSTRAINT "receivable_line_id_credit_line_id_fk" FOREIGN KEY ("line_id") REFERENCES "credit_line"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "receivable" ADD CONSTRAINT "receivable_citizen_id_citizen_id_fk" FOREIGN KEY ("citizen_id") REFERENCES "citizen"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "refund" ADD CONSTRAINT "refund_settlement_id_settlement_id_fk" FOREIGN KEY ("settlement_id") REFERENCES "settlement"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "repayment" ADD CONSTRAINT "repayment_citizen_id_citizen_id_fk" FOREIGN KEY ("citizen_id") REFERENCES "citizen"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "repayment" ADD CONSTRAINT "repayment_line_id_credit_line_id_fk" FOREIGN KEY ("line_id") REFERENCES "credit_line"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "repayment_allocation" ADD CONSTRAINT "repayment_allocation_repayment_id_repayment_id_fk" FOREIGN KEY ("repayment_id") REFERENCES "repayment"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "repayment_allocation" ADD CONSTRAINT "repayment_allocation_receivable_id_receivable_id_fk" FOREIGN KEY ("receivable_id") REFERENCES "receivable"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "seen_credential" ADD CONSTRAINT "seen_credential_citizen_id_citizen_id_fk" FOREIGN KEY ("citizen_id") REFERENCES "citizen"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "settlement" ADD CONSTRAINT "settlement_visit_id_visit_id_fk" FOREIGN KEY ("visit_id") REFERENCES "visit"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tender" ADD CONSTRAINT "tender_settlement_id_settlement_id_fk" FOREIGN KEY ("settlement_id") REFERENCES "settlement"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "terminal" ADD CONSTRAINT "terminal_hospital_code_hospital_code_fk" FOREIGN KEY ("hospital_code") REFERENCES "hospital"("code") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "visit" ADD CONSTRAINT "visit_hospital_code_hospital_code_fk" FOREIGN KEY ("hospital_code") REFERENCES "hospital"("code") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "visit" ADD CONSTRAINT "visit_citizen_id_citizen_id_fk" FOREIGN KEY ("citizen_id") REFERENCES "citizen"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "visit" ADD CONSTRAINT "visit_payer_citizen_id_citizen_id_fk" FOREIGN KEY ("payer_citizen_id") REFERENCES "citizen"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "access_log_citizen" ON "access_log" USING btree ("citizen_id","at");--> statement-breakpoint
CREATE INDEX "charge_batch_settlement" ON "charge_batch" USING btree ("settlement_id");--> statement-breakpoint
CREATE UNIQUE INDEX "claim_one_live" ON "claim" USING btree ("settlement_id") WHERE status = 'live';--> statement-breakpoint
CREATE UNIQUE INDEX "claim_setl_id" ON "claim" USING btree ("hospital_code","setl_id");--> statement-breakpoint
CREATE UNIQUE INDEX "consent_live" ON "consent" USING btree ("citizen_id","kind") WHERE withdrawn_at is null;--> statement-breakpoint
CREATE UNIQUE INDEX "conversion_one_open" ON "conversion" USING btree ("settlement_id") WHERE status in ('queued','claiming','awaitingPatient');--> statement-breakpoint
CREATE INDEX "conversion_queue" ON "conversion" USING btree ("route","next_attempt_at") WHERE status = 'queued';--> statement-breakpoint
CREATE INDEX "conversion_settlement" ON "conversion" USING btree ("settlement_id");--> statement-breakpoint
CREATE INDEX "conversion_outage" ON "conversion" USING btree ("outage_id");--> statement-breakpoint
CREATE UNIQUE INDEX "credit_line_one_open" ON "credit_line" USING btree ("citizen_id") WHERE status <> 'closed';--> statement-breakpoint
CREATE INDEX "event_citizen" ON "event" USING btree ("citizen_id","occurred_at");--> statement-breakpoint
CREATE INDEX "event_type" ON "event" USING btree ("type","occurred_at");--> statement-breakpoint
CREATE UNIQUE INDEX "finance_case_open" ON "finance_case" USING btree ("kind","subject_id") WHERE status = 'open';--> statement-breakpoint
CREATE UNIQUE INDEX "hold_one_placed" ON "hold" USING btree ("visit_id") WHERE status = 'placed';--> statement-breakpoint
CREATE INDEX "hold_line" ON "hold" USING btree ("line_id") WHERE status = 'placed';--> statement-breakpoint
CREATE INDEX "hold_visit" ON "hold" USING btree ("visit_id");--> statement-breakpoint
CREATE INDEX "hold_expiry" ON "hold" USING btree ("expires_at") WHERE status = 'placed';--> statement-breakpoint
CREATE INDEX "idempotency_age" ON "idempotency_key" USING btree ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "insurance_message_step" ON "insurance_message" USING btree ("intent_id","infno","attempt");--> statement-breakpoint
CREATE INDEX "insurance_message_visit" ON "insurance_message" USING btree ("visit_id","sent_at");--> statement-breakpoint
CREATE UNIQUE INDEX "intent_one_at_counter" ON "intent" USING btree ("visit_id") WHERE status = 'running' and kind in ('settle','oneScan','preview');--> statement-breakpoint
CREATE UNIQUE INDEX "intent_one_on_settlement" ON "intent" USING btree ("settlement_id") WHERE status = 'running' and kind in ('refund','convert');--> statement-breakpoint
CREATE INDEX "intent_visit" ON "intent" USING btree ("visit_id") WHERE status = 'running';--> statement-breakpoint
CREATE INDEX "intent_key" ON "intent" USING btree ("client","key") WHERE status = 'running';--> statement-breakpoint
CREATE INDEX "intent_lease" ON "intent" USING btree ("lease_until") WHERE status = 'running';--> statement-breakpoint
CREATE UNIQUE INDEX "job_one_live" ON "job" USING btree ("kind","subject_id") WHERE done_at is null;--> statement-breakpoint
CREATE INDEX "job_due" ON "job" USING btree ("next_attempt_at") WHERE done_at is null;--> statement-breakpoint
CREATE UNIQUE INDEX "journal_entry_fact" ON "journal_entry" USING btree ("fact","subject_id");--> statement-breakpoint
CREATE INDEX "journal_entry_day" ON "journal_entry" USING btree ("business_date");--> statement-breakpoint
CREATE INDEX "journal_entry_settlement" ON "journal_entry" USING btree ("settlement_id");--> statement-breakpoint
CREATE UNIQUE INDEX "money_back_step" ON "money_back" USING btree ("cause_id","position");--> statement-breakpoint
CREATE INDEX "money_back_settlement" ON "money_back" USING btree ("settlement_id");--> statement-breakpoint
CREATE INDEX "one_time_credential_expiry" ON "one_time_credential" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "outage_route" ON "outage" USING btree ("route","starts_at");--> statement-breakpoint
CREATE UNIQUE INDEX "outage_one_open" ON "outage" USING btree ("route") WHERE not is_planned and ends_at is null;--> statement-breakpoint
CREATE INDEX "posting_account" ON "posting" USING btree ("owner_kind","owner","account","occurred_at");--> statement-breakpoint
CREATE INDEX "posting_settlement" ON "posting" USING btree ("settlement_id");--> statement-breakpoint
CREATE INDEX "posting_citizen" ON "posting" USING btree ("citizen_id") WHERE citizen_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "proposal_one_open" ON "proposal" USING btree ("kind","subject_id") WHERE status = 'proposed';--> statement-breakpoint
CREATE INDEX "receivable_owed" ON "receivable" USING btree ("line_id","due_at") WHERE amount > paid + reduced + written_off;--> statement-breakpoint
CREATE INDEX "receivable_citizen" ON "receivable" USING btree ("citizen_id","due_at");--> statement-breakpoint
CREATE INDEX "receivable_settlement" ON "receivable" USING btree ("settlement_id");--> statement-breakpoint
CREATE UNIQUE INDEX "refund_one_processing" ON "refund" USING btree ("settlement_id") WHERE status = 'processing';--> statement-breakpoint
CREATE INDEX "refund_settlement" ON "refund" USING btree ("settlement_id");--> statement-breakpoint
CREATE INDEX "repayment_open" ON "repayment" USING btree ("created_at") WHERE status in ('processing','unknown');--> statement-breakpoint
CREATE INDEX "repayment_citizen" ON "repayment" USING btree ("citizen_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "one_debit_under_way" ON "repayment_allocation" USING btree ("receivable_id") WHERE is_open;--> statement-breakpoint
CREATE INDEX "settlement_visit" ON "settlement" USING btree ("visit_id");--> statement-breakpoint
CREATE INDEX "settlement_citizen" ON "settlement" USING btree ("citizen_id","settled_at");--> statement-breakpoint
CREATE INDEX "settlement_payer" ON "settlement" USING btree ("payer_citizen_id","settled_at");--> statement-breakpoint
CREATE INDEX "spent_token_expiry" ON "spent_token" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "used_reference_settlement" ON "used_reference" USING btree ("settlement_id");--> statement-breakpoint
CREATE UNIQUE INDEX "visit_number" ON "visit" USING btree ("hospital_code","visit_number") WHERE status <> 'cancelled';--> statement-breakpoint
CREATE INDEX "visit_citizen" ON "visit" USING btree ("citizen_id","opened_at");--> statement-breakpoint
CREATE INDEX "visit_by_number" ON "visit" USING btree ("hospital_code","visit_number");--> statement-breakpoint
CREATE INDEX "visit_newest" ON "visit" USING btree ("hospital_code","opened_at","id");