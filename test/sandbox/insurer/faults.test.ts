// Every fault of the control port, and whether the trade was executed, proved by the insurer's books.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { InsurerControlError } from '../../../src/sandbox/insurer/control-client.ts';
import { billedVisit, newPerson, openVisit, setlinfoOf, settle } from './visits.ts';
import { newMsgid, useInsurer } from './wire.ts';

const insurer = useInsurer();
const fault = (body: Parameters<typeof insurer.control.setFault>[0]) =>
  insurer.control.setFault(body);
const claimsAt = (visitNumber: string) => insurer.control.claims({ visitNumber });
const fateOf = async (msgid: string) => (await insurer.control.messages({ msgid }))[0]?.fate;

const patient = { timeout: 20_000 };

afterEach(() => fault({ mode: 'none' }));

describe('a fault', () => {
  test('refuseConnection refuses new connects and cuts open ones; none opens the same port', async () => {
    const visit = await billedVisit(insurer);
    await fault({ mode: 'refuseConnection' });
    const refused = await settle(insurer, visit, { total: visit.total }).catch((e: Error) => e);
    expect(refused).toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    await fault({ mode: 'refuseConnection' });
    expect(await claimsAt(visit.visitNumber)).toEqual([]);
    await fault({ mode: 'none' });
    expect((await settle(insurer, visit, { total: visit.total })).infcode).toBe(0);
  });

  test('refuseConnection ends a call that hangs', async () => {
    const visit = await billedVisit(insurer);
    await fault({ mode: 'hang' });
    const msgid = newMsgid();
    const hanging = settle(insurer, visit, { total: visit.total }, { msgid }).catch(
      (e: Error) => e,
    );
    await vi.waitFor(async () => expect(await fateOf(msgid)).toBe('notExecuted'), patient);
    await fault({ mode: 'refuseConnection' });
    expect(await hanging).toBeInstanceOf(Error);
  });

  test('hang does not execute and never answers', async () => {
    const visit = await billedVisit(insurer);
    await fault({ mode: 'hang', on: ['2207'] });
    const msgid = newMsgid();
    const patience = new AbortController();
    const options = { msgid, signal: patience.signal };
    const hanging = settle(insurer, visit, { total: visit.total }, options).catch((e: Error) => e);
    await vi.waitFor(async () => expect(await fateOf(msgid)).toBe('notExecuted'), patient);
    patience.abort();
    expect(await hanging).toMatchObject({ name: 'AbortError' });
    expect(await claimsAt(visit.visitNumber)).toEqual([]);
  });

  test('answerLost executes and cuts the line', async () => {
    const visit = await billedVisit(insurer);
    await fault({ mode: 'answerLost', on: ['2207'] });
    const msgid = newMsgid();
    const lost = await settle(insurer, visit, { total: visit.total }, { msgid }).catch(
      (e: Error) => e,
    );
    expect(lost).toBeInstanceOf(Error);
    expect(await claimsAt(visit.visitNumber)).toMatchObject([{ msgid, status: 'settled' }]);
  });

  test('slow executes after the delay though nobody listens any more', async () => {
    const visit = await billedVisit(insurer);
    await fault({ mode: 'slow', on: ['2207'], delayMs: 1_000 });
    const msgid = newMsgid();
    const patience = new AbortController();
    const options = { msgid, signal: patience.signal };
    const slow = settle(insurer, visit, { total: visit.total }, options).catch((e: Error) => e);
    await vi.waitFor(async () => expect(await fateOf(msgid)).toBe('pending'), patient);
    patience.abort();
    await slow;
    await fault({ mode: 'none' });
    await vi.waitFor(async () => expect(await fateOf(msgid)).toBe('done'), patient);
    expect(await claimsAt(visit.visitNumber)).toMatchObject([{ msgid, status: 'settled' }]);
  });

  test('slow answers who waits', async () => {
    const visit = await billedVisit(insurer);
    await fault({ mode: 'slow', on: ['2207'], delayMs: 50 });
    expect((await settle(insurer, visit, { total: visit.total })).infcode).toBe(0);
  });

  test.each([
    ['error500', 500, /系统异常/],
    ['garbage', 200, /^<html>/],
    ['reject', 200, /费用明细不符合医保支付规则/],
  ] as const)('%s does not execute', async (mode, status, text) => {
    const visit = await billedVisit(insurer);
    await fault({ mode, on: ['2207'] });
    const sent = await settle(insurer, visit, { total: visit.total });
    expect(sent.status).toBe(status);
    expect(sent.text).toMatch(text);
    expect(await claimsAt(visit.visitNumber)).toEqual([]);
    await fault({ mode: 'none' });
    expect((await settle(insurer, visit, { total: visit.total })).infcode).toBe(0);
  });

  test('reject says the reason it was given', async () => {
    await fault({ mode: 'reject', reason: '目录编码未上传追溯码' });
    const sent = await insurer.send('1101', { data: {} });
    expect(sent.infcode).toBe(-1);
    expect(sent.errMsg).toBe('目录编码未上传追溯码');
  });

  test('brokenInvariant and noSetlId execute and answer wrongly', async () => {
    const first = await billedVisit(insurer);
    await fault({ mode: 'brokenInvariant', on: ['2207'] });
    const broken = setlinfoOf(await settle(insurer, first, { total: first.total }));
    expect(broken.fund_pay_sumamt).toBeGreaterThan(Number(broken.medfee_sumamt));
    expect(await claimsAt(first.visitNumber)).toHaveLength(1);
    const second = await billedVisit(insurer);
    await fault({ mode: 'noSetlId', on: ['2207'] });
    const blank = setlinfoOf(await settle(insurer, second, { total: second.total }));
    expect(blank.setl_id).toBe('');
    expect((await claimsAt(second.visitNumber))[0]?.setlId).toMatch(/^\d{30}$/);
  });

  test('hits only the trades it names', async () => {
    await fault({ mode: 'error500', on: ['2206', '2207'] });
    const visit = await billedVisit(insurer);
    expect((await settle(insurer, visit, { total: visit.total })).status).toBe(500);
  });

  test('hits only its route; a blank insured region is local', async () => {
    const ask = async (insuplc_admdvs: string) =>
      (await insurer.send('9001', { signIn: {} }, { header: { insuplc_admdvs } })).status;
    await fault({ mode: 'error500', route: 'crossRegion' });
    expect([await ask('350200'), await ask('350205'), await ask(''), await ask('330100')]).toEqual([
      200, 200, 200, 500,
    ]);
    await fault({ mode: 'error500', route: 'local' });
    expect([await ask('350200'), await ask(''), await ask('330100')]).toEqual([500, 500, 200]);
  });

  test.each([
    [0.25, [200, 200, 200, 500, 200, 200, 200, 500]],
    [0.5, [200, 500, 200, 500, 200, 500, 200, 500]],
    [0, [200, 200, 200, 200, 200, 200, 200, 200]],
    [1, [500, 500, 500, 500, 500, 500, 500, 500]],
  ])('with rate %d hits an even share, the same in every run', async (rate, expected) => {
    await fault({ mode: 'error500', rate });
    const statuses: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      statuses.push((await insurer.send('9001', { signIn: {} })).status);
    }
    expect(statuses).toEqual(expected);
  });
});

describe('the control port', () => {
  test.each([
    {},
    { mode: 'bogus' },
    { mode: 'slow', delayMs: -1 },
    { mode: 'slow', delayMs: 1.5 },
    { mode: 'hang', rate: 1.1 },
    { mode: 'hang', rate: '0.5' },
    { mode: 'hang', route: 'everywhere' },
    { mode: 'hang', on: '2207' },
    { mode: 'hang', on: [] },
    { mode: 'hang', on: [2207] },
    { mode: 'reject', reason: '' },
    { mode: 'hang', unknown: 1 },
    { mode: 'refuseConnection', on: ['2207'] },
  ])('refuses the fault %j and keeps the one it has', async (body) => {
    await fault({ mode: 'garbage', on: ['9002'] });
    const response = await fetch(`${insurer.process.controlUrl}/fault`, {
      method: 'PUT',
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: expect.any(String) });
    expect(await insurer.control.fault()).toEqual({ mode: 'garbage', on: ['9002'] });
  });

  test('says 400 for bad people and text that is no JSON, 404 for other paths', async () => {
    const refused = insurer.control.addPerson({ idNumber: '', name: '' });
    await expect(refused).rejects.toBeInstanceOf(InsurerControlError);
    const url = insurer.process.controlUrl;
    expect((await fetch(`${url}/clock`, { method: 'PUT', body: '{' })).status).toBe(400);
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
  });

  test('lists what was received, by message or trade', async () => {
    const visit = await openVisit(insurer, await newPerson(insurer));
    const received = await insurer.control.messages({ infno: '2203' });
    expect(received.at(-1)).toMatchObject({
      fixmedinsCode: 'H35020000001',
      fault: null,
      fate: 'done',
      input: { mdtrtinfo: { mdtrt_id: visit.mdtrtId } },
    });
  });
});
