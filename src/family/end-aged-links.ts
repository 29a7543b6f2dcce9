// Law: a child's link ends by itself on the 18th birthday, 00:00 in Shanghai. From then on the hold
// statements refuse it; this only writes it down, dated to the birthday, tells both, and
// closes the case about papers that prove nothing any more.
import { type SQL, sql } from 'drizzle-orm';
import { type Db, rows, type Tx, transact } from '../db/db.ts';
import { closeCasesAbout } from '../finance/case-store.ts';
import { recordEvents } from '../outbox/events.ts';
import { AGE_OUT } from './link.ts';

interface EndedRow {
  id: string;
  kind: string;
  payer_citizen_id: string;
  beneficiary_citizen_id: string;
  ends_at: string;
}

/** Ends at most `limit` links whose time is over; returns how many. Locked ones wait for a next round. */
export function endAgedLinks(db: Db, limit: number): Promise<number> {
  return transact(db, (tx) =>
    endDue(tx, sql`true order by ends_at limit ${limit}::int for update skip locked`),
  );
}

/** The same for one payer's links, all of them. */
export function endAgedLinksOf(tx: Tx, payerId: string): Promise<number> {
  return endDue(tx, sql`payer_citizen_id = ${payerId} order by id for update`);
}

async function endDue(tx: Tx, which: SQL): Promise<number> {
  const ended = await rows<EndedRow>(
    tx,
    sql`
    with due as (
      select id from family_link
      where status <> 'ended' and ends_at <= business_now() and ${which}
    )
    update family_link set status = 'ended', ended_at = ends_at, end_reason = ${AGE_OUT},
      version = version + 1
    from due where family_link.id = due.id
    returning family_link.id, kind, payer_citizen_id, beneficiary_citizen_id, ends_at`,
  );
  const facts = ended.flatMap((link) =>
    [link.payer_citizen_id, link.beneficiary_citizen_id].map((citizenId) => ({
      type: 'familyLink.ended' as const,
      citizenId,
      data: { linkId: link.id, kind: link.kind, reason: AGE_OUT },
      occurredAt: new Date(link.ends_at),
    })),
  );
  if (facts.length > 0) await recordEvents(tx, facts);
  for (const link of ended) await closeCasesAbout(tx, link.id, AGE_OUT);
  return ended.length;
}
