// Rows of visits and their charges: locking, reading, and the view that callers see.
import { and, asc, desc, eq, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { chargeBatch, hold, settlement, visit } from '../db/schema.ts';
import { type ProblemCode, problems, Refusal } from '../errors.ts';
import { explained } from '../http/explanations.ts';
import { maskIdNumber, maskName } from '../identity/id-number.ts';
import type { Keyring } from '../identity/keyring.ts';
import { readCitizen } from '../identity/people.ts';
import type { Filing } from '../insurance/filing.ts';
import { formatYuan } from '../money.ts';
import { confirmationOfVisit } from './confirmation-store.ts';

export type VisitRow = typeof visit.$inferSelect;
export type BatchRow = typeof chargeBatch.$inferSelect;

/** Locks a visit of this hospital for the rest of the transaction; 404 for anybody else's. */
export async function lockVisit(tx: Tx, visitId: string, hospitalCode: string): Promise<VisitRow> {
  const [row] = await tx
    .select()
    .from(visit)
    .where(and(eq(visit.id, visitId), eq(visit.hospitalCode, hospitalCode)))
    .for('update');
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** Refuses unless the visit can still be changed: settling is "not now", cancelled is final. */
export function refuseUnlessChangeable(row: VisitRow): void {
  if (row.status === 'settling') throw new Refusal('visit/settling', { retryAfterSeconds: 1 });
  if (row.status === 'cancelled') throw new Refusal('visit/wrong-state');
}

/** Reads a visit without locking it; null when it is not this hospital's. */
export async function findVisit(
  tx: Tx | Db,
  visitId: string,
  hospitalCode: string,
): Promise<VisitRow | null> {
  const [row] = await tx
    .select()
    .from(visit)
    .where(and(eq(visit.id, visitId), eq(visit.hospitalCode, hospitalCode)));
  return row ?? null;
}

export async function batchesOf(tx: Tx | Db, visitId: string): Promise<BatchRow[]> {
  return tx
    .select()
    .from(chargeBatch)
    .where(eq(chargeBatch.visitId, visitId))
    .orderBy(asc(chargeBatch.position));
}

/** The visit as the contract shows it; personal data masked. */
export async function visitView(tx: Tx | Db, keyring: Keyring, row: VisitRow) {
  const { proxyCitizenId } = row;
  const isAsked = row.holdDecline === 'credit/confirmation-needed';
  // Sent together: each of them would else be a message and a wait of its own.
  const [[newestHold], settlements, patient, proxy, asked] = await Promise.all([
    tx
      .select()
      .from(hold)
      .where(eq(hold.visitId, row.id))
      .orderBy(desc(hold.placedAt), desc(hold.id))
      .limit(1),
    tx
      .select({ id: settlement.id })
      .from(settlement)
      .where(eq(settlement.visitId, row.id))
      .orderBy(asc(settlement.recordedAt)),
    row.citizenId ? readCitizen(tx, keyring, row.citizenId) : null,
    proxyCitizenId ? readCitizen(tx, keyring, proxyCitizenId) : null,
    isAsked ? confirmationOfVisit(tx, row.id) : null,
  ]);
  return {
    id: row.id,
    visitNumber: row.visitNumber,
    kind: row.kind,
    status: row.status,
    businessDate: row.businessDate,
    startedAt: row.startedAt.toISOString(),
    patient: patient
      ? { name: maskName(patient.name), idNumber: maskIdNumber(patient.idNumber) }
      : null,
    insured: row.insured,
    payer: row.payer,
    ...(proxy ? { proxy: { name: maskName(proxy.name) } } : {}),
    ...(asked ? { holdConfirmation: asked } : {}),
    hold: newestHold ? holdView(newestHold) : null,
    holdDecline: declineView(row.holdDecline),
    chargedTotal: formatYuan(row.chargedTotal),
    settlementIds: settlements.map((s) => s.id),
    ...(row.kind === 'inpatient' ? { admission: admissionView(row) } : {}),
    ...(row.filing ? { filing: row.filing as Filing } : {}),
  };
}

function admissionView(row: VisitRow) {
  return {
    admittedAt: row.startedAt.toISOString(),
    insurer: row.mdtrtId ? 'admitted' : 'waiting',
    dischargedAt: row.dischargedAt?.toISOString() ?? null,
  };
}

/** A hold as the contract shows it. */
export function holdView(
  row: Pick<typeof hold.$inferSelect, 'id' | 'status' | 'amount' | 'expiresAt'>,
) {
  return {
    id: row.id,
    status: row.status,
    amount: formatYuan(row.amount),
    expiresAt: row.expiresAt.toISOString(),
  };
}

function declineView(code: string | null) {
  if (!code) return null;
  const known = code as ProblemCode;
  return { code, title: problems[known].title, ...explained(known) };
}

/** Adds `amount` fen (may be negative) to what the visit was charged, and sets its status. */
export async function moveChargedTotal(
  tx: Tx,
  visitId: string,
  amount: bigint,
): Promise<VisitRow['chargedTotal']> {
  const [row] = await rows<{ charged_total: bigint }>(
    tx,
    sql`update visit set charged_total = charged_total + ${amount.toString()}::bigint,
          status = case when exists (select 1 from charge_batch b
              where b.visit_id = ${visitId} and b.settlement_id is null) then 'open'
            when exists (select 1 from charge_batch b where b.visit_id = ${visitId}) then 'settled'
            else 'open' end,
          version = version + 1
        where id = ${visitId} returning charged_total`,
  );
  return row?.charged_total ?? 0n;
}
