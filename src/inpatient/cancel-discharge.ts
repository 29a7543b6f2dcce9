// Cancels a discharge: the patient is in hospital again. Only while the settlement that closed the stay
// is not made, or after it is refunded; what the insurer was told is undone by a job (2405).
import { and, eq, ne } from 'drizzle-orm';
import { businessNow, type Tx } from '../db/db.ts';
import { intent, settlement, visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { recordEvent } from '../outbox/events.ts';
import { readClinical } from '../visit/change-visit.ts';
import { lockVisit, refuseUnlessChangeable, type VisitRow } from '../visit/visit-store.ts';
import { closeStay } from './close-stay.ts';

/** 409 visit/wrong-state unless discharged, visit/already-settled while its settlement stands. */
export async function cancelDischarge(
  tx: Tx,
  deps: Deps,
  hospitalCode: string,
  visitId: string,
): Promise<VisitRow> {
  const row = await lockVisit(tx, visitId, hospitalCode);
  refuseUnlessChangeable(row);
  if (!row.dischargedAt) {
    throw new Refusal('visit/wrong-state', { detail: '未办理出院 Not discharged' });
  }
  await refuseWhileRunning(tx, row.id);
  const standing = await tx
    .select({ id: settlement.id })
    .from(settlement)
    .where(
      and(
        eq(settlement.visitId, row.id),
        eq(settlement.isInterim, false),
        ne(settlement.status, 'refunded'),
      ),
    );
  if (standing.length > 0) {
    const detail = '请先退出院结算 Refund the settlement that closed the stay first';
    throw new Refusal('visit/already-settled', { detail });
  }
  const { dischargeDiagnoses: _gone, ...clinical } = readClinical(deps, row);
  const [saved] = await tx
    .update(visit)
    .set({
      dischargedAt: null,
      clinical: deps.keyring.seal(JSON.stringify(clinical)),
      version: row.version + 1,
    })
    .where(eq(visit.id, row.id))
    .returning();
  await closeStay(tx, row);
  await recordEvent(tx, {
    type: 'visit.dischargeCancelled',
    hospitalCode: row.hospitalCode,
    citizenId: row.citizenId,
    data: { visitId: row.id },
    occurredAt: await businessNow(tx),
  });
  return saved ?? row;
}

/** A refund or conversion of this stay goes by the discharge that it began with. */
async function refuseWhileRunning(tx: Tx, visitId: string): Promise<void> {
  const [running] = await tx
    .select({ id: intent.id })
    .from(intent)
    .where(and(eq(intent.visitId, visitId), eq(intent.status, 'running')));
  if (running) throw new Refusal('visit/settling', { retryAfterSeconds: 1 });
}
