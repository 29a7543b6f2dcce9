// Opens a visit: who it is (1101 at most, before the transaction), then the visit and its hold in
// one transaction. A declined hold never refuses the visit; an emergency needs no credential.
import { type SQL, sql } from 'drizzle-orm';
import { clockCte, ruleCte } from '../credit/hold-sql.ts';
import { type StepUp, stepUpCte } from '../credit/step-up.ts';
import { allOf, rows, type Tx } from '../db/db.ts';
import { hospital, visit } from '../db/schema.ts';
import { insertOf, readRows, together } from '../db/statements.ts';
import type { Deps } from '../deps.ts';
import { assert, Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import { type Access, accessLines } from '../identity/access-log.ts';
import {
  COUNTER_LOOKUP_MS,
  type Identified,
  identify,
  insuredView,
  terminalOperator,
} from '../identity/credentials.ts';
import { findOrCreateCitizen, indexOf } from '../identity/people.ts';
import { newId } from '../ids.ts';
import { askFilingOnce } from '../insurance/ask-filing.ts';
import type { Filing } from '../insurance/filing.ts';
import { sealPerson } from '../insurance/person.ts';
import { medTypeOf } from '../insurance/trades.ts';
import type { Fen } from '../money.ts';
import { recordEvents } from '../outbox/events.ts';
import { enqueueAtEnd } from '../outbox/jobs.ts';
import { choosePayer, type Payer, type Payers, payersOf } from './choose-payer.ts';
import { isPayersAct, placeFirstHold, visitOpened } from './first-hold.ts';
import { admitProxy, identifyProxy, proxyAccesses } from './proxy.ts';
import type { OpenVisit } from './schemas.ts';
import type { VisitRow } from './visit-store.ts';

export type HospitalRow = typeof hospital.$inferSelect;

export interface Opening {
  hospital: HospitalRow;
  terminal: CallerOf<'terminal'>;
  request: OpenVisit;
  /** Null for an unnamed emergency, and for one whose credential named nobody. */
  patient: Identified | null;
  /** Who stands there for the patient, if anybody does. */
  proxy: Identified | null;
  /** Asked about patients insured elsewhere; null inside the region and while nobody could say. */
  filing: Filing | null;
}

export async function readHospital(tx: Tx | Deps['db'], code: string): Promise<HospitalRow> {
  const [row] = await readRows(tx, hospital, sql`where code = ${code}`);
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
  const counter = {
    hospital: ownHospital,
    terminalId: terminal.terminalId,
    operator: request.operator ?? terminalOperator(terminal.terminalId),
    deadlineMs: COUNTER_LOOKUP_MS,
  };
  const { credential } = request;
  const [patient, proxy] = await bothOf(
    orUnnamed(request, credential ? identify(deps, { ...counter, credential }) : nobody),
    orUnnamed(request, identifyProxy(deps, { ...counter, credential: request.proxy })),
  );
  const known = { hospital: ownHospital, terminal, request, patient, proxy };
  return { ...known, filing: await filingAtOpening(deps, known) };
}

const nobody = Promise.resolve(null);

/** An emergency is never refused for identity: whom nobody could name is treated, and bound later. */
async function orUnnamed(
  { kind }: Pick<OpenVisit, 'kind'>,
  identifying: Promise<Identified | null>,
): Promise<Identified | null> {
  try {
    return await identifying;
  } catch (error) {
    const isIdentity = error instanceof Refusal && error.code.startsWith('identity/');
    if (kind === 'emergency' && isIdentity) return null;
    throw error;
  }
}

/** Both at once, for somebody waits; when both refuse, the first one's word counts. */
async function bothOf<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  second.catch(() => {});
  return [await first, await second];
}

/** Said at once where it is not filed, so that it can be before the bill is paid. */
function filingAtOpening(
  deps: Deps,
  { hospital: at, terminal, request, patient }: Omit<Opening, 'filing'>,
): Promise<Filing | null> {
  if (patient?.lookup.outcome !== 'found') return Promise.resolve(null);
  const { kind, medType, startedAt = null, admission } = request;
  const visitNow = {
    medType: medTypeOf(kind, medType, at.region),
    startedAt,
    isEmergency: kind === 'emergency' || admission?.type === 'emergency',
  };
  const about = { kind, hospital: at, visit: visitNow, person: patient.lookup.person };
  const operator = request.operator ?? terminalOperator(terminal.terminalId);
  return askFilingOnce(deps, about, { operator, deadlineMs: COUNTER_LOOKUP_MS });
}

/** A visit as it is about to be inserted, and what its hold is decided by. */
export interface DraftVisit {
  row: VisitRow;
  payer: Payer;
  stepUp: StepUp | null;
}

/** Inserts the visit and places its hold. Refuses with visit/number-taken or identity/already-used. */
export async function insertVisit(tx: Tx, deps: Deps, opening: Opening): Promise<VisitRow> {
  const draft = await draftVisit(tx, deps, opening);
  await saveVisit(tx, deps, opening, draft);
  return holdAtOpening(tx, opening, draft);
}

/** Uses the credentials up and decides everything that the visit's row says. */
export async function draftVisit(tx: Tx, deps: Deps, opening: Opening): Promise<DraftVisit> {
  const { request, patient, terminal } = opening;
  await patient?.spend(tx);
  // Sent together and done in this order: what is known of somebody new is that they are new.
  const idIndex = patient && indexOf(deps.keyring, patient.citizen.idNumber);
  const [citizenId, known] = await allOf<[string | null, Known]>(
    patient ? citizenOf(tx, deps, patient) : null,
    readKnown(tx, idIndex, request.kind),
  );
  const proxyCitizenId = await admitProxy(tx, deps, { proxy: opening.proxy, citizenId });
  const payer = await choosePayer(tx, citizenId, request.payer, known);
  const now = new Date(known.now);
  const row: VisitRow = {
    id: newId('visit'),
    hospitalCode: opening.hospital.code,
    visitNumber: request.visitNumber,
    kind: request.kind,
    status: 'open',
    citizenId,
    payer: payer.payer,
    payerCitizenId: payer.citizenId,
    proxyCitizenId,
    credentialKind: patient?.credentialKind ?? null,
    businessDate: known.business_date,
    startedAt: request.startedAt ?? now,
    insuredPerson: sealFound(deps, patient),
    insured: patient ? insuredView(patient.lookup, opening.hospital.region) : { status: 'unknown' },
    mdtrtId: null,
    dischargedAt: null,
    holdDecline: asksForNothing(opening, payer) ? null : payer.decline,
    filing: opening.filing,
    clinical: deps.keyring.seal(JSON.stringify(clinicalOf(request))),
    usePersonalAccount: request.usePersonalAccount ?? known.own ?? false,
    useFamilyAccount: request.useFamilyAccount ?? known.family ?? false,
    operator: request.operator ? deps.keyring.seal(JSON.stringify(request.operator)) : null,
    terminalId: terminal.terminalId,
    chargedTotal: 0n,
    openedAt: now,
    version: 1,
  };
  return { row, payer, stepUp: known.above === null ? null : stepUpOf(known) };
}

async function citizenOf(tx: Tx, deps: Deps, { citizen }: Identified): Promise<string> {
  return (await findOrCreateCitizen(tx, deps.keyring, citizen)).citizenId;
}

interface Known extends Payers {
  now: string;
  business_date: string;
  /** Fen; null: the policy asks for no step-up. */
  above: Fen | null;
  default_hold: Fen;
  own: boolean | null;
  family: boolean | null;
}

const stepUpOf = ({ above, default_hold }: Known): StepUp => ({
  ceiling: above ?? 0n,
  defaultHold: default_hold,
});

/** Time, policy, who could pay and the patient's standing wishes, in one look. */
async function readKnown(tx: Tx, idIndex: Buffer | null, kind: string): Promise<Known> {
  const [known] = await rows<Known>(
    tx,
    sql`
    with ${clockCte}, ${ruleCte(kind)}, ${stepUpCte}
    select clock.now, business_date(clock.now)::text as business_date, step_up.above,
      coalesce(rule.amount, 0) as default_hold, c.use_personal_account as own,
      c.use_family_account as family, ${payersOf(sql`c.id`)}
    from clock left join rule on true left join step_up on true
      left join citizen c on c.id_index = ${idIndex}::bytea`,
  );
  assert(known, 'the clock has a row');
  return known;
}

/**
 * Inserts a draft, with what is to be true together with it: `beside` are parts of the same statement
 * that select from `made` (empty when the number is taken), `result` is what it answers then. Nothing is
 * made where `first` returns no row.
 */
export async function saveVisit<T>(
  tx: Tx,
  deps: Deps,
  opening: Opening,
  { row }: DraftVisit,
  also: { first?: SQL | null; beside?: Record<string, SQL>; result?: SQL } = {},
): Promise<T> {
  const accesses = accessesOf(deps, opening, row);
  const { first, beside = {}, result = sql`select 1 from made` } = also;
  const [made] = await together<T>(
    tx,
    {
      first,
      made: sql`${insertOf(visit, row, first ? sql`first` : undefined)}
        on conflict do nothing returning 1`,
      logged: accesses.length > 0 && accessLines(accesses, sql`made`),
      ...beside,
    },
    result,
  );
  if (!made) throw new Refusal('visit/number-taken');
  // With the commit: a hold that is tried meanwhile may take back what was sent beside it.
  if (isAdmission(opening.request)) admitLater(tx, deps, row.id);
  return made;
}

/** The hold that an inserted visit opens with, and the facts that are told of it. */
export async function holdAtOpening(
  tx: Tx,
  opening: Opening,
  { row, payer, stepUp }: DraftVisit,
): Promise<VisitRow> {
  const { request } = opening;
  if (!payer.decline && request.holdAmount !== 0n) {
    const isActed = isPayersAct(row, opening);
    return placeFirstHold(tx, { row, request, stepUp: isActed ? null : stepUp });
  }
  await recordEvents(tx, [visitOpened(row)]);
  return row;
}

/** The patient cannot pay on credit, and nobody asked for it; of the unnamed it is said. */
function asksForNothing({ patient, request }: Opening, { decline }: Payer): boolean {
  return patient !== null && request.holdAmount === 0n && decline === 'credit/not-enrolled';
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
> & {
  /** What was found at an inpatient's discharge. */
  dischargeDiagnoses?: OpenVisit['diagnoses'];
};

export function clinicalOf(request: Clinical): Clinical {
  const { medType, diseaseCode, department, doctor, diagnoses, admission } = request;
  return { medType, diseaseCode, department, doctor, diagnoses, admission };
}

/** What the patient, and the proxy, read in their access logs. */
function accessesOf(deps: Deps, opening: Opening, row: VisitRow): Access[] {
  const { citizenId, proxyCitizenId, hospitalCode } = row;
  const at = deps.realNow();
  const actor = opening.terminal.client;
  const own = { actor, hospitalCode, action: 'visit.open' as const, at };
  const lines = citizenId ? [{ ...own, citizenId }] : [];
  const ofProxy = proxyCitizenId
    ? proxyAccesses({ citizenId, proxyCitizenId, actor, hospitalCode, at })
    : [];
  return [...lines, ...ofProxy];
}

/** Of an inpatient, with what the hospital knows of the admission: the insurer is told (2401). */
export const isAdmission = (request: Pick<OpenVisit, 'kind' | 'admission'>) =>
  request.kind === 'inpatient' && request.admission !== undefined;

/** The opening tries at once; this is for when that came to nothing. Real time. */
const ADMIT_LATER_MS = 10_000;

function admitLater(tx: Tx, deps: Deps, visitId: string): void {
  const runAt = new Date(deps.realNow().getTime() + ADMIT_LATER_MS);
  enqueueAtEnd(tx, { kind: 'admitInpatient', subjectId: visitId, runAt });
}
