// Law: a line's amount is half-up(quantity × unit price); a batch is whole and belongs to one visit.
import { and, eq, type SQL, sql } from 'drizzle-orm';
import { extendHold } from '../credit/extend-hold.ts';
import { businessNow, rows, type Tx } from '../db/db.ts';
import { chargeBatch } from '../db/schema.ts';
import { type FieldError, Refusal } from '../errors.ts';
import { growHold } from '../inpatient/grow-hold.ts';
import { type Fen, formatYuan, lineAmount, MAX_FEN, sumFen } from '../money.ts';
import type { ChargeItem } from './schemas.ts';
import {
  lockVisit,
  moveChargedTotal,
  refuseUnlessChangeable,
  type VisitRow,
} from './visit-store.ts';

/** Refuses with charge/amount-mismatch and a pointer to each wrong line. Pure. */
export function refuseMismatch(items: readonly ChargeItem[], pointer: string): void {
  const errors: FieldError[] = [];
  items.forEach((item, index) => {
    const amount = lineAmount(item.quantity, item.unitPrice);
    if (amount !== item.amount) {
      errors.push({
        pointer: `${pointer}/${index}/amount`,
        detail: `${item.quantity} × ${item.unitPrice} = ${formatYuan(amount)}`,
      });
    }
  });
  if (errors.length > 0) throw new Refusal('charge/amount-mismatch', { errors });
}

/** Adds one batch of lines to an open visit; a settled visit is open again. */
export async function addCharges(
  tx: Tx,
  hospitalCode: string,
  visitId: string,
  order: { batch: string; items: ChargeItem[] },
) {
  refuseMismatch(order.items, '/items');
  const visit = await lockVisit(tx, visitId, hospitalCode);
  refuseUnlessChangeable(visit);
  return insertCharges(tx, visit, order);
}

/** Inserts a batch and its lines under the visit's lock; refuses a taken batch or line number. */
async function insertCharges(
  tx: Tx,
  visit: VisitRow,
  order: { batch: string; items: ChargeItem[] },
) {
  const now = await businessNow(tx);
  const total = totalOf(order.items);
  const position = sql`(
    select 1 + coalesce(max(position), 0) from charge_batch where visit_id = ${visit.id})`;
  // All are sent together and read in order; a refusal below undoes them all.
  const [batches, lines, chargedTotal] = await Promise.all([
    rows(tx, insertBatch({ ...order, visitId: visit.id, position, total, now })),
    rows<{ line_number: number }>(tx, insertLines(visit.id, order, now)),
    moveChargedTotal(tx, visit.id, total),
    extendHold(tx, visit.id),
  ]);
  if (batches.length === 0) throw new Refusal('charge/batch-taken');
  refuseTakenLines(
    order.items,
    lines.map((line) => line.line_number),
  );
  refuseTooMuch(chargedTotal);
  await growHold(tx, visit);
  return { chargedTotal: formatYuan(chargedTotal), items: order.items.map(lineView(order.batch)) };
}

export const totalOf = (items: readonly ChargeItem[]): Fen =>
  sumFen(items.map((item) => item.amount));

/** Refuses with a pointer to each line that is not among those saved. */
export function refuseTakenLines(items: readonly ChargeItem[], savedNumbers: number[]): void {
  if (savedNumbers.length === items.length) return;
  const saved = new Set(savedNumbers);
  const errors = items.flatMap((item, index) =>
    saved.has(item.lineNumber)
      ? []
      : [{ pointer: `/items/${index}/lineNumber`, detail: `${item.lineNumber} is taken` }],
  );
  throw new Refusal('charge/line-taken', { errors });
}

export function refuseTooMuch(chargedTotal: Fen): void {
  if (chargedTotal > MAX_FEN) throw new Refusal('charge/total-exceeded');
}

const once = sql`(select 1) as once`;

/** The batch's row, as part of a larger statement: only if `from` has a row. */
export function insertBatch(
  batch: {
    visitId: string;
    batch: string;
    position: SQL;
    total: Fen;
    now: Date;
    settlementId?: string;
  },
  from: SQL = once,
): SQL {
  return sql`
    insert into charge_batch (visit_id, batch, position, total, settlement_id, created_at)
    select ${batch.visitId}::text, ${batch.batch}::text, ${batch.position}, ${batch.total}::bigint,
      ${batch.settlementId ?? null}::text, ${batch.now.toISOString()}::timestamptz from ${from}
    on conflict do nothing returning 1`;
}

/** The batch's lines, likewise; returns the numbers of those that were not taken. */
export function insertLines(
  visitId: string,
  order: { batch: string; items: ChargeItem[] },
  now: Date,
  from: SQL = once,
): SQL {
  const lines = order.items.map(({ lineNumber, code, name, quantity, unitPrice, ...rest }) => ({
    line_number: lineNumber,
    code,
    name,
    quantity,
    unit_price: unitPrice,
    amount: rest.amount.toString(),
    occurred_at: (rest.occurredAt ?? now).toISOString(),
    is_outside_insurance: rest.outsideInsurance ?? false,
    detail: {
      hospitalItemCode: rest.hospitalItemCode,
      doctor: rest.doctor,
      department: rest.department,
      prescriptionNumber: rest.prescriptionNumber,
      traceCodes: rest.traceCodes,
    },
  }));
  return sql`
    insert into charge (visit_id, batch, line_number, code, name, quantity, unit_price, amount,
                        occurred_at, is_outside_insurance, detail)
    select ${visitId}::text, ${order.batch}::text, l.line_number, l.code, l.name, l.quantity,
           l.unit_price, l.amount, l.occurred_at, l.is_outside_insurance, l.detail
    from ${from}, jsonb_to_recordset(${JSON.stringify(lines)}::jsonb) as l(line_number int, code text,
      name text, quantity numeric, unit_price numeric, amount bigint, occurred_at timestamptz,
      is_outside_insurance boolean, detail jsonb)
    on conflict do nothing returning line_number`;
}

const lineView = (batch: string) => (item: ChargeItem) => ({
  batch,
  lineNumber: item.lineNumber,
  code: item.code,
  name: item.name,
  quantity: item.quantity,
  unitPrice: item.unitPrice,
  amount: formatYuan(item.amount),
});

/** Takes an unsettled batch off the bill. 404 when there is none, 409 when it is settled. */
export async function removeBatch(tx: Tx, hospitalCode: string, visitId: string, batch: string) {
  const visit = await lockVisit(tx, visitId, hospitalCode);
  refuseUnlessChangeable(visit);
  const where = and(eq(chargeBatch.visitId, visitId), eq(chargeBatch.batch, batch));
  const [found] = await tx.select().from(chargeBatch).where(where);
  if (!found) throw new Refusal('resource/not-found');
  if (found.settlementId) throw new Refusal('charge/batch-settled');
  await tx.delete(chargeBatch).where(where);
  const chargedTotal = await moveChargedTotal(tx, visitId, -found.total);
  return { chargedTotal: formatYuan(chargedTotal), items: [] };
}
