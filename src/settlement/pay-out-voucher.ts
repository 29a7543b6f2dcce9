// A voucher is paid out at the counter of its hospital, once; it never lapses (books.md, row 4).
import { eq } from 'drizzle-orm';
import { businessNow, type Tx } from '../db/db.ts';
import { moneyBack, settlement } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { credit, hospitalBooks } from '../ledger/journal.ts';
import { openLegs, undoLegs } from '../ledger/open-legs.ts';
import { postEntry } from '../ledger/post.ts';
import { formatYuan } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import { inDrawer } from '../shift/drawer.ts';
import { lockSettlement } from './settlement-store.ts';

/** 404 for an unknown code or another hospital's; 409 voucher/already-paid the second time. */
export async function payOutVoucher(
  tx: Tx,
  terminal: { hospitalCode: string; terminalId: string | null },
  code: string,
) {
  const { hospitalCode } = terminal;
  const [found] = await tx
    .select({
      hospitalCode: settlement.hospitalCode,
      settlementId: settlement.id,
      id: moneyBack.id,
    })
    .from(moneyBack)
    .innerJoin(settlement, eq(settlement.id, moneyBack.settlementId))
    .where(eq(moneyBack.voucherCode, code));
  if (!found || found.hospitalCode !== hospitalCode) throw new Refusal('resource/not-found');
  // The legs of one settlement are undone by one at a time.
  await lockSettlement(tx, found.settlementId, hospitalCode);
  const [row] = await tx.select().from(moneyBack).where(eq(moneyBack.id, found.id)).for('update');
  if (!row || row.status === 'done') throw new Refusal('voucher/already-paid');
  const now = await businessNow(tx);
  const h = hospitalBooks(hospitalCode);
  const legs = await openLegs(tx, row.settlementId);
  await postEntry(tx, {
    fact: 'voucher.paid',
    subjectId: row.id,
    settlementId: row.settlementId,
    occurredAt: now,
    legs: await inDrawer(tx, terminal.terminalId, [
      ...undoLegs(legs, { ...h, account: '2203', amount: row.amount, reference: row.kind }),
      credit(h, '1101', row.amount, { reference: 'voucher' }),
    ]),
  });
  await tx
    .update(moneyBack)
    .set({ status: 'done', resolvedAt: now })
    .where(eq(moneyBack.id, row.id));
  await recordEvent(tx, {
    type: 'voucher.paid',
    hospitalCode,
    citizenId: row.citizenId,
    data: { moneyBackId: row.id, settlementId: row.settlementId },
    occurredAt: now,
  });
  return { code, amount: formatYuan(row.amount), settlementId: row.settlementId, status: 'done' };
}
