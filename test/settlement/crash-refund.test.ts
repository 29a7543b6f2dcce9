// Crashes and lies after the point of no return: 2207 decides, 2208 only goes forward, a key refunds
// once, and nothing is ever forgotten or claimed twice.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import type { Answer, Message } from '../../src/insurance/insurer.ts';
import { resumeIntents } from '../../src/settlement/resume-intents.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  chargedVisit,
  expectLaws,
  lineOf,
  newPatient,
  type Scene,
  sceneOf,
  settle,
} from './support.ts';

const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: '1' } });
let scene: Scene;
let original: (message: Message, deadlineMs: number) => Promise<Answer>;
beforeAll(async () => {
  scene = await sceneOf(app);
  original = app.deps.insurer.send.bind(app.deps.insurer);
});
afterEach(async () => {
  app.deps.insurer.send = original;
  await app.fault({ mode: 'none' });
});

const never = new Promise<never>(() => {});
const expireLeases = () =>
  app.db.execute(
    sql`update intent set lease_until = now() - interval '1 second' where status = 'running'`,
  );
const refund = (id: string, body: object, key: string = crypto.randomUUID()) =>
  app.call('POST', `/v1/settlements/${id}/refunds`, {
    token: scene.terminal,
    body: { reason: '退费', ...body },
    key,
  });
const claimsOf = async (visitNumber: string) =>
  (await app.claims({ visitNumber })).map((c) => [c.status, c.medfeeSumamt]).sort();

/** The process dies once the insurer has executed this trade and before we hear of it. */
async function dieAfter(infno: string, work: () => Promise<unknown>): Promise<void> {
  let isExecuted = false;
  app.deps.insurer.send = async (message, deadlineMs) => {
    const answer = await original(message, deadlineMs);
    if (message.infno !== infno) return answer;
    isExecuted = true;
    return never;
  };
  work().catch(() => {});
  await waitFor(() => isExecuted);
  app.deps.insurer.send = original;
  await expireLeases();
}

async function settledVisit(): Promise<{ visit: ReplyBody; settlement: ReplyBody; token: string }> {
  const { person, token } = await newPatient(app);
  const visit = await chargedVisit(scene, person);
  const settlement = (await settle(scene, visit.id)).body;
  return { visit, settlement, token };
}

describe('a settlement resumed after its 2207 was executed', () => {
  const meanwhile = [
    ['is down', { mode: 'refuseConnection' }],
    ['rejects 2203', { mode: 'reject', on: ['2203'], reason: '诊断编码不存在' }],
    [
      'says at 2206 that it is settled',
      { mode: 'reject', on: ['2206'], reason: '门诊患者已结算请勿重复结算' },
    ],
  ] as const;

  it.each(meanwhile)('keeps the message of unknown fate when the insurer %s', async (_, fault) => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    await dieAfter('2207', () => settle(scene, visit.id));
    await app.fault(fault);
    await resumeIntents(app.deps);
    const [kept] = await rows<{ unknown_msgid: string | null; insurance_status: string }>(
      app.db,
      sql`
      select c.unknown_msgid, s.insurance_status from settlement s
      join conversion c on c.settlement_id = s.id where s.visit_id = ${visit.id}`,
    );
    expect(kept?.insurance_status).toBe('awaitingInsurance');
    expect(kept?.unknown_msgid).toBeTruthy();
    await app.fault({ mode: 'none' });
    await expectLaws(app);
  });
});

describe('a refund resumed after its 2208 was executed', () => {
  it('waits for the insurer instead of failing, then claims the rest once', async () => {
    const { visit, settlement } = await settledVisit();
    const key = crypto.randomUUID();
    await dieAfter('2208', () => refund(settlement.id, { lines: [{ lineNumber: 1 }] }, key));
    await app.fault({ mode: 'refuseConnection' });
    await resumeIntents(app.deps);
    // A repeat of 2208 that did not get through leaves the first one as doubtful as it was.
    await expireLeases();
    await resumeIntents(app.deps);
    const [waiting] = await rows<{ id: string; status: string }>(
      app.db,
      sql`
      select id, status from refund where settlement_id = ${settlement.id}`,
    );
    expect(waiting?.status).toBe('processing');
    await app.fault({ mode: 'none' });
    await expireLeases();
    await resumeIntents(app.deps);
    expect(await claimsOf(visit.visitNumber)).toEqual([
      ['cancelled', '300.00'],
      ['settled', '200.00'],
    ]);
    const replay = await refund(settlement.id, { lines: [{ lineNumber: 1 }] }, key);
    expect(replay.body.id, replay.text).toBe(waiting?.id);
    const all = await rows(
      app.db,
      sql`select 1 from refund where settlement_id = ${settlement.id}`,
    );
    expect(all).toHaveLength(1);
    await expectLaws(app);
  });

  it('goes on after 2208 even if the rest would now cost the citizen more', async () => {
    const { visit, settlement } = await settledVisit();
    await app.fault({ mode: 'error500', on: ['2207'] });
    const begun = await refund(settlement.id, { lines: [{ lineNumber: 1 }] });
    expect(begun.status, begun.text).toBe(202);
    await app.fault({ mode: 'refuseConnection' });
    await expireLeases();
    await resumeIntents(app.deps);
    const still = await app.call('GET', `/v1/refunds/${begun.body.id}`, { token: scene.terminal });
    expect(still.body.status).toBe('processing');
    await app.fault({ mode: 'none' });
    await expireLeases();
    await resumeIntents(app.deps);
    const done = await app.call('GET', `/v1/refunds/${begun.body.id}`, { token: scene.terminal });
    expect(done.body.status, JSON.stringify(done.body)).toBe('completed');
    expect(await claimsOf(visit.visitNumber)).toEqual([
      ['cancelled', '300.00'],
      ['settled', '200.00'],
    ]);
    await expectLaws(app);
  });

  it('is not taken back when the insurer only refuses to hear the 2208 again', async () => {
    const { visit, settlement } = await settledVisit();
    await app.fault({ mode: 'answerLost', on: ['2208'] });
    const begun = await refund(settlement.id, { lines: [{ lineNumber: 1 }] });
    expect(begun.status, begun.text).toBe(202);
    await app.fault({ mode: 'reject', on: ['2208'], reason: '监管接口拒绝' });
    await expireLeases();
    await resumeIntents(app.deps);
    await app.fault({ mode: 'none' });
    const done = await app.call('GET', `/v1/refunds/${begun.body.id}`, { token: scene.terminal });
    expect(done.body.status, JSON.stringify(done.body)).toBe('completed');
    expect(await claimsOf(visit.visitNumber)).toEqual([
      ['cancelled', '300.00'],
      ['settled', '200.00'],
    ]);
    await expectLaws(app);
  });

  it('fails with nothing changed when 5203 shows that the lost 2208 was never executed', async () => {
    const { visit, settlement } = await settledVisit();
    await app.fault({ mode: 'error500', on: ['2208'] });
    const begun = await refund(settlement.id, { all: true });
    expect(begun.status, begun.text).toBe(202);
    await app.fault({ mode: 'reject', on: ['2208'], reason: '监管接口拒绝' });
    await expireLeases();
    await resumeIntents(app.deps);
    await app.fault({ mode: 'none' });
    const failed = await app.call('GET', `/v1/refunds/${begun.body.id}`, { token: scene.terminal });
    expect(failed.body).toMatchObject({ status: 'failed', failure: 'insurance/rejected' });
    expect(await claimsOf(visit.visitNumber)).toEqual([['settled', '300.00']]);
    await expectLaws(app);
  });

  it('leaves a finally refused rest as self-pay and can still refund it wholly', async () => {
    const { visit, settlement, token } = await settledVisit();
    await app.fault({ mode: 'reject', on: ['2207'], reason: '黑名单' });
    const part = await refund(settlement.id, { lines: [{ lineNumber: 1 }] });
    expect(part.status, part.text).toBe(201);
    await app.fault({ mode: 'none' });
    const now = await app.call('GET', `/v1/settlements/${settlement.id}`, {
      token: scene.terminal,
    });
    expect(now.body).toMatchObject({ insurance: { status: 'rejected' }, refundable: '200.00' });
    await expectLaws(app);
    const rest = await refund(settlement.id, { all: true });
    expect(rest.status, rest.text).toBe(201);
    expect(await claimsOf(visit.visitNumber)).toEqual([['cancelled', '300.00']]);
    expect((await lineOf(app, token)).outstanding).toBe('0.00');
    await expectLaws(app);
  });
});

describe('an insurer that answers with somebody else’s settlement', () => {
  it('is never booked: a known setl_id counts as a broken answer', async () => {
    const { settlement } = await settledVisit();
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    app.deps.insurer.send = async (message, deadlineMs) => {
      const answer = await original(message, deadlineMs);
      if (message.infno !== '2207' || answer.outcome !== 'ok') return answer;
      const setlinfo = answer.output.setlinfo as Record<string, string>;
      const lie = { ...setlinfo, setl_id: settlement.insurance.claimId };
      return { outcome: 'ok', output: { ...answer.output, setlinfo: lie } };
    };
    const reply = await settle(scene, visit.id);
    expect(reply.status, reply.text).toBe(200);
    expect(reply.body.insurance.status).toBe('awaitingInsurance');
    await expectLaws(app);
  });

  it('is never booked: another person’s number counts as a broken answer', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    app.deps.insurer.send = async (message, deadlineMs) => {
      const answer = await original(message, deadlineMs);
      if (message.infno !== '2207' || answer.outcome !== 'ok') return answer;
      const setlinfo = answer.output.setlinfo as Record<string, string>;
      return {
        outcome: 'ok',
        output: { ...answer.output, setlinfo: { ...setlinfo, psn_no: '1' } },
      };
    };
    const reply = await settle(scene, visit.id);
    expect(reply.body.insurance.status).toBe('awaitingInsurance');
    await expectLaws(app);
  });
});
