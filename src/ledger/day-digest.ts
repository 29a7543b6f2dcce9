// Law: a business day's entries have one digest that anybody can compute from the rows alone.
//
// The canonical text, so that an auditor with an export needs nothing of ours:
// - an entry is the text of a jsonb array, as PostgreSQL prints it:
//   [id, fact, subject, settlement, occurred, recorded, business day, [leg, leg, …]], legs in order;
// - a leg is [leg, owner kind, owner, account, amount, counterparty, citizen, settlement, claim,
//   reference, shift, undone entry, undone leg];
// - times are whole microseconds since 1970 (UTC), amounts fen (debit positive), what is absent is null;
// - what later entries undo of a leg (`undone`) is not part of it: those entries are.
// An entry's digest is the SHA-256 of that text in UTF-8; the digest of the day is the SHA-256 of its
// entries' digests (32 bytes each), one after the other in ascending order of the entry's id.
import { type SQL, sql } from 'drizzle-orm';

const micros = (time: SQL) => sql`(extract(epoch from ${time}) * 1000000)::bigint`;

/**
 * A query of (business_date, entries, digest hex) for each business day that has entries and for
 * which `days`, a condition on `e.business_date`, holds. Memory stays flat here: 32 bytes an entry.
 */
export function dayDigests(days: SQL): SQL {
  return sql`
    select business_date, count(*)::int as entries,
      encode(sha256(string_agg(digest, ''::bytea order by id collate "C")), 'hex') as digest
    from (
      select e.id, e.business_date, sha256(convert_to(jsonb_build_array(
          e.id, e.fact, e.subject_id, e.settlement_id, ${micros(sql`e.occurred_at`)},
          ${micros(sql`e.recorded_at`)}, e.business_date,
          jsonb_agg(jsonb_build_array(p.leg, p.owner_kind, p.owner, p.account, p.amount,
            p.counterparty, p.citizen_id, p.settlement_id, p.claim_id, p.reference, p.shift_id,
            p.undoes_entry_id, p.undoes_leg) order by p.leg))::text, 'UTF8')) as digest
      from journal_entry e join posting p on p.entry_id = e.id
      where ${days}
      group by e.id
    ) entry
    group by business_date`;
}

/** What a day without entries has in place of a digest: SHA-256 of nothing. */
export const NO_ENTRIES = sql`encode(sha256(''::bytea), 'hex')`;

/**
 * The hash of a day over its columns: SHA-256 of the text of the jsonb array
 * [date, hash of the day before or null, entries, digest of the entries, totals, breaks].
 */
export function dayHash(columns: {
  date: SQL;
  previousHash: SQL;
  entries: SQL;
  digest: SQL;
  totals: SQL;
  breaks: SQL;
}): SQL {
  const { date, previousHash, entries, digest, totals, breaks } = columns;
  return sql`encode(sha256(convert_to(jsonb_build_array(${date}, ${previousHash}, ${entries},
    ${digest}, ${totals}, ${breaks})::text, 'UTF8')), 'hex')`;
}
