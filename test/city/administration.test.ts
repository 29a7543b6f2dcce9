// What an administrator of the city decides: who takes part, by which policies, and whose patients
// need no filing.
import { beforeAll, describe, expect, it } from 'vitest';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { said } from '../visit/support.ts';

const app = useApp({ worker: false });
let admin: string;

beforeAll(async () => {
  admin = await app.token('admin');
});

const put = (path: string, body: object, ifMatch?: string) =>
  app.call('PUT', path, {
    token: admin,
    body,
    ...(ifMatch === undefined ? {} : { headers: { 'if-match': ifMatch } }),
  });
const policy = (kind: string, name: string) =>
  app.call('GET', `/v1/policies/${kind}/${name}`, { token: admin });

const newHospital = {
  code: 'H35020099901',
  name: '鹭湾市新院',
  level: 2,
  region: '350200',
};

describe('a hospital', () => {
  it('joins once, is listed, and its terminal opens visits', async () => {
    const body = { ...newHospital, code: 'H35020099901' };
    const made = await app.call('POST', '/v1/hospitals', { token: admin, body });
    expect([made.status, made.body]).toEqual([201, body]);
    expect(said(await app.call('POST', '/v1/hospitals', { token: admin, body }))).toEqual([
      409,
      'hospital/exists',
    ]);
    const listed = await app.call('GET', '/v1/hospitals?limit=100', { token: admin });
    expect(listed.body.data).toContainEqual(body);
    const terminal = await app.token('terminal', { hospitalCode: body.code });
    expect((await openAt(terminal)).status).toBe(201);
  });

  it('that leaves is not listed, its terminals stop at once, and it may join again', async () => {
    const body = { ...newHospital, code: 'H35020099902' };
    await app.call('POST', '/v1/hospitals', { token: admin, body });
    const terminal = await app.token('terminal', { hospitalCode: body.code });
    const path = `/v1/hospitals/${body.code}`;
    expect((await app.call('DELETE', path, { token: admin })).status).toBe(204);
    expect((await app.call('DELETE', path, { token: admin })).status).toBe(204);
    expect((await openAt(terminal)).status).toBe(401);
    const listed = await app.call('GET', '/v1/hospitals?limit=100', { token: admin });
    expect(listed.body.data).not.toContainEqual(body);
    const again = { ...body, name: '鹭湾市新院（新址）' };
    expect((await app.call('POST', '/v1/hospitals', { token: admin, body: again })).status).toBe(
      201,
    );
  });

  it('is no matter of a hospital’s own administrator, of finance or of a stranger', async () => {
    const own = await app.token('admin', { hospitalCode: 'H35020000001' });
    const maker = await app.token('financeMaker');
    for (const token of [own, maker]) {
      const reply = await app.call('POST', '/v1/hospitals', { token, body: newHospital });
      expect(reply.status).toBe(403);
    }
    const unknown = await app.call('DELETE', '/v1/hospitals/H99999999999', { token: admin });
    expect(unknown.status).toBe(404);
  });

  async function openAt(token: string) {
    const person = uniquePerson();
    await app.register(person);
    const credential = { kind: 'idCard', number: person.idNumber, name: person.name };
    const visitNumber = person.idNumber;
    const body = { visitNumber, kind: 'outpatient', credential };
    return app.call('POST', '/v1/visits', { token, body });
  }
});

describe('a policy', () => {
  it('is changed by a new version, by somebody who has seen the last one', async () => {
    const { body, headers } = await policy('region', 'default');
    const { data } = body.versions[0];
    const changed = { data: { ...data, lateClaimDays: 90 } };
    const path = '/v1/policies/region/default';
    expect(said(await put(path, changed))).toEqual([428, 'request/precondition-required']);
    expect(said(await put(path, changed, '"99"'))).toEqual([412, 'request/precondition-failed']);
    const done = await put(path, changed, headers.get('etag') ?? '');
    expect(done.body).toMatchObject({ version: body.versions[0].version + 1, data: changed.data });
    expect(said(await put(path, changed, body.etag))).toEqual([412, 'request/precondition-failed']);
    const after = await policy('region', 'default');
    expect(after.body.versions).toHaveLength(body.versions.length + 1);
    expect(after.body.versions[1].data).toEqual(data);
  });

  it('holds from its day on: a higher default hold is asked for only then', async () => {
    const { body } = await policy('credit', 'default');
    const { data } = body.versions[0];
    const later = new Date(Date.now() + 86_400_000).toISOString();
    const hold = { ...data.hold, outpatient: { ...data.hold.outpatient, amount: '450.00' } };
    const change = { validFrom: later, data: { ...data, hold } };
    await put('/v1/policies/credit/default', change, body.etag);
    const person = uniquePerson();
    await app.register(person);
    const citizen = await app.token('citizen', { citizen: person });
    await app.call('POST', '/v1/enrolments', {
      token: citizen,
      body: {
        agreementVersion: '1',
        consents: ['creditEnquiry', 'healthPayment', 'autoDebit'],
        repaymentAccount: { bankCode: '103', token: 'account-of-a-policy-test' },
      },
    });
    expect(await holdOf(person, 'a')).toBe('300.00');
    await app.clock(2 * 86_400);
    expect(await holdOf(person, 'b')).toBe('450.00');
    await app.clock(0);
  });

  it('that its readers could not read is refused by the field, and nothing changes', async () => {
    const { body } = await policy('credit', 'default');
    const data = { ...body.versions[0].data, outageExtra: 'much' };
    const refused = await put('/v1/policies/credit/default', { data }, body.etag);
    expect(said(refused)).toEqual([422, 'policy/invalid']);
    expect(refused.body.errors).toContainEqual(
      expect.objectContaining({ pointer: '/data/outageExtra' }),
    );
    expect((await policy('credit', 'default')).body).toEqual(body);
  });

  it('of a region is added once, under a name that is one', async () => {
    const { data } = (await policy('region', 'default')).body.versions[0];
    const add = (name: string) =>
      app.call('POST', '/v1/policies', { token: admin, body: { kind: 'region', name, data } });
    expect(said(await add('Xiamen'))).toEqual([422, 'policy/invalid']);
    expect((await add('3503')).status).toBe(201);
    expect(said(await add('3503'))).toEqual([409, 'policy/exists']);
    const listed = await app.call('GET', '/v1/policies?kind=region', { token: admin });
    expect(listed.body.data.map((row: { name: string }) => row.name)).toEqual(['3503', 'default']);
    expect((await policy('region', '3599')).status).toBe(404);
  });

  it('changed by two at once is changed by one', async () => {
    const { body } = await policy('agreement', 'enrolment');
    const raced = await Promise.all(
      ['2', '3', '4'].map((version) =>
        put('/v1/policies/agreement/enrolment', { data: { versions: ['1', version] } }, body.etag),
      ),
    );
    expect(raced.map((reply) => reply.status).sort()).toEqual([200, 412, 412]);
  });

  async function holdOf(person: { name: string; idNumber: string }, mark: string) {
    const token = await app.token('terminal', { hospitalCode: 'H35020000001' });
    const credential = { kind: 'idCard', number: person.idNumber, name: person.name };
    const visitNumber = `${person.idNumber}-${mark}`;
    const body = { visitNumber, kind: 'outpatient', credential };
    return (await app.call('POST', '/v1/visits', { token, body })).body.hold.amount;
  }
});

describe('a zone free of filing', () => {
  it('is added, listed and removed, each as a version of the filing policy', async () => {
    const zone = {
      name: '闽粤 Fujian and Guangdong',
      insured: ['44'],
      care: ['35'],
      kinds: ['outpatient'],
      from: null,
      until: '2030-12-31',
    };
    const zones = async () => (await app.call('GET', '/v1/zones', { token: admin })).body.data;
    const before = await zones();
    const added = await app.call('POST', '/v1/zones', { token: admin, body: zone });
    expect([added.status, added.body]).toEqual([201, zone]);
    expect(said(await app.call('POST', '/v1/zones', { token: admin, body: zone }))).toEqual([
      409,
      'zone/exists',
    ]);
    expect(await zones()).toEqual([...before, zone]);
    const path = `/v1/zones/${encodeURIComponent(zone.name)}`;
    expect((await app.call('DELETE', path, { token: admin })).status).toBe(204);
    expect((await app.call('DELETE', path, { token: admin })).status).toBe(404);
    expect(await zones()).toEqual(before);
    expect((await policy('filing', 'default')).body.versions).toHaveLength(3);
  });
});
