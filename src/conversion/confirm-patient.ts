// Whose conversion it is: a credential that comes with a request must be the patient's, and it names
// the patient of an emergency that was unnamed until now.
import { and, eq, isNull } from 'drizzle-orm';
import type { Tx } from '../db/db.ts';
import { settlement, visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import type { Credential } from '../identity/credential-schema.ts';
import {
  COUNTER_LOOKUP_MS,
  type Identified,
  identify,
  insuredView,
  terminalOperator,
} from '../identity/credentials.ts';
import { findOrCreateCitizen } from '../identity/people.ts';
import { type HospitalRow, sealFound } from '../visit/open-visit.ts';
import type { VisitRow } from '../visit/visit-store.ts';
import type { LockedSettlement } from './conversion-store.ts';

export interface Asked {
  locked: LockedSettlement;
  /** Whose credential was shown; null when none was. */
  patient: Identified | null;
  hospital: HospitalRow;
}

/** Asks the insurer (1101) whose credential it is; changes nothing. Refuses as identify() does. */
export function identifyPatient(
  deps: Deps,
  caller: CallerOf<'terminal'> | CallerOf<'citizen'>,
  credential: Credential,
  hospital: HospitalRow,
): Promise<Identified> {
  const terminalId = caller.kind === 'terminal' ? caller.terminalId : '';
  const operator =
    caller.kind === 'terminal' ? terminalOperator(terminalId) : { id: 'citizen', name: '本人' };
  const deadlineMs = COUNTER_LOOKUP_MS;
  return identify(deps, { credential, hospital, terminalId, operator, deadlineMs });
}

/**
 * The patient's citizen id. Uses the credential up. Refuses with conversion/not-possible (nobody is
 * named), identity/unknown (somebody else's credential), identity/already-used, visit/patient-bound,
 * visit/proxy-is-patient.
 */
export async function confirmPatient(tx: Tx, deps: Deps, asked: Asked): Promise<string> {
  const { locked, patient, hospital } = asked;
  const known = locked.settlement.citizenId;
  if (!patient) {
    if (known) return known;
    throw new Refusal('conversion/not-possible', {
      detail: '患者身份未确定 The patient is not named; send a credential',
    });
  }
  await patient.spend(tx);
  const { citizenId } = await findOrCreateCitizen(tx, deps.keyring, patient.citizen);
  if (!known) await bindPatient(tx, deps, { visit: locked.visit, patient, hospital, citizenId });
  else if (known !== citizenId) {
    throw new Refusal('identity/unknown', {
      detail: '不是该患者的凭证 The credential is not the patient’s',
    });
  }
  return citizenId;
}

async function bindPatient(
  tx: Tx,
  deps: Deps,
  order: { visit: VisitRow; patient: Identified; hospital: HospitalRow; citizenId: string },
): Promise<void> {
  const { patient, citizenId } = order;
  const { id, version, citizenId: bound, proxyCitizenId } = order.visit;
  if (bound && bound !== citizenId) throw new Refusal('visit/patient-bound');
  if (proxyCitizenId === citizenId) throw new Refusal('visit/proxy-is-patient');
  await tx
    .update(visit)
    .set({
      citizenId,
      credentialKind: patient.credentialKind,
      insuredPerson: sealFound(deps, patient),
      insured: insuredView(patient.lookup, order.hospital.region),
      version: version + 1,
    })
    .where(eq(visit.id, id));
  await tx
    .update(settlement)
    .set({ citizenId })
    .where(and(eq(settlement.visitId, id), isNull(settlement.citizenId)));
}
