// Whose is what: 401 without a token, 403 by role, 404 by owner, and nothing seen or changed by others.
import { beforeAll, describe, expect, it } from 'vitest';
import {
  charge,
  chargedVisit,
  item,
  lineOf,
  newPatient,
  nextNumber,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type TestReply, type TestRole, useApp } from '../support/app.ts';
import { everything, said } from '../visit/support.ts';
import { type Operation, operationsOf } from './bad-requests.ts';

const app = useApp({ worker: false, env: { RATE_LIMIT_PER_SECOND: '1000000' } });
const roles: TestRole[] = [
  'terminal',
  'citizen',
  'lenderOperator',
  'financeMaker',
  'financeChecker',
  'auditor',
  'admin',
];
const THEIRS = 'H35020000002';
let scene: Scene;
let other: Scene;
let operations: Operation[];
let owner: Awaited<ReturnType<typeof newPatient>>;
let stranger: Awaited<ReturnType<typeof newPatient>>;
/** Things of the first hospital and of `owner`. */
let ours: Record<
  'visitId' | 'settledVisitId' | 'settlementId' | 'refundId' | 'code' | 'batch',
  string
>;
let conversionId: string;

beforeAll(async () => {
  [scene, other] = await Promise.all([sceneOf(app), sceneOf(app, THEIRS)]);
  operations = operationsOf((await (await fetch(`${app.url}/openapi.json`)).json()) as object);
  [owner, stranger] = [await newPatient(app), await newPatient(app)];
  const visit = await chargedVisit(scene, owner.person);
  const batch = await charge(scene, visit.id, [item(9, '1.00')]);
  const settledVisit = await chargedVisit(scene, owner.person);
  const cash = { kind: 'cash', amount: '100.00', reference: nextNumber('T') };
  const wish = { insurance: 'skip', counterTenders: [cash] };
  const settled = (await settle(scene, settledVisit.id, wish)).body;
  const refund = await app.call('POST', `/v1/settlements/${settled.id}/refunds`, {
    token: scene.terminal,
    body: { lines: [{ lineNumber: 2, quantity: '1' }], reason: '退' },
  });
  // Without a bank account of their own, cash goes back by voucher.
  const whole = await chargedVisit(scene, (await newPatient(app, { isEnrolled: false })).person);
  const paid = { kind: 'cash', amount: '300.00', reference: nextNumber('T') };
  const cashOnly = await settle(scene, whole.id, { insurance: 'skip', counterTenders: [paid] });
  const back = await app.call('POST', `/v1/settlements/${cashOnly.body.id}/refunds`, {
    token: scene.terminal,
    body: { all: true, reason: '退' },
  });
  ours = {
    visitId: visit.id,
    settledVisitId: settledVisit.id,
    settlementId: settled.id,
    refundId: refund.body.id,
    code: back.body.tenders[0].voucherCode,
    batch,
  };
  const late = await chargedVisit(scene, owner.person);
  await app.fault({ mode: 'error500', on: ['2203'] });
  conversionId = (await settle(scene, late.id)).body.conversionId;
  await app.fault({ mode: 'none' });
  expect([refund.status, back.status]).toEqual([201, 201]);
  expect([typeof ours.code, typeof conversionId]).toEqual(['string', 'string']);
});

const pathOf = ({ path }: Operation): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => (ours as Record<string, string>)[name] ?? 'x');
const isPublic = (operation: Operation) => operation.roles.length === 0;

async function expectUnchanged(work: () => Promise<unknown>): Promise<void> {
  const before = await everything(app);
  await work();
  expect(await everything(app)).toEqual(before);
}

describe('a request', () => {
  it('without a good token is 401 wherever one is needed', async () => {
    const bad = [
      [undefined, 'access/token-missing'],
      ['', 'access/token-missing'],
      ['Basic dXNlcjpwYXNz', 'access/token-missing'],
      ['Bearer nonsense', 'access/token-invalid'],
      [`Bearer ${scene.terminal.slice(0, -3)}abc`, 'access/token-invalid'],
      [`Bearer ${'x'.repeat(9000)}`, 'access/token-invalid'],
    ] as const;
    await expectUnchanged(async () => {
      for (const operation of operations.filter((o) => !isPublic(o))) {
        for (const [authorization, code] of bad) {
          const reply = await app.call(operation.method, pathOf(operation), {
            headers: authorization === undefined ? {} : { authorization },
          });
          expect([operation.operationId, ...said(reply)]).toEqual([
            operation.operationId,
            401,
            code,
          ]);
        }
      }
    });
  });

  it('of a role that the operation is not for is 403, whatever it asks', async () => {
    const tokens = new Map<TestRole, string>();
    for (const role of roles) {
      const more = role === 'citizen' ? { citizen: owner.person } : {};
      tokens.set(role, await app.token(role, more));
    }
    let asked = 0;
    await expectUnchanged(async () => {
      for (const operation of operations.filter((o) => !isPublic(o))) {
        for (const role of roles.filter((r) => !operation.roles.includes(r))) {
          const token = tokens.get(role) ?? '';
          const reply = await app.call(operation.method, pathOf(operation), { token });
          expect([operation.operationId, role, ...said(reply)]).toEqual([
            operation.operationId,
            role,
            403,
            'access/forbidden',
          ]);
          asked += 1;
        }
      }
    });
    expect(asked).toBeGreaterThan(100);
  });
});

describe('a terminal of another hospital', () => {
  const nowhere = '_01jd5z8m2cf0v9k3q7w4x6y8ab';
  const cash = () => ({ kind: 'cash', amount: '1.00', reference: nextNumber('X') });
  const asks: [string, string, () => object | undefined][] = [
    ['GET', '/v1/visits/{visitId}', () => undefined],
    ['PATCH', '/v1/visits/{visitId}', () => ({ medType: '11' })],
    ['DELETE', '/v1/visits/{visitId}', () => undefined],
    ['PUT', '/v1/visits/{visitId}/hold', () => ({ amount: '1.00' })],
    ['DELETE', '/v1/visits/{visitId}/hold', () => undefined],
    [
      'POST',
      '/v1/visits/{visitId}/hold-confirmation',
      () => ({ credential: { kind: 'idCard', number: owner.person.idNumber } }),
    ],
    ['POST', '/v1/visits/{visitId}/charges', () => ({ batch: 'x', items: [item(50, '1.00')] })],
    ['DELETE', '/v1/visits/{visitId}/charges/{batch}', () => undefined],
    ['POST', '/v1/visits/{visitId}/discharge', () => ({})],
    ['DELETE', '/v1/visits/{visitId}/discharge', () => undefined],
    ['POST', '/v1/visits/{visitId}/settlement/preview', () => ({})],
    ['POST', '/v1/visits/{visitId}/settlement', () => ({})],
    ['POST', '/v1/visits/{settledVisitId}/settlement', () => ({})],
    ['GET', '/v1/settlements/{settlementId}', () => undefined],
    ['POST', '/v1/settlements/{settlementId}/payments', cash],
    ['PUT', '/v1/settlements/{settlementId}/invoice', () => ({ code: '1', number: '1' })],
    ['POST', '/v1/settlements/{settlementId}/refunds', () => ({ all: true, reason: '退' })],
    ['POST', '/v1/settlements/{settlementId}/conversion', () => ({ cause: 'forgottenCredential' })],
    ['DELETE', '/v1/settlements/{settlementId}/conversion', () => undefined],
    ['GET', '/v1/refunds/{refundId}', () => undefined],
    ['POST', '/v1/refund-vouchers/{code}/payout', () => ({})],
  ];
  const fill = (path: string, change: (value: string) => string) =>
    path.replace(/\{(\w+)\}/g, (_, name: keyof typeof ours) => change(ours[name]));

  it.each(asks)('finds nothing at %s %s, as if it did not exist', async (method, path, body) => {
    const ask = (target: string): Promise<TestReply> => {
      const sent = body();
      return app.call(method, target, { token: other.terminal, ...(sent ? { body: sent } : {}) });
    };
    await expectUnchanged(async () => {
      const theirs = await ask(fill(path, (value) => value));
      expect(said(theirs)).toEqual([404, 'resource/not-found']);
      const elsewhere = (id: string) => (id === ours.code ? 'NOSUCH' : id.replace(/_.*/, nowhere));
      const none = await ask(fill(path, elsewhere));
      const { instance: _, ...problem } = theirs.body;
      const { instance: __, ...same } = none.body;
      expect(same).toEqual(problem);
    });
  });

  it('is not the one that the asks above leave out', () => {
    const walked = new Set(
      asks.map(([method, path]) => `${method} ${path.replace('settledV', 'v')}`),
    );
    const owned = operations
      .filter((o) => o.roles.includes('terminal') && /\{(visit|settlement|refund)Id\}/.test(o.path))
      .map((o) => `${o.method} ${o.path}`);
    expect(owned.filter((operation) => !walked.has(operation))).toEqual([]);
  });

  it('does not find the visits of ours in its list', async () => {
    const { idNumber } = owner.person;
    const listed = await app.call('GET', `/v1/visits?idNumber=${idNumber}`, {
      token: other.terminal,
    });
    expect(listed.body.data).toEqual([]);
    const all = await app.call('GET', '/v1/visits?limit=100', { token: other.terminal });
    expect(all.body.data).toEqual([]);
  });

  it('gets no stored reply of ours by our key', async () => {
    const key = crypto.randomUUID();
    const body = { visitNumber: nextNumber('K'), kind: 'emergency' };
    const open = (token: string) => app.call('POST', '/v1/visits', { token, body, key });
    const [first, theirs] = [await open(scene.terminal), await open(other.terminal)];
    expect([first.status, theirs.status]).toEqual([201, 201]);
    expect(theirs.body.id).not.toBe(first.body.id);
    expect(theirs.headers.get('idempotency-replayed')).toBeNull();
  });

  it('of our own hospital does what the first one did', async () => {
    const options = { hospitalCode: scene.hospitalCode, subject: 'counter-9' };
    const token = await app.token('terminal', options);
    const read = await app.call('GET', `/v1/settlements/${ours.settlementId}`, { token });
    expect(read.body.id, read.text).toBe(ours.settlementId);
  });
});

describe('a citizen', () => {
  const get = (path: string, token: string) => app.call('GET', path, { token });
  const ids = (reply: TestReply): string[] => reply.body.data.map((x: { id: string }) => x.id);

  it('sees their own settlements, bills and repayments and nobody else’s', async () => {
    const mine = ids(await get('/v1/me/settlements', owner.token));
    expect(mine).toContain(ours.settlementId);
    expect(ids(await get('/v1/me/receivables', owner.token)).length).toBeGreaterThan(0);
    const lists = ['settlements', 'receivables', 'repayments'];
    for (const list of lists) expect(ids(await get(`/v1/me/${list}`, stranger.token))).toEqual([]);
  });

  it('sees who looked at their own data only', async () => {
    const log = await get('/v1/me/access-log', owner.token);
    expect(log.body.data.length).toBeGreaterThan(0);
    expect((await get('/v1/me/access-log', stranger.token)).body.data).toEqual([]);
  });

  it('reads no visit, settlement or refund by its id, not even their own', async () => {
    for (const path of [
      `/v1/visits/${ours.visitId}`,
      `/v1/settlements/${ours.settlementId}`,
      `/v1/refunds/${ours.refundId}`,
      `/v1/conversions/${conversionId}`,
    ]) {
      expect(said(await get(path, stranger.token))[0]).toBe(403);
    }
  });

  it('cannot repay, close or change what is another’s', async () => {
    const owed = (await get('/v1/me/receivables', owner.token)).body.data[0];
    const line = await lineOf(app, owner.token);
    await expectUnchanged(async () => {
      const body = { amount: '0.01', receivableIds: [owed.id] };
      const paid = await app.call('POST', '/v1/me/repayments', { token: stranger.token, body });
      expect([404, 422]).toContain(paid.status);
    });
    const closed = await app.call('DELETE', '/v1/me/credit-line', { token: stranger.token });
    expect(closed.status).toBe(204);
    expect(await lineOf(app, owner.token)).toEqual(line);
  });

  it('gets no stored reply of another by the same key', async () => {
    const key = crypto.randomUUID();
    const body = {
      agreementVersion: '1',
      consents: ['creditEnquiry', 'healthPayment', 'autoDebit'],
      repaymentAccount: { bankCode: 'LWB', token: 'acc' },
    };
    const make = (token: string) => app.call('POST', '/v1/enrolments', { token, key, body });
    const [one, two] = [
      await newPatient(app, { isEnrolled: false }),
      await newPatient(app, { isEnrolled: false }),
    ];
    const [a, b] = [await make(one.token), await make(two.token)];
    expect([a.status, b.status]).toEqual([201, 201]);
    expect(a.body.id).not.toBe(b.body.id);
    expect((await make(one.token)).text).toBe(a.text);
  });
});
