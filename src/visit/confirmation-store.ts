// Rows of hold confirmations: what a payer is asked to confirm before more is held on the line. Law: a
// visit asks for one total at a time, and a payer's word holds for the amount that was shown, no other.
// Callers hold the visit's lock.
import { and, asc, desc, eq, gt, sql } from 'drizzle-orm';
import { businessNow, type Db, type Tx } from '../db/db.ts';
import { citizen, holdConfirmation, hospital, visit } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { maskName } from '../identity/id-number.ts';
import type { Keyring } from '../identity/keyring.ts';
import { newId } from '../ids.ts';
import { type Fen, formatYuan } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import type { VisitRow } from './visit-store.ts';

export type ConfirmationRow = typeof holdConfirmation.$inferSelect;
export type Resolution = 'confirmed' | 'declined' | 'expired';

/** Long enough to find the phone, too short for a hospital to wait. Business time. */
const LIFE_MS = 10 * 60_000;

/** Asks the payer of a visit for a total, fen; the same question asked again is the same row. */
export async function askConfirmation(
  tx: Tx,
  asked: Pick<VisitRow, 'id' | 'hospitalCode' | 'payerCitizenId'>,
  amount: Fen,
): Promise<ConfirmationRow> {
  const { id: visitId, hospitalCode, payerCitizenId } = asked;
  if (!payerCitizenId) throw new Error(`visit ${visitId} has no payer to ask`);
  const now = await businessNow(tx);
  const pending = await lockPending(tx, visitId);
  const isSame = pending?.amount === amount && pending.payerCitizenId === payerCitizenId;
  if (pending && isSame && pending.expiresAt > now) return pending;
  if (pending) await resolve(tx, pending.id, { status: 'expired', at: now });
  const [row] = await tx
    .insert(holdConfirmation)
    .values({
      id: newId('holdConfirmation'),
      visitId,
      payerCitizenId,
      amount,
      status: 'pending',
      createdAt: now,
      expiresAt: new Date(now.getTime() + LIFE_MS),
    })
    .returning();
  if (!row) throw new Error('a confirmation was not inserted');
  await recordEvent(tx, {
    type: 'hold.confirmationNeeded',
    hospitalCode,
    citizenId: payerCitizenId,
    data: { visitId, confirmationId: row.id, amount: formatYuan(amount) },
    occurredAt: now,
  });
  return row;
}

/** Withdraws the question: the terminal wants another total, or nothing, held. */
export async function dropConfirmation(tx: Tx, visitId: string): Promise<void> {
  const pending = await lockPending(tx, visitId);
  if (pending) await resolve(tx, pending.id, { status: 'expired', at: await businessNow(tx) });
}

/** The visit's open question, locked; null when nothing is asked (it may be over its time). */
export async function lockPending(tx: Tx, visitId: string): Promise<ConfirmationRow | null> {
  const [row] = await tx
    .select()
    .from(holdConfirmation)
    .where(and(eq(holdConfirmation.visitId, visitId), eq(holdConfirmation.status, 'pending')))
    .for('update');
  return row ?? null;
}

/** Ends a locked, pending row. */
export async function resolve(
  tx: Tx,
  confirmationId: string,
  end: { status: Resolution; at: Date; by?: string },
): Promise<ConfirmationRow> {
  const [row] = await tx
    .update(holdConfirmation)
    .set({ status: end.status, resolvedAt: end.at, confirmedBy: end.by ?? null })
    .where(and(eq(holdConfirmation.id, confirmationId), eq(holdConfirmation.status, 'pending')))
    .returning();
  if (!row) throw new Refusal('hold/confirmation-closed');
  return row;
}

/** A payer's own confirmation without locking it; 404 for anybody else's. */
export async function findOwnConfirmation(
  tx: Tx | Db,
  confirmationId: string,
  payerCitizenId: string,
): Promise<ConfirmationRow> {
  const isOwn = eq(holdConfirmation.payerCitizenId, payerCitizenId);
  const [row] = await tx
    .select()
    .from(holdConfirmation)
    .where(and(eq(holdConfirmation.id, confirmationId), isOwn));
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** The newest question of a visit as its terminal sees it; null when none was asked. */
export async function confirmationOfVisit(tx: Tx | Db, visitId: string) {
  const [row] = await tx
    .select({ row: holdConfirmation, now: sql<string>`business_now()` })
    .from(holdConfirmation)
    .where(eq(holdConfirmation.visitId, visitId))
    .orderBy(desc(holdConfirmation.id))
    .limit(1);
  return row ? shortView(row.row, new Date(row.now)) : null;
}

/** What waits for a payer's word, oldest first, `limit` of them after `afterId`. */
export async function listWaiting(
  deps: { db: Db; keyring: Keyring },
  payerCitizenId: string,
  page: { afterId: string; limit: number },
) {
  const isWaiting = and(
    eq(holdConfirmation.payerCitizenId, payerCitizenId),
    eq(holdConfirmation.status, 'pending'),
    gt(holdConfirmation.expiresAt, sql`business_now()`),
    gt(holdConfirmation.id, page.afterId),
  );
  return whole(deps, isWaiting, page.limit);
}

/** One confirmation as its payer sees it: amount, hospital, whose visit; never what for. */
export async function readConfirmation(deps: { db: Db | Tx; keyring: Keyring }, id: string) {
  const [view] = await whole(deps, eq(holdConfirmation.id, id), 1);
  if (!view) throw new Refusal('resource/not-found');
  return view;
}

async function whole(
  { db, keyring }: { db: Db | Tx; keyring: Keyring },
  condition: ReturnType<typeof and>,
  limit: number,
) {
  const found = await db
    .select({
      row: holdConfirmation,
      place: hospital,
      patientId: visit.citizenId,
      patientName: citizen.name,
      now: sql<string>`business_now()`,
    })
    .from(holdConfirmation)
    .innerJoin(visit, eq(visit.id, holdConfirmation.visitId))
    .innerJoin(hospital, eq(hospital.code, visit.hospitalCode))
    .leftJoin(citizen, eq(citizen.id, visit.citizenId))
    .where(condition)
    .orderBy(asc(holdConfirmation.id))
    .limit(limit);
  return found.map(({ row, place, patientId, patientName, now }) => ({
    ...shortView(row, new Date(now)),
    visitId: row.visitId,
    hospital: { code: place.code, name: place.name },
    patient: patientName ? { name: maskName(keyring.open(patientName)) } : null,
    isOwnVisit: patientId === row.payerCitizenId,
    createdAt: row.createdAt.toISOString(),
  }));
}

/** Over its time is expired, whether or not the worker has come by. */
function shortView(row: ConfirmationRow, now: Date) {
  const isOver = row.status === 'pending' && row.expiresAt <= now;
  return {
    id: row.id,
    amount: formatYuan(row.amount),
    status: isOver ? 'expired' : row.status,
    ...(row.confirmedBy ? { confirmedBy: row.confirmedBy } : {}),
    expiresAt: row.expiresAt.toISOString(),
  };
}
