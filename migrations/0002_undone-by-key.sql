-- Law: a leg is never undone for more than its amount, and only by the other side of its own account.
-- The leg is found by its key alone: with the account's columns beside it, a fresh database chose the
-- account's index and read every posting of the account.
CREATE OR REPLACE FUNCTION posting_undoes_leg() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  undone_leg posting;
BEGIN
  UPDATE posting SET undone = undone + abs(NEW.amount)
    WHERE entry_id = NEW.undoes_entry_id AND leg = NEW.undoes_leg
    RETURNING * INTO undone_leg;
  IF NOT FOUND
    OR (undone_leg.owner_kind, undone_leg.owner, undone_leg.account, sign(undone_leg.amount))
      IS DISTINCT FROM (NEW.owner_kind, NEW.owner, NEW.account, -sign(NEW.amount))
  THEN
    RAISE EXCEPTION 'leg %/% of entry % undoes no such leg', NEW.undoes_entry_id, NEW.undoes_leg, NEW.entry_id
      USING ERRCODE = '23514', CONSTRAINT = 'posting_undoes_leg';
  END IF;
  RETURN NULL;
END $$;
