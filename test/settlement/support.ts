// Shorthand for tests of the main road: people, terminals, visits and the books after each.
import { expect } from 'vitest';
import type { ReplyBody, TestApp, TestReply } from '../support/app.ts';
import { type TestPerson, uniquePerson } from '../support/people.ts';

export interface Scene {
  app: TestApp;
  hospitalCode: string;
  terminal: string;
}

const HOSPITAL = 'H35020000001';

export async function sceneOf(app: TestApp, hospitalCode = HOSPITAL): Promise<Scene> {
  return { app, hospitalCode, terminal: await app.token('terminal', { hospitalCode }) };
}

export interface Enrolled {
  person: TestPerson;
  token: string;
}

/** A person whom insurer and banks know; enrolled unless told otherwise. */
export async function newPatient(
  app: TestApp,
  options: {
    insurance?: 'active' | 'paused' | 'none';
    accountBalance?: string;
    isEnrolled?: boolean;
    score?: number;
  } = {},
): Promise<Enrolled> {
  const person = uniquePerson();
  await app.register(person, {
    score: options.score ?? 650,
    insurance: {
      status: options.insurance ?? 'active',
      type: 'employee',
      region: '350200',
      accountBalance: options.accountBalance ?? '0.00',
    },
  });
  const token = await app.token('citizen', { citizen: person });
  if (options.isEnrolled !== false) {
    const enrolled = await app.call('POST', '/v1/enrolments', {
      token,
      body: {
        agreementVersion: '1',
        consents: ['creditEnquiry', 'healthPayment', 'autoDebit'],
        repaymentAccount: { bankCode: 'LWB', token: `acc-${person.idNumber}` },
      },
    });
    expect(enrolled.status, enrolled.text).toBe(201);
  }
  return { person, token };
}

let counter = 0;
export const nextNumber = (prefix: string) =>
  `${prefix}${Date.now().toString(36)}${(counter++).toString(36)}`;

export async function openVisit(
  scene: Scene,
  person: TestPerson,
  extra: Record<string, unknown> = {},
): Promise<ReplyBody> {
  const reply = await scene.app.call('POST', '/v1/visits', {
    token: scene.terminal,
    body: {
      visitNumber: nextNumber('V'),
      kind: 'outpatient',
      credential: { kind: 'idCard', number: person.idNumber, name: person.name },
      ...extra,
    },
  });
  expect(reply.status, reply.text).toBe(201);
  return reply.body;
}

export function item(lineNumber: number, unitPrice: string, quantity = '1', amount = unitPrice) {
  return {
    lineNumber,
    code: `X${lineNumber}`,
    name: `项目${lineNumber}`,
    quantity,
    unitPrice,
    amount,
  };
}

export async function charge(
  scene: Scene,
  visitId: string,
  items: ReturnType<typeof item>[],
  batch = nextNumber('B'),
): Promise<string> {
  const reply = await scene.app.call('POST', `/v1/visits/${visitId}/charges`, {
    token: scene.terminal,
    body: { batch, items },
  });
  expect(reply.status, reply.text).toBe(201);
  return batch;
}

export function settle(
  scene: Scene,
  visitId: string,
  body: Record<string, unknown> = {},
  key?: string,
): Promise<TestReply> {
  return scene.app.call('POST', `/v1/visits/${visitId}/settlement`, {
    token: scene.terminal,
    body,
    ...(key ? { key } : {}),
  });
}

/** Opens, charges 100.00 + 200.00 and returns the visit's id. */
export async function chargedVisit(
  scene: Scene,
  person: TestPerson,
  extra: Record<string, unknown> = {},
): Promise<ReplyBody> {
  const visit = await openVisit(scene, person, extra);
  await charge(scene, visit.id, [item(1, '100.00'), item(2, '50.00', '4', '200.00')]);
  return visit;
}

/** Every law of the books holds. */
export async function expectLaws(app: TestApp): Promise<void> {
  const token = await app.token('auditor');
  const reply = await app.call('GET', '/v1/ops/verify', { token });
  const broken = reply.body.laws.filter((law: { holds: boolean }) => !law.holds);
  expect(broken).toEqual([]);
  expect(reply.body.holds).toBe(true);
}

export const lineOf = async (app: TestApp, token: string): Promise<ReplyBody> =>
  (await app.call('GET', '/v1/me/credit-line', { token })).body;

/** Yuan text to fen, for sums in tests. */
export const fen = (yuan: string): bigint => BigInt(yuan.replace('.', ''));
export const sumOf = (parts: { amount: string }[]): bigint =>
  parts.reduce((sum, part) => sum + fen(part.amount), 0n);
