// Insurer texts that no pattern knows: counted, shown, and read as two people decided.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  chargedVisit,
  expectLaws,
  newPatient,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Finance, financeOf, post } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
let finance: Finance;
beforeAll(async () => {
  scene = await sceneOf(app);
  finance = await financeOf(app);
});
afterEach(() => app.fault({ mode: 'none' }));

const list = async (query = ''): Promise<ReplyBody> => {
  const path = `/v1/insurance/unlisted-texts${query}`;
  return (await app.call('GET', path, { token: finance.maker })).body;
};
const find = async (text: string): Promise<ReplyBody> =>
  (await list('?limit=100')).data.find((each: ReplyBody) => each.text === text);

/** A settlement whose 2207 is answered with these words. */
async function answered(reason: string) {
  const { person } = await newPatient(app);
  const visit = await chargedVisit(scene, person);
  await app.fault({ mode: 'reject', on: ['2207'], reason });
  const reply = await settle(scene, visit.id);
  await app.fault({ mode: 'none' });
  return reply;
}

async function decide(id: string, meaning: string) {
  const path = `/v1/insurance/unlisted-texts/${id}/proposals`;
  const proposal = await post(app, path, finance.maker, { meaning, reason: '与医保中心核实' });
  expect(proposal.status, proposal.text).toBe(202);
  return proposal.body;
}

const approve = (id: string) => post(app, `/v1/proposals/${id}/approve`, finance.checker);

describe('a text that no pattern knows', () => {
  it('is a plain no at the counter, counted once for all its trace numbers', async () => {
    const first = await answered('玄学问题 追踪 1234567890');
    expect([first.status, first.body.code]).toEqual([409, 'insurance/rejected']);
    await answered('玄学问题 追踪 9876543210');
    const found = await waitFor(async () => {
      const text = await find('玄学问题 追踪 #');
      return text?.count === 2 && text;
    });
    expect(found).toMatchObject({ region: '350200', infno: '2207', meaning: null });
  });

  it('means what two people decided, from then on and whatever its numbers', async () => {
    await answered('月亮太圆 单号 1111111');
    const seen = await waitFor(() => find('月亮太圆 单号 #'));
    const proposal = await decide(seen.id, 'notInsured');
    expect(proposal).toMatchObject({
      kind: 'classText',
      subjectId: seen.id,
      hospitalCode: null,
      detail: { region: '350200', infno: '2207', text: '月亮太圆 单号 #', meaning: 'notInsured' },
    });
    expect((await answered('月亮太圆 单号 2222222')).body.code).toBe('insurance/rejected');
    const own = await post(app, `/v1/proposals/${proposal.id}/approve`, finance.maker);
    expect(own.status).toBe(403);
    expect((await approve(proposal.id)).status).toBe(200);
    // Within seconds: the client asks the database for decisions every two.
    const settled = await waitFor(async () => {
      const reply = await answered('月亮太圆 单号 3333333');
      return reply.status === 200 && reply.body;
    });
    expect(settled.insurance.status).toBe('notInsured');
    expect((await find('月亮太圆 单号 #')).meaning).toBe('notInsured');
    await expectLaws(app);
  });

  it('may be decided anew', async () => {
    await answered('潮汐不合');
    const seen = await waitFor(() => find('潮汐不合'));
    await approve((await decide(seen.id, 'notInsured')).id);
    await approve((await decide(seen.id, 'rejected')).id);
    expect((await find('潮汐不合')).meaning).toBe('rejected');
  });

  it('is decided of once at a time, by known meanings, and never into sending again', async () => {
    await answered('风向不对');
    const seen = await waitFor(() => find('风向不对'));
    const path = `/v1/insurance/unlisted-texts/${seen.id}/proposals`;
    const bad = await post(app, path, finance.maker, { meaning: 'notSignedIn', reason: '误' });
    expect(bad.status).toBe(400);
    await decide(seen.id, 'systemTrouble');
    const second = await post(app, path, finance.maker, { meaning: 'rejected', reason: '另' });
    expect([second.status, second.body.code]).toEqual([409, 'finance/proposal-open']);
    const never = `/v1/insurance/unlisted-texts/${'0'.repeat(64)}/proposals`;
    const unseen = await post(app, never, finance.maker, { meaning: 'rejected', reason: '无' });
    expect(unseen.status).toBe(404);
  });

  it('is the city’s: a person of one hospital neither reads nor decides', async () => {
    const options = { hospitalCode: scene.hospitalCode };
    const maker = await app.token('financeMaker', options);
    const path = '/v1/insurance/unlisted-texts';
    expect((await app.call('GET', path, { token: maker })).status).toBe(403);
    const body = { meaning: 'rejected', reason: '无' };
    const reply = await post(app, `${path}/${'0'.repeat(64)}/proposals`, maker, body);
    expect([reply.status, reply.body.code]).toEqual([403, 'access/forbidden']);
  });

  it('comes page by page, most often seen first', async () => {
    const all = (await list('?limit=100')).data;
    const counts = all.map((each: ReplyBody) => each.count);
    expect(counts).toEqual([...counts].sort((a: number, b: number) => b - a));
    const paged: ReplyBody[] = [];
    for (let cursor = ''; ; ) {
      const page = await list(`?limit=2${cursor}`);
      paged.push(...page.data);
      if (!page.nextCursor) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    expect(paged.map((each) => each.id)).toEqual(all.map((each: ReplyBody) => each.id));
  });
});
