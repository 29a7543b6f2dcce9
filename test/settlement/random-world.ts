// The world of one random run: who is in it, what the model believes, how the service is asked, and
// how both are compared. Everything random comes from the seed.
import { expect } from 'vitest';
import type { ReplyBody, TestApp, TestReply } from '../support/app.ts';
import { type Claim, dueOf, type Settlement, sumOf, UNITS, type Visit } from './model.ts';
import {
  type Debt,
  type Fen,
  isOverdue,
  type Line,
  limitOf,
  owedOn,
  pay,
  release,
} from './model-credit.ts';
import { closeBreakers, type Parties, workOnce } from './parties.ts';
import { fen, newPatient, nextNumber, sceneOf } from './support.ts';

export interface Person {
  name: string;
  idNumber: string;
  token: string;
  line: Line | null;
  isInsured: boolean;
}

export interface Encounter extends Visit {
  person: Person | null;
  /** A 2201 of it was answered: no other is sent at the counter. */
  isRegistered: boolean;
  /** setl_ids that the insurer has and we do not know of: answers of 2207 that were lost. */
  strays: string[];
}

export interface Debit {
  person: Person;
  id: string;
  parts: Map<Debt, Fen>;
  /** What the bank's own books will say when it is asked. */
  isPaid: boolean;
}

/** Money that is to go back on an instrument, and what has become of it. */
export interface Sending {
  kind: string;
  status: 'pending' | 'done' | 'voucher' | 'failed';
}

export interface Refunded {
  id: string;
  /** In the order of the reply. */
  tenders: { kind: string; amount: Fen; sending: Sending }[];
}

export interface World {
  app: TestApp;
  parties: Parties;
  seed: number;
  terminal: string;
  hospitalCode: string;
  people: Person[];
  visits: Encounter[];
  debits: Debit[];
  refunds: Refunded[];
  /** Business time is real time and this. */
  offsetMs: number;
  random: Random;
  /** What was done, for whoever looks at a failure. */
  trail: string[];
}

export interface Random {
  /** 0 … below `limit`. */
  below(limit: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  some<T>(from: readonly T[]): T[];
  fen(most: Fen): Fen;
}

/** mulberry32: small, and the same everywhere. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const random: Random = {
    below: (limit) => Math.floor(next() * limit),
    chance: (probability) => next() < probability,
    pick: <T>(from: readonly T[]) => {
      const found = from[random.below(from.length)];
      if (found === undefined) throw new Error('nothing to pick from');
      return found;
    },
    some: <T>(from: readonly T[]) => {
      const sure = random.below(from.length);
      return from.filter((_, i) => i === sure || random.chance(0.4));
    },
    fen: (most) => 1n + BigInt(random.below(Number(most))),
  };
  return random;
}

const hospitals = ['H35020000001', 'H35020000002'] as const;

/** A fresh world: the clock at now, the insurer well, two people or three. */
export async function newWorld(app: TestApp, parties: Parties, seed: number): Promise<World> {
  const random = randomOf(seed);
  await app.clock(0);
  await calm(app, parties);
  const rules = random.pick([
    {},
    { hospitalBorneRatio: '0.3', supplementRatio: '0.2' },
    { supplementRatio: '0.5', ratios: { employee: { 1: '0.9', 2: '0.7', 3: '0.55' } } },
  ]);
  await parties.insurer.setRules(rules);
  const { terminal, hospitalCode } = await sceneOf(app, random.pick(hospitals));
  const people: Person[] = [];
  for (let i = 0; i < 2; i += 1) people.push(await newPerson(app, random));
  return {
    ...{ app, parties, seed, terminal, hospitalCode, people, random },
    ...{ visits: [], debits: [], refunds: [], offsetMs: 0, trail: [] },
  };
}

async function newPerson(app: TestApp, random: Random): Promise<Person> {
  const score = random.pick([450, 550, 650]);
  const isEnrolled = random.chance(0.85);
  const insurance = random.pick([
    'active',
    'active',
    'active',
    'active',
    'paused',
    'none',
  ] as const);
  const accountBalance = random.pick(['0.00', '30.00', '500.00']);
  const { person, token } = await newPatient(app, { score, isEnrolled, insurance, accountBalance });
  const line = isEnrolled ? { limit: limitOf(score), held: 0n, outstanding: 0n, debts: [] } : null;
  return { ...person, token, line, isInsured: insurance === 'active' };
}

/** Nothing goes wrong any more, at the insurer or the banks. */
export async function calm(app: TestApp, parties: Parties): Promise<void> {
  await parties.insurer.setFault({ mode: 'none' });
  await parties.bankFault('none');
  await closeBreakers(app);
}

/**
 * Whatever waits is done: holds expire, debits under way are asked for, money goes back (or is
 * refused for good by banks and channels).
 */
export async function work(world: World, isRefusing = false): Promise<void> {
  await world.parties.bankFault(isRefusing ? 'declined' : 'none', ['credit', 'channel']);
  await workOnce(world.app);
  await world.parties.bankFault('none');
  const now = businessNow(world);
  for (const visit of world.visits) {
    if (visit.hold?.status === 'placed' && visit.hold.expiresAt <= now) release(visit, 'expired');
  }
  for (const { person, parts, isPaid } of world.debits.splice(0)) {
    if (isPaid && person.line) pay(person.line, parts);
    for (const debt of parts.keys()) debt.isUnderWay = false;
  }
  for (const { sending } of world.refunds.flatMap((refund) => refund.tenders)) {
    if (sending.status !== 'pending') continue;
    sending.status = !isRefusing ? 'done' : sending.kind === 'credit' ? 'failed' : 'voucher';
  }
}

export const businessNow = (world: World): number => Date.now() + world.offsetMs;
export const yuan = (amount: Fen): string =>
  `${amount / 100n}.${`${amount % 100n}`.padStart(2, '0')}`;
export const unitsText = (units: bigint): string =>
  `${units / UNITS}.${`${units % UNITS}`.padStart(4, '0')}`;

/** Asks as the terminal (or `token`); now and then once more with the same key: the same reply. */
export async function ask(
  world: World,
  method: string,
  target: string,
  options: { body?: unknown; token?: string; key?: string | null } = {},
): Promise<TestReply> {
  const key = method === 'POST' && options.key === undefined ? nextNumber('K') : options.key;
  const call = { token: world.terminal, ...options, ...(key === undefined ? {} : { key }) };
  const reply = await world.app.call(method, target, call);
  if (typeof key === 'string' && isKept(reply) && world.random.chance(0.15)) {
    const again = await world.app.call(method, target, call);
    expect([again.status, again.text]).toEqual([reply.status, reply.text]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  }
  return reply;
}

/** Replies that the contract keeps under their key. */
function isKept({ status, body }: TestReply): boolean {
  const isForNow = ['settlement/busy', 'visit/settling'].includes(body?.code);
  return (status < 300 || [402, 404, 409, 422].includes(status)) && !isForNow;
}

export const codeOf = (reply: TestReply): unknown[] => [reply.status, reply.body?.code];

/** The insurer's own books of a visit: what is live there. */
export async function liveClaims(
  world: World,
  visit: Encounter,
): Promise<(Claim & { total: Fen })[]> {
  const { hospitalCode } = world;
  const all = await world.parties.insurer.claims({ hospitalCode, visitNumber: visit.number });
  return all
    .filter((claim) => claim.status === 'settled')
    .map((claim) => {
      const [total, fund] = [fen(claim.medfeeSumamt), fen(claim.fundPaySumamt)];
      const [account, cash] = [fen(claim.acctPay), fen(claim.psnCashPay)];
      const hospitalBorne = total - fund - account - cash;
      return { setlId: claim.setlId, total, fund, account, cash, hospitalBorne };
    });
}

const amounts = (parts: readonly { kind: string; amount: Fen; reference?: string }[]) =>
  parts.map(({ kind, amount, reference }) => [kind, yuan(amount), reference]);

const shownAmounts = (parts: ReplyBody[]) =>
  parts.map(({ kind, amount, reference }) => [kind, amount, reference]);

/** The settlement as the service shows it is the model's, to the fen. */
export function expectSettlement(shown: ReplyBody, model: Settlement): void {
  expect({
    total: shown.total,
    dueAtCounter: shown.dueAtCounter,
    tenders: shownAmounts(shown.tenders),
    unused: shownAmounts(shown.unused),
    status: shown.status,
    insurance: shown.insurance.status,
    claimId: shown.insurance.claimId,
    refundable: shown.refundable,
    batches: shown.batches,
    isOwed: shown.receivableId !== undefined,
    awaits: shown.conversionId !== undefined,
  }).toEqual({
    total: yuan(model.total),
    dueAtCounter: yuan(model.dueAtCounter),
    tenders: amounts(model.tenders),
    unused: amounts(model.unused),
    status: model.status,
    insurance: model.insurance,
    claimId: model.claim?.setlId,
    refundable: yuan(model.refundable),
    batches: model.batches,
    isOwed: model.debt !== null,
    awaits: model.insurance === 'awaitingInsurance',
  });
}

export function expectVisit(shown: ReplyBody, model: Encounter): void {
  expect({
    status: shown.status,
    hold: shown.hold && [shown.hold.status, shown.hold.amount],
    chargedTotal: shown.chargedTotal,
    settlementIds: shown.settlementIds,
  }).toEqual({
    status: model.status,
    hold: model.hold && [model.hold.status, yuan(model.hold.amount)],
    chargedTotal: yuan(sumOf(model.items)),
    settlementIds: model.settlements.map((s) => s.id),
  });
}

/** Line and debts of a person. */
export async function expectCredit(world: World, { line, token }: Person): Promise<void> {
  const shown = await world.app.call('GET', '/v1/me/credit-line', { token });
  if (!line) {
    expect(shown.status).toBe(404);
    return;
  }
  const free = line.limit - line.held - line.outstanding;
  expect(shown.body).toMatchObject({
    limit: yuan(line.limit),
    held: yuan(line.held),
    outstanding: yuan(line.outstanding),
    available: yuan(free > 0n ? free : 0n),
  });
  expect(line.outstanding).toBe(line.debts.reduce((all, debt) => all + owedOn(debt), 0n));
  const owed = await world.app.call('GET', '/v1/me/receivables?limit=100', { token });
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
  const now = businessNow(world);
  expect(
    owed.body.data
      .sort(byId)
      .map((r: ReplyBody) => [r.id, r.amount, r.paid, r.outstanding, r.status]),
  ).toEqual(
    [...line.debts]
      .sort(byId)
      .map((debt) => [
        debt.id,
        yuan(debt.amount),
        yuan(debt.paid),
        yuan(owedOn(debt)),
        statusOf(debt, now),
      ]),
  );
}

function statusOf(debt: Debt, now: number): string {
  if (owedOn(debt) === 0n) return 'paid';
  if (debt.awaitsInsurance) return 'waitingForInsurance';
  const only = { limit: 0n, held: 0n, outstanding: 0n, debts: [debt] };
  return isOverdue(only, now) ? 'overdue' : 'open';
}

/** Everything the model believes is what the service and the insurer's own books say. */
export async function expectAgreement(world: World): Promise<void> {
  for (const person of world.people) await expectCredit(world, person);
  for (const visit of world.visits) {
    expectVisit((await ask(world, 'GET', `/v1/visits/${visit.id}`)).body, visit);
    for (const settlement of visit.settlements) {
      const shown = await ask(world, 'GET', `/v1/settlements/${settlement.id}`);
      expectSettlement(shown.body, settlement);
      expect(dueOf(settlement) >= 0n).toBe(true);
    }
    const live = await liveClaims(world, visit);
    const ours = visit.settlements.filter((s) => s.claim);
    expect(live.map((claim) => claim.setlId).sort()).toEqual(
      [...ours.map((s) => s.claim?.setlId ?? ''), ...visit.strays].sort(),
    );
    for (const { claim, refundable } of ours) {
      expect(live.find((c) => c.setlId === claim?.setlId)?.total).toBe(refundable);
    }
  }
  for (const refund of world.refunds) {
    const shown = await ask(world, 'GET', `/v1/refunds/${refund.id}`);
    expect(shown.body.status).toBe('completed');
    expect(shown.body.tenders.map((t: ReplyBody) => [t.kind, t.amount, t.status])).toEqual(
      refund.tenders.map((t) => [t.kind, yuan(t.amount), t.sending.status]),
    );
  }
}
