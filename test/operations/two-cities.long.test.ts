// Law: one schema is one city. Two services on one database, the same hospital code, visit number and
// person in both: each has its own money, its own tokens and its own clock, and neither sees the other's.
import { expect, test } from 'vitest';
import { booksOf, makeFolder, playMorning, startServer, withService } from './support.ts';

const HOSPITAL = 'H35020000001';
const PERSON = { name: '林海宁', idNumber: '35020319900307201X' };

test('two cities on one server are strangers', async () => {
  const folders = [makeFolder('egret-city-'), makeFolder('egret-city-')] as const;
  const server = await startServer(folders[0].dir);
  const settings = (schema: string) => ({ DATABASE_URL: server.url, DATABASE_SCHEMA: schema });
  try {
    await withService(folders[0].dir, settings('xm'), (first) =>
      withService(folders[1].dir, settings('qz'), async (second) => {
        const [xm, qz] = [await counterOf(first), await counterOf(second)];
        const opened = await xm.open('same-number');
        expect(opened.status).toBe(201);
        expect((await qz.open('same-number')).status).toBe(201);
        const { id } = (await opened.json()) as { id: string };
        expect((await qz.read(id)).status).toBe(404);
        expect((await qz.read(id, xm.token)).status).toBe(401);
        await fetch(`${first}/sandbox/clock`, {
          ...{ method: 'PUT', headers: JSON_TYPE },
          body: JSON.stringify({ offsetSeconds: 86_400 }),
        });
        const days = [await asOf(first), await asOf(second)] as const;
        expect(days[0] - days[1]).toBeGreaterThan(86_000_000);
        await Promise.all([playMorning(first), playMorning(second)]);
      }),
    );
    for (const schema of ['xm', 'qz']) {
      const { broken, counts } = await booksOf(server.url, schema);
      expect(broken).toEqual([]);
      expect(counts?.visits).toBe(41);
    }
  } finally {
    await server.stop();
    for (const folder of folders) folder.remove();
  }
});

const JSON_TYPE = { 'content-type': 'application/json' };

async function counterOf(api: string) {
  const post = (path: string, body: unknown, headers = {}) =>
    fetch(`${api}${path}`, {
      method: 'POST',
      headers: { ...JSON_TYPE, ...headers },
      body: JSON.stringify(body),
    });
  await post('/sandbox/people', { ...PERSON, score: 640 });
  const made = await post('/sandbox/tokens', { role: 'terminal', hospitalCode: HOSPITAL });
  const { accessToken: token } = (await made.json()) as { accessToken: string };
  const credential = { kind: 'idCard', number: PERSON.idNumber };
  return {
    token,
    open: (visitNumber: string) =>
      post(
        '/v1/visits',
        { visitNumber, kind: 'outpatient', credential },
        { authorization: `Bearer ${token}`, 'idempotency-key': visitNumber },
      ),
    read: (id: string, bearer = token) =>
      fetch(`${api}/v1/visits/${id}`, { headers: { authorization: `Bearer ${bearer}` } }),
  };
}

async function asOf(api: string): Promise<number> {
  const reply = await fetch(`${api}/v1/statistics`);
  return Date.parse(((await reply.json()) as { asOf: string }).asOf);
}
