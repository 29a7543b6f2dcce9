// The world of one random run: who is in it, what the model believes, how the service is asked.
// Everything random comes from the seed.
import { expect } from 'vitest';
import type { TestApp, TestReply } from '../support/app.ts';
import { type Claim, UNITS, type Visit } from './model.ts';
import { type Debt, type Fen, type Line, limitOf, pay, release } from './model-credit.ts';
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
  /** The insurer has a yearly deductible: what one refund opens, another claim meets. */
  hasDeductible: boolean;
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
  const hasDeductible = random.chance(0.25);
  const rules = random.pick([
    {},
    { hospitalBorneRatio: '0.3', supplementRatio: '0.2' },
    { supplementRatio: '0.5', ratios: { employee: { 1: '0.9', 2: '0.7', 3: '0.55' } } },
  ]);
  const deductible = hasDeductible ? { deductible: '150.00' } : {};
  await parties.insurer.setRules({ ...rules, ...deductible });
  const { terminal, hospitalCode } = await sceneOf(app, random.pick(hospitals));
  const people: Person[] = [];
  for (let i = 0; i < 2; i += 1) people.push(await newPerson(app, random));
  return {
    ...{ app, parties, seed, terminal, hospitalCode, people, random, hasDeductible },
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
