// Cover that ends or moves while a claim's fate is unknown: the truth is asked, and the claim cancelled,
// for the person that it was sent for, whatever 1101 says today. Never two live claims.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Answer, Message } from '../../src/insurance/insurer.ts';
import { runWorkerOnce } from '../../src/worker.ts';
import {
  chargedVisit,
  expectLaws,
  newPatient,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import type { TestPerson } from '../support/people.ts';
import { waitFor } from '../support/wait-for.ts';
import { ask, type SelfPaid, selfPaid } from './support.ts';

const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: '1' } });
let scene: Scene;
let finance: string;
let original: (message: Message, deadlineMs: number) => Promise<Answer>;
beforeAll(async () => {
  scene = await sceneOf(app);
  finance = await app.token('financeMaker');
  original = app.deps.insurer.send.bind(app.deps.insurer);
});
afterEach(async () => {
  app.deps.insurer.send = original;
  await app.fault({ mode: 'none' });
});

const conversionOf = async (id: string): Promise<ReplyBody> =>
  (await app.call('GET', `/v1/conversions/${id}`, { token: finance })).body;

const claimsOf = async ({ visit }: { visit: ReplyBody }) =>
  (await app.claims({ visitNumber: visit.visitNumber })).map((c) => c.status).sort();

/** A conversion whose 2207 was executed and whose answer was lost. */
async function lostClaim(): Promise<SelfPaid & { id: string }> {
  const paid = await selfPaid(scene);
  const asked = await ask(app, paid.settlement.id, paid.token);
  expect(asked.status, asked.text).toBe(202);
  await app.fault({ mode: 'answerLost', on: ['2207'] });
  await waitFor(async () => {
    await runWorkerOnce(app.deps);
    return (await claimsOf(paid)).length > 0;
  });
  await app.fault({ mode: 'none' });
  return { ...paid, id: asked.body.id };
}

const ended = (id: string) =>
  waitFor(
    async () => {
      await app.db.execute(sql`update conversion set next_attempt_at = clock_timestamp()`);
      await runWorkerOnce(app.deps);
      const now = await conversionOf(id);
      return ['converted', 'rejected', 'cancelled'].includes(now.status) && now;
    },
    { timeoutMs: 8_000, what: `conversion ${id}` },
  );

const pause = (person: TestPerson) => app.register(person, { insurance: { status: 'paused' } });

/** From now on trades are answered so; where null, as they are. */
function answering(change: (message: Message) => Promise<Answer> | null): void {
  app.deps.insurer.send = (message, deadlineMs) => change(message) ?? original(message, deadlineMs);
}

const no = { outcome: 'rejected', reason: '查询不到数据' } as const;

describe('a conversion whose 2207 lost its answer', () => {
  const changes = [
    ['is paused', { status: 'paused' }],
    ['has moved to another region', { status: 'active', region: '310000' }],
  ] as const;

  it.each(changes)('adopts its live claim although the cover %s', async (_, insurance) => {
    const lost = await lostClaim();
    await app.register(lost.person, { insurance });
    const regions: (string | null)[] = [];
    answering(({ infno, insuredRegion }) => {
      if (infno === '5203') regions.push(insuredRegion);
      return null;
    });
    expect((await ended(lost.id)).status).toBe('converted');
    expect(await claimsOf(lost)).toEqual(['settled']);
    expect(new Set(regions)).toEqual(new Set(['350200']));
    await expectLaws(app);
  });

  it('reverses its live claim when the cover is paused and 5203 does not answer', async () => {
    const lost = await lostClaim();
    await pause(lost.person);
    answering(({ infno }) => (infno === '5203' ? Promise.resolve(no) : null));
    await waitFor(async () => {
      await app.db.execute(sql`update conversion set next_attempt_at = clock_timestamp()`);
      await runWorkerOnce(app.deps);
      return (await claimsOf(lost)).join() === 'reversed';
    });
    await expectLaws(app);
  });

  it('never leaves two live claims when 1101 names another insurance since', async () => {
    const lost = await lostClaim();
    const { person: other } = await newPatient(app);
    answering((message) => {
      if (message.infno === '5203') return Promise.resolve(no);
      return message.infno === '2601' ? null : askedAs(message, lost.person, other);
    });
    expect((await ended(lost.id)).status).toBe('converted');
    expect(await claimsOf(lost)).toEqual(['reversed', 'settled']);
  });

  it('adopts no settlement that is booked already: the claim is reversed and made anew', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const booked = (await settle(scene, visit.id)).body.insurance.claimId;
    const lost = await lostClaim();
    const [made] = await app.claims({ visitNumber: lost.visit.visitNumber });
    app.deps.insurer.send = async (message, deadlineMs) => {
      const answer = await original(message, deadlineMs);
      if (message.infno !== '5203') return answer;
      return JSON.parse(JSON.stringify(answer).replaceAll(made?.setlId, booked)) as Answer;
    };
    expect((await ended(lost.id)).status).toBe('converted');
    expect(await claimsOf(lost)).toEqual(['reversed', 'settled']);
  });
});

describe('a claimed settlement whose patient is not covered any more', () => {
  it('is refunded whole: 2208 needs nobody’s cover', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const settlement = (await settle(scene, visit.id)).body;
    expect(settlement.insurance.status).toBe('claimed');
    await pause(person);
    const reply = await app.call('POST', `/v1/settlements/${settlement.id}/refunds`, {
      token: scene.terminal,
      body: { all: true, reason: '退费' },
    });
    expect([reply.status, reply.body.status], reply.text).toEqual([201, 'completed']);
    expect(await claimsOf({ visit })).toEqual(['cancelled']);
    await expectLaws(app);
  });
});

/** A trade as the insurer answers it for one who is now insured under the number of `other`. */
async function askedAs(message: Message, one: TestPerson, other: TestPerson): Promise<Answer> {
  const asked = JSON.stringify(message.input)
    .replaceAll(one.idNumber, other.idNumber)
    .replaceAll(one.name, other.name);
  const answer = await original({ ...message, input: JSON.parse(asked) }, 5_000);
  const told = JSON.stringify(answer)
    .replaceAll(other.idNumber, one.idNumber)
    .replaceAll(other.name, one.name);
  return JSON.parse(told) as Answer;
}
