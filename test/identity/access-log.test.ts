// Who looked at my data, when and why: one line for each look by a terminal or by staff, in plain words.
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, test } from 'vitest';
import { rows } from '../../src/db/db.ts';
import {
  chargedVisit,
  type Enrolled,
  newPatient,
  nextNumber,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

const linesOf = async (token: string, action: string): Promise<ReplyBody[]> => {
  const { body } = await app.call('GET', '/v1/me/access-log?limit=100', { token });
  return body.data.filter((line: { action: string }) => line.action === action);
};
const read = async (path: string, token = scene.terminal) => {
  const reply = await app.call('GET', path, { token });
  expect(reply.status, reply.text).toBe(200);
  return reply;
};
/** A second window of the same hospital: another one who looks. */
const otherWindow = () =>
  app.token('terminal', { hospitalCode: scene.hospitalCode, subject: nextNumber('w') });

async function settledBill(): Promise<Enrolled & { visitId: string; settlementId: string }> {
  const patient = await newPatient(app);
  const { id: visitId } = await chargedVisit(scene, patient.person);
  const cash = { kind: 'cash', amount: '300.00', reference: nextNumber('T') };
  const bill = await settle(scene, visitId, { insurance: 'skip', counterTenders: [cash] });
  return { ...patient, visitId, settlementId: bill.body.id };
}

describe('a look', () => {
  test('at a visit, by its id or in a list, is a line: Chinese first, with hospital and reason', async () => {
    const { token, visitId } = await settledBill();
    await read(`/v1/visits/${visitId}`);
    expect(await linesOf(token, 'visit.read')).toEqual([
      expect.objectContaining({
        who: expect.stringMatching(/^\p{Script=Han}.* 终端 Terminal$/u),
        what: '查看就诊 Read your visit',
        why: '办理就诊 For a visit',
        hospital: expect.objectContaining({ code: scene.hospitalCode }),
      }),
    ]);
    await read('/v1/visits?limit=100', await otherWindow());
    expect(await linesOf(token, 'visit.read')).toHaveLength(2);
  });

  test('for somebody by ID number is one, whether or not there is a visit to find', async () => {
    const { person, token } = await newPatient(app);
    const stranger = uniquePerson();
    await read(`/v1/visits?idNumber=${person.idNumber}`);
    await read(`/v1/visits?idNumber=${stranger.idNumber}`);
    expect(await linesOf(token, 'visit.search')).toHaveLength(1);
    const own = await app.token('citizen', { citizen: stranger });
    expect(await linesOf(own, 'visit.search')).toEqual([]);
  });

  test('at a settlement and at a refund is one each', async () => {
    const { token, settlementId } = await settledBill();
    await read(`/v1/settlements/${settlementId}`);
    const back = await app.call('POST', `/v1/settlements/${settlementId}/refunds`, {
      token: scene.terminal,
      body: { all: true, reason: '退' },
    });
    await read(`/v1/refunds/${back.body.id}`);
    expect(await linesOf(token, 'settlement.read')).toHaveLength(1);
    expect(await linesOf(token, 'refund.read')).toHaveLength(1);
  });

  test('of finance at a conversion, in the list or alone, is one by staff', async () => {
    const { token, settlementId } = await settledBill();
    const asked = await app.call('POST', `/v1/settlements/${settlementId}/conversion`, {
      token: scene.terminal,
      body: { cause: 'forgottenCredential' },
    });
    expect(asked.status, asked.text).toBe(202);
    await read('/v1/conversions', await app.token('auditor'));
    const maker = await app.token('financeMaker');
    await read(`/v1/conversions/${asked.body.id}`, maker);
    const lines = await linesOf(token, 'conversion.read');
    expect(lines.map((line) => line.who)).toEqual(
      Array.from({ length: 2 }, () => '本市 The city 工作人员 Staff'),
    );
    expect(await linesOf(token, 'conversion.request')).toHaveLength(1);
  });

  test('of one’s own is none', async () => {
    const { token } = await settledBill();
    const count = async () =>
      (await app.call('GET', '/v1/me/access-log?limit=100', { token })).body;
    const before = await count();
    for (const list of ['settlements', 'bills', 'receivables', 'access-log']) {
      await read(`/v1/me/${list}`, token);
    }
    expect(await count()).toEqual(before);
  });

  test('that found nothing, at another hospital, is none', async () => {
    const { token, visitId } = await settledBill();
    const elsewhere = await app.token('terminal', { hospitalCode: 'H35020000002' });
    expect((await app.call('GET', `/v1/visits/${visitId}`, { token: elsewhere })).status).toBe(404);
    await read('/v1/visits', elsewhere);
    expect(await linesOf(token, 'visit.read')).toEqual([]);
  });

  test('repeated by a polling terminal is one line until five minutes have passed', async () => {
    const { token, visitId } = await settledBill();
    for (let i = 0; i < 5; i += 1) await read(`/v1/visits/${visitId}`);
    expect(await linesOf(token, 'visit.read')).toHaveLength(1);
    await app.db.execute(sql`update access_log set at = at - interval '5 minutes 1 second'
      where action = 'visit.read'`);
    await read(`/v1/visits/${visitId}`);
    expect(await linesOf(token, 'visit.read')).toHaveLength(2);
  });

  test('that cannot be noted shows nothing', async () => {
    const { visitId } = await settledBill();
    const token = await otherWindow();
    await app.db.execute(sql`alter table access_log add constraint closed check (action <> 'visit.read')
      not valid`);
    try {
      const headers = { authorization: `Bearer ${token}` };
      const reply = await fetch(`${app.url}/v1/visits/${visitId}`, { headers });
      expect(reply.status).toBe(500);
      expect(await reply.text()).not.toContain('visitNumber');
    } finally {
      await app.db.execute(sql`alter table access_log drop constraint closed`);
    }
  });
});

test('a page of a hundred visits is noted in one statement', async () => {
  const people = await Promise.all(Array.from({ length: 5 }, () => newPatient(app)));
  for (const { person } of people) await chargedVisit(scene, person);
  const count = async () => {
    const [row] = await rows<{ n: bigint }>(
      app.db,
      sql`select count(distinct xmin::text) as n from access_log where action = 'visit.read'
        and actor = (select actor from access_log order by id desc limit 1)`,
    );
    return row?.n;
  };
  await read('/v1/visits?limit=100', await otherWindow());
  expect(await count()).toBe(1n);
});
