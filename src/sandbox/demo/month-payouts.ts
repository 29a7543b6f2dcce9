// Role: the payouts of a day of the demo month: proposed by one, approved by another, sent, and proved by the
// hospital's bank statement of the same afternoon.
import { createHash } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { type Db, transact } from '../../db/db.ts';
import { payout } from '../../db/schema.ts';
import type { CallerOf } from '../../http/route.ts';
import { buildPayouts } from '../../payout/build-payouts.ts';
import { bookSent } from '../../payout/move-payout.ts';
import { lockPayout } from '../../payout/payout-store.ts';
import { resolvePayout } from '../../payout/resolve-payout.ts';
import { importStatement } from '../../reconciliation/import-statement.ts';
import type { StatementRow } from '../../reconciliation/statement.ts';

const staff = (name: string): CallerOf<'staff'> => ({
  ...{ kind: 'staff', client: name, subject: name, hospitalCode: null },
  roles: ['financeMaker', 'financeChecker'],
});

/** Returns how many payouts were sent and proved. */
export async function payDay(db: Db, businessDate: string): Promise<number> {
  const ids = await transact(db, (tx) => buildPayouts(tx, staff('demo-maker'), { businessDate }));
  const byHospital = new Map<string, StatementRow[]>();
  let day = businessDate;
  for (const payoutId of ids) {
    const checker = staff('demo-checker');
    await transact(db, async (tx) => {
      const { status } = await lockPayout(tx, checker, payoutId);
      if (status !== 'proposed') return;
      await bookSent(tx, await resolvePayout(tx, checker, { payoutId, decision: 'approved' }));
    });
    const [row] = await db.select().from(payout).where(eq(payout.id, payoutId));
    if (!row?.sentAt) continue;
    day = new Date(row.sentAt.getTime() + 8 * 3_600_000).toISOString().slice(0, 10);
    const rows = byHospital.get(row.hospitalCode) ?? [];
    rows.push({
      ...{ rowNumber: rows.length + 1, kind: 'credit', key: row.endToEndId, key2: null },
      ...{ amount: row.amount, fee: 0n, occurredOn: day },
      detail: { AcctSvcrRef: `BK-${row.endToEndId}` },
    });
    byHospital.set(row.hospitalCode, rows);
  }
  for (const [hospitalCode, found] of byHospital) await prove(db, hospitalCode, day, found);
  return ids.length;
}

async function prove(db: Db, hospitalCode: string, businessDate: string, found: StatementRow[]) {
  const fileHash = createHash('sha256')
    .update(`bank ${hospitalCode} ${businessDate}`)
    .digest('hex');
  await importStatement(
    { db },
    {
      ...{ counterparty: 'bank', businessDate, hospitalCode, lender: null, format: 'demo' },
      ...{ fileHash, createdBy: 'demo' },
    },
    () => ({
      rows: (async function* () {
        yield found;
      })(),
      meta: () => ({}),
      claimedTotals: () => null,
    }),
  );
}
