-- The laws that need more than a CHECK. Functions carry their own search path: one schema is one city.
-- Business time: the database's clock + the sandbox's offset. It alone decides due, expiry, age, day.
CREATE FUNCTION business_now() RETURNS timestamptz LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
  SELECT clock_timestamp() + make_interval(secs => offset_seconds) FROM business_clock
$$;
--> statement-breakpoint
CREATE FUNCTION business_date(at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE AS $$
  SELECT (at AT TIME ZONE 'Asia/Shanghai')::date
$$;
--> statement-breakpoint
INSERT INTO business_clock (one, offset_seconds) VALUES (true, 0);
--> statement-breakpoint
-- The last four digits of a msgid; one sequence for all hospitals keeps them apart within a second.
CREATE SEQUENCE message_number AS bigint;
--> statement-breakpoint
-- Law: an entry has all its legs and balances within each owner, seen when the transaction commits.
CREATE FUNCTION entry_must_balance() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE wrong text;
BEGIN
  IF (SELECT count(*) FROM posting p WHERE p.entry_id = NEW.id) <> NEW.leg_count THEN
    RAISE EXCEPTION 'entry % does not have its % legs', NEW.id, NEW.leg_count
      USING ERRCODE = '23514', CONSTRAINT = 'entry_has_all_legs';
  END IF;
  SELECT owner_kind || ' ' || owner INTO wrong FROM posting p WHERE p.entry_id = NEW.id
    GROUP BY owner_kind, owner HAVING sum(amount) <> 0 LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'entry % does not balance for owner %', NEW.id, wrong
      USING ERRCODE = '23514', CONSTRAINT = 'entry_balances';
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE CONSTRAINT TRIGGER entry_balances AFTER INSERT ON journal_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION entry_must_balance();
--> statement-breakpoint
-- Law: entries and postings are append-only; of a posting only the counter `undone` may grow.
CREATE FUNCTION books_are_append_only() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'posting' THEN
    IF NEW.undone > OLD.undone
       AND (to_jsonb(NEW) - 'undone') = (to_jsonb(OLD) - 'undone') THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
    USING ERRCODE = '23514', CONSTRAINT = 'books_are_append_only';
END $$;
--> statement-breakpoint
CREATE TRIGGER journal_entry_append_only BEFORE UPDATE OR DELETE ON journal_entry
  FOR EACH ROW EXECUTE FUNCTION books_are_append_only();
--> statement-breakpoint
CREATE TRIGGER posting_append_only BEFORE UPDATE OR DELETE ON posting
  FOR EACH ROW EXECUTE FUNCTION books_are_append_only();
--> statement-breakpoint
CREATE TRIGGER journal_entry_no_truncate BEFORE TRUNCATE ON journal_entry
  FOR EACH STATEMENT EXECUTE FUNCTION books_are_append_only();
--> statement-breakpoint
CREATE TRIGGER posting_no_truncate BEFORE TRUNCATE ON posting
  FOR EACH STATEMENT EXECUTE FUNCTION books_are_append_only();
--> statement-breakpoint
-- Law: a leg is never undone for more than its amount, and only by the other side of its own account.
CREATE FUNCTION posting_undoes_leg() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  UPDATE posting SET undone = undone + abs(NEW.amount)
    WHERE entry_id = NEW.undoes_entry_id AND leg = NEW.undoes_leg
      AND owner_kind = NEW.owner_kind AND owner = NEW.owner AND account = NEW.account
      AND sign(amount) = -sign(NEW.amount);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'leg %/% of entry % undoes no such leg', NEW.undoes_entry_id, NEW.undoes_leg, NEW.entry_id
      USING ERRCODE = '23514', CONSTRAINT = 'posting_undoes_leg';
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER posting_undoes AFTER INSERT ON posting
  FOR EACH ROW WHEN (NEW.undoes_entry_id IS NOT NULL) EXECUTE FUNCTION posting_undoes_leg();
--> statement-breakpoint
-- Law: a hold resolves once, and its resolution is final.
CREATE FUNCTION hold_resolves_once() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF OLD.status <> 'placed' THEN
    RAISE EXCEPTION 'hold % is already %', OLD.id, OLD.status
      USING ERRCODE = '23514', CONSTRAINT = 'hold_resolves_once';
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER hold_resolves_once BEFORE UPDATE ON hold
  FOR EACH ROW EXECUTE FUNCTION hold_resolves_once();
