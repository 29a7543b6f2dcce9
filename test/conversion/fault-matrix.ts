// The fault matrix: every way the insurer can fail × every trade × every use case that talks to it.
// Afterwards each settlement is converted or properly rejected, with at most one live claim.
import { expect } from 'vitest';
import {
  chargedVisit,
  fen,
  item,
  newPatient,
  nextNumber,
  type Scene,
  settle,
  sumOf,
} from '../settlement/support.ts';
import type { ReplyBody, TestApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';

const faults = {
  refused: () => ({ mode: 'refuseConnection' }),
  lost: (on: string) => ({ mode: 'answerLost', on: [on] }),
  error500: (on: string) => ({ mode: 'error500', on: [on] }),
  garbage: (on: string) => ({ mode: 'garbage', on: [on] }),
  rejected: (on: string) => ({ mode: 'reject', on: [on], reason: '目录编码未上传追溯码' }),
  hang: (on: string) => ({ mode: 'hang', on: [on] }),
  /** Committed after our deadline, and answered though nobody listens any more. */
  late: (on: string) => ({ mode: 'slow', on: [on], delayMs: 6_000 }),
} as const;
export type Fault = keyof typeof faults;
const trades = ['1101', '2201', '2203', '2204', '2206', '2207', '2208', '2601'] as const;
const uses = ['settlement', 'oneScan', 'conversion', 'refund'] as const;

export interface Case {
  fault: Fault;
  trade: (typeof trades)[number];
  use: (typeof uses)[number];
}

/** All cases with these faults; a closed port knows no trade, so it is there once a use case. */
export function casesOf(wanted: readonly Fault[]): Case[] {
  return uses.flatMap((use) =>
    wanted.flatMap((fault) =>
      (fault === 'refused' ? trades.slice(0, 1) : trades).map((trade) => ({ fault, trade, use })),
    ),
  );
}

/** Plays one case to its end and checks it against the insurer's own books. */
export async function play(app: TestApp, scene: Scene, { fault, trade, use }: Case): Promise<void> {
  const patient = await newPatient(app);
  const broken = () => app.fault(faults[fault](trade));
  const mended = () => app.fault({ mode: 'none' });
  let visitNumber: string;
  let settlementId: string;
  let total = '300.00';
  if (use === 'oneScan') {
    visitNumber = nextNumber('M');
    const pay = () =>
      app.call('POST', '/v1/one-scan-payments', {
        token: scene.terminal,
        body: {
          visitNumber,
          kind: 'outpatient',
          credential: {
            kind: 'idCard',
            number: patient.person.idNumber,
            name: patient.person.name,
          },
          charges: [item(1, '100.00'), item(2, '50.00', '4', '200.00')],
        },
      });
    await broken();
    const first = await pay();
    await mended();
    const reply = first.status === 201 ? first : await pay();
    expect(reply.status, reply.text).toBe(201);
    settlementId = reply.body.settlement.id;
  } else {
    const visit = await chargedVisit(scene, patient.person);
    ({ visitNumber } = visit);
    if (use === 'settlement') await broken();
    if (use === 'conversion') await app.fault({ mode: 'refuseConnection' });
    const first = await settle(scene, visit.id);
    if (use === 'conversion') await tryToConvert(app, broken, first.body.conversionId);
    await mended();
    const reply = first.status === 200 ? first : await settle(scene, visit.id);
    expect(reply.status, reply.text).toBe(200);
    settlementId = reply.body.id;
    if (use === 'refund') {
      await refundLine(app, scene, settlementId, { broken, mended });
      total = '200.00';
    }
  }
  await expectOneEnd(app, scene, { visitNumber, settlementId, total, fault });
}

/** Waits until the conversion ran into the fault at least once. */
async function tryToConvert(app: TestApp, broken: () => Promise<void>, conversionId: string) {
  const finance = await app.token('financeMaker');
  const attempts = async (): Promise<ReplyBody> =>
    (await app.call('GET', `/v1/conversions/${conversionId}`, { token: finance })).body;
  const before = (await attempts()).attempts.length;
  await broken();
  await waitFor(async () => {
    const now = await attempts();
    return now.attempts.length > before || now.status !== 'queued';
  });
}

async function refundLine(
  app: TestApp,
  scene: Scene,
  settlementId: string,
  insurer: { broken: () => Promise<void>; mended: () => Promise<void> },
): Promise<void> {
  const key = crypto.randomUUID();
  const ask = () =>
    app.call('POST', `/v1/settlements/${settlementId}/refunds`, {
      token: scene.terminal,
      body: { lines: [{ lineNumber: 1 }], reason: '退药' },
      key,
    });
  await insurer.broken();
  const first = await ask();
  await insurer.mended();
  const again = () =>
    app.call('POST', `/v1/settlements/${settlementId}/refunds`, {
      token: scene.terminal,
      body: { lines: [{ lineNumber: 1 }], reason: '退药' },
    });
  // A kept refusal is the answer of its key for ever: the clerk tries anew.
  // The same key is free after a 503; the route is tried again when its breaker lets one through.
  const later = () =>
    waitFor(async () => {
      const now = await ask();
      return now.status === 503 ? null : now;
    });
  const reply = first.status === 503 ? await later() : first.status === 409 ? await again() : first;
  expect([201, 202], reply.text).toContain(reply.status);
  await waitFor(
    async () => {
      const now = await app.call('GET', `/v1/refunds/${reply.body.id}`, { token: scene.terminal });
      return now.body.status === 'completed';
    },
    { timeoutMs: 60_000, what: `refund ${reply.body.id}` },
  );
}

async function expectOneEnd(
  app: TestApp,
  scene: Scene,
  made: { visitNumber: string; settlementId: string; total: string; fault: Fault },
): Promise<void> {
  const read = async () =>
    (await app.call('GET', `/v1/settlements/${made.settlementId}`, { token: scene.terminal })).body;
  const ended = await waitFor(
    async () => {
      const now = await read();
      return now.insurance.status !== 'awaitingInsurance' && now;
    },
    { timeoutMs: 60_000, what: `settlement ${made.settlementId}` },
  );
  const claims = await app.claims({ visitNumber: made.visitNumber });
  const live = claims.filter((c) => c.status === 'settled');
  const carried = ended.tenders.filter((t: ReplyBody) => t.kind === 'credit');
  if (ended.insurance.status === 'rejected') {
    expect(made.fault).toBe('rejected');
    expect(live).toEqual([]);
    return;
  }
  expect(live.map((c) => [c.setlId, c.medfeeSumamt])).toEqual([
    [ended.insurance.claimId, made.total],
  ]);
  expect(sumOf(ended.tenders) + fen(ended.dueAtCounter)).toBe(fen(ended.total));
  if (made.total === ended.total) expect(sumOf(carried)).toBe(fen(live[0].psnCashPay));
}
