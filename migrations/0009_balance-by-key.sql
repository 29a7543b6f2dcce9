-- Law: an entry has all its legs and balances within each owner, seen when the transaction commits.
-- Its legs are read once and by their key: grouping them in the table itself let a plan made while the
-- table was small read every posting through the account's index, for each entry.
CREATE OR REPLACE FUNCTION entry_must_balance() RETURNS trigger LANGUAGE plpgsql
  SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
  found_legs bigint;
  wrong text;
BEGIN
  WITH legs AS MATERIALIZED (
    SELECT owner_kind, owner, amount FROM posting WHERE entry_id = NEW.id
  )
  SELECT (SELECT count(*) FROM legs), (
      SELECT owner_kind || ' ' || owner FROM legs
      GROUP BY owner_kind, owner HAVING sum(amount) <> 0 LIMIT 1)
    INTO found_legs, wrong;
  IF found_legs <> NEW.leg_count THEN
    RAISE EXCEPTION 'entry % does not have its % legs', NEW.id, NEW.leg_count
      USING ERRCODE = '23514', CONSTRAINT = 'entry_has_all_legs';
  END IF;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'entry % does not balance for owner %', NEW.id, wrong
      USING ERRCODE = '23514', CONSTRAINT = 'entry_balances';
  END IF;
  RETURN NULL;
END $$;
