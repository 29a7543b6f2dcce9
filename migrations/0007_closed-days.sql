-- Law: a closed business day never changes. An entry takes a shared lock on its day and looks whether
-- it is closed; the close takes the exclusive one, so it sees every entry of the day or none follows.
-- What is recorded after its day was closed belongs to the next open day and keeps its own occurred_at.
CREATE FUNCTION business_day_lock(day date) RETURNS bigint LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
  SELECT hashtextextended(current_schema() || ' business day ' || day, 0)
$$;
--> statement-breakpoint
CREATE FUNCTION entry_in_open_day() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  last_closed date;
BEGIN
  LOOP
    PERFORM pg_advisory_xact_lock_shared(business_day_lock(NEW.business_date));
    SELECT date INTO last_closed FROM business_day WHERE status = 'closed' ORDER BY date DESC LIMIT 1;
    EXIT WHEN last_closed IS NULL OR NEW.business_date > last_closed;
    NEW.business_date := last_closed + 1;
  END LOOP;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER entry_in_open_day BEFORE INSERT ON journal_entry
  FOR EACH ROW EXECUTE FUNCTION entry_in_open_day();
--> statement-breakpoint
-- Law: days close in order, each hash is chained to the one before, and none is opened again.
CREATE FUNCTION business_day_closes_in_order() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  before business_day;
BEGIN
  IF TG_OP <> 'INSERT' AND OLD.status = 'closed' THEN
    RAISE EXCEPTION 'business day % is closed', OLD.date
      USING ERRCODE = '23514', CONSTRAINT = 'business_day_is_frozen';
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  IF NEW.status = 'closed' THEN
    SELECT * INTO before FROM business_day WHERE status = 'closed' ORDER BY date DESC LIMIT 1;
    IF FOUND AND (NEW.date <> before.date + 1 OR NEW.previous_hash IS DISTINCT FROM before.hash) THEN
      RAISE EXCEPTION 'business day % does not follow %', NEW.date, before.date
        USING ERRCODE = '23514', CONSTRAINT = 'business_day_in_order';
    END IF;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER business_day_in_order BEFORE INSERT OR UPDATE OR DELETE ON business_day
  FOR EACH ROW EXECUTE FUNCTION business_day_closes_in_order();
--> statement-breakpoint
-- Law: what a payout pays is the sum of its legs, seen when the transaction commits.
CREATE FUNCTION payout_must_sum() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  listed bigint;
BEGIN
  SELECT coalesce(sum(amount), 0) INTO listed FROM payout_leg WHERE payout_id = NEW.id;
  IF listed <> NEW.amount THEN
    RAISE EXCEPTION 'payout % of % has legs of %', NEW.id, NEW.amount, listed
      USING ERRCODE = '23514', CONSTRAINT = 'payout_sums';
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE CONSTRAINT TRIGGER payout_sums AFTER INSERT OR UPDATE OF amount ON payout
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payout_must_sum();
