// Law: a hold lives as long as the policy says and expires under its line's lock, but never while its
// visit is settling. Rows that somebody else holds are left for the next round.
import { sql } from 'drizzle-orm';
import { type Db, rows, transact } from '../db/db.ts';
import { formatYuan } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import { countedCte, monthOf } from './family-sql.ts';
import { clockCte } from './hold-sql.ts';

interface Expired {
  id: string;
  visit_id: string;
  hospital_code: string;
  citizen_id: string;
  amount: bigint;
  now: string;
}

/** Expires at most `limit` holds whose time has come; returns how many. One statement. */
export function expireHolds(db: Db, limit: number): Promise<number> {
  return transact(db, async (tx) => {
    const expired = await rows<Expired>(
      tx,
      sql`
      with ${clockCte},
      due as materialized (
        select h.id, h.line_id, h.family_link_id, v.hospital_code
        from hold h join visit v on v.id = h.visit_id, clock
        where h.status = 'placed' and h.expires_at <= clock.now and v.status <> 'settling'
        order by h.expires_at limit ${limit}::int
        for share of v skip locked
      ),
      line as materialized (
        select l.id, l.citizen_id from credit_line l
        where l.id in (select line_id from due) order by l.id for update of l skip locked
      ),
      link as materialized (
        select f.id, f.used_by_month from family_link f
        where f.id in (select due.family_link_id from due join line on line.id = due.line_id)
        order by f.id for update of f
      ),
      expired as (
        update hold set status = 'expired', resolved_at = clock.now
        from due, line, clock
        where hold.id = due.id and line.id = hold.line_id
          and hold.status = 'placed' and hold.expires_at <= clock.now
        returning hold.id, hold.line_id, hold.visit_id, hold.amount, due.hospital_code,
          line.citizen_id, hold.family_link_id, hold.placed_at, clock.now
      ),
      ${countedCte(sql`
        select family_link_id as link_id, ${monthOf(sql`placed_at`)} as month, -amount as delta
        from expired`)},
      moved as (
        update credit_line set held = credit_line.held - e.amount
        from (select line_id, sum(amount)::bigint as amount from expired group by line_id) e
        where credit_line.id = e.line_id
      )
      select id, visit_id, hospital_code, citizen_id, amount, now from expired`,
    );
    for (const hold of expired) {
      await recordEvent(tx, {
        type: 'hold.expired',
        hospitalCode: hold.hospital_code,
        citizenId: hold.citizen_id,
        data: { holdId: hold.id, visitId: hold.visit_id, amount: formatYuan(hold.amount) },
        occurredAt: new Date(hold.now),
      });
    }
    return expired.length;
  });
}
