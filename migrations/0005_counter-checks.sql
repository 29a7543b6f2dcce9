CREATE INDEX "hold_confirmation_visit" ON "hold_confirmation" USING btree ("visit_id");--> statement-breakpoint
ALTER TABLE "hold_confirmation" ADD CONSTRAINT "hold_confirmation_resolved" CHECK (("hold_confirmation"."status" = 'pending') = ("hold_confirmation"."resolved_at" is null));--> statement-breakpoint
ALTER TABLE "visit" ADD CONSTRAINT "visit_proxy" CHECK ("visit"."proxy_citizen_id" <> "visit"."citizen_id");--> statement-breakpoint
ALTER TABLE "visit" ADD CONSTRAINT "visit_discharged" CHECK ("visit"."discharged_at" is null or "visit"."kind" = 'inpatient');