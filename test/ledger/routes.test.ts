import { beforeAll, describe, expect, it } from 'vitest';
import { businessNow, transact } from '../../src/db/db.ts';
import { newId } from '../../src/ids.ts';
import { credit, debit, hospitalBooks } from '../../src/ledger/journal.ts';
import { postEntry } from '../../src/ledger/post.ts';
import { type ReplyBody, type TestRole, useApp } from '../support/app.ts';
import { fillCity } from './city.ts';
import { COUNTY, HOSPITAL, LENDER, NOW } from './city-people.ts';

const app = useApp({ worker: false });
const settlementId = newId('settlement');
const tokens = new Map<string, string>();

beforeAll(async () => {
  await transact(app.db, fillCity);
  const h = hospitalBooks(HOSPITAL);
  await transact(app.db, (tx) =>
    postEntry(tx, {
      fact: 'settlement.settled',
      subjectId: settlementId,
      settlementId,
      occurredAt: NOW,
      legs: [debit(h, '1101', 1230n, { reference: '=1+1' }), credit(h, '4101', 1230n)],
    }),
  );
});

async function tokenOf(role: TestRole, hospitalCode?: string): Promise<string> {
  const key = `${role} ${hospitalCode ?? ''}`;
  const token = tokens.get(key) ?? (await app.token(role, hospitalCode ? { hospitalCode } : {}));
  tokens.set(key, token);
  return token;
}

async function read(path: string, options: { hospitalCode?: string; accept?: string } = {}) {
  const token = await tokenOf('financeMaker', options.hospitalCode);
  return app.call('GET', path, {
    token,
    headers: { accept: options.accept ?? 'application/json' },
  });
}

/** All entries of a filter, page by page. */
async function readAll(query: string, limit: number): Promise<ReplyBody[]> {
  const all: ReplyBody[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const at: string = cursor ? `&cursor=${cursor}` : '';
    const { body } = await read(`/v1/ledger/entries?limit=${limit}${query}${at}`);
    all.push(...body.data);
    cursor = body.nextCursor;
  }
  return all;
}

describe('who may read the books', () => {
  const paths = ['/v1/ledger/trial-balance', '/v1/ledger/entries', '/v1/ops/verify'];

  it.each(paths)('%s is open to finance, auditor and admin', async (path) => {
    for (const role of ['financeMaker', 'financeChecker', 'auditor', 'admin'] as const) {
      expect((await app.call('GET', path, { token: await tokenOf(role) })).status).toBe(200);
    }
  });

  it.each(paths)('%s is closed to everybody else', async (path) => {
    expect((await app.call('GET', path)).status).toBe(401);
    const hospitals = (await app.call('GET', '/v1/hospitals', { token: await tokenOf('admin') }))
      .body;
    const token = await tokenOf('terminal', hospitals.data[0].code);
    expect((await app.call('GET', path, { token })).body).toMatchObject({
      status: 403,
      code: 'access/forbidden',
    });
  });
});

describe('the trial balance', () => {
  it('tells totals in yuan, and that everybody balances', async () => {
    const { body } = await read('/v1/ledger/trial-balance');
    expect(body.balanced).toBe(true);
    const owner = body.owners.find((one: ReplyBody) => one.owner === HOSPITAL);
    expect(owner).toMatchObject({ ownerKind: 'H', name: '测试医院', balanced: true });
    expect(owner.accounts).toContainEqual({
      account: '1103',
      name: '在途拨付 Payout in transit',
      debit: '34.00',
      credit: '0.00',
      balance: '34.00',
    });
    expect(body.owners.some((one: ReplyBody) => one.owner === LENDER)).toBe(true);
  });

  it('goes back to a time, and refuses what is no time', async () => {
    const { body } = await read('/v1/ledger/trial-balance?at=2026-01-01T00:00:00%2B08:00');
    expect(body).toEqual({ at: '2025-12-31T16:00:00.000Z', owners: [], balanced: true });
    for (const at of ['yesterday', '2026-13-01T00:00:00Z', '2026-01-01T00:00:00']) {
      expect((await read(`/v1/ledger/trial-balance?at=${at}`)).status).toBe(400);
    }
  });

  it('shows a finance role of one hospital that hospital only', async () => {
    const { body } = await read('/v1/ledger/trial-balance', { hospitalCode: COUNTY });
    expect(body.owners.map((one: ReplyBody) => one.owner)).toEqual([COUNTY]);
  });
});

describe('the list of entries', () => {
  it('has every leg of an entry, debit and credit apart', async () => {
    const { body } = await read(`/v1/ledger/entries?settlementId=${settlementId}`);
    expect(body.nextCursor).toBeNull();
    expect(body.data).toHaveLength(1);
    expect(body.data[0]).toMatchObject({
      fact: 'settlement.settled',
      subjectId: settlementId,
      settlementId,
      occurredAt: NOW.toISOString(),
    });
    expect(body.data[0].legs[0]).toEqual({
      leg: 1,
      ownerKind: 'H',
      owner: HOSPITAL,
      account: '1101',
      name: '柜台现金 Cash in drawer, by shift',
      debit: '12.30',
      credit: '0.00',
      undone: '0.00',
      counterparty: null,
      citizenId: null,
      settlementId,
      claimId: null,
      reference: '=1+1',
      undoes: null,
    });
    expect(body.data[0].legs[1]).toMatchObject({ debit: '0.00', credit: '12.30' });
  });

  it('pages through all entries, newest first, each once, whatever the page size', async () => {
    const whole = await readAll('', 100);
    expect(await readAll('', 2)).toEqual(whole);
    const ids = whole.map((entry) => entry.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual([...ids].sort().reverse());
  });

  it('filters by account, owner, kind of owner and business day', async () => {
    const facts = async (query: string) =>
      (await readAll(query, 100)).map((entry) => entry.fact as string);
    expect(await facts('&account=1103')).toEqual(['payout.sent']);
    expect(await facts(`&owner=${COUNTY}`)).toEqual(['order.performed']);
    expect(await facts(`&ownerKind=B&owner=${COUNTY}`)).toEqual([]);
    const all = await facts('');
    const [entry] = (await read('/v1/ledger/entries?limit=1')).body.data;
    expect(await facts(`&businessDate=${entry.businessDate}`)).toEqual(all);
    expect(await facts('&businessDate=2020-01-01')).toEqual([]);
  });

  it('names the leg that a correction undoes', async () => {
    const legs = (await readAll('', 100)).flatMap((entry) => entry.legs as ReplyBody[]);
    const undoing = legs.filter((leg) => leg.undoes);
    expect(undoing.length).toBeGreaterThan(0);
    for (const { undoes } of undoing) expect(undoes.entryId).toMatch(/^ent_/);
  });

  it('shows a finance role of one hospital its own legs only', async () => {
    const { body } = await read('/v1/ledger/entries', { hospitalCode: COUNTY });
    expect(body.data.map((entry: ReplyBody) => entry.fact)).toEqual(['order.performed']);
    expect(body.data[0].legs.map((leg: ReplyBody) => leg.owner)).toEqual([COUNTY, COUNTY]);
  });

  it.each([
    'limit=0',
    'limit=101',
    'cursor=nonsense',
    `cursor=${Buffer.from('["x"]').toString('base64url')}`,
    'account=9999',
    'businessDate=today',
    'settlementId=set_1',
    'unknown=1',
  ])('refuses ?%s', async (query) => {
    expect((await read(`/v1/ledger/entries?${query}`)).body).toMatchObject({
      status: 400,
      code: 'request/invalid',
    });
  });

  it('answers CSV with a line a leg, formulas defused', async () => {
    const path = `/v1/ledger/entries?settlementId=${settlementId}`;
    const { headers, text } = await read(path, { accept: 'text/csv' });
    expect(headers.get('content-type')).toContain('text/csv');
    const [head, first, second, ...rest] = text.trim().split('\r\n');
    expect(head).toContain('id,fact,subjectId');
    expect(first).toContain(`1,H,${HOSPITAL},1101,"柜台现金 Cash in drawer, by shift",12.30,0.00`);
    expect(first).toContain(`'=1+1`);
    expect(second).toContain(`2,H,${HOSPITAL},4101`);
    expect(rest).toEqual([]);
  });

  it('answers XLSX', async () => {
    const accept = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
    const { status, headers, text } = await read('/v1/ledger/entries', { accept });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe(accept);
    expect(text.startsWith('PK')).toBe(true);
  });
});

describe('verify over HTTP', () => {
  it('tells every law with how many rows it looked at, and names offenders', async () => {
    const { body } = await read('/v1/ops/verify');
    expect(body.laws.length).toBeGreaterThan(40);
    for (const law of body.laws) expect(law.checked).toBeGreaterThan(0);
    // The settlement of the entry above is in no table: its cash is nobody's tender.
    const broken = body.laws.filter((law: ReplyBody) => !law.holds);
    expect(body.holds).toBe(false);
    expect(broken.map((law: ReplyBody) => law.law)).toEqual([
      'The tenders of a settlement stand in the books as settled, collected or converted',
    ]);
    expect(broken[0].detail).toBe(`1 broken: ${settlementId} H1101 (0.00 is not 12.30)`);
  });

  it('names no offenders to a finance role of one hospital', async () => {
    const { body } = await read('/v1/ops/verify', { hospitalCode: COUNTY });
    expect(body.laws.some((law: ReplyBody) => 'detail' in law)).toBe(false);
  });

  it('has the books of now', async () => {
    const { body } = await read('/v1/ledger/trial-balance');
    const now = (await businessNow(app.db)).getTime();
    expect(new Date(body.at).getTime()).toBeLessThanOrEqual(now);
  });
});
