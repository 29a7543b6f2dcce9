// Rows of settlements and the view that callers see. Refunds never change `total` and `tenders`.
import { and, eq, type SQL, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { claim, settlement, tender } from '../db/schema.ts';
import { readRows } from '../db/statements.ts';
import { assert, Refusal } from '../errors.ts';
import { formatYuan } from '../money.ts';
import type { CounterTender, Tender } from './waterfall.ts';

export type SettlementRow = typeof settlement.$inferSelect;
export type ClaimRow = typeof claim.$inferSelect;
export type TenderRow = typeof tender.$inferSelect;

/** Locks a settlement of this hospital for the rest of the transaction; 404 for anybody else's. */
export async function lockSettlement(
  tx: Tx,
  settlementId: string,
  hospitalCode: string,
): Promise<SettlementRow> {
  const [row] = await readRows(
    tx,
    settlement,
    sql`where id = ${settlementId} and hospital_code = ${hospitalCode} for update`,
  );
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** Reads a settlement without locking it; null when it is not this hospital's. */
export async function findSettlement(
  tx: Tx | Db,
  settlementId: string,
  hospitalCode: string,
): Promise<SettlementRow | null> {
  const [row] = await tx
    .select()
    .from(settlement)
    .where(and(eq(settlement.id, settlementId), eq(settlement.hospitalCode, hospitalCode)));
  return row ?? null;
}

export function tendersOf(tx: Tx | Db, settlementId: string): Promise<TenderRow[]> {
  return readRows(tx, tender, sql`where settlement_id = ${settlementId} order by position`);
}

/** A tender as JSON carries it: fen as text, times as RFC 3339. */
export type SentTender = Omit<TenderRow, 'amount' | 'givenBack' | 'paidAt'> &
  Record<'amount' | 'givenBack' | 'paidAt', string>;

/** `tendersOf` as an expression, a JSON array for `tenderOf`. */
export const sentTenders = (settlementId: string): SQL => sql`(
  select coalesce(jsonb_agg(jsonb_build_object('settlementId', t.settlement_id,
    'position', t.position, 'kind', t.kind, 'amount', t.amount::text, 'reference', t.reference,
    'givenBack', t.given_back::text, 'paidAt', t.paid_at) order by t.position), '[]')
  from tender t where t.settlement_id = ${settlementId})`;

export const tenderOf = (sent: SentTender): TenderRow => ({
  ...sent,
  amount: BigInt(sent.amount),
  givenBack: BigInt(sent.givenBack),
  paidAt: new Date(sent.paidAt),
});

/** The one live claim of a settlement, if the insurer has one. */
export async function liveClaim(tx: Tx | Db, settlementId: string): Promise<ClaimRow | null> {
  const [row] = await tx
    .select()
    .from(claim)
    .where(and(eq(claim.settlementId, settlementId), eq(claim.status, 'live')));
  return row ?? null;
}

/** The settlement as the contract shows it. */
export async function settlementView(tx: Tx | Db, row: SettlementRow) {
  return showSettlement(row, await readAroundSettlement(tx, row.id));
}

/** What is shown of a settlement and stands elsewhere; amounts are fen, as text where they were read. */
interface AroundSettlement {
  tenders: { kind: string; amount: string | bigint; reference?: string | null }[];
  batches: string[];
  setl_id: string | null;
  receivable_id: string | null;
  conversion_id: string | null;
}

/** Reads it in one statement. */
async function readAroundSettlement(tx: Tx | Db, settlementId: string): Promise<AroundSettlement> {
  const [around] = await rows<AroundSettlement>(
    tx,
    sql`
    select
      (select coalesce(jsonb_agg(jsonb_build_object('kind', t.kind, 'amount', t.amount::text,
          'reference', t.reference) order by t.position), '[]')
        from tender t where t.settlement_id = ${settlementId}) as tenders,
      (select coalesce(jsonb_agg(b.batch order by b.position), '[]')
        from charge_batch b where b.settlement_id = ${settlementId}) as batches,
      (select c.setl_id from claim c
        where c.settlement_id = ${settlementId} and c.status = 'live') as setl_id,
      (select r.id from receivable r where r.settlement_id = ${settlementId} limit 1)
        as receivable_id,
      (select c.id from conversion c
        where c.settlement_id = ${settlementId} and c.status <> 'cancelled'
        order by c.id desc limit 1) as conversion_id`,
  );
  assert(around, 'one row is one row');
  return around;
}

/** The settlement as the contract shows it, of what was read. Pure. */
export function showSettlement(row: SettlementRow, around: AroundSettlement) {
  return {
    id: row.id,
    ...splitView({
      visitId: row.visitId,
      batches: around.batches,
      total: row.total,
      dueAtCounter: row.dueAtCounter,
      tenders: around.tenders.map((t) => ({
        kind: t.kind as Tender['kind'],
        amount: BigInt(t.amount),
        ...(t.reference ? { reference: t.reference } : {}),
      })),
      unused: (
        row.unused as { kind: CounterTender['kind']; amount: string; reference: string }[]
      ).map((t) => ({ ...t, amount: BigInt(t.amount) })),
      insurance: {
        status: row.insuranceStatus,
        ...(around.setl_id ? { claimId: around.setl_id } : {}),
        ...(row.insuranceReason ? { reason: row.insuranceReason } : {}),
      },
      payer: row.payer,
    }),
    status: row.status,
    ...(row.isInterim ? { interim: true } : {}),
    ...(around.receivable_id ? { receivableId: around.receivable_id } : {}),
    ...(around.conversion_id ? { conversionId: around.conversion_id } : {}),
    ...(row.receiptNumber ? { receiptNumber: row.receiptNumber } : {}),
    ...(row.invoice ? { invoice: row.invoice } : {}),
    stillDue: formatYuan(row.dueAtCounter - row.dueReduced),
    refundable: formatYuan(row.refundable),
    settledAt: row.settledAt.toISOString(),
    businessDate: row.businessDate,
  };
}

/** The split of a bill, as in a settlement and in a preview. Amounts in fen. */
export function splitView(split: {
  visitId: string;
  batches: string[];
  total: bigint;
  dueAtCounter: bigint;
  tenders: Tender[];
  unused: CounterTender[];
  insurance: { status: string; claimId?: string; reason?: string };
  payer: string | null;
}) {
  return {
    visitId: split.visitId,
    batches: split.batches,
    total: formatYuan(split.total),
    dueAtCounter: formatYuan(split.dueAtCounter),
    tenders: split.tenders.map((t) => ({ ...t, amount: formatYuan(t.amount) })),
    unused: split.unused.map((t) => ({ ...t, amount: formatYuan(t.amount) })),
    insurance: split.insurance,
    ...(split.payer ? { payer: split.payer } : {}),
  };
}

/** Reserves natural keys of a hospital for a settlement; refuses what was ever used before. */
export async function reserveReference(
  tx: Tx,
  hospitalCode: string,
  settlementId: string,
  used: { kind: string; reference: string },
): Promise<void> {
  const reserved = await rows(
    tx,
    sql`
    insert into used_reference (hospital_code, kind, reference, settlement_id)
    values (${hospitalCode}, ${used.kind}, ${used.reference}, ${settlementId})
    on conflict do nothing returning 1`,
  );
  if (reserved.length === 0) {
    throw new Refusal(
      used.kind === 'receipt' ? 'settlement/receipt-used' : 'tender/reference-used',
    );
  }
}

/** Frees references that were reserved but not taken: an undone settlement, an unused tender. */
export async function freeReferences(
  tx: Tx,
  settlementId: string,
  only?: { kind: string; reference: string },
): Promise<void> {
  await rows(
    tx,
    sql`delete from used_reference where settlement_id = ${settlementId}
    and (${only?.kind ?? null}::text is null
      or (kind = ${only?.kind ?? null} and reference = ${only?.reference ?? null}))`,
  );
}
