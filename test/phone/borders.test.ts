// Borders of a guardian's sight: the 14th and the 18th birthday, at midnight in Shanghai.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  bornOn,
  clockTo,
  dayFromNow,
  midnight,
  minuteBefore,
  parentAndChild,
} from '../family/support.ts';
import { chargedVisit, type Scene, sceneOf, settle } from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { said } from '../visit/support.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(() => app.clock(0));

const listed = async (list: string, token: string): Promise<ReplyBody[]> =>
  (await app.call('GET', `/v1/me/${list}`, { token })).body.data;

/** A family whose child has that birthday in twenty days, with one bill open and one settled. */
async function family(years: number) {
  const day = dayFromNow(20);
  const child = bornOn(`${Number(day.slice(0, 4)) - years}${day.slice(4)}`);
  const made = await parentAndChild(app, { child });
  const settled = await chargedVisit(scene, child);
  await settle(scene, settled.id, { insurance: 'skip' });
  const open = await chargedVisit(scene, child);
  return { ...made, open, birthday: midnight(day) };
}

describe('a guardian', () => {
  it('sees the items until the eve of the 14th birthday, and from midnight on no more', async () => {
    const { parent, birthday } = await family(14);
    await clockTo(app, minuteBefore(birthday));
    expect((await listed('bills', parent.token))[0].charges).toHaveLength(2);
    expect((await listed('settlements', parent.token))[0].items).toHaveLength(2);
    await clockTo(app, birthday);
    const [bill] = await listed('bills', parent.token);
    const [settlement] = await listed('settlements', parent.token);
    expect(['charges' in bill, 'items' in settlement]).toEqual([false, false]);
    expect([bill.total, settlement.role]).toEqual(['300.00', 'guardian']);
  });

  it('settles until the eve of the 18th birthday; from midnight on only the child does', async () => {
    const { parent, child, open, birthday } = await family(18);
    await clockTo(app, birthday);
    expect(await listed('bills', parent.token)).toEqual([]);
    expect((await listed('settlements', parent.token))[0].role).toBe('payer');
    const path = `/v1/me/bills/${open.id}/settlement`;
    expect(said(await app.call('POST', path, { token: parent.token }))[0]).toBe(404);
    expect(await listed('bills', child.token)).toHaveLength(1);
    await clockTo(app, minuteBefore(birthday));
    expect(await listed('bills', parent.token)).toHaveLength(1);
    const settled = await app.call('POST', path, { token: parent.token });
    expect(settled.status, settled.text).toBe(200);
  });
});
