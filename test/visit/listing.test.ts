// Finding visits: by number, by ID number, page by page, and only those of one's own hospital.
import { beforeAll, describe, expect, it } from 'vitest';
import { newPatient, openVisit, type Scene, sceneOf } from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { said } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
let elsewhere: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
  elsewhere = await sceneOf(app, 'H35020000002');
});

const find = (query: Record<string, string>, token = scene.terminal) =>
  app.call('GET', `/v1/visits?${new URLSearchParams(query)}`, { token });
const ids = (body: ReplyBody): string[] => body.data.map((visit: { id: string }) => visit.id);

describe('visits are found', () => {
  it('by their number, the cancelled one of the same number too', async () => {
    const { person } = await newPatient(app, { isEnrolled: false });
    const first = await openVisit(scene, person);
    await app.call('DELETE', `/v1/visits/${first.id}`, { token: scene.terminal });
    const { visitNumber } = first;
    const second = await openVisit(scene, person, { visitNumber });
    await openVisit(elsewhere, person, { visitNumber });
    const found = await find({ visitNumber });
    expect(ids(found.body)).toEqual([second.id, first.id]);
    expect(found.body.data[0]).toEqual(second);
    expect(found.body.nextCursor).toBeNull();
  });

  it('by the patient’s ID number, also with a small x, never another hospital’s', async () => {
    let person = uniquePerson();
    while (!person.idNumber.endsWith('X')) person = uniquePerson();
    await app.register(person);
    const visit = await openVisit(scene, person);
    const theirs = await openVisit(elsewhere, person);
    await openVisit(scene, (await newPatient(app, { isEnrolled: false })).person);
    for (const idNumber of [person.idNumber, person.idNumber.toLowerCase()]) {
      const found = await find({ idNumber });
      expect(ids(found.body)).toEqual([visit.id]);
      expect(found.text).not.toContain(person.idNumber);
    }
    expect(ids((await find({ idNumber: person.idNumber }, elsewhere.terminal)).body)).toEqual([
      theirs.id,
    ]);
    const both = { idNumber: person.idNumber, visitNumber: 'none' };
    expect(ids((await find(both)).body)).toEqual([]);
  });

  it('not at all for somebody unknown or a number of nothing', async () => {
    const queries: Record<string, string>[] = [
      { idNumber: uniquePerson().idNumber },
      { idNumber: '1' },
      { visitNumber: 'x' },
    ];
    for (const query of queries) {
      expect((await find(query)).body).toEqual({ data: [], nextCursor: null });
    }
  });

  it('page by page, newest first, each once, while new ones come', async () => {
    const { person } = await newPatient(app, { isEnrolled: false });
    const { idNumber } = person;
    const opened: string[] = [];
    for (let i = 0; i < 7; i++) opened.unshift((await openVisit(scene, person)).id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await find({ idNumber, limit: '3', ...(cursor ? { cursor } : {}) });
      expect(page.status, page.text).toBe(200);
      expect(page.body.data.length).toBeLessThanOrEqual(3);
      seen.push(...ids(page.body));
      cursor = page.body.nextCursor;
      await openVisit(scene, person);
    } while (cursor);
    expect(seen).toEqual(opened);
  });
});

describe('a list', () => {
  it.each<Record<string, string>>([
    { limit: '0' },
    { limit: '101' },
    { limit: '1.5' },
    { limit: '-1' },
    { limit: '１０' },
    { limit: '' },
    { cursor: '' },
    { cursor: 'x' },
    { cursor: Buffer.from('[]').toString('base64url') },
    { cursor: Buffer.from('["2026-01-01T00:00:00Z"]').toString('base64url') },
    { cursor: Buffer.from('[1,2]').toString('base64url') },
    { cursor: Buffer.from('["2026-02-30T00:00:00Z","vis_x"]').toString('base64url') },
    { cursor: Buffer.from('["2026-01-01T00:00:00Z","\\u0000"]').toString('base64url') },
    { cursor: 'a'.repeat(1001) },
    { visitNumber: '' },
    { visitNumber: 'x'.repeat(65) },
    { visitNumber: 'a\0b' },
    { idNumber: '1'.repeat(19) },
    { status: 'open' },
  ])('is refused by 400 for %o', async (query) => {
    expect(said(await find(query))).toEqual([400, 'request/invalid']);
  });

  it('is refused when a parameter comes twice', async () => {
    const reply = await app.call('GET', '/v1/visits?limit=1&limit=2', { token: scene.terminal });
    expect(said(reply)).toEqual([400, 'request/invalid']);
  });
});
