import { eq, sql } from 'drizzle-orm';
import { beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, rows, transact } from '../../src/db/db.ts';
import { hospital, oneTimeCredential, visit } from '../../src/db/schema.ts';
import { spendOneTimeCredential } from '../../src/identity/one-time-credentials.ts';
import { findOrCreateCitizen } from '../../src/identity/people.ts';
import { useApp } from '../support/app.ts';
import { type TestPerson, uniquePerson } from '../support/people.ts';

const app = useApp({ worker: false });
let terminal: string;
let region: string;

beforeAll(async () => {
  terminal = await app.token('terminal');
  const [own] = await app.db.select().from(hospital).limit(1);
  region = own?.region ?? '';
});

const identify = (credential: object, more: object = {}, token = terminal) =>
  app.call('POST', '/v1/identifications', { token, body: { credential, ...more }, key: null });
const idCard = ({ name, idNumber }: TestPerson) => ({ kind: 'idCard', number: idNumber, name });
const insured = (type: 'employee' | 'resident' = 'employee', at = region) => ({
  insurance: { status: 'active' as const, type, region: at },
});

async function paymentCode(person: TestPerson): Promise<string> {
  const token = await app.token('citizen', { citizen: person });
  const made = await app.call('POST', '/v1/me/payment-codes', { token });
  expect(made.status).toBe(201);
  return made.body.code;
}

describe('an ID card', () => {
  test('identifies, masked, with what the insurer says', async () => {
    const person = uniquePerson();
    await app.register(person, insured('resident'));
    const found = await identify(idCard(person));
    expect(found).toMatchObject({
      status: 200,
      body: {
        id: expect.stringMatching(/^idn_/),
        patient: {
          idNumber: `${person.idNumber.slice(0, 4)}**********${person.idNumber.slice(-4)}`,
        },
        insured: { status: 'active', insuranceType: 'resident', region, crossRegion: false },
        credit: { enrolled: false, payers: [] },
        pendingLinks: [],
      },
    });
    expect(found.text).not.toContain(person.name);
    expect(found.text).not.toContain(person.idNumber);
    const minutes = (Date.parse(found.body.expiresAt) - Date.now()) / 60_000;
    expect(Math.round(minutes)).toBe(10);
  });

  test('of another region is cross-region', async () => {
    const person = uniquePerson();
    await app.register(person, insured('employee', '110100'));
    const { body } = await identify(idCard(person));
    expect(body.insured).toMatchObject({ status: 'active', region: '110100', crossRegion: true });
  });

  test.each(['paused', 'none'] as const)('of somebody whose insurance is %s', async (status) => {
    const person = uniquePerson();
    await app.register(person, { insurance: { status, type: 'employee', region } });
    expect((await identify(idCard(person))).body.insured.status).toBe(status);
  });

  test('with a wrong number is unknown', async () => {
    for (const number of ['350203199001010010', '1', '350203900101123', 'x'.repeat(30)]) {
      expect(await identify({ kind: 'idCard', number, name: '张三' })).toMatchObject({
        status: 422,
        body: { code: 'identity/unknown' },
      });
    }
  });

  test('without a name is unknown until somebody knows the number', async () => {
    const person = uniquePerson();
    const bare = { kind: 'idCard', number: person.idNumber };
    expect((await identify(bare)).body.code).toBe('identity/unknown');
    await identify(idCard(person));
    expect((await identify(bare)).status).toBe(200);
  });

  test('is a terminal’s business only', async () => {
    const token = await app.token('citizen', { citizen: uniquePerson() });
    expect((await identify(idCard(uniquePerson()), {}, token)).status).toBe(403);
  });

  test('leaves a line in the citizen’s access log', async () => {
    const person = uniquePerson();
    await identify(idCard(person));
    const token = await app.token('citizen', { citizen: person });
    const log = await app.call('GET', '/v1/me/access-log?limit=1', { token });
    expect(log.body).toMatchObject({
      data: [{ action: 'identification.make', hospital: { code: expect.stringMatching(/^H/) } }],
      nextCursor: null,
    });
  });
});

describe('a face or NFC assertion', () => {
  test.each(['face', 'nfc'])('%s of a vendor that is not registered is unknown', async (kind) => {
    expect((await identify({ kind, assertion: 'a.b.c' })).body.code).toBe('identity/unknown');
  });
});

describe('a payment code', () => {
  test('identifies once', async () => {
    const person = uniquePerson();
    const code = await paymentCode(person);
    const credential = { kind: 'paymentCode', code };
    expect((await identify(credential)).status).toBe(200);
    expect((await identify(credential)).body.code).toBe('identity/already-used');
  });

  test('is stored as a hash only', async () => {
    const code = await paymentCode(uniquePerson());
    const [dump] = await rows<{ text: string }>(
      app.db,
      sql`select string_agg(o::text, '') || string_agg(encode(hash, 'escape'), '') as text
        from one_time_credential o`,
    );
    expect(dump?.text).not.toContain(code);
  });

  test('is expired after its minute, and unknown when nobody made it', async () => {
    const code = await paymentCode(uniquePerson());
    const hash = app.deps.keyring.blindIndex(`paymentCode ${code}`);
    await app.db
      .update(oneTimeCredential)
      .set({ expiresAt: new Date(Date.now() - 1) })
      .where(eq(oneTimeCredential.hash, hash));
    expect((await identify({ kind: 'paymentCode', code })).body.code).toBe('identity/expired');
    const invented = { kind: 'paymentCode', code: '68123456789012345678' };
    expect((await identify(invented)).body.code).toBe('identity/unknown');
  });

  test('is used by exactly one of twenty transactions of two processes', async () => {
    const code = await paymentCode(uniquePerson());
    const hash = app.deps.keyring.blindIndex(`paymentCode ${code}`);
    const url = app.deps.env.DATABASE_URL ?? '';
    const other = openDatabase({ url, schema: 'public', poolSize: 10, usePrepared: true });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        transact(i % 2 ? app.db : other, (tx) => spendOneTimeCredential(tx, hash, new Date())),
      ),
    );
    await other.$client.end();
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });

  test('of twenty racing counters identifies at one', async () => {
    const credential = { kind: 'paymentCode', code: await paymentCode(uniquePerson()) };
    const answers = await Promise.all(Array.from({ length: 20 }, () => identify(credential)));
    const good = answers.filter((answer) => answer.status === 200);
    const codes = new Set(answers.filter((a) => a.status !== 200).map((a) => a.body.code));
    expect(good).toHaveLength(1);
    expect([...codes]).toEqual(['identity/already-used']);
  });

  test('asked for twice with one key is one code', async () => {
    const token = await app.token('citizen', { citizen: uniquePerson() });
    const ask = () => app.call('POST', '/v1/me/payment-codes', { token, key: 'once' });
    const first = await ask();
    const second = await ask();
    expect(second.text).toBe(first.text);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
  });
});

describe('an identification', () => {
  test('goes on once, at the same terminal, and keeps what was shown first', async () => {
    const person = uniquePerson();
    await app.register(person, insured());
    const { body } = await identify(idCard(person));
    const credential = { kind: 'identification', id: body.id };
    const elsewhere = await app.token('terminal', { subject: 'window-2' });
    expect((await identify(credential, {}, elsewhere)).body.code).toBe('identity/unknown');
    const again = await identify(credential);
    expect(again).toMatchObject({ status: 200, body: { insured: body.insured } });
    expect(again.body.id).not.toBe(body.id);
    expect((await identify(credential)).body.code).toBe('identity/already-used');
  });

  test('opens one of twenty racing visits', async () => {
    const { body } = await identify(idCard(uniquePerson()));
    const credential = { kind: 'identification', id: body.id };
    const open = () =>
      app.call('POST', '/v1/visits', {
        token: terminal,
        body: { visitNumber: crypto.randomUUID(), kind: 'outpatient', credential },
      });
    const replies = await Promise.all(Array.from({ length: 20 }, open));
    expect(replies.filter((reply) => reply.status === 201)).toHaveLength(1);
    const codes = replies.flatMap((reply) => (reply.status === 201 ? [] : [reply.body.code]));
    expect(new Set(codes)).toEqual(new Set(['identity/already-used']));
  });

  test('opens a visit', async () => {
    const person = uniquePerson();
    const { body } = await identify(idCard(person));
    const opened = await app.call('POST', '/v1/visits', {
      token: terminal,
      body: {
        visitNumber: crypto.randomUUID(),
        kind: 'outpatient',
        credential: { kind: 'identification', id: body.id },
      },
    });
    expect(opened.status).toBe(201);
    const [row] = await app.db.select().from(visit).where(eq(visit.id, opened.body.id));
    const known = await transact(app.db, (tx) => findOrCreateCitizen(tx, app.deps.keyring, person));
    expect(row).toMatchObject({ citizenId: known.citizenId, credentialKind: 'idCard' });
  });
});

describe('while the insurer is offline', () => {
  const seenCard = { kind: 'socialSecurityCard', number: 'C35020001', cardSerial: 'S1' };

  test('cards that were seen before and ID cards identify, all else needs the insurer', async () => {
    const holder = uniquePerson();
    const extra = { cardNumbers: [seenCard.number] };
    const body = { ...holder, ...insured(), ...extra };
    expect((await app.call('POST', '/sandbox/people', { body })).status).toBe(201);
    const online = await identify(seenCard);
    expect(online.status).toBe(200);
    const code = await paymentCode(holder);
    const stranger = uniquePerson();
    await app.fault({ mode: 'refuseConnection' });
    try {
      const offline = await identify(seenCard);
      expect(offline.body).toMatchObject({
        patient: online.body.patient,
        insured: { status: 'unknown' },
      });
      expect((await identify({ kind: 'paymentCode', code })).status).toBe(200);
      expect((await identify({ kind: 'idCard', number: stranger.idNumber })).status).toBe(200);
      for (const unseen of [
        { kind: 'socialSecurityCard', number: 'C35020002' },
        { kind: 'insuranceCode', token: 'never-seen' },
      ]) {
        expect(await identify(unseen)).toMatchObject({
          status: 422,
          body: { code: 'identity/insurer-needed' },
        });
      }
    } finally {
      await app.fault({ mode: 'none' });
    }
  });

  test('a card that nobody holds is unknown once the insurer is there', async () => {
    const card = { kind: 'socialSecurityCard', number: 'C00000000' };
    expect((await identify(card)).body.code).toBe('identity/unknown');
  });
});

describe('usable credit', () => {
  test('is what may be held for the amount asked, never the balance', async () => {
    const person = uniquePerson();
    await app.register(person, { score: 650 });
    const { citizenId } = await transact(app.db, (tx) =>
      findOrCreateCitizen(tx, app.deps.keyring, person),
    );
    await app.db.execute(sql`
      insert into credit_line (id, citizen_id, lender, product, status, "limit", inpatient_extra,
        outage_extra, score_value, score_tier, score_as_of, policy_version, agreement_version,
        opened_at)
      select 'lin_01jd5z8m2cf0v9k3q7w4x6y8ab', ${citizenId}, min(code), 'standard', 'active', 300000,
        0, 0, 650, 3, now(), 1, '1', now() from lender`);
    const usable = async (more: object) =>
      (await identify(idCard(person), more)).body.credit.payers[0];
    expect(await usable({ amount: '12.30' })).toMatchObject({ payer: 'self', usable: '12.30' });
    const byDefault = (await usable({})).usable;
    expect(byDefault).toMatch(/^\d+\.\d\d$/);
    expect(byDefault).not.toBe('3000.00');
    await app.db.execute(
      sql`update credit_line set status = 'suspended', suspended_for = 'overdue'`,
    );
    expect((await usable({ amount: '12.30' })).usable).toBe('0.00');
  });
});
