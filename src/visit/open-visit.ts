// Opens a visit: who it is (1101 at most, before the transaction), then the visit and its hold in
// one transaction. A declined hold never refuses the visit; an emergency needs no credential.
import { eq, sql } from 'drizzle-orm';
import { placeHold } from '../credit/place-hold.ts';
import { businessNow, type Tx } from '../db/db.ts';
import { citizen, hospital, visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { type ProblemCode, Refusal } from '../errors.ts';
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
import { newId } from '../ids.ts';
import { sealPerson } from '../insurance/person.ts';
import { formatYuan } from '../money.ts';
import { type NewEvent, recordEvents } from '../outbox/events.ts';
import type { OpenVisit } from './schemas.ts';
import type { VisitRow } from './visit-store.ts';

export type HospitalRow = typeof hospital.$inferSelect;

export interface Opening {
  hospital: HospitalRow;
  terminal: CallerOf<'terminal'>;
  request: OpenVisit;
  /** Null for an unnamed emergency. */
  patient: Identified | null;
}

export async function readHospital(tx: Tx | Deps['db'], code: string): Promise<HospitalRow> {
  const [row] = await tx.select().from(hospital).where(eq(hospital.code, code));
  if (!row) throw new Refusal('visit/hospital-unknown');
  return row;
}

/** Finds out who the patient is; talks to the insurer (1101), changes nothing. */
export async function prepareOpening(
  deps: Deps,
  terminal: CallerOf<'terminal'>,
  request: OpenVisit,
): Promise<Opening> {
  const ownHospital = await readHospital(deps.db, terminal.hospitalCode);
  if (!request.credential) return { hospital: ownHospital, terminal, request, patient: null };
  const patient = await identify(deps, {
    credential: request.credential,
    hospital: ownHospital,
    terminalId: terminal.terminalId,
    operator: request.operator ?? terminalOperator(terminal.terminalId),
    deadlineMs: COUNTER_LOOKUP_MS,
  });
  return { hospital: ownHospital, terminal, request, patient };
}

/** Inserts the visit and places its hold. Refuses with visit/number-taken or identity/already-used. */
export async function insertVisit(tx: Tx, deps: Deps, opening: Opening): Promise<VisitRow> {
  const { request, patient, terminal } = opening;
  await patient?.spend(tx);
  const citizenId = patient
    ? (await findOrCreateCitizen(tx, deps.keyring, patient.citizen)).citizenId
    : null;
  const now = await businessNow(tx);
  const payer = choosePayer(citizenId, request.payer);
  const startedAt = request.startedAt ?? now;
  const [row] = await tx
    .insert(visit)
    .values({
      id: newId('visit'),
      hospitalCode: opening.hospital.code,
      visitNumber: request.visitNumber,
      kind: request.kind,
      status: 'open',
      citizenId,
      payer: payer.payer,
      payerCitizenId: payer.citizenId,
      credentialKind: patient?.credentialKind ?? null,
      businessDate: sql`business_date(${now.toISOString()}::timestamptz)`,
      startedAt,
      insuredPerson: sealFound(deps, patient),
      insured: patient
        ? insuredView(patient.lookup, opening.hospital.region)
        : { status: 'unknown' },
      holdDecline: payer.decline,
      clinical: deps.keyring.seal(JSON.stringify(clinicalOf(request))),
      ...(await accountWishes(tx, citizenId, request)),
      operator: request.operator ? deps.keyring.seal(JSON.stringify(request.operator)) : null,
      terminalId: terminal.terminalId,
      openedAt: now,
    })
    .onConflictDoNothing()
    .returning();
  if (!row) throw new Refusal('visit/number-taken');
  if (citizenId) await logAccess(tx, openingAccess(citizenId, opening, now));
  const opened = eventOf(row, 'visit.opened', citizenId, {
    visitNumber: row.visitNumber,
    kind: row.kind,
  });
  if (!payer.decline && request.holdAmount !== 0n) return placeFirstHold(tx, row, request, opened);
  await recordEvents(tx, [opened]);
  return row;
}

/** Places the hold and records both facts, in one statement each. */
async function placeFirstHold(
  tx: Tx,
  row: VisitRow,
  request: OpenVisit,
  opened: NewEvent,
): Promise<VisitRow> {
  const result = await placeHold(tx, {
    visitId: row.id,
    payerCitizenId: row.payerCitizenId,
    visitKind: request.kind,
    amount: request.holdAmount ?? null,
    isPartialAllowed: request.allowPartialHold ?? false,
    isEmergency: request.kind === 'emergency',
  });
  if ('hold' in result) {
    const { id: holdId, amount } = result.hold;
    const data = { holdId, amount: formatYuan(amount) };
    await recordEvents(tx, [opened, eventOf(row, 'hold.placed', row.payerCitizenId, data)]);
    return row;
  }
  await recordEvents(tx, [opened]);
  await tx.update(visit).set({ holdDecline: result.decline }).where(eq(visit.id, row.id));
  return { ...row, holdDecline: result.decline };
}

function eventOf(
  row: VisitRow,
  type: 'visit.opened' | 'hold.placed',
  citizenId: string | null,
  data: Record<string, unknown>,
): NewEvent {
  return {
    type,
    hospitalCode: row.hospitalCode,
    citizenId,
    data: { visitId: row.id, ...data },
    occurredAt: row.openedAt,
  };
}

interface Payer {
  payer: string | null;
  citizenId: string | null;
  decline: ProblemCode | null;
}

/** Self unless a link is named; a link that is not an active one of this patient is a decline. */
function choosePayer(citizenId: string | null, asked?: string): Payer {
  if (!citizenId) return { payer: null, citizenId: null, decline: 'credit/not-enrolled' };
  if (asked === undefined || asked === 'self') {
    return { payer: 'self', citizenId, decline: null };
  }
  // Family links are issue 3: until then no link is active, so naming one is the documented decline.
  return { payer: null, citizenId: null, decline: 'family/not-linked' };
}

async function accountWishes(tx: Tx, citizenId: string | null, request: OpenVisit) {
  const [known] = citizenId
    ? await tx
        .select({ own: citizen.usePersonalAccount, family: citizen.useFamilyAccount })
        .from(citizen)
        .where(eq(citizen.id, citizenId))
    : [];
  return {
    usePersonalAccount: request.usePersonalAccount ?? known?.own ?? false,
    useFamilyAccount: request.useFamilyAccount ?? known?.family ?? false,
  };
}

/** The insured person as sealed bytes; null when the insurer did not name one. */
export function sealFound(deps: Deps, patient: Identified | null): Buffer | null {
  return patient?.lookup.outcome === 'found'
    ? sealPerson(deps.keyring, patient.lookup.person)
    : null;
}

export type Clinical = Pick<
  OpenVisit,
  'medType' | 'diseaseCode' | 'department' | 'doctor' | 'diagnoses' | 'admission'
>;

export function clinicalOf(request: Clinical): Clinical {
  const { medType, diseaseCode, department, doctor, diagnoses, admission } = request;
  return { medType, diseaseCode, department, doctor, diagnoses, admission };
}

function openingAccess(citizenId: string, opening: Opening, at: Date) {
  return {
    citizenId,
    actor: opening.terminal.client,
    hospitalCode: opening.hospital.code,
    action: 'visit.open',
    at,
  };
}
