import { eq } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { placeHold } from '../../src/credit/place-hold.ts';
import { creditRoutes } from '../../src/credit/routes.ts';
import { transact } from '../../src/db/db.ts';
import { citizen, consent, creditLine, receivable } from '../../src/db/schema.ts';
import { findOrCreateCitizen } from '../../src/identity/people.ts';
import { newId } from '../../src/ids.ts';
import { useServer } from '../http/server.ts';
import { keyring, useCounterparties } from '../repayment/support.ts';
import { useDatabase } from '../support/database.ts';
import { type PersonOptions, uniquePerson } from '../support/people.ts';
import { makeVisit, moveClock, yuan } from './support.ts';

const { db } = useDatabase();
const parties = useCounterparties();
const server = useServer(db, creditRoutes);
beforeAll(() => void Object.assign(server.deps, { keyring, scores: parties.scores() }));

const CONSENTS = ['creditEnquiry', 'healthPayment', 'autoDebit'];
const ENROLMENT = {
  agreementVersion: '2026-01',
  consents: CONSENTS,
  repaymentAccount: { bankCode: 'ICBC', token: 'tok_6222' },
};

/** A citizen with a token; known to the score provider unless `score` is null. */
async function makeCitizen(options: PersonOptions & { score?: number | null } = {}) {
  const { score, ...rest } = options;
  const person = uniquePerson(rest);
  if (score !== null) {
    const known = score === undefined ? person : { ...person, score };
    expect((await parties.call('POST', '/people', known)).status).toBe(201);
  }
  const { citizenId } = await transact(db, (tx) => findOrCreateCitizen(tx, keyring, person));
  const token = `citizen:${citizenId.slice('cit_'.length)}`;
  const send = (method: 'get' | 'post' | 'put' | 'delete', path: string, body?: object) => {
    const request = server.agent()[method](path).set('authorization', `Bearer ${token}`);
    return body ? request.send(body) : request;
  };
  const enrol = (more: object = {}) => send('post', '/v1/enrolments', { ...ENROLMENT, ...more });
  return { citizenId, person, token, send, enrol };
}

describe('enrolling', () => {
  it('opens a line by score with the first lender', async () => {
    const { enrol, send, citizenId } = await makeCitizen();
    const reply = await enrol();
    expect(reply.status).toBe(201);
    expect(reply.body).toEqual({
      id: expect.stringMatching(/^lin_/),
      lender: 'LWB',
      status: 'active',
      limit: '3000.00',
      inpatientExtra: '5000.00',
      held: '0.00',
      outstanding: '0.00',
      available: '3000.00',
      score: { value: 650, tier: 3, asOf: expect.any(String) },
      explanation: expect.any(Array),
    });
    expect((await send('get', '/v1/me/credit-line')).body).toEqual(reply.body);
    const [row] = await db.select().from(citizen).where(eq(citizen.id, citizenId));
    expect(keyring.open(row!.bankAccount!)).toBe('tok_6222');
    expect(await db.select().from(consent).where(eq(consent.citizenId, citizenId))).toHaveLength(3);
  });

  it.each([
    [500, '500.00', 1],
    [501, '1000.00', 2],
    [600, '1000.00', 2],
    [601, '3000.00', 3],
  ])('grants score %i a limit of %s', async (score, limit, tier) => {
    const { enrol } = await makeCitizen({ score });
    expect((await enrol({ lender: 'YRB' })).body).toMatchObject({
      lender: 'YRB',
      limit,
      score: { value: score, tier },
    });
  });

  it('refuses what is not complete, known or adult', async () => {
    const { enrol } = await makeCitizen();
    const refused = async (more: object) => {
      const { status, body } = await enrol(more);
      return `${status} ${body.code}`;
    };
    expect(await refused({ consents: CONSENTS.slice(1) })).toBe('422 credit/consent-missing');
    expect(await refused({ consents: [] })).toBe('422 credit/consent-missing');
    expect(await refused({ consents: ['everything'] })).toBe('400 request/invalid');
    expect(await refused({ lender: 'NOBODY' })).toBe('422 credit/lender-unknown');
    expect(await refused({ repaymentAccount: undefined })).toBe('400 request/invalid');
    expect(await refused({ surprise: 1 })).toBe('400 request/invalid');
    const minor = await makeCitizen({ age: 17 });
    expect((await minor.enrol()).body.code).toBe('credit/under-age');
    const stranger = await makeCitizen({ score: null });
    expect((await stranger.enrol()).body.code).toBe('credit/score-unavailable');
  });

  it('takes a minor when the birthday has come', async () => {
    const { enrol } = await makeCitizen({ age: 17 });
    await moveClock(db, 366 * 24);
    expect((await enrol()).status).toBe(201);
    await moveClock(db, 0);
  });

  it('needs the score provider', async () => {
    const { enrol } = await makeCitizen();
    await parties.fault('error500', ['score']);
    expect((await enrol()).body).toMatchObject({ status: 422, code: 'credit/score-unavailable' });
    await parties.fault('none');
    expect((await enrol()).status).toBe(201);
  });

  it('opens one line however often it is asked', async () => {
    const { enrol, citizenId } = await makeCitizen();
    const replies = await Promise.all(Array.from({ length: 8 }, () => enrol()));
    const statuses = replies.map((reply) => reply.status).sort();
    expect(statuses).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
    expect((await enrol()).body.code).toBe('credit/already-enrolled');
    const lines = await db.select().from(creditLine).where(eq(creditLine.citizenId, citizenId));
    expect(lines).toHaveLength(1);
  });

  it('replays the stored reply under the same key', async () => {
    const { enrol } = await makeCitizen();
    const first = await enrol().set('idempotency-key', 'enrol-1');
    const second = await enrol().set('idempotency-key', 'enrol-1');
    expect(second.status).toBe(201);
    expect(second.text).toBe(first.text);
    expect(second.headers['idempotency-replayed']).toBe('true');
  });
});

describe('the line', () => {
  it('is 404 where there is none', async () => {
    const { send } = await makeCitizen();
    expect((await send('get', '/v1/me/credit-line')).status).toBe(404);
    expect((await send('delete', '/v1/me/credit-line')).status).toBe(404);
    expect((await send('put', '/v1/me/consents', { consents: [] })).status).toBe(404);
  });

  it('closes only while nothing is held or owed, and may be opened again', async () => {
    const { enrol, send, citizenId } = await makeCitizen();
    await enrol();
    const mine = eq(creditLine.citizenId, citizenId);
    for (const debt of [{ held: 1n }, { held: 0n, outstanding: 1n }]) {
      await db.update(creditLine).set(debt).where(mine);
      expect((await send('delete', '/v1/me/credit-line')).body.code).toBe('credit/debt-open');
    }
    await db.update(creditLine).set({ outstanding: 0n }).where(mine);
    expect((await send('delete', '/v1/me/credit-line')).status).toBe(204);
    expect((await send('get', '/v1/me/credit-line')).status).toBe(404);
    expect((await enrol()).status).toBe(201);
  });

  it('gives no new holds while a consent is withdrawn', async () => {
    const { enrol, send, citizenId } = await makeCitizen();
    await enrol();
    const visitId = await makeVisit(db);
    const place = () =>
      transact(db, (tx) =>
        placeHold(tx, {
          visitId,
          payerCitizenId: citizenId,
          visitKind: 'outpatient',
          amount: 1n,
          isPartialAllowed: false,
          isEmergency: false,
        }),
      );
    const withdrawn = await send('put', '/v1/me/consents', { consents: ['creditEnquiry'] });
    expect(withdrawn.body).toEqual({ consents: ['creditEnquiry'] });
    expect(await place()).toEqual({ decline: 'credit/consent-withdrawn' });
    await send('put', '/v1/me/consents', { consents: CONSENTS });
    expect(await place()).toHaveProperty('hold');
  });
});

describe('lists', () => {
  it('shows lenders with product and due rule, page by page', async () => {
    const { body } = await server.agent().get('/v1/lenders?limit=1');
    expect(body.data).toEqual([
      { code: 'LWB', name: '鹭湾银行', product: 'standard', due: { days: 42, at: '23:00' } },
    ]);
    const next = await server.agent().get(`/v1/lenders?cursor=${body.nextCursor}`);
    expect(next.body).toMatchObject({ data: [{ code: 'YRB' }], nextCursor: null });
    const forged = Buffer.from('["\\u0000"]').toString('base64url');
    expect((await server.agent().get(`/v1/lenders?cursor=${forged}`)).status).toBe(400);
  });

  it('shows every state of a receivable to its payer only', async () => {
    const { enrol, send, citizenId } = await makeCitizen();
    const { id: lineId } = (await enrol()).body;
    const past = new Date(Date.now() - 3600_000);
    const future = new Date('2199-01-01T15:00:00Z');
    const states = {
      overdue: { dueAt: past },
      waitingForInsurance: { dueAt: past, awaitsInsurance: true },
      paid: { dueAt: past, paid: yuan('4.00'), reduced: yuan('6.00') },
      writtenOff: { dueAt: past, paid: yuan('4.00'), writtenOff: yuan('6.00') },
      open: { dueAt: future, paid: yuan('4.00'), reduced: yuan('1.00') },
    };
    for (const state of Object.values(states)) {
      await db.insert(receivable).values({
        id: newId('receivable'),
        lineId,
        citizenId,
        lender: 'LWB',
        settlementId: newId('settlement'),
        amount: yuan('10.00'),
        createdAt: past,
        ...state,
      });
    }
    const first = await send('get', '/v1/me/receivables?limit=4');
    const rest = await send('get', `/v1/me/receivables?cursor=${first.body.nextCursor}`);
    const all = [...first.body.data, ...rest.body.data];
    expect(all.map((r) => r.status).sort()).toEqual(Object.keys(states).sort());
    expect(rest.body).toMatchObject({
      data: [{ amount: '10.00', paid: '4.00', outstanding: '5.00', status: 'open' }],
      nextCursor: null,
    });
    const other = await makeCitizen();
    expect((await other.send('get', '/v1/me/receivables')).body).toEqual({
      data: [],
      nextCursor: null,
    });
  });
});
