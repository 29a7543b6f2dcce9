CREATE TABLE "business_day" (
	"date" date PRIMARY KEY NOT NULL,
	"status" text NOT NULL,
	"totals" jsonb NOT NULL,
	"hash" text NOT NULL,
	"previous_hash" text,
	"entry_count" integer NOT NULL,
	"breaks" jsonb NOT NULL,
	"computed_at" timestamp with time zone NOT NULL,
	"closed_at" timestamp with time zone,
	"closed_by" text,
	CONSTRAINT "business_day_status" CHECK ("business_day"."status" in ('provisional','closed')),
	CONSTRAINT "business_day_closed" CHECK (("business_day"."status" = 'closed') = ("business_day"."closed_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "counter_shift" (
	"id" text PRIMARY KEY NOT NULL,
	"hospital_code" text NOT NULL,
	"terminal_id" text NOT NULL,
	"shift" text NOT NULL,
	"operator" "bytea",
	"business_date" date NOT NULL,
	"opening_float" bigint NOT NULL,
	"expected" bigint,
	"counted" bigint,
	"opened_at" timestamp with time zone NOT NULL,
	"closed_at" timestamp with time zone,
	"unpaid" jsonb,
	CONSTRAINT "counter_shift_closed" CHECK (("counter_shift"."closed_at" is null) = ("counter_shift"."counted" is null)
      and ("counter_shift"."closed_at" is null) = ("counter_shift"."expected" is null)),
	CONSTRAINT "counter_shift_amounts" CHECK ("counter_shift"."opening_float" >= 0 and "counter_shift"."counted" >= 0)
);
--> statement-breakpoint
CREATE TABLE "disbursement_file" (
	"id" text PRIMARY KEY NOT NULL,
	"lender" text NOT NULL,
	"business_date" date NOT NULL,
	"count" integer NOT NULL,
	"total" bigint NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"answered_at" timestamp with time zone,
	"answer_hash" "bytea"
);
--> statement-breakpoint
CREATE TABLE "dunning_step" (
	"receivable_id" text NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"step" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "dunning_step_receivable_id_due_at_step_pk" PRIMARY KEY("receivable_id","due_at","step"),
	CONSTRAINT "dunning_step_kind" CHECK ("dunning_step"."step" in ('remind3Days','remind1Day','due','overdue','remindOverdue','suspended'))
);
--> statement-breakpoint
CREATE TABLE "instalment" (
	"receivable_id" text NOT NULL,
	"number" integer NOT NULL,
	"amount" bigint NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	CONSTRAINT "instalment_receivable_id_number_pk" PRIMARY KEY("receivable_id","number"),
	CONSTRAINT "instalment_amount" CHECK ("instalment"."amount" > 0 and "instalment"."number" > 0)
);
--> statement-breakpoint
CREATE TABLE "lender_notice" (
	"id" text PRIMARY KEY NOT NULL,
	"lender" text NOT NULL,
	"number" text NOT NULL,
	"kind" text NOT NULL,
	"line_id" text,
	"receivable_id" text,
	"repayment_id" text,
	"amount" bigint,
	"detail" jsonb NOT NULL,
	"reason" text NOT NULL,
	"status" text NOT NULL,
	"maker" text NOT NULL,
	"checker" text,
	"created_at" timestamp with time zone NOT NULL,
	"resolved_at" timestamp with time zone,
	CONSTRAINT "lender_notice_kind" CHECK ("lender_notice"."kind" in ('freeze','unfreeze','limit','lateCharge','hardship','writeOff','death',
      'debitReturned','debitPaidTwice','recovered','received')),
	CONSTRAINT "lender_notice_status" CHECK ("lender_notice"."status" in ('proposed','applied','declined')),
	CONSTRAINT "lender_notice_four_eyes" CHECK ("lender_notice"."checker" <> "lender_notice"."maker"),
	CONSTRAINT "lender_notice_checked" CHECK ("lender_notice"."kind" not in ('hardship','writeOff') or "lender_notice"."status" = 'proposed' or "lender_notice"."checker" is not null)
);
--> statement-breakpoint
CREATE TABLE "payout" (
	"id" text PRIMARY KEY NOT NULL,
	"lender" text NOT NULL,
	"hospital_code" text NOT NULL,
	"business_date" date NOT NULL,
	"run" integer NOT NULL,
	"amount" bigint NOT NULL,
	"status" text NOT NULL,
	"maker" text NOT NULL,
	"checker" text,
	"carried_into" text,
	"end_to_end_id" text NOT NULL,
	"file_id" text,
	"created_at" timestamp with time zone NOT NULL,
	"approved_at" timestamp with time zone,
	"sent_at" timestamp with time zone,
	"paid_at" timestamp with time zone,
	"bank_reference" text,
	"returned_at" timestamp with time zone,
	"return_reason" text,
	CONSTRAINT "payout_endToEndId_unique" UNIQUE("end_to_end_id"),
	CONSTRAINT "payout_status" CHECK ("payout"."status" in ('proposed','declined','carried','approved','sent','paid','returned')),
	CONSTRAINT "payout_sign" CHECK (("payout"."status" = 'carried') <= ("payout"."amount" <= 0)
      and ("payout"."status" not in ('approved','sent','paid','returned') or "payout"."amount" > 0)),
	CONSTRAINT "payout_four_eyes" CHECK ("payout"."checker" <> "payout"."maker"
      and ("payout"."status" in ('proposed','declined','carried') or "payout"."checker" is not null)),
	CONSTRAINT "payout_end_to_end" CHECK (length("payout"."end_to_end_id") <= 35)
);
--> statement-breakpoint
CREATE TABLE "payout_leg" (
	"payout_id" text NOT NULL,
	"position" integer NOT NULL,
	"kind" text NOT NULL,
	"entry_id" text,
	"leg" integer,
	"carried_from" text,
	"settlement_id" text,
	"amount" bigint NOT NULL,
	"is_live" boolean DEFAULT true NOT NULL,
	CONSTRAINT "payout_leg_payout_id_position_pk" PRIMARY KEY("payout_id","position"),
	CONSTRAINT "payout_leg_kind" CHECK ("payout_leg"."kind" in ('capture','refund','conversion','carried','adjustment')),
	CONSTRAINT "payout_leg_of" CHECK (("payout_leg"."kind" = 'carried') = ("payout_leg"."carried_from" is not null)
      and ("payout_leg"."kind" = 'carried') = ("payout_leg"."entry_id" is null) and "payout_leg"."amount" <> 0)
);
--> statement-breakpoint
CREATE TABLE "reconciliation" (
	"id" text PRIMARY KEY NOT NULL,
	"counterparty" text NOT NULL,
	"business_date" date NOT NULL,
	"scope" text NOT NULL,
	"hospital_code" text,
	"lender" text,
	"format" text NOT NULL,
	"file_hash" text NOT NULL,
	"status" text NOT NULL,
	"ours_count" integer,
	"ours_total" bigint,
	"theirs_count" integer,
	"theirs_total" bigint,
	"matched" integer,
	"detail" jsonb NOT NULL,
	"problem" jsonb,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "reconciliation_counterparty" CHECK ("reconciliation"."counterparty" in ('hospital','insurer','bank','wechatPay','alipay','counter')),
	CONSTRAINT "reconciliation_status" CHECK ("reconciliation"."status" in ('running','done','failed')),
	CONSTRAINT "reconciliation_failed" CHECK (("reconciliation"."status" = 'failed') = ("reconciliation"."problem" is not null))
);
--> statement-breakpoint
CREATE TABLE "reconciliation_break" (
	"id" text PRIMARY KEY NOT NULL,
	"reconciliation_id" text,
	"counterparty" text NOT NULL,
	"scope" text NOT NULL,
	"subject" text NOT NULL,
	"kind" text NOT NULL,
	"business_date" date NOT NULL,
	"hospital_code" text,
	"lender" text,
	"settlement_id" text,
	"our_amount" bigint,
	"their_amount" bigint,
	"status" text NOT NULL,
	"owner" text,
	"is_self_clearing" boolean NOT NULL,
	"remedy" text NOT NULL,
	"evidence" jsonb NOT NULL,
	"opened_at" timestamp with time zone NOT NULL,
	"resolved_at" timestamp with time zone,
	"resolution" jsonb,
	"version" integer DEFAULT 1 NOT NULL,
	CONSTRAINT "reconciliation_break_kind" CHECK ("reconciliation_break"."kind" in ('missingAtHospital','missingAtPlatform','missingAtBank','missingAtInsurer',
      'amountOver','amountUnder','splitMismatch','statusMismatch','dateCutoff','duplicateExternal',
      'duplicateInternal','dataMismatch','ambiguous','lateCapture','conversionPending','orphanRefund',
      'fee')),
	CONSTRAINT "reconciliation_break_status" CHECK ("reconciliation_break"."status" in ('open','cleared','resolved')),
	CONSTRAINT "reconciliation_break_resolved" CHECK (("reconciliation_break"."status" = 'open') = ("reconciliation_break"."resolved_at" is null))
);
--> statement-breakpoint
CREATE TABLE "score_report" (
	"id" text PRIMARY KEY NOT NULL,
	"line_id" text NOT NULL,
	"citizen_id" text NOT NULL,
	"status" text NOT NULL,
	"receivable_ids" jsonb NOT NULL,
	"told_at" timestamp with time zone NOT NULL,
	"send_after" timestamp with time zone NOT NULL,
	"objection" "bytea",
	"objected_at" timestamp with time zone,
	"reported_at" timestamp with time zone,
	"withdrawn_at" timestamp with time zone,
	"reason" text,
	CONSTRAINT "score_report_status" CHECK ("score_report"."status" in
      ('told','objected','dropped','reporting','reported','withdrawing','withdrawn')),
	CONSTRAINT "score_report_times" CHECK ("score_report"."told_at" < "score_report"."send_after"
      and ("score_report"."status" not in ('reported','withdrawing','withdrawn') or "score_report"."reported_at" is not null))
);
--> statement-breakpoint
ALTER TABLE "repayment" DROP CONSTRAINT "repayment_status";--> statement-breakpoint
ALTER TABLE "credit_line" ADD COLUMN "frozen_for" text;--> statement-breakpoint
ALTER TABLE "posting" ADD COLUMN "shift_id" text;--> statement-breakpoint
ALTER TABLE "receivable" ADD COLUMN "loan_number" text;--> statement-breakpoint
ALTER TABLE "receivable" ADD COLUMN "disbursed_on" date;--> statement-breakpoint
ALTER TABLE "repayment" ADD COLUMN "paid_by_citizen_id" text;--> statement-breakpoint
ALTER TABLE "repayment" ADD COLUMN "slot" text;--> statement-breakpoint
ALTER TABLE "repayment" ADD COLUMN "returned_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "settlement" ADD COLUMN "counter_ms" integer;--> statement-breakpoint
ALTER TABLE "counter_shift" ADD CONSTRAINT "counter_shift_hospital_code_hospital_code_fk" FOREIGN KEY ("hospital_code") REFERENCES "hospital"("code") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "counter_shift" ADD CONSTRAINT "counter_shift_terminal_id_terminal_id_fk" FOREIGN KEY ("terminal_id") REFERENCES "terminal"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "disbursement_file" ADD CONSTRAINT "disbursement_file_lender_lender_code_fk" FOREIGN KEY ("lender") REFERENCES "lender"("code") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dunning_step" ADD CONSTRAINT "dunning_step_receivable_id_receivable_id_fk" FOREIGN KEY ("receivable_id") REFERENCES "receivable"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "instalment" ADD CONSTRAINT "instalment_receivable_id_receivable_id_fk" FOREIGN KEY ("receivable_id") REFERENCES "receivable"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lender_notice" ADD CONSTRAINT "lender_notice_lender_lender_code_fk" FOREIGN KEY ("lender") REFERENCES "lender"("code") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lender_notice" ADD CONSTRAINT "lender_notice_line_id_credit_line_id_fk" FOREIGN KEY ("line_id") REFERENCES "credit_line"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lender_notice" ADD CONSTRAINT "lender_notice_receivable_id_receivable_id_fk" FOREIGN KEY ("receivable_id") REFERENCES "receivable"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lender_notice" ADD CONSTRAINT "lender_notice_repayment_id_repayment_id_fk" FOREIGN KEY ("repayment_id") REFERENCES "repayment"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payout" ADD CONSTRAINT "payout_lender_lender_code_fk" FOREIGN KEY ("lender") REFERENCES "lender"("code") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payout" ADD CONSTRAINT "payout_hospital_code_hospital_code_fk" FOREIGN KEY ("hospital_code") REFERENCES "hospital"("code") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payout_leg" ADD CONSTRAINT "payout_leg_payout_id_payout_id_fk" FOREIGN KEY ("payout_id") REFERENCES "payout"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payout_leg" ADD CONSTRAINT "payout_leg_carried_from_payout_id_fk" FOREIGN KEY ("carried_from") REFERENCES "payout"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payout_leg" ADD CONSTRAINT "payout_leg_entry_id_leg_posting_entry_id_leg_fk" FOREIGN KEY ("entry_id","leg") REFERENCES "posting"("entry_id","leg") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "reconciliation_break" ADD CONSTRAINT "reconciliation_break_reconciliation_id_reconciliation_id_fk" FOREIGN KEY ("reconciliation_id") REFERENCES "reconciliation"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "score_report" ADD CONSTRAINT "score_report_line_id_credit_line_id_fk" FOREIGN KEY ("line_id") REFERENCES "credit_line"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "score_report" ADD CONSTRAINT "score_report_citizen_id_citizen_id_fk" FOREIGN KEY ("citizen_id") REFERENCES "citizen"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "business_day_last" ON "business_day" USING btree ("date") WHERE status = 'closed';--> statement-breakpoint
CREATE UNIQUE INDEX "counter_shift_one_open" ON "counter_shift" USING btree ("terminal_id") WHERE closed_at is null;--> statement-breakpoint
CREATE INDEX "counter_shift_day" ON "counter_shift" USING btree ("hospital_code","business_date");--> statement-breakpoint
CREATE UNIQUE INDEX "disbursement_file_day" ON "disbursement_file" USING btree ("lender","business_date");--> statement-breakpoint
CREATE UNIQUE INDEX "lender_notice_number" ON "lender_notice" USING btree ("lender","number");--> statement-breakpoint
CREATE INDEX "lender_notice_line" ON "lender_notice" USING btree ("line_id");--> statement-breakpoint
CREATE UNIQUE INDEX "payout_run" ON "payout" USING btree ("lender","hospital_code","business_date","run");--> statement-breakpoint
CREATE INDEX "payout_day" ON "payout" USING btree ("business_date","hospital_code");--> statement-breakpoint
CREATE INDEX "payout_carried" ON "payout" USING btree ("lender","hospital_code") WHERE status = 'carried' and carried_into is null;--> statement-breakpoint
CREATE UNIQUE INDEX "payout_leg_once" ON "payout_leg" USING btree ("entry_id","leg") WHERE is_live;--> statement-breakpoint
CREATE UNIQUE INDEX "payout_carried_once" ON "payout_leg" USING btree ("carried_from") WHERE is_live;--> statement-breakpoint
CREATE UNIQUE INDEX "reconciliation_file" ON "reconciliation" USING btree ("counterparty","scope","business_date","file_hash") WHERE status <> 'failed';--> statement-breakpoint
CREATE INDEX "reconciliation_day" ON "reconciliation" USING btree ("business_date","counterparty");--> statement-breakpoint
CREATE UNIQUE INDEX "reconciliation_break_one" ON "reconciliation_break" USING btree ("counterparty","scope","subject") WHERE status = 'open';--> statement-breakpoint
CREATE INDEX "reconciliation_break_run" ON "reconciliation_break" USING btree ("reconciliation_id","id");--> statement-breakpoint
CREATE INDEX "reconciliation_break_day" ON "reconciliation_break" USING btree ("business_date","kind");--> statement-breakpoint
CREATE INDEX "reconciliation_break_open" ON "reconciliation_break" USING btree ("business_date") WHERE status = 'open';--> statement-breakpoint
CREATE UNIQUE INDEX "score_report_one" ON "score_report" USING btree ("line_id") WHERE status in ('told','objected','reporting','reported');--> statement-breakpoint
CREATE INDEX "score_report_citizen" ON "score_report" USING btree ("citizen_id","told_at");--> statement-breakpoint
CREATE INDEX "score_report_told" ON "score_report" USING btree ("send_after") WHERE status = 'told';--> statement-breakpoint
ALTER TABLE "repayment" ADD CONSTRAINT "repayment_paid_by_citizen_id_citizen_id_fk" FOREIGN KEY ("paid_by_citizen_id") REFERENCES "citizen"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "posting_shift" ON "posting" USING btree ("shift_id") WHERE shift_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "receivable_loan" ON "receivable" USING btree ("lender","loan_number");--> statement-breakpoint
CREATE INDEX "receivable_due" ON "receivable" USING btree ("due_at") WHERE amount > paid + reduced + written_off;--> statement-breakpoint
CREATE INDEX "receivable_undisbursed" ON "receivable" USING btree ("lender","created_at") WHERE disbursed_on is null;--> statement-breakpoint
CREATE UNIQUE INDEX "repayment_slot" ON "repayment" USING btree ("line_id","slot");--> statement-breakpoint
CREATE UNIQUE INDEX "repayment_serial" ON "repayment" USING btree ("lender","bank_serial");--> statement-breakpoint
CREATE INDEX "settlement_day" ON "settlement" USING btree ("business_date","hospital_code");--> statement-breakpoint
ALTER TABLE "credit_line" ADD CONSTRAINT "credit_line_suspended" CHECK ("credit_line"."status" = 'closed'
      or ("credit_line"."status" = 'suspended') = ("credit_line"."suspended_for" is not null or "credit_line"."frozen_for" is not null));--> statement-breakpoint
ALTER TABLE "credit_line" ADD CONSTRAINT "credit_line_frozen" CHECK ("credit_line"."frozen_for" in ('lender','death'));--> statement-breakpoint
ALTER TABLE "repayment" ADD CONSTRAINT "repayment_cause" CHECK ("repayment"."cause" in ('citizen','relative','autoDebit','lender'));--> statement-breakpoint
ALTER TABLE "repayment" ADD CONSTRAINT "repayment_by" CHECK (("repayment"."cause" = 'relative') = ("repayment"."paid_by_citizen_id" is not null));--> statement-breakpoint
ALTER TABLE "repayment" ADD CONSTRAINT "repayment_auto" CHECK (("repayment"."cause" = 'autoDebit') = ("repayment"."slot" is not null));--> statement-breakpoint
ALTER TABLE "repayment" ADD CONSTRAINT "repayment_returned" CHECK (("repayment"."status" = 'returned') = ("repayment"."returned_at" is not null));--> statement-breakpoint
ALTER TABLE "repayment" ADD CONSTRAINT "repayment_status" CHECK ("repayment"."status" in ('processing','paid','failed','unknown','returned'));