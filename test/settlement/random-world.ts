// The world of one random run: who is in it, what the model believes, how the service is asked.
// Everything random comes from the seed.
import { sql } from 'drizzle-orm';
import { expect } from 'vitest';
import type { TestApp, TestReply } from '../support/app.ts';
import type { TestPerson } from '../support/people.ts';
import { type Sending, UNITS, type Visit } from './model.ts';
import { type Debt, type Fen, type Line, limitOf, pay, release } from './model-credit.ts';
import { closeBreakers, type Parties, workOnce } from './parties.ts';
import { type BackFault, books, sendBack, type Transfer } from './random-books.ts';
import { newPatient, nextNumber, sceneOf } from './support.ts';

export interface Person extends TestPerson {
  token: string;
  line: Line | null;
  isInsured: boolean;
}

export interface Encounter extends Visit {
  person: Person | null;
  /** Business time of its opening, in ms. */
  openedAt: number;
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

export interface Refunded {
  id: string;
  /** In the order of the reply; what is no money is done at once. */
  tenders: Sending[];
}

export interface World {
  app: TestApp;
  parties: Parties;
  seed: number;
  terminal: string;
  finance: string;
  hospitalCode: string;
  /** The insurer has a yearly deductible: what one refund opens, another claim meets. */
  hasDeductible: boolean;
  people: Person[];
  visits: Encounter[];
  debits: Debit[];
  refunds: Refunded[];
  /** All money that ever went back on an instrument, or is to. */
  sendings: Sending[];
  transfers: Transfer[];
  /** What each book held before this world. */
  bookedBefore: ReadonlyMap<string, number>;
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

/** Runs begin in spring, so that a seed does the same on any day; or shortly before the year ends. */
const firstDays = ['03-01', '03-01', '03-01', '12-10'] as const;

/** From real time to a morning of the past. */
function offsetTo(day: (typeof firstDays)[number]): number {
  const now = Date.now();
  const morning = (year: number) => Date.parse(`${year}-${day}T09:00:00+08:00`);
  const year = new Date(now).getUTCFullYear();
  return (morning(year) < now ? morning(year) : morning(year - 1)) - now;
}

/** Business time, and the insurer's, are so far from real time. */
export async function setClock(world: Pick<World, 'app'>, offsetMs: number): Promise<void> {
  await world.app.clock(Math.round(offsetMs / 1_000));
}

/** A fresh world: a day of its own, the insurer well, two people. */
export async function newWorld(app: TestApp, parties: Parties, seed: number): Promise<World> {
  const random = randomOf(seed);
  const offsetMs = offsetTo(random.pick(firstDays));
  await setClock({ app }, offsetMs);
  await calm(app, parties);
  await keepHolds(app);
  const hasDeductible = random.chance(0.25);
  const rules = random.pick([
    {},
    { hospitalBorneRatio: '0.3', supplementRatio: '0.2' },
    { supplementRatio: '0.5', ratios: { employee: { 1: '0.9', 2: '0.7', 3: '0.55' } } },
  ]);
  const deductible = hasDeductible ? { deductible: '150.00' } : {};
  await parties.insurer.setRules({ ...rules, ...deductible });
  const { terminal, hospitalCode } = await sceneOf(app, random.pick(hospitals));
  const finance = await app.token('financeMaker');
  const people: Person[] = [];
  for (let i = 0; i < 2; i += 1) people.push(await newPerson(app, random));
  const bookedBefore = new Map<string, number>();
  for (const at of books) bookedBefore.set(at, (await parties.transfers(at)).length);
  return {
    ...{ app, parties, seed, terminal, finance, hospitalCode, people, random, hasDeductible },
    ...{ visits: [], debits: [], refunds: [], sendings: [], transfers: [], bookedBefore },
    ...{ offsetMs, trail: [] },
  };
}

/** Holds do not grow with a stay's charges here: that is the stays' own matter (test/inpatient). */
async function keepHolds(app: TestApp): Promise<void> {
  await app.db.execute(sql`
    update policy set data = jsonb_set(data, '{holdShares}', '[]') where kind = 'inpatient'`);
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
 * Whatever waits is done, but conversions: holds expire, debits under way are asked for, money goes
 * back, is refused for good, or goes back and the answer is lost.
 */
export async function work(world: World, fault: BackFault = 'none'): Promise<void> {
  await world.parties.bankFault(fault, ['credit', 'channel']);
  await workOnce(world.app);
  await world.parties.bankFault('none');
  const now = businessNow(world);
  for (const visit of world.visits) {
    if (visit.hold?.status === 'placed' && visit.hold.expiresAt <= now) release(visit, 'expired');
  }
  for (const { person, parts, isPaid } of world.debits.splice(0)) {
    const surplus = isPaid && person.line ? pay(person.line, parts) : [];
    for (const amount of surplus) {
      world.sendings.push({ kind: 'credit', amount, status: 'pending' });
    }
    for (const debt of parts.keys()) debt.isUnderWay = false;
  }
  for (const sending of world.sendings) sendBack(world, sending, fault);
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
