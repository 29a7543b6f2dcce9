// Whatever comes in: a documented 4xx problem of the catalogue, never a 5xx, and nothing changed by it.
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { problems } from '../../src/errors.ts';
import {
  charge,
  chargedVisit,
  expectLaws,
  item,
  lineOf,
  newPatient,
  nextNumber,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, type TestRole, useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { everything, idCard } from '../visit/support.ts';
import {
  brokenPayloads,
  mutantsOf,
  naughtyValues,
  type Operation,
  operationsOf,
  sample,
  seeded,
  toJson,
  trimmed,
} from './bad-requests.ts';

const SEED = 20_261_122;
const app = useApp({ worker: false, env: { RATE_LIMIT_PER_SECOND: '1000000' } });
let scene: Scene;
let operations: Operation[];
let tokens: Record<string, string>;
/** Real things, so that a bad request is bad in one place only. */
let real: Record<string, string>;
let bodies: Record<string, () => unknown>;
let citizen: string;

beforeAll(async () => {
  scene = await sceneOf(app);
  operations = operationsOf((await (await fetch(`${app.url}/openapi.json`)).json()) as object);
  const { person, token } = await newPatient(app);
  citizen = token;
  real = await realThings(person);
  bodies = bodiesOf(person);
  tokens = { terminal: scene.terminal, citizen };
  for (const role of new Set(operations.flatMap(({ roles }) => roles.slice(0, 1)))) {
    tokens[role] ??= await app.token(role as TestRole);
  }
});

let bugs: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  bugs = vi.spyOn(app.deps.log, 'error');
});
afterEach(() => {
  const alarms = bugs.mock.calls.map((facts: unknown[]) =>
    `${JSON.stringify(facts)}`.slice(0, 300),
  );
  bugs.mockRestore();
  expect(alarms).toEqual([]);
});

async function realThings(person: { idNumber: string; name: string }) {
  const visit = await chargedVisit(scene, person);
  await charge(scene, visit.id, [item(5, '1.00')], 'first');
  const owing = await openVisit(scene, (await newPatient(app, { isEnrolled: false })).person);
  await charge(scene, owing.id, [item(1, '50.00'), item(2, '5.00', '10', '50.00')]);
  const counterTenders = [{ kind: 'cash', amount: '60.00', reference: nextNumber('T') }];
  const settled = await settle(scene, owing.id, { insurance: 'skip', counterTenders });
  const refund = await app.call('POST', `/v1/settlements/${settled.body.id}/refunds`, {
    token: scene.terminal,
    body: { lines: [{ lineNumber: 1 }], reason: '退' },
  });
  const late = await chargedVisit(scene, person);
  await app.fault({ mode: 'error500', on: ['2203'] });
  const waiting = await settle(scene, late.id);
  await app.fault({ mode: 'none' });
  expect(refund.body.tenders.at(-1).voucherCode, refund.text).toBeTruthy();
  return {
    visitId: visit.id,
    batch: 'first',
    settlementId: settled.body.id,
    refundId: refund.body.id,
    conversionId: waiting.body.conversionId,
    code: refund.body.tenders.at(-1).voucherCode,
    terminalId: 'trm_01jd5z8m2cf0v9k3q7w4x6y8ab',
  };
}

/** A good body of every operation that has one. */
function bodiesOf(person: { idNumber: string; name: string }): Record<string, () => unknown> {
  const code = { code: 'D1', name: '江清和' };
  const clinical = {
    medType: '11',
    diseaseCode: 'M1',
    department: code,
    doctor: code,
    diagnoses: [{ ...code, type: '1', at: '2026-01-05T08:30:00+08:00' }],
    admission: { number: 'A1', bed: '7' },
  };
  const cash = () => ({ kind: 'cash', amount: '1.00', reference: nextNumber('T') });
  const line = { ...item(77, '1.00'), doctor: code, traceCodes: ['8'], outsideInsurance: false };
  const opening = () => ({
    visitNumber: nextNumber('N'),
    kind: 'outpatient',
    credential: idCard(person),
    startedAt: '2026-01-05T08:30:00+08:00',
    ...clinical,
    payer: 'self',
    holdAmount: '1.00',
    allowPartialHold: true,
    usePersonalAccount: false,
    operator: { id: 'O1', name: '叶' },
  });
  const settlement = () => ({
    counterTenders: [cash()],
    insurance: 'claim',
    whenInsuranceOffline: 'selfPay',
    interim: false,
    receiptNumber: nextNumber('R'),
  });
  const consents = ['creditEnquiry', 'healthPayment', 'autoDebit'];
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
  return {
    openVisit: opening,
    changeVisit: () => ({ ...clinical, usePersonalAccount: false }),
    setHold: () => ({ amount: '10.00', allowPartial: true }),
    addCharges: () => ({ batch: nextNumber('B'), items: [line] }),
    previewSettlement: () => ({ batches: ['first'], ...settlement() }),
    settleVisit: () => ({ batches: ['first'], ...settlement() }),
    payByOneScan: () => ({ ...opening(), charges: [line], ...settlement() }),
    collectPayment: cash,
    setInvoice: () => ({ code: '035', number: '1' }),
    refundSettlement: () => ({ lines: [{ lineNumber: 2, quantity: '1' }], reason: '退' }),
    registerTerminal: () => ({ hospitalCode: 'H35020000001', name: '窗口', jwk }),
    authoriseAccounts: () => ({ personalAccount: true, familyAccount: false }),
    identify: () => ({ credential: idCard(person), amount: '1.00' }),
    enrol: () => ({
      lender: 'LWB',
      agreementVersion: '1',
      consents,
      repaymentAccount: { bankCode: 'LWB', token: 'acc' },
    }),
    setConsents: () => ({ consents, agreementVersion: '1' }),
    repay: () => ({ amount: '0.01' }),
    addSandboxPerson: () => ({
      ...uniquePerson(),
      score: 600,
      insurance: { status: 'active', type: 'employee', region: '350200', accountBalance: '1.00' },
      kin: [{ idNumber: person.idNumber, relation: 'child' }],
    }),
    issueSandboxToken: () => ({ role: 'terminal', hospitalCode: 'H35020000001', subject: 's' }),
    setInsurerFault: () => ({ mode: 'none', on: ['2207'], rate: 0, delayMs: 0, reason: 'x' }),
    setSandboxClock: () => ({ offsetSeconds: 0 }),
  };
}

const pathOf = ({ path }: Operation, values: Record<string, string> = real): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? 'x'));

interface Sent {
  path?: string;
  raw?: string | Uint8Array;
  type?: string;
  key?: string | null;
}

async function send(operation: Operation, sent: Sent) {
  const { method, needsKey } = operation;
  const [role] = operation.roles;
  const key = sent.key === undefined ? crypto.randomUUID() : sent.key;
  const reply = await fetch(app.url + (sent.path ?? pathOf(operation)), {
    method,
    headers: {
      ...(role ? { authorization: `Bearer ${tokens[role]}` } : {}),
      ...(sent.raw === undefined ? {} : { 'content-type': sent.type ?? 'application/json' }),
      ...(needsKey && key !== null ? { 'idempotency-key': key } : {}),
    },
    ...(sent.raw === undefined ? {} : { body: sent.raw as string }),
  });
  const text = await reply.text();
  const isJson = reply.headers.get('content-type')?.includes('json');
  const body = isJson && text ? (JSON.parse(text) as ReplyBody) : null;
  return { status: reply.status, body, type: reply.headers.get('content-type') ?? '' };
}

const show = (sent: Sent) => `${sent.path ?? ''} ${String(sent.raw ?? '').slice(0, 300)}`;

/** Sends it and expects a documented problem of the catalogue, 4xx. */
async function expectRefused(operation: Operation, sent: Sent): Promise<void> {
  const { status, body, type } = await send(operation, sent);
  const where = `${operation.method} ${operation.path} ${show(sent)} gave ${status} ${toJson(body)}`;
  expect(status, where).toBeGreaterThanOrEqual(400);
  expect(status, where).toBeLessThan(500);
  expect(operation.statuses, where).toContain(status);
  expect(type, where).toContain('application/problem+json');
  const known = problems[body?.code as keyof typeof problems];
  expect([known?.status, body?.status], where).toEqual([status, status]);
}

/** Books, lines, visits, and what finance and the citizen read of them. */
async function state() {
  const auditor = await app.token('auditor');
  const trial = await app.call('GET', '/v1/ledger/trial-balance', { token: auditor });
  return [await everything(app), trial.body.owners, await lineOf(app, citizen)];
}

async function expectUnchanged(work: () => Promise<void>): Promise<void> {
  const before = await state();
  await work();
  expect(await state()).toEqual(before);
}

/** Half a character cannot be percent-encoded. */
const isWellFormed = (text: string) => !/\p{Cs}/u.test(text);
const withBody = () => operations.filter((operation) => operation.hasJsonBody);
const isProblemApi = ({ operationId }: Operation) => operationId !== 'issueToken';

describe('bad input', () => {
  it('has a good body of every operation to start from', () => {
    for (const { operationId, takes } of withBody()) {
      expect([operationId, takes(bodies[operationId]?.())]).toEqual([operationId, true]);
    }
  });

  it('in the body is refused wherever the document refuses it', { timeout: 120_000 }, async () => {
    for (const operation of withBody()) {
      const random = seeded(SEED + operation.operationId.length);
      await expectUnchanged(async () => {
        const mutants = mutantsOf(bodies[operation.operationId]?.(), random, 2);
        const bad = mutants.filter((m) => !operation.takes(m) && !operation.takes(trimmed(m)));
        expect(bad.length).toBeGreaterThan(10);
        for (const mutant of bad) await expectRefused(operation, { raw: toJson(mutant) });
      });
    }
  });

  it('that is no JSON of ours is refused as such', { timeout: 60_000 }, async () => {
    for (const operation of withBody()) {
      await expectUnchanged(async () => {
        for (const { raw, type } of brokenPayloads) {
          await expectRefused(operation, { raw, type });
        }
        if (operation.isBodyRequired) await expectRefused(operation, { raw: '' });
      });
    }
  });

  it('in the path finds nothing', { timeout: 60_000 }, async () => {
    const random = seeded(SEED);
    const isText = (v: unknown): v is string => typeof v === 'string' && v !== '';
    const texts = naughtyValues.filter(isText).filter(isWellFormed);
    for (const operation of operations.filter(({ path }) => path.includes('{'))) {
      const good = bodies[operation.operationId]?.();
      const raw = good === undefined ? {} : { raw: toJson(good) };
      await expectUnchanged(async () => {
        for (const name of operation.path.match(/(?<=\{)\w+/g) ?? []) {
          for (const text of sample(texts, random, 15)) {
            const path = pathOf(operation, { ...real, [name]: text.slice(0, 3000) });
            await expectRefused(operation, { path, ...raw });
          }
          for (const bad of ['%', '%ff', '%c0%80', '%ed%a0%80']) {
            const path = pathOf(operation, { ...real, [name]: 'BAD' }).replace('BAD', bad);
            await expectRefused(operation, { path, ...raw });
          }
        }
      });
    }
  });

  it('in the query is refused, cursors of nothing too', { timeout: 60_000 }, async () => {
    const texts = naughtyValues.filter((v): v is string => typeof v === 'string');
    const made = [
      ...['[]', '[1]', '{}', '[[[]]]', '["\\u0000"]', '["2026-02-30T00:00:00Z","x"]'],
      ...['["2026-01-01T00:00:00Z","\\u0000"]', '["0000-01-01T00:00:00Z","x"]'],
    ].map((text) => Buffer.from(text).toString('base64url'));
    const random = seeded(SEED);
    for (const operation of operations.filter((o) => o.method === 'GET' && o.query.length > 0)) {
      await expectUnchanged(async () => {
        const ask = (query: Record<string, string>) =>
          send(operation, { path: `${pathOf(operation)}?${new URLSearchParams(query)}` });
        const isPaged = operation.query.includes('limit');
        const surely = [
          { nonsense: '1' },
          ...(isPaged ? sample(texts, random, 5).map((limit) => ({ limit })) : []),
          ...(isPaged ? [{ limit: '0' }, { limit: '101' }] : []),
        ];
        for (const query of surely) {
          const path = `${pathOf(operation)}?${new URLSearchParams(query as Record<string, string>)}`;
          await expectRefused(operation, { path });
        }
        for (const name of operation.query.filter((q) => q !== 'limit')) {
          const some = sample(texts, random, 12);
          for (const text of name === 'cursor' ? [...some, ...made] : some) {
            const { status } = await ask({ [name]: text.slice(0, 3000) });
            expect([operation.path, name, text, status < 500]).toEqual([
              operation.path,
              name,
              text,
              true,
            ]);
          }
        }
      });
    }
  });

  it('in the key is refused before anything is done', async () => {
    for (const operation of operations.filter((o) => o.needsKey && isProblemApi(o))) {
      const good = bodies[operation.operationId]?.();
      const raw = good === undefined ? {} : { raw: toJson(good) };
      await expectUnchanged(async () => {
        for (const key of [null, '"', '"a', '"a"b"', 'x'.repeat(256), 'schl\u00fcssel', '""']) {
          await expectRefused(operation, { ...raw, key });
        }
      });
    }
  });
});

describe('odd but lawful input', () => {
  it('never gives a 5xx, and every law holds afterwards', { timeout: 120_000 }, async () => {
    const isLeftOut = (o: Operation) => o.path.startsWith('/sandbox/');
    for (const operation of withBody().filter((o) => !isLeftOut(o))) {
      const random = seeded(SEED + 7 + operation.operationId.length);
      const lawful = mutantsOf(bodies[operation.operationId]?.(), random, 3).filter(
        operation.takes,
      );
      for (const mutant of lawful) {
        const { status, body } = await send(operation, { raw: toJson(mutant) });
        const where = `${operation.operationId} ${toJson(mutant)} gave ${status} ${toJson(body)}`;
        expect(status, where).toBeLessThan(500);
        expect(operation.statuses, where).toContain(status);
      }
    }
    await expectLaws(app);
  });

  it('at the token endpoint gets an OAuth error', async () => {
    const forms = naughtyValues.map(
      (value) =>
        `grant_type=client_credentials&client_assertion=${encodeURIComponent(
          typeof value === 'string' && isWellFormed(value) ? value : toJson(value),
        )}`,
    );
    for (const form of ['', 'grant_type=password', 'a=1&a=2', ...forms]) {
      const reply = await fetch(`${app.url}/oauth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: form,
      });
      expect([400, 401], form).toContain(reply.status);
      expect(((await reply.json()) as ReplyBody).error).toEqual(expect.any(String));
    }
  });
});
