// Discharges an inpatient: from now on the next settlement closes the stay. A patient insured elsewhere
// is asked about once more: filed before discharge is filed in time (nhsa.md §6, article 16).
import { eq } from 'drizzle-orm';
import { businessNow, type Tx } from '../db/db.ts';
import { visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { once, peekKey, type RequestKey } from '../http/idempotency.ts';
import type { CallerOf, Reply } from '../http/route.ts';
import { askFilingOnce } from '../insurance/ask-filing.ts';
import type { Filing } from '../insurance/filing.ts';
import { recordEvent } from '../outbox/events.ts';
import { readUnsettledBill } from '../settlement/bill.ts';
import { readClinical } from '../visit/change-visit.ts';
import {
  findVisit,
  lockVisit,
  refuseUnlessChangeable,
  type VisitRow,
  visitView,
} from '../visit/visit-store.ts';
import { closeStay } from './close-stay.ts';
import type { Discharge } from './schemas.ts';

/** Nobody waits longer for an answer that changes nothing now. */
const FILING_MS = 2_500;

export interface DischargeCall {
  deps: Deps;
  key: RequestKey | null;
  caller: CallerOf<'terminal'>;
  visitId: string;
  request: Discharge;
}

/** The use case behind POST /v1/visits/{id}/discharge. 409 visit/wrong-state unless admitted. */
export async function dischargeVisit(call: DischargeCall): Promise<Reply> {
  const { deps, caller, visitId, request } = call;
  const replay = await peekKey(deps.db, call.key);
  if (replay) return replay;
  const known = await findVisit(deps.db, visitId, caller.hospitalCode);
  if (!known) throw new Refusal('resource/not-found');
  const filing = await askFilingAgain(deps, known);
  return once(call, async (tx) => {
    const row = await lockVisit(tx, visitId, caller.hospitalCode);
    refuseUnlessAdmitted(row);
    const now = await businessNow(tx);
    const dischargedAt = request.at ?? now;
    refuseImpossibleTime(row, dischargedAt, now);
    const saved = await saveDischarge(tx, deps, row, { request, dischargedAt, filing });
    await recordEvent(tx, {
      type: 'visit.discharged',
      hospitalCode: row.hospitalCode,
      citizenId: row.citizenId,
      data: { visitId: row.id, dischargedAt: dischargedAt.toISOString() },
      occurredAt: now,
    });
    // Whatever is settled already: nothing may be left to settle.
    await closeStay(tx, row);
    return { status: 200, body: await visitView(tx, deps.keyring, saved) };
  });
}

/** Null where nobody could say, or inside the region. */
async function askFilingAgain(deps: Deps, row: VisitRow): Promise<Filing | null> {
  if (!row.insuredPerson || row.kind !== 'inpatient') return null;
  const bill = await readUnsettledBill(deps, row.id, []);
  if (!bill.person) return null;
  const { hospital, claimVisit, operator, person, kind } = bill;
  const about = { kind, hospital, visit: claimVisit, person };
  return askFilingOnce(deps, about, { operator, deadlineMs: FILING_MS });
}

function refuseUnlessAdmitted(row: VisitRow): void {
  refuseUnlessChangeable(row);
  if (row.kind !== 'inpatient') {
    throw new Refusal('visit/wrong-state', { detail: '不是住院 Not an inpatient' });
  }
  if (row.dischargedAt) {
    throw new Refusal('visit/wrong-state', { detail: '已办理出院 Discharged already' });
  }
}

function refuseImpossibleTime(row: VisitRow, at: Date, now: Date): void {
  if (at >= row.startedAt && at <= now) return;
  const detail = '须在入院之后、现在之前 expects a time after the admission and not in the future';
  throw new Refusal('request/invalid', { errors: [{ pointer: '/at', detail }] });
}

async function saveDischarge(
  tx: Tx,
  deps: Deps,
  row: VisitRow,
  said: { request: Discharge; dischargedAt: Date; filing: Filing | null },
): Promise<VisitRow> {
  const { request, dischargedAt, filing } = said;
  const clinical = { ...readClinical(deps, row), dischargeDiagnoses: request.diagnoses };
  const [saved] = await tx
    .update(visit)
    .set({
      dischargedAt,
      clinical: deps.keyring.seal(JSON.stringify(clinical)),
      ...(filing ? { filing } : {}),
      version: row.version + 1,
    })
    .where(eq(visit.id, row.id))
    .returning();
  return saved ?? row;
}
