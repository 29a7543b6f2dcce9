CREATE INDEX "counter_shift_terminal" ON "counter_shift" USING btree ("terminal_id","opened_at");--> statement-breakpoint
CREATE INDEX "reconciliation_break_subject" ON "reconciliation_break" USING btree ("counterparty","scope","subject");--> statement-breakpoint
CREATE INDEX "refund_resolved" ON "refund" USING btree ("resolved_at");--> statement-breakpoint
CREATE INDEX "repayment_paid_by" ON "repayment" USING btree ("paid_by_citizen_id") WHERE paid_by_citizen_id is not null;--> statement-breakpoint
CREATE INDEX "repayment_allocation_receivable" ON "repayment_allocation" USING btree ("receivable_id");