// Tries that fail on the way: on the route where the patient is insured, without a second look at a
// truth that is known, and never round and round without a person being told.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dueConversions, takeConversion } from '../../src/conversion/convert-queue.ts';
import { convertSettlement } from '../../src/conversion/convert-settlement.ts';
import { rows } from '../../src/db/db.ts';
import type { Answer, Infno } from '../../src/insurance/insurer.ts';
import { convertOnce } from '../settlement/parties.ts';
import {
  chargedVisit,
  expectLaws,
  newPatient,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { giveUp, settlementOf } from './support.ts';

const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: '1' } });
let scene: Scene;
let send: (typeof app.deps.insurer)['send'];
beforeAll(async () => {
  scene = await sceneOf(app);
  const { insurer } = app.deps;
  send = insurer.send.bind(insurer);
});
afterEach(async () => {
  app.deps.insurer.send = send;
  await app.fault({ mode: 'none' });
  await expectLaws(app);
});

const away = { outcome: 'offline', reason: 'closed' } as const;

/** From now on the insurer answers so; returns the trades that were sent. */
function answering(how: Partial<Record<Infno, (sent: () => Promise<Answer>) => Promise<Answer>>>) {
  const sent: Infno[] = [];
  app.deps.insurer.send = async (message, deadlineMs) => {
    sent.push(message.infno);
    const really = () => send(message, deadlineMs);
    return how[message.infno]?.(really) ?? really();
  };
  return sent;
}

/** Settled at the counter as `fault` made it; awaits insurance. */
async function waiting(person: ReplyBody, fault: Record<string, unknown>): Promise<ReplyBody> {
  await app.fault(fault);
  const visit = await chargedVisit(scene, person);
  const { body } = await settle(scene, visit.id);
  expect(body.insurance.status).toBe('awaitingInsurance');
  await app.fault({ mode: 'none' });
  return body;
}

async function rowOf(id: string) {
  const [row] = await rows<{
    status: string;
    route: string;
    unknown_msgid: string | null;
    minutes: string;
  }>(
    app.db,
    sql`select status, route, unknown_msgid,
      extract(epoch from next_attempt_at - clock_timestamp()) / 60 as minutes
      from conversion where id = ${id}`,
  );
  if (!row) throw new Error('the conversion is there');
  return row;
}

const casesOf = (id: string) =>
  rows<{ kind: string }>(app.db, sql`select kind from finance_case where subject_id = ${id}`);

describe('a try', () => {
  it('that learns where the patient is insured waits in the queue of that route', async () => {
    const person = uniquePerson({ area: '310101' });
    const insurance = {
      status: 'active',
      type: 'employee',
      region: '310000',
      filed: true,
    } as const;
    await app.register(person, { insurance });
    const { conversionId } = await waiting(person, { mode: 'error500', on: ['1101'] });
    expect(await rowOf(conversionId)).toMatchObject({ status: 'queued', route: 'local' });

    await app.fault({ mode: 'error500', route: 'crossRegion' });
    const due = (await dueConversions(app.deps, 'local', 100)).find((c) => c.id === conversionId);
    const taken = due && (await takeConversion(app.deps, due));
    if (!taken) throw new Error('the conversion is due');
    // The local route did not fail: its round goes on.
    expect(await convertSettlement(app.deps, taken, null)).toBe(true);
    expect(await rowOf(conversionId)).toMatchObject({ status: 'queued', route: 'crossRegion' });

    // A try that never learns who the patient is leaves the route as it is.
    await app.fault({ mode: 'error500', on: ['1101'] });
    await convertOnce(app, [conversionId]);
    expect(await rowOf(conversionId)).toMatchObject({ status: 'queued', route: 'crossRegion' });

    await app.fault({ mode: 'none' });
    await convertOnce(app, [conversionId]);
    expect(await rowOf(conversionId)).toMatchObject({ status: 'converted' });
  });

  it('that found no live claim and then the insurer away has nothing left to learn', async () => {
    const patient = await newPatient(app);
    const bill = await waiting(patient.person, { mode: 'answerLost', on: ['2207'] });
    expect((await giveUp(app, bill.id, patient.token)).body.code).toBe('conversion/fate-unknown');
    const sent = answering({ '5203': async () => away, '2201': async () => away });
    await convertOnce(app, [bill.conversionId]);
    await convertOnce(app, [bill.conversionId]);
    expect(sent.filter((infno) => infno === '2201')).toHaveLength(2);
    expect(sent.filter((infno) => infno === '2601')).toHaveLength(1);
    expect(await rowOf(bill.conversionId)).toMatchObject({ status: 'queued', unknown_msgid: null });
    const ended = await giveUp(app, bill.id, patient.token);
    expect(ended.status, ended.text).toBe(200);
    expect((await settlementOf(scene, bill.id)).insurance.status).toBe('skipped');
  });

  it('whose claims are never answered whole is a finance case, and then made hourly', async () => {
    const patient = await newPatient(app);
    const bill = await waiting(patient.person, { mode: 'answerLost', on: ['2207'] });
    const sent = answering({
      '5203': async () => away,
      '2207': async (really) => {
        await really();
        return { outcome: 'unknown', reason: 'answer without setl_id' };
      },
    });
    await convertOnce(app, [bill.conversionId]);
    expect(sent.filter((infno) => infno === '2207')).toHaveLength(1);
    expect(await casesOf(bill.conversionId)).toEqual([]);
    expect(Number((await rowOf(bill.conversionId)).minutes)).toBeLessThan(1);

    await app.db.execute(
      sql`update conversion set unknown_since = unknown_since - interval '3 hours'`,
    );
    await convertOnce(app, [bill.conversionId]);
    expect(sent.filter((infno) => infno === '2601')).toHaveLength(2);
    expect(await casesOf(bill.conversionId)).toEqual([{ kind: 'insurance/unknown-too-long' }]);
    expect(Number((await rowOf(bill.conversionId)).minutes)).toBeGreaterThan(55);

    app.deps.insurer.send = send;
    await convertOnce(app, [bill.conversionId]);
    expect(await rowOf(bill.conversionId)).toMatchObject({ status: 'converted' });
  });
});
