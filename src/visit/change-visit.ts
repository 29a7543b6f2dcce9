// Clinical fields may change while a visit is open; an unnamed emergency is bound to a person once.
import { eq } from 'drizzle-orm';
import type { z } from 'zod';
import type { Tx } from '../db/db.ts';
import { visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import { logAccess } from '../identity/access-log.ts';
import {
  COUNTER_LOOKUP_MS,
  type Identified,
  identify,
  insuredView,
  terminalOperator,
} from '../identity/credentials.ts';
import { findOrCreateCitizen } from '../identity/people.ts';
import { usualPayer } from './choose-payer.ts';
import { type Clinical, clinicalOf, readHospital, sealFound } from './open-visit.ts';
import { proxyAccesses } from './proxy.ts';
import type { patchVisitBody } from './schemas.ts';
import { lockVisit, refuseUnlessChangeable, type VisitRow } from './visit-store.ts';

export type VisitPatch = z.output<typeof patchVisitBody>;

/** Identifies the patient to bind, if one is named; before the transaction. */
export async function identifyForPatch(
  deps: Deps,
  terminal: CallerOf<'terminal'>,
  patch: VisitPatch,
): Promise<Identified | null> {
  if (!patch.credential) return null;
  const hospital = await readHospital(deps.db, terminal.hospitalCode);
  return identify(deps, {
    credential: patch.credential,
    hospital,
    terminalId: terminal.terminalId,
    operator: terminalOperator(terminal.terminalId),
    deadlineMs: COUNTER_LOOKUP_MS,
  });
}

/** Applies the patch under the visit's lock. 409 visit/wrong-state unless open. */
export async function changeVisit(
  tx: Tx,
  deps: Deps,
  terminal: CallerOf<'terminal'>,
  order: { visitId: string; patch: VisitPatch; patient: Identified | null },
): Promise<VisitRow> {
  const row = await lockVisit(tx, order.visitId, terminal.hospitalCode);
  refuseUnlessChangeable(row);
  if (row.status !== 'open') throw new Refusal('visit/wrong-state');
  const { patch, patient } = order;
  const before = readClinical(deps, row);
  const changed = Object.fromEntries(
    Object.entries(clinicalOf(patch)).filter(([, value]) => value !== undefined),
  );
  const [saved] = await tx
    .update(visit)
    .set({
      clinical: deps.keyring.seal(JSON.stringify({ ...before, ...changed })),
      usePersonalAccount: patch.usePersonalAccount ?? row.usePersonalAccount,
      useFamilyAccount: patch.useFamilyAccount ?? row.useFamilyAccount,
      version: row.version + 1,
      ...(patient ? await binding(tx, deps, terminal, { row, patient }) : {}),
    })
    .where(eq(visit.id, row.id))
    .returning();
  return saved ?? row;
}

async function binding(
  tx: Tx,
  deps: Deps,
  terminal: CallerOf<'terminal'>,
  { row, patient }: { row: VisitRow; patient: Identified },
) {
  if (row.citizenId) throw new Refusal('visit/patient-bound');
  await patient.spend(tx);
  const { citizenId } = await findOrCreateCitizen(tx, deps.keyring, patient.citizen);
  const { region } = await readHospital(tx, row.hospitalCode);
  const payer = await usualPayer(tx, citizenId);
  const { hospitalCode, proxyCitizenId } = row;
  if (proxyCitizenId === citizenId) throw new Refusal('visit/proxy-is-patient');
  const look = { actor: terminal.client, hospitalCode, at: deps.realNow() };
  await logAccess(tx, { ...look, citizenId, action: 'visit.bind' });
  if (proxyCitizenId) await logAccess(tx, ...proxyAccesses({ ...look, citizenId, proxyCitizenId }));
  return {
    citizenId,
    payer: payer.payer,
    payerCitizenId: payer.citizenId,
    credentialKind: patient.credentialKind,
    insuredPerson: sealFound(deps, patient),
    insured: insuredView(patient.lookup, region),
    holdDecline: payer.decline,
  };
}

/** The clinical fields as stored; empty when none were given. */
export function readClinical(deps: Deps, row: VisitRow): Clinical {
  return row.clinical ? (JSON.parse(deps.keyring.open(row.clinical)) as Clinical) : {};
}
