// Shorthand for tests of family links: families of the registry, links, and a clock set to a moment.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { eq } from 'drizzle-orm';
import { expect } from 'vitest';
import { businessNow } from '../../src/db/db.ts';
import { familyLink } from '../../src/db/schema.ts';
import { checkCharacter } from '../../src/identity/id-number.ts';
import { sandboxSecrets } from '../../src/sandbox/secrets.ts';
import { type Enrolled, newPatient, nextNumber, type Scene } from '../settlement/support.ts';
import type { ReplyBody, TestApp, TestReply } from '../support/app.ts';
import { type TestPerson, uniquePerson } from '../support/people.ts';
import { waitFor } from '../support/wait-for.ts';

export interface Relative {
  person: TestPerson;
  token: string;
}

let births = 0;

/** Somebody born on a day, YYYY-MM-DD, whom no other test of this file has. */
export function bornOn(day: string): TestPerson {
  births += 1;
  const body = `350203${day.replaceAll('-', '')}${String(births % 1000).padStart(3, '0')}`;
  return { name: `叶小${'甲乙丙丁戊己'[births % 6]}`, idNumber: body + checkCharacter(body) };
}

/** Makes `person` known to everybody, as `relation` of `to`: "child" says that person is a child. */
export async function addKin(
  app: TestApp,
  to: TestPerson,
  relation: 'child' | 'parent',
  person: TestPerson,
): Promise<Relative> {
  await app.register(person, {
    insurance: { status: 'active', type: 'resident', region: '350200' },
    kin: [{ idNumber: to.idNumber, relation: relation === 'child' ? 'parent' : 'child' }],
  });
  return { person, token: await app.token('citizen', { citizen: person }) };
}

export const wishFor = (
  kind: 'minorChild' | 'parentCare',
  beneficiary: TestPerson,
  caps: Record<string, unknown> = {},
) => ({ kind, beneficiary, visitCap: '500.00', monthlyCap: '1000.00', ...caps });

export const requestLink = (
  app: TestApp,
  token: string,
  body: Record<string, unknown>,
): Promise<TestReply> => app.call('POST', '/v1/me/family-links', { token, body });

/** An enrolled parent (score 400: limit 500.00; 650: 3,000.00) with an active link to a child. */
export async function parentAndChild(
  app: TestApp,
  options: {
    score?: number;
    child?: TestPerson;
    caps?: { visitCap?: string; monthlyCap?: string };
  } = {},
): Promise<{ parent: Enrolled; child: Relative; link: ReplyBody }> {
  const parent = await newPatient(app, { score: options.score ?? 650 });
  const person = options.child ?? uniquePerson({ age: 9 });
  const child = await addKin(app, parent.person, 'child', person);
  const link = await linkChild(app, parent, child, options.caps);
  return { parent, child, link };
}

export async function linkChild(
  app: TestApp,
  parent: Enrolled,
  child: Relative,
  caps: Record<string, unknown> = {},
): Promise<ReplyBody> {
  const reply = await requestLink(app, parent.token, wishFor('minorChild', child.person, caps));
  expect(reply.status, reply.text).toBe(201);
  expect(reply.body.status).toBe('active');
  return reply.body;
}

/** The counter of a link as the database has it: fen by month. */
export async function countersOf(app: TestApp, linkId: string): Promise<Record<string, string>> {
  const [row] = await app.db.select().from(familyLink).where(eq(familyLink.id, linkId));
  return row?.usedByMonth ?? {};
}

/** What all months of a link carry, in fen. */
export async function usedOf(app: TestApp, linkId: string): Promise<bigint> {
  return Object.values(await countersOf(app, linkId)).reduce((sum, fen) => sum + BigInt(fen), 0n);
}

/** Moves business time to a moment, at most a second past it. */
export async function clockTo(app: TestApp, moment: Date): Promise<void> {
  await app.clock(Math.ceil((moment.getTime() - Date.now()) / 1000));
  expect((await businessNow(app.db)).getTime()).toBeGreaterThanOrEqual(moment.getTime());
}

/** Midnight in Shanghai at the beginning of a day, YYYY-MM-DD. */
export const midnight = (day: string): Date => new Date(`${day}T00:00:00+08:00`);
const MINUTE_MS = 60_000;
export const minuteBefore = (moment: Date): Date => new Date(moment.getTime() - MINUTE_MS);

/** A day (YYYY-MM-DD, Shanghai) this many days from today. */
export function dayFromNow(days: number): string {
  return new Date(Date.now() + days * 86_400_000 + 8 * 3_600_000).toISOString().slice(0, 10);
}

/** The day 18 years before a day: who was born then comes of age on it. */
export const eighteenBefore = (day: string): string =>
  `${Number(day.slice(0, 4)) - 18}${day.slice(4)}`;

export const putHold = (
  scene: Scene,
  visitId: string,
  amount: string,
  allowPartial?: boolean,
): Promise<TestReply> =>
  scene.app.call('PUT', `/v1/visits/${visitId}/hold`, {
    token: scene.terminal,
    body: { amount, ...(allowPartial === undefined ? {} : { allowPartial }) },
  });

export const identifyAt = async (
  scene: Scene,
  person: TestPerson,
  amount?: string,
): Promise<ReplyBody> => {
  const credential = { kind: 'idCard', number: person.idNumber, name: person.name };
  const reply = await scene.app.call('POST', '/v1/identifications', {
    token: scene.terminal,
    body: { credential, ...(amount ? { amount } : {}) },
  });
  expect(reply.status, reply.text).toBe(200);
  return reply.body;
};

/** Opens a visit without expecting that it works. */
export const tryOpen = (
  scene: Scene,
  person: TestPerson,
  extra: Record<string, unknown> = {},
): Promise<TestReply> =>
  scene.app.call('POST', '/v1/visits', {
    token: scene.terminal,
    body: {
      visitNumber: nextNumber('F'),
      kind: 'outpatient',
      credential: { kind: 'idCard', number: person.idNumber, name: person.name },
      ...extra,
    },
  });

/** What goes wrong at the sandbox's counterparties (see src/sandbox/counterparties/server.ts). */
export async function counterpartyFault(app: TestApp, fault: Record<string, unknown>) {
  const { EGRET_DATA_DIR: dataDir } = app.deps.env;
  const file = path.join(dataDir, 'sandbox', 'counterparties.json');
  const { ports } = JSON.parse(readFileSync(file, 'utf8')) as { ports: { port: number } };
  const put = () =>
    fetch(`http://127.0.0.1:${ports.port}/faults`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${sandboxSecrets(dataDir).counterpartiesKey}` },
      body: JSON.stringify(fault),
    }).catch(() => null);
  // A port that was closed by the fault before opens again by itself.
  expect((await waitFor(put, { what: 'the counterparties' })).status).toBe(200);
}
