// Law: an inpatient's money that is not back in time is a finance case, once, and the patient is told.
import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import { businessNow, transact } from '../db/db.ts';
import { moneyBack, settlement, visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { openCase } from '../finance/open-case.ts';
import { formatYuan } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import { refundDueBy } from './refund-clock.ts';
import { readStayPolicy } from './stay-policy.ts';

const BATCH = 100;

/** The chore; returns how many new cases it opened. The oldest first: what came later is due later. */
export async function findLateRefunds(deps: Deps): Promise<number> {
  let late = 0;
  for (const part of await unresolved(deps)) if (await tellIfLate(deps, part)) late += 1;
  return late;
}

type Part = Awaited<ReturnType<typeof unresolved>>[number];

/** Money of stays that has not arrived, and of which no case tells yet; none of it younger than a day. */
function unresolved(deps: Deps) {
  return deps.db
    .select({
      id: moneyBack.id,
      kind: moneyBack.kind,
      status: moneyBack.status,
      amount: moneyBack.amount,
      createdAt: moneyBack.createdAt,
      settlementId: settlement.id,
      hospitalCode: settlement.hospitalCode,
      citizenId: settlement.citizenId,
      /** The business day on which this is asked. */
      today: sql<string>`business_date(business_now())::text`,
    })
    .from(moneyBack)
    .innerJoin(settlement, eq(settlement.id, moneyBack.settlementId))
    .innerJoin(visit, eq(visit.id, settlement.visitId))
    .where(
      and(
        eq(visit.kind, 'inpatient'),
        inArray(moneyBack.status, ['pending', 'sent', 'failed', 'voucher']),
        sql`${moneyBack.createdAt} < business_now() - interval '1 day'`,
        sql`not exists (select 1 from finance_case c
          where c.kind = 'refund/late' and c.subject_id = ${moneyBack.id})`,
      ),
    )
    .orderBy(asc(moneyBack.id))
    .limit(BATCH);
}

async function tellIfLate(deps: Deps, part: Part): Promise<boolean> {
  const { id: subjectId, hospitalCode, citizenId, settlementId, kind, status } = part;
  const policy = await readStayPolicy(deps.db, hospitalCode, part.createdAt);
  const dueBy = refundDueBy(part.createdAt, policy);
  if (part.today <= dueBy) return false;
  const detail = { settlementId, kind, status, amount: formatYuan(part.amount), dueBy };
  return transact(deps.db, async (tx) => {
    const now = await businessNow(tx);
    const about = { subjectId, hospitalCode, detail, now };
    if (!(await openCase(tx, { kind: 'refund/late', ...about }))) return false;
    const data = { ...detail };
    await recordEvent(tx, { type: 'refund.late', hospitalCode, citizenId, data, occurredAt: now });
    return true;
  });
}
