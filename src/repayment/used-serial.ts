// Law: one movement of a bank's money is booked once, whoever tells of it and however often.
import { eq, sql } from 'drizzle-orm';
import { businessNow, rows, type Tx } from '../db/db.ts';
import { repayment } from '../db/schema.ts';
import { openCase } from '../finance/open-case.ts';
import { formatYuan } from '../money.ts';
import { isUnderWay, type RepaymentRow } from './repayment-store.ts';

/** A serial that was booked already is the same money, or the bank errs: either way nothing more came. */
export async function isSerialUsed(
  tx: Tx,
  row: RepaymentRow,
  bankSerial: string,
): Promise<boolean> {
  const found = await rows(
    tx,
    sql`
    select 1 from repayment
    where lender = ${row.lender} and bank_serial = ${bankSerial} and id <> ${row.id}`,
  );
  return found.length > 0;
}

/** The debit waits until the bank says something else of it; a person looks. */
export async function doubt(tx: Tx, row: RepaymentRow, bankSerial: string): Promise<void> {
  if (isUnderWay(row)) {
    await tx.update(repayment).set({ status: 'unknown' }).where(eq(repayment.id, row.id));
  }
  await openCase(tx, {
    kind: 'lender/serial-used',
    subjectId: row.id,
    hospitalCode: null,
    reason: '银行流水号已用于另一笔还款 the bank’s serial is of another repayment',
    detail: { lender: row.lender, bankSerial, amount: formatYuan(row.amount) },
    now: await businessNow(tx),
  });
}
