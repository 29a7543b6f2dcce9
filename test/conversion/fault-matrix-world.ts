// Where the fault matrix is played, and what must be true when a cell is over: the laws of the
// issue, asked of the insurer's own books.
import { sql } from 'drizzle-orm';
import { beforeAll, expect } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { runWorkerOnce } from '../../src/worker.ts';
import { letLeasesRunOut } from '../settlement/parties.ts';
import {
  chargedVisit,
  type Enrolled,
  fen,
  lineOf,
  newPatient,
  type Scene,
  sceneOf,
  settle,
  sumOf,
} from '../settlement/support.ts';
import { type ReplyBody, type TestApp, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Marks, type WatchedInsurer, watchInsurer } from './fault-matrix-insurer.ts';

export interface World {
  app: TestApp;
  scene: Scene;
  insurer: WatchedInsurer;
  /** Token of a finance clerk. */
  finance: string;
}

export type Patient = Enrolled & Marks;

/** How one settlement must end. */
export interface Bill {
  settlementId: string;
  /** Yuan of the bill that were not refunded. */
  left: string;
  isRefunded: boolean;
  end: 'claimed' | 'converted' | 'rejected' | 'notInsured';
}

/**
 * An app without a worker: what waits, waits until the cell says so. `quietMs` must outlast what the
 * insurer may still execute after our deadline.
 */
export function useMatrix(quietMs: number): World {
  const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: String(quietMs) } });
  const world: { made?: World } = {};
  beforeAll(async () => {
    const insurer = watchInsurer(app);
    const finance = await app.token('financeMaker');
    world.made = { app, scene: await sceneOf(app), insurer, finance };
  });
  const now = () => {
    if (!world.made) throw new Error('the matrix is there from the first test on');
    return world.made;
  };
  return {
    app,
    get scene() {
      return now().scene;
    },
    get insurer() {
      return now().insurer;
    },
    get finance() {
      return now().finance;
    },
  };
}

export async function newInsured({ app, insurer }: World): Promise<Patient> {
  const enrolled = await newPatient(app);
  const { idNumber, name } = enrolled.person;
  return {
    ...enrolled,
    idNumber,
    psnNo: (await insurer.control.addPerson({ idNumber, name })).psnNo,
  };
}

/** Works on everything that waits, as if its time had come, until the fact is there. */
export async function workUntil<T>(
  world: World,
  fact: () => T | Promise<T>,
): Promise<NonNullable<T>> {
  const { app, insurer } = world;
  let hasPassedBy = false;
  const cell = insurer.cell();
  return waitFor(
    async () => {
      if (insurer.cell() !== cell) throw new Error('the cell is over');
      const found = await fact();
      if (found) return found;
      await letLeasesRunOut(app);
      await app.db.execute(
        sql`update conversion set next_attempt_at = clock_timestamp() where status = 'queued'`,
      );
      await runWorkerOnce(app.deps);
      if (insurer.isMended() && !hasPassedBy && (await isLeftOpen(app))) {
        hasPassedBy = true;
        await passBy(world);
      }
      return fact();
    },
    { timeoutMs: 60_000, what: fact.toString() },
  );
}

/** A parked run never tries an open route: it waits for whoever comes next, a conversion or a visit. */
async function isLeftOpen({ db, deps }: TestApp): Promise<boolean> {
  const { isOpen } = await deps.breaker.stateOf('local');
  if (!isOpen) return false;
  const queued = await rows(db, sql`select 1 from conversion where status = 'queued' limit 1`);
  return queued.length === 0;
}

/** Somebody else's visit: it, or its conversion, finds that the insurer is back. */
async function passBy({ app, scene }: World): Promise<void> {
  const { person } = await newPatient(app);
  const visit = await chargedVisit(scene, person);
  const reply = await settle(scene, visit.id);
  expect(reply.status, reply.text).toBe(200);
}

/** Each bill converted, claimed or properly refused; exactly one live claim; every fen accounted for. */
export async function expectEnd(
  world: World,
  patient: Patient,
  made: { visitNumber: string; bills: Bill[] },
): Promise<void> {
  const { app, insurer } = world;
  const ended: { bill: Bill; body: ReplyBody }[] = [];
  for (const bill of made.bills) {
    const body = await workUntil(world, async () => {
      const now = await readSettlement(world, bill.settlementId);
      return now.insurance.status === 'awaitingInsurance' ? null : now;
    });
    ended.push({ bill, body });
  }
  await insurer.waitForLate();
  await runWorkerOnce(app.deps);
  const claims = await app.claims({ visitNumber: made.visitNumber });
  const live = claims.filter((claim) => claim.status === 'settled');
  const expected = ended.filter(({ bill }) => isLive(bill));
  expect(byText(live.map((claim) => [claim.setlId, claim.medfeeSumamt]))).toEqual(
    byText(expected.map(({ bill, body }) => [body.insurance.claimId, bill.left])),
  );
  let carried = 0n;
  for (const { bill, body } of ended) {
    expect(body.insurance.status).toBe(bill.end);
    expect(sumOf(body.tenders) + fen(body.dueAtCounter)).toBe(fen(body.total));
    const claim = live.find(({ setlId }) => setlId === body.insurance.claimId);
    const own = fen(claim ? claim.psnCashPay : bill.left);
    if (!bill.isRefunded) expect(ownPart(body)).toBe(own);
    if (bill.end === 'rejected') await expectCase(world, bill.settlementId);
    carried += own;
  }
  // Everything was on credit, and there is no other bill: what is owed is what is carried.
  const onCredit = fen((await lineOf(app, patient.token)).outstanding);
  expect(onCredit + (await arrearsOf(world, made.visitNumber))).toBe(carried);
}

/** A rest that the insurer refused after 2208 costs the citizen more: that is no debt on credit. */
async function arrearsOf({ app }: World, visitNumber: string): Promise<bigint> {
  const [sum] = await rows<{ arrears: bigint }>(
    app.db,
    sql`select coalesce(sum(s.arrears - s.arrears_reduced), 0)::bigint as arrears
      from settlement s join visit v on v.id = s.visit_id where v.visit_number = ${visitNumber}`,
  );
  return sum?.arrears ?? 0n;
}

const isLive = ({ end }: Bill) => end === 'claimed' || end === 'converted';
const byText = (pairs: unknown[][]) => pairs.map((pair) => pair.join(' ')).sort();

async function readSettlement({ app, scene }: World, id: string): Promise<ReplyBody> {
  return (await app.call('GET', `/v1/settlements/${id}`, { token: scene.terminal })).body;
}

const insurers = ['insuranceFund', 'personalAccount', 'familyAccount', 'hospitalBorne'];

/** What the citizen carries of a bill, in fen. */
function ownPart(body: ReplyBody): bigint {
  const own = body.tenders.filter(({ kind }: { kind: string }) => !insurers.includes(kind));
  return sumOf(own) + fen(body.dueAtCounter);
}

/** A refused bill is never forgotten silently. */
async function expectCase({ app }: World, settlementId: string): Promise<void> {
  const cases = await rows(
    app.db,
    sql`select 1 from finance_case
      where subject_id = ${settlementId} or detail ->> 'settlementId' = ${settlementId}`,
  );
  expect(cases).toHaveLength(1);
}
