// Rows of conversions: finding, locking, and the view that finance and citizens see.
import { and, asc, eq, type SQL, sql } from 'drizzle-orm';
import type { Db, Tx } from '../db/db.ts';
import { conversion, moneyBack, settlement } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { minorsOf } from '../family/wards.ts';
import type { Caller } from '../http/route.ts';
import { formatYuan, sumFen } from '../money.ts';
import { lockSettlement, type SettlementRow } from '../settlement/settlement-store.ts';
import { lockVisit, type VisitRow } from '../visit/visit-store.ts';

export type ConversionRow = typeof conversion.$inferSelect;

/** A tender, or `dueAtCounter`, as the contract shows it. */
export interface Part {
  kind: string;
  amount: string;
  reference?: string;
}

/** Statuses of a conversion that is not resolved; a settlement has at most one such. */
const openStatuses = ['queued', 'claiming', 'awaitingPatient'] as const;

export const isOpen = (row: ConversionRow): boolean =>
  openStatuses.some((status) => status === row.status);

/** Whose conversions a caller may see: a finance role may be limited to one hospital. */
export function ownHospital(caller: Caller): SQL | undefined {
  return caller.kind === 'staff' && caller.hospitalCode
    ? eq(conversion.hospitalCode, caller.hospitalCode)
    : undefined;
}

/** A conversion by id; 404 for another hospital's. */
export async function findConversion(
  tx: Tx | Db,
  conversionId: string,
  caller: Caller,
): Promise<ConversionRow> {
  const [row] = await tx
    .select()
    .from(conversion)
    .where(and(eq(conversion.id, conversionId), ownHospital(caller)));
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** A settlement of the terminal's hospital, or of which the citizen is the patient; else 404. */
export async function findOwnSettlement(
  tx: Tx | Db,
  settlementId: string,
  caller: Caller,
): Promise<SettlementRow> {
  const [row] = await tx.select().from(settlement).where(eq(settlement.id, settlementId));
  const isOwn =
    (caller.kind === 'terminal' && row?.hospitalCode === caller.hospitalCode) ||
    (caller.kind === 'citizen' && row?.citizenId === caller.citizenId);
  if (!row || !isOwn) throw new Refusal('resource/not-found');
  return row;
}

/**
 * A settlement that the caller may ask to convert: their own, or as guardian of a minor whom an active
 * link says they carry (a newborn's retroactive cover is the guardian's to ask for); 404 for any other.
 */
export async function findSettlementToConvert(
  tx: Tx | Db,
  settlementId: string,
  caller: Caller,
): Promise<SettlementRow> {
  if (caller.kind !== 'citizen') return findOwnSettlement(tx, settlementId, caller);
  const { citizenId } = caller;
  const [row] = await tx
    .select()
    .from(settlement)
    .where(
      and(
        eq(settlement.id, settlementId),
        sql`(${settlement.citizenId} = ${citizenId}
          or ${settlement.citizenId} in (${minorsOf(citizenId)}))`,
      ),
    );
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** All conversions of a settlement, oldest first; ids follow real time, which never goes back. */
export async function conversionsOf(tx: Tx | Db, settlementId: string): Promise<ConversionRow[]> {
  return tx
    .select()
    .from(conversion)
    .where(eq(conversion.settlementId, settlementId))
    .orderBy(asc(conversion.id));
}

export interface LockedSettlement {
  visit: VisitRow;
  settlement: SettlementRow;
  /** Oldest first. */
  conversions: ConversionRow[];
}

/** Locks the visit, then the settlement, then its conversions. */
export async function lockConversions(
  tx: Tx,
  found: Pick<SettlementRow, 'id' | 'visitId' | 'hospitalCode'>,
): Promise<LockedSettlement> {
  const visitRow = await lockVisit(tx, found.visitId, found.hospitalCode);
  const row = await lockSettlement(tx, found.id, found.hospitalCode);
  const conversions = await tx
    .select()
    .from(conversion)
    .where(eq(conversion.settlementId, row.id))
    .orderBy(asc(conversion.id))
    .for('update');
  return { visit: visitRow, settlement: row, conversions };
}

/** The same locks, from a conversion. */
export async function lockConversion(tx: Tx, found: ConversionRow) {
  const [place] = await tx.select().from(settlement).where(eq(settlement.id, found.settlementId));
  if (!place) throw new Error(`conversion ${found.id} has no settlement`);
  const locked = await lockConversions(tx, place);
  const row = locked.conversions.find(({ id }) => id === found.id);
  if (!row) throw new Error(`conversion ${found.id} was deleted`);
  return { ...locked, conversion: row };
}

const totalOf = (parts: Part[]) =>
  sumFen(parts.map((part) => BigInt(part.amount.replace('.', ''))));

/** The conversion as the contract shows it. */
export async function conversionView(tx: Tx | Db, row: ConversionRow) {
  const before = row.before as Part[];
  const after = row.after as Part[] | null;
  const back = await tx
    .select()
    .from(moneyBack)
    .where(eq(moneyBack.causeId, row.id))
    .orderBy(asc(moneyBack.position));
  return {
    id: row.id,
    settlementId: row.settlementId,
    cause: row.cause,
    status: row.status,
    ...(row.reason ? { reason: row.reason } : {}),
    attempts: row.attempts,
    before,
    after,
    refunds: back
      .filter((part) => !part.isReduction)
      .map((part) => ({ to: part.kind, amount: formatYuan(part.amount), status: part.status })),
    proof: {
      totalBefore: formatYuan(totalOf(before)),
      totalAfter: after && formatYuan(totalOf(after)),
      balanced: after && totalOf(before) === totalOf(after),
    },
    createdAt: row.createdAt.toISOString(),
  };
}
