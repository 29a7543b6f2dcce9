// What citizens are told: every fact has words, patient and payer read different ones.
import { beforeAll, describe, expect, it } from 'vitest';
import { transact } from '../../src/db/db.ts';
import { type EventType, recordEvent } from '../../src/outbox/events.ts';
import { noticeTexts } from '../../src/phone/notice-texts.ts';
import { parentAndChild } from '../family/support.ts';
import { chargedVisit, newPatient, type Scene, sceneOf, settle } from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';

const app = useApp();
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

interface Notice {
  id: string;
  type: EventType;
  at: string;
  title: string;
  text: string;
  settlementId?: string;
}

const noticesOf = async (token: string, query = ''): Promise<ReplyBody> =>
  (await app.call('GET', `/v1/me/notices${query}`, { token })).body;
const all = async (token: string): Promise<Notice[]> =>
  (await noticesOf(token, '?limit=100')).data as Notice[];
const types = (notices: readonly Notice[]) => notices.map(({ type }) => type);

describe('the words', () => {
  const facts = {
    hospital: { zh: '第一医院', en: '第一医院' },
    amount: '12.34',
    back: '5.67',
    reason: '抑郁发作不予支付',
  };

  it.each(Object.entries(noticeTexts))(
    'of %s are Chinese first, English beside it',
    (_, notice) => {
      const said = [notice.title, notice.text(facts), notice.forPayer?.(facts) ?? notice.title];
      for (const { zh, en } of said) {
        expect(zh).toMatch(/\p{Script=Han}{2}/u);
        expect(en).toMatch(/[a-z]{2}.* [a-z]{2}|^[A-Z][a-z]/);
        expect(`${zh}${en}`).not.toMatch(/undefined|null|NaN/);
      }
    },
  );

  it('for a payer never carry the insurer’s or the hospital’s reasons', () => {
    const forPayers = Object.values(noticeTexts).flatMap((notice) => notice.forPayer ?? []);
    expect(forPayers.length).toBeGreaterThan(5);
    for (const say of forPayers) expect(JSON.stringify(say(facts))).not.toContain('抑郁');
  });
});

describe('a patient', () => {
  it('is told of the visit, the hold, the settlement and the repayment, newest first', async () => {
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const settled = await settle(scene, visit.id, { insurance: 'skip' });
    const paid = await app.call('POST', '/v1/me/repayments', { token, body: { amount: '300.00' } });
    expect(paid.body.status, paid.text).toBe('paid');
    const notices = await all(token);
    expect(types(notices)).toEqual([
      'receivable.paid',
      'settlement.settled',
      ...types(notices).slice(2, 4),
      'line.enrolled',
    ]);
    expect(types(notices).slice(2, 4).sort()).toEqual(['hold.placed', 'visit.opened']);
    const told = notices.find(({ type }) => type === 'settlement.settled');
    expect(told?.settlementId).toBe(settled.body.id);
    expect(told?.text).toMatch(/300\.00 元已结算。 Your bill of 300\.00 yuan/);
    const repaid = notices.find(({ type }) => type === 'receivable.paid');
    expect(repaid?.text).toContain('300.00');
    const times = notices.map(({ at }) => Date.parse(at));
    expect(times).toEqual([...times].sort((a, b) => b - a));
  });

  it('reads them page by page, each once, also of the same moment', async () => {
    const { person, token } = await newPatient(app);
    await chargedVisit(scene, person);
    await chargedVisit(scene, person);
    const whole = await all(token);
    const seen: string[] = [];
    let query = '?limit=2';
    for (;;) {
      const { data, nextCursor } = await noticesOf(token, query);
      seen.push(...data.map(({ id }: Notice) => id));
      if (nextCursor === null) break;
      query = `?limit=2&cursor=${nextCursor}`;
    }
    expect(seen).toEqual(whole.map(({ id }) => id));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('is told what came back when a bill was turned into insurance', async () => {
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    await app.fault({ mode: 'error500', on: ['2203'] });
    await settle(scene, visit.id);
    await app.fault({ mode: 'none' });
    const told = await waitFor(async () =>
      (await all(token)).find(({ type }) => type === 'settlement.converted'),
    );
    const [{ conversion, tenders }] = (await app.call('GET', '/v1/me/settlements', { token })).body
      .data;
    expect(conversion.status).toBe('converted');
    const fund = tenders.find(({ kind }: { kind: string }) => kind === 'insuranceFund');
    expect(told.text).toContain(`${fund.amount} 元`);
    expect(types(await all(token))).toContain('settlement.awaitingInsurance');
  });

  it('is not told of others, of the city, nor of facts that we have no words for', async () => {
    const { token } = await newPatient(app, { isEnrolled: false });
    const other = await newPatient(app);
    const { person } = (await app.call('GET', '/v1/me/export', { token })).body;
    const tell = (type: string, citizenId: string | null) => {
      const fact = { type: type as EventType, citizenId, data: {}, occurredAt: new Date() };
      return transact(app.db, (tx) => recordEvent(tx, fact));
    };
    await tell('made.later', person.id);
    await tell('insurance.offline', null);
    expect(await all(token)).toEqual([]);
    await tell('line.closed', person.id);
    expect(types(await all(token))).toEqual(['line.closed']);
    expect(types(await all(other.token))).toEqual(['line.enrolled']);
  });
});

describe('a payer', () => {
  it('is told amount and hospital of a relative’s bill, never what it was for', async () => {
    const { parent, child } = await parentAndChild(app);
    const visit = await chargedVisit(scene, child.person, {
      department: { code: 'D9', name: '心身门诊' },
    });
    const settled = await settle(scene, visit.id, { insurance: 'skip' });
    await app.call('POST', `/v1/settlements/${settled.body.id}/refunds`, {
      token: scene.terminal,
      body: { all: true, reason: '心身门诊退费' },
    });
    const mine = await all(parent.token);
    expect(types(mine)).toEqual(
      expect.arrayContaining(['refund.completed', 'settlement.settled', 'hold.placed']),
    );
    expect(types(mine)).not.toContain('visit.opened');
    const text = (type: EventType) => mine.find((notice) => notice.type === type)?.text ?? '';
    expect(text('hold.placed')).toContain('家人');
    expect(text('settlement.settled')).toMatch(/家人.*由您的信用额度支付 300\.00 元/);
    expect(text('refund.completed')).toMatch(/少付或退回 300\.00 元/);
    expect(JSON.stringify(mine)).not.toMatch(/心身|D9|项目/);
    const childs = await all(child.token);
    expect(types(childs)).toEqual(
      expect.arrayContaining(['refund.completed', 'settlement.settled', 'visit.opened']),
    );
    expect(types(childs)).not.toContain('hold.placed');
  });

  it('is told nothing of a relative’s bill that their line did not carry', async () => {
    const { parent, child } = await parentAndChild(app);
    const before = await all(parent.token);
    const visit = await chargedVisit(scene, child.person, { payer: 'self' });
    await settle(scene, visit.id);
    expect(await all(parent.token)).toEqual(before);
  });
});
