// Siblings on one line: whatever races, neither the limit nor any cap is exceeded, and what was granted
// is the most that they leave, to the fen.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import {
  charge,
  expectLaws,
  fen,
  item,
  lineOf,
  newPatient,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { addKin, linkChild, putHold, tryOpen, usedOf } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(() => expectLaws(app));

/** A payer (limit 500.00) and two children with caps, each with visits that hold nothing yet. */
async function siblings(caps: { visitCap: string; monthlyCap: string }, visitsEach = 8) {
  const parent = await newPatient(app, { score: 400 });
  const children = [];
  for (let n = 0; n < 2; n += 1) {
    const child = await addKin(app, parent.person, 'child', uniquePerson({ age: 5 + n }));
    const link = await linkChild(app, parent, child, caps);
    const visits: ReplyBody[] = [];
    for (let v = 0; v < visitsEach; v += 1) {
      visits.push(await openVisit(scene, child.person, { holdAmount: '0.00' }));
    }
    children.push({ child, link, visits });
  }
  return { parent, children };
}

const visitsOf = (children: { visits: ReplyBody[] }[]) => children.flatMap(({ visits }) => visits);

/** Fen that the line holds, and what each link carries. */
async function granted(of: Awaited<ReturnType<typeof siblings>>) {
  const line = await lineOf(app, of.parent.token);
  const used = await Promise.all(of.children.map(({ link }) => usedOf(app, link.id)));
  expect(used.reduce((sum, each) => sum + each, 0n)).toBe(fen(line.held) + fen(line.outstanding));
  return { total: fen(line.held) + fen(line.outstanding), used };
}

describe('siblings that race', () => {
  it('for parts get the whole limit between them, and not one fen more', async () => {
    const family = await siblings({ visitCap: '90.00', monthlyCap: '333.33' });
    const raced = await Promise.all(
      visitsOf(family.children).map(({ id }) => putHold(scene, id, '77.77', true)),
    );
    expect(raced.every(({ status }) => status === 200 || status === 402)).toBe(true);
    const { total, used } = await granted(family);
    expect(total).toBe(50_000n);
    for (const each of used) expect(each <= 33_333n).toBe(true);
  });

  it('for parts get both monthly caps whole where the limit leaves more', async () => {
    const family = await siblings({ visitCap: '60.01', monthlyCap: '200.03' });
    await Promise.all(
      visitsOf(family.children).map(({ id }) => putHold(scene, id, '500.00', true)),
    );
    expect(await granted(family)).toEqual({ total: 40_006n, used: [20_003n, 20_003n] });
    const biggest = await rows<{ amount: bigint }>(
      app.db,
      sql`select max(amount) as amount from hold where family_link_id in
        (${family.children[0]?.link.id}, ${family.children[1]?.link.id})`,
    );
    expect(biggest[0]?.amount).toBe(6001n);
  });

  it('for whole amounts get as many as fit', async () => {
    const family = await siblings({ visitCap: '70.00', monthlyCap: '300.00' });
    const raced = await Promise.all(
      visitsOf(family.children).map(({ id }) => putHold(scene, id, '70.00')),
    );
    // 4 × 70 within each month's 300, 7 × 70 within the limit of 500.
    expect(raced.filter(({ status }) => status === 200)).toHaveLength(7);
    const codes = new Set(raced.flatMap(({ body }) => body.code ?? []));
    for (const code of codes) {
      expect(['family/cap-exceeded', 'credit/limit-exceeded']).toContain(code);
    }
    expect((await granted(family)).total).toBe(49_000n);
  });

  it('with openings, settlements, voids, other caps and an end never break a law', async () => {
    const family = await siblings({ visitCap: '120.00', monthlyCap: '260.00' }, 6);
    const [one, other] = family.children;
    for (const { id } of visitsOf(family.children).slice(0, 8)) {
      await charge(scene, id, [item(1, '95.00')]);
    }
    const all = visitsOf(family.children);
    const headers = { 'if-match': '*' };
    const link = (path: ReplyBody) => `/v1/family-links/${path.id}`;
    const { token } = family.parent;
    await Promise.all([
      ...all.map(({ id }) => putHold(scene, id, '60.00', true)),
      ...all.slice(0, 4).map(({ id }) => settle(scene, id, { insurance: 'skip' })),
      ...all
        .slice(4, 7)
        .map(({ id }) => app.call('DELETE', `/v1/visits/${id}/hold`, { token: scene.terminal })),
      ...[1, 2, 3].map(() => tryOpen(scene, one!.child.person, { allowPartialHold: true })),
      openVisit(scene, family.parent.person, { holdAmount: '50.00', allowPartialHold: true }),
      app.call('PATCH', link(one!.link), { token, headers, body: { visitCap: '80.00' } }),
      app.call('DELETE', link(other!.link), { token }),
    ]);
    const line = await lineOf(app, token);
    expect(fen(line.held) + fen(line.outstanding) <= 50_000n).toBe(true);
    for (const { link: each } of family.children) {
      expect((await usedOf(app, each.id)) <= 26_000n).toBe(true);
    }
  });
});
