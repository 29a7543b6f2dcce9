// Role: client and sandbox insurer over the real wire: the road of a visit, its undoing, the faults.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Answer, Infno, Insurer } from '../../src/insurance/insurer.ts';
import { makeNhsaInsurer } from '../../src/insurance/nhsa-client.ts';
import { type InsuredPerson, lookUpPerson } from '../../src/insurance/person.ts';
import { findRegistrations, readRegistration } from '../../src/insurance/registration.ts';
import { readReversal, readSplit } from '../../src/insurance/split.ts';
import {
  cancelRegistration2202,
  cancelSettle2208,
  feeCancel2205,
  feeUpload2204,
  preSettle2206,
  querySettlement5203,
  queryVisits5201,
  register2201,
  reverse2601,
  settle2207,
  visitInfo2203,
} from '../../src/insurance/trades.ts';
import { type InsurerControl, insurerControl } from '../../src/sandbox/insurer/control-client.ts';
import { charge, visit as someVisit } from './people.ts';

const keys = { accessKey: 'test-access', secretKey: 'test-secret' };
const hospital = { code: 'H35020000001', name: '示范市第一医院', region: '350200' };
const operator = { id: 'op1', name: '张三' };
const idNumber = '350203199001011239';
const LONG = 10_000;

const store = mkdtempSync(path.join(tmpdir(), 'egret-insurer-'));
let child: ChildProcess;
let insurer: Insurer & { close(): Promise<void> };
let control: InsurerControl;
let url = '';
let number = 0;

beforeAll(async () => {
  child = fork('src/sandbox/insurer/main.ts', {
    execArgv: ['--import', 'tsx'],
    env: {
      ...process.env,
      INSURER_STORE_DIR: store,
      INSURER_ACCESS_KEY: keys.accessKey,
      INSURER_SECRET_KEY: keys.secretKey,
      INSURER_REQUIRE_SIGN_IN: '1',
    },
  });
  const [ready] = (await once(child, 'message')) as [{ wirePort: number; controlPort: number }];
  url = `http://127.0.0.1:${ready.wirePort}`;
  control = insurerControl(`http://127.0.0.1:${ready.controlPort}`);
  insurer = makeNhsaInsurer({ ...keys, url });
});
beforeEach(async () => {
  await control.reset();
  await control.addPerson({
    name: '李四',
    idNumber,
    insurance: { status: 'active', type: 'employee', region: '350200', accountBalance: '100.00' },
  });
});
afterAll(async () => {
  await insurer.close();
  child.kill();
  rmSync(store, { recursive: true, force: true });
});

const nextMsgid = () => {
  number += 1;
  return `${hospital.code}20260102103000${String(number).padStart(4, '0')}`;
};
const byIdCard = () =>
  lookUpPerson(
    insurer,
    { hospital, operator, msgid: nextMsgid() },
    { certType: '02', certNo: idNumber },
    LONG,
  );

/** One visit at the counter, trade by trade. */
async function beginVisit() {
  const found = await byIdCard();
  if (found.outcome !== 'found') throw new Error(JSON.stringify(found));
  const { person } = found;
  const visit = { ...someVisit, visitNumber: `V-${nextMsgid()}`, startedAt: new Date() };
  const send = async (infno: Infno, input: Record<string, unknown>, deadlineMs = LONG) => {
    const msgid = nextMsgid();
    const { insuredRegion } = person;
    const message = { infno, msgid, hospital, insuredRegion, operator, input };
    return { ...(await insurer.send(message, deadlineMs)), msgid };
  };
  const registered = await send('2201', register2201(person, visit));
  const mdtrtId = readRegistration(outputOf(registered))!;
  return { person, visit, send, mdtrtId };
}

type Begun = Awaited<ReturnType<typeof beginVisit>>;

/** 2203 → 2204 → 2206, and the parameters of a 2207. */
async function prepareClaim({ person, visit, send, mdtrtId }: Begun) {
  const parameters = {
    person,
    visit,
    mdtrtId,
    chrgBchno: 'B1',
    total: charge.amount,
    acctUsedFlag: '1' as const,
  };
  outputOf(await send('2203', visitInfo2203(person, visit, mdtrtId)));
  outputOf(await send('2204', feeUpload2204({ ...parameters, charges: [charge] })));
  const previewed = await send('2206', preSettle2206(parameters));
  const { msgid } = previewed;
  const preview = readSplit(outputOf(previewed), {
    total: charge.amount,
    mdtrtId,
    msgid,
    isPreview: true,
  });
  if ('broken' in preview) throw new Error(preview.broken.join('; '));
  return { ...parameters, preview: preview.split };
}

function outputOf(answer: Answer) {
  if (answer.outcome !== 'ok') throw new Error(`${answer.outcome}: ${answer.reason}`);
  return answer.output;
}

it('claims a visit in six trades, and the split of 2207 is the one of 2206', async () => {
  const begun = await beginVisit();
  expect(begun.person).toMatchObject({
    name: '李四',
    idNumber,
    insutype: '310',
    insuredRegion: '350200',
    balance: 10_000n,
  } satisfies Partial<InsuredPerson>);
  const parameters = await prepareClaim(begun);
  const settled = await begun.send('2207', settle2207(parameters));
  const expected = {
    total: charge.amount,
    mdtrtId: begun.mdtrtId,
    msgid: settled.msgid,
    isPreview: false,
  };
  const read = readSplit(outputOf(settled), expected);
  expect(read).toHaveProperty('split');
  if (!('split' in read)) return;
  const { split } = read;
  expect(split.setlId).not.toBe('');
  expect(split.fund + split.account + split.hospitalBorne + split.cash).toBe(charge.amount);
  expect(split.setlTime).toBeInstanceOf(Date);
  expect(split).toMatchObject({ fund: parameters.preview.fund, cash: parameters.preview.cash });
  expect(await control.claims()).toMatchObject([
    { setlId: split.setlId, status: 'settled', medfeeSumamt: '24.69', msgid: settled.msgid },
  ]);

  const asked = await begun.send('5203', querySettlement5203(begun.person, split));
  expect(readSplit(outputOf(asked), expected)).toMatchObject({ split: { cash: split.cash } });
  const listed = await begun.send(
    '5201',
    queryVisits5201(begun.person, begun.visit, {
      from: begun.visit.startedAt,
      to: new Date(),
    }),
  );
  expect(findRegistrations(outputOf(listed), begun.visit.visitNumber)).toEqual([begun.mdtrtId]);

  const undone = await begun.send('2208', cancelSettle2208(begun.person, split));
  const reversal = readReversal(outputOf(undone));
  expect(reversal.setlId).not.toBe('');
  expect(reversal.setlTime).toBeInstanceOf(Date);
  const again = await begun.send('2208', cancelSettle2208(begun.person, split));
  expect(again.outcome).toBe('alreadyDone');
  const after = await begun.send('5203', querySettlement5203(begun.person, split));
  expect(readSplit(outputOf(after), expected)).toHaveProperty('broken');
  expect(await control.claims()).toMatchObject([{ status: 'cancelled' }]);
});

it('takes fees and registration back, and nothing to take back is done as well', async () => {
  const begun = await beginVisit();
  const { person, visit, mdtrtId, send } = begun;
  await prepareClaim(begun);
  expect((await send('2205', feeCancel2205(person, mdtrtId))).outcome).toBe('ok');
  expect((await send('2205', feeCancel2205(person, mdtrtId))).outcome).toBe('alreadyDone');
  expect((await send('2202', cancelRegistration2202(person, visit, mdtrtId))).outcome).toBe('ok');
  expect((await send('2202', cancelRegistration2202(person, visit, mdtrtId))).outcome).toBe(
    'alreadyDone',
  );
});

it('does not know a settlement whose answer was lost, and reverses it by its message id', async () => {
  const begun = await beginVisit();
  const parameters = await prepareClaim(begun);
  await control.setFault({ mode: 'answerLost', on: ['2207'] });
  const lost = await begun.send('2207', settle2207(parameters));
  expect(lost.outcome).toBe('unknown');
  await control.setFault({ mode: 'none' });
  expect(await control.claims()).toMatchObject([{ status: 'settled', msgid: lost.msgid }]);
  const again = await begun.send('2207', settle2207(parameters));
  expect(again.outcome).toBe('unknown');

  const original = { msgid: lost.msgid, infno: '2207' };
  expect((await begun.send('2601', reverse2601(begun.person, original))).outcome).toBe('ok');
  expect((await begun.send('2601', reverse2601(begun.person, original))).outcome).toBe(
    'alreadyDone',
  );
  const never = { msgid: nextMsgid(), infno: '2207' };
  expect((await begun.send('2601', reverse2601(begun.person, never))).outcome).toBe('alreadyDone');
  expect(await control.claims()).toMatchObject([{ status: 'reversed' }]);
});

it('tells every fault of the sandbox as the decision table says', async () => {
  const begun = await beginVisit();
  const parameters = await prepareClaim(begun);
  for (const mode of ['hang', 'error500', 'garbage', 'noSetlId'] as const) {
    await control.setFault({ mode, on: ['2206', '2207'] });
    const deadlineMs = mode === 'hang' ? 300 : LONG;
    const settled = await begun.send('2207', settle2207(parameters), deadlineMs);
    expect(settled.outcome, mode).toBe('unknown');
    if (mode === 'noSetlId') break;
    const previewed = await begun.send('2206', preSettle2206(parameters), deadlineMs);
    expect(previewed.outcome, mode).toBe('offline');
  }
  await control.setFault({ mode: 'reject', on: ['2207'], reason: '费用明细不符合医保支付规则' });
  const rejected = await begun.send('2207', settle2207(parameters));
  expect(rejected).toMatchObject({ outcome: 'rejected', reason: '费用明细不符合医保支付规则' });
});

it('is offline when the port is closed, and well again when it opens', async () => {
  expect((await byIdCard()).outcome).toBe('found');
  await control.setFault({ mode: 'refuseConnection' });
  expect((await byIdCard()).outcome).toBe('offline');
  await control.setFault({ mode: 'none' });
  expect((await byIdCard()).outcome).toBe('found');
});

it('never books a split that breaks an invariant', async () => {
  const begun = await beginVisit();
  const parameters = await prepareClaim(begun);
  await control.setFault({ mode: 'brokenInvariant', on: ['2207'] });
  const settled = await begun.send('2207', settle2207(parameters));
  const expected = {
    total: charge.amount,
    mdtrtId: begun.mdtrtId,
    msgid: settled.msgid,
    isPreview: false,
  };
  expect(readSplit(outputOf(settled), expected)).toHaveProperty('broken');
});

it('names who is paused, who is not insured and whom nobody knows', async () => {
  const insured = (status: 'paused' | 'none') =>
    control.addPerson({
      name: '李四',
      idNumber,
      insurance: { status, type: 'employee', region: '350200' },
    });
  await insured('paused');
  expect(await byIdCard()).toMatchObject({
    outcome: 'notInsured',
    person: { name: '李四', status: 'paused' },
  });
  await insured('none');
  expect(await byIdCard()).toMatchObject({
    outcome: 'notInsured',
    person: { name: '李四', status: 'none' },
  });
  await control.reset();
  expect(await byIdCard()).toMatchObject({ outcome: 'notInsured' });
});

it('is offline with an alarm when the secret is wrong', async () => {
  const stranger = makeNhsaInsurer({ url, accessKey: keys.accessKey, secretKey: 'wrong' });
  const answer = await lookUpPerson(
    stranger,
    { hospital, operator, msgid: nextMsgid() },
    { certType: '02', certNo: idNumber },
    LONG,
  );
  await stranger.close();
  expect(answer).toMatchObject({
    outcome: 'offline',
    reason: expect.stringMatching(/^gateway 401/),
  });
});
