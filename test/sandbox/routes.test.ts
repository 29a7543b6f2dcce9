import { describe, expect, test } from 'vitest';
import { businessNow } from '../../src/db/db.ts';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';

const app = useApp({ worker: false });
const post = (path: string, body: unknown) => app.call('POST', path, { body, key: null });
const put = (path: string, body: unknown) => app.call('PUT', path, { body });

describe('people', () => {
  test('exist for the insurer, the score provider and the registry alike', async () => {
    const [child, parent] = [uniquePerson({ age: 8 }), uniquePerson()];
    const body = {
      ...parent,
      phone: '13812345678',
      score: 580,
      insurance: { status: 'active', type: 'employee', region: '350200', accountBalance: '500.00' },
      kin: [{ idNumber: child.idNumber, relation: 'child' }],
    };
    const made = await post('/sandbox/people', body);
    expect(made.status).toBe(201);
    expect(made.text).not.toContain(parent.idNumber);
    expect(await app.deps.scores.scoreOf(parent)).toMatchObject({ value: 580 });
    const token = await app.token('terminal');
    const credential = { kind: 'idCard', number: parent.idNumber };
    const seen = await app.call('POST', '/v1/identifications', { token, body: { credential } });
    expect(seen.body.insured).toMatchObject({ status: 'active', region: '350200' });
  });

  test.each([
    ['an invalid ID number', { name: '张三', idNumber: '350203199001010010' }],
    ['no name', { idNumber: uniquePerson().idNumber }],
    ['an unknown field', { ...uniquePerson(), wealth: 1 }],
    [
      'money as a number',
      { ...uniquePerson(), insurance: { status: 'active', accountBalance: 5 } },
    ],
    ['text for a score', { ...uniquePerson(), score: '650' }],
  ])('with %s are refused', async (_what, body) => {
    expect(await post('/sandbox/people', body)).toMatchObject({
      status: 400,
      body: { code: 'request/invalid' },
    });
  });
});

describe('tokens', () => {
  test('of every role open their doors', async () => {
    const me = await post('/sandbox/tokens', { role: 'citizen', citizen: uniquePerson() });
    expect(me).toMatchObject({ status: 200, body: { expiresIn: expect.any(Number) } });
    const log = await app.call('GET', '/v1/me/access-log', { token: me.body.accessToken });
    expect(log.status).toBe(200);
    for (const role of [
      'terminal',
      'lenderOperator',
      'financeMaker',
      'auditor',
      'admin',
    ] as const) {
      const token = await app.token(role);
      const routes = await app.call('GET', '/v1/insurance/routes', { token });
      expect(routes.status).toBe(200);
    }
  });

  test.each([
    ['an unknown hospital', { role: 'terminal', hospitalCode: 'H99999999999' }, 422],
    ['an unknown role', { role: 'king' }, 400],
    ['a citizen without a citizen', { role: 'citizen' }, 400],
    ['a wrong ID number', { role: 'citizen', citizen: { name: '张三', idNumber: '1' } }, 400],
    ['a NUL in the subject', { role: 'admin', subject: 'a\u0000b' }, 400],
  ])('for %s are refused', async (_what, body, status) => {
    expect((await post('/sandbox/tokens', body)).status).toBe(status);
  });
});

describe('the insurer’s controls', () => {
  test('take a fault and end it', async () => {
    const fault = { mode: 'slow', on: ['1101'], delayMs: 1, rate: 1, route: 'local' };
    expect(await put('/sandbox/insurer/fault', fault)).toMatchObject({ status: 200, body: fault });
    expect((await put('/sandbox/insurer/fault', { mode: 'none' })).status).toBe(200);
  });

  test.each([
    ['an unknown mode', { mode: 'explode' }],
    ['another field beside refuseConnection', { mode: 'refuseConnection', rate: 1 }],
    ['a rate above 1', { mode: 'hang', rate: 2 }],
  ])('refuse %s', async (_what, body) => {
    expect((await put('/sandbox/insurer/fault', body)).status).toBe(400);
  });

  test('show the insurer’s own books', async () => {
    expect(await app.claims({ hospitalCode: 'H35020000001', visitNumber: 'none' })).toEqual([]);
    const wrong = await app.call('GET', '/sandbox/insurer/claims?more=1');
    expect(wrong.status).toBe(400);
  });
});

describe('the clock', () => {
  test('moves business time from real time, does not add, and comes back', async () => {
    const year = 365 * 86_400;
    for (const offsetSeconds of [year, year, -year, 0]) {
      const set = await put('/sandbox/clock', { offsetSeconds });
      expect(set).toMatchObject({ status: 200, body: { offsetSeconds } });
      const drift = (await businessNow(app.db)).getTime() - Date.now() - offsetSeconds * 1000;
      expect(Math.abs(drift)).toBeLessThan(60_000);
    }
    expect((await app.call('GET', '/sandbox/clock')).body.offsetSeconds).toBe(0);
  });

  test.each([[0.5], [1e12], ['5'], [null]])('refuses %s', async (offsetSeconds) => {
    expect((await put('/sandbox/clock', { offsetSeconds })).status).toBe(400);
  });
});
