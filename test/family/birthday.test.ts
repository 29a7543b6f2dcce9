// Borders of time: the 18th birthday and the month, at midnight in Shanghai, by the sandbox clock.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endAgedLinks } from '../../src/family/end-aged-links.ts';
import { runWorkerOnce } from '../../src/worker.ts';
import {
  chargedVisit,
  expectLaws,
  lineOf,
  newPatient,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { readVisit, said } from '../visit/support.ts';
import {
  addKin,
  bornOn,
  clockTo,
  countersOf,
  dayFromNow,
  eighteenBefore,
  identifyAt,
  linkChild,
  midnight,
  minuteBefore,
  parentAndChild,
  putHold,
  requestLink,
  tryOpen,
  usedOf,
  wishFor,
} from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(async () => {
  await expectLaws(app);
  await app.clock(0);
});

const statusOf = async (link: ReplyBody, token: string): Promise<ReplyBody> =>
  (await app.call('GET', `/v1/family-links/${link.id}`, { token })).body;

/** A child that comes of age in some days, linked today. */
async function almostGrown(days = 20) {
  const day = dayFromNow(days);
  const family = await parentAndChild(app, { child: bornOn(eighteenBefore(day)) });
  return { ...family, birthday: midnight(day) };
}

describe('on the day before the 18th birthday', () => {
  it('a link can still be made, and used', async () => {
    const parent = await newPatient(app);
    const day = dayFromNow(20);
    const child = await addKin(app, parent.person, 'child', bornOn(eighteenBefore(day)));
    await clockTo(app, minuteBefore(midnight(day)));
    const link = await linkChild(app, parent, child);
    expect(link.endsAt).toBe(midnight(day).toISOString());
    const visit = await openVisit(scene, child.person, { holdAmount: '60.00' });
    expect(visit).toMatchObject({ payer: link.id, hold: { amount: '60.00' } });
    expect((await putHold(scene, visit.id, '70.00')).status).toBe(200);
  });
});

describe('on the 18th birthday', () => {
  it('no link is made', async () => {
    const parent = await newPatient(app);
    const day = dayFromNow(20);
    const child = await addKin(app, parent.person, 'child', bornOn(eighteenBefore(day)));
    await clockTo(app, midnight(day));
    const reply = await requestLink(app, parent.token, wishFor('minorChild', child.person));
    expect(said(reply)).toEqual([422, 'family/not-a-minor']);
  });

  it('nothing new is held, before any worker was there and after', async () => {
    const { parent, child, link, birthday } = await almostGrown();
    await clockTo(app, minuteBefore(birthday));
    const visit = await chargedVisit(scene, child.person, { holdAmount: '60.00' });
    const unheld = await chargedVisit(scene, child.person, { holdAmount: '0.00' });
    await clockTo(app, birthday);
    const declined = async () => {
      const named = await tryOpen(scene, child.person, { payer: link.id });
      expect(named.body).toMatchObject({ hold: null, holdDecline: { code: 'family/age-out' } });
      expect((await tryOpen(scene, child.person)).body).toMatchObject({
        payer: null,
        holdDecline: { code: 'credit/not-enrolled' },
      });
      expect(said(await putHold(scene, visit.id, '60.01'))).toEqual([402, 'family/age-out']);
      expect(said(await putHold(scene, unheld.id, '0.01', true))).toEqual([402, 'family/age-out']);
      expect((await identifyAt(scene, child.person)).credit.payers).toEqual([]);
      expect(await statusOf(link, parent.token)).toMatchObject({
        status: 'ended',
        endReason: 'ageOut',
        endedAt: birthday.toISOString(),
      });
    };
    await declined();
    await runWorkerOnce(app.deps);
    await declined();
    // What was placed in time is honoured; what was not, is not.
    expect((await readVisit(scene, visit.id)).hold).toMatchObject({ amount: '60.00' });
    const settled = await settle(scene, visit.id, { insurance: 'skip' });
    expect(settled.body.tenders).toEqual([{ kind: 'credit', amount: '60.00' }]);
    const none = await settle(scene, unheld.id, { insurance: 'skip' });
    expect(none.body.tenders).toEqual([]);
    expect((await lineOf(app, parent.token)).outstanding).toBe('60.00');
    expect(await usedOf(app, link.id)).toBe(6000n);
  });

  it('the worker ends the link once, dated to midnight, and tells both', async () => {
    const { parent, child, link, birthday } = await almostGrown();
    await clockTo(app, minuteBefore(birthday));
    expect(await endAgedLinks(app.db, 100)).toBe(0);
    expect((await statusOf(link, parent.token)).status).toBe('active');
    await clockTo(app, birthday);
    expect(await endAgedLinks(app.db, 100)).toBe(1);
    expect(await endAgedLinks(app.db, 100)).toBe(0);
    const ended = await statusOf(link, child.token);
    expect(ended).toMatchObject({ status: 'ended', endedAt: birthday.toISOString() });
    // Ending it by hand now changes nothing.
    const path = `/v1/family-links/${link.id}`;
    const again = await app.call('DELETE', path, { token: parent.token });
    expect(again.body).toMatchObject({ endReason: 'ageOut', endedAt: birthday.toISOString() });
    const facts = await app.db.query.event.findMany({
      where: (e, { eq }) => eq(e.type, 'familyLink.ended'),
    });
    const about = facts.filter((fact) => (fact.data as { linkId: string }).linkId === link.id);
    expect(about.map((fact) => fact.occurredAt)).toEqual([birthday, birthday]);
    expect(new Set(about.map((fact) => fact.citizenId)).size).toBe(2);
  });

  it('ending it by hand before the worker is dated to midnight too', async () => {
    const { parent, link, birthday } = await almostGrown();
    await clockTo(app, birthday);
    const path = `/v1/family-links/${link.id}`;
    const ended = await app.call('DELETE', path, { token: parent.token });
    expect(ended.body).toMatchObject({ endReason: 'ageOut', endedAt: birthday.toISOString() });
  });

  it('makes room for another link', async () => {
    const { parent, birthday } = await almostGrown();
    for (let n = 0; n < 4; n += 1) {
      const sibling = await addKin(app, parent.person, 'child', uniquePerson({ age: 2 + n }));
      await linkChild(app, parent, sibling);
    }
    const sixth = await addKin(app, parent.person, 'child', uniquePerson({ age: 2 }));
    const wish = wishFor('minorChild', sixth.person);
    await clockTo(app, minuteBefore(birthday));
    expect(said(await requestLink(app, parent.token, wish))).toEqual([422, 'family/too-many']);
    await clockTo(app, birthday);
    expect((await requestLink(app, parent.token, wish)).status).toBe(201);
  });

  it('of a child born on 29 February is 1 March', async () => {
    // 2008-02-29 came of age in a year without that day.
    const child = bornOn('2008-02-29');
    const parent = await newPatient(app);
    const { person } = await addKin(app, parent.person, 'child', child);
    const wish = wishFor('minorChild', person);
    await clockTo(app, midnight('2026-03-01'));
    expect(said(await requestLink(app, parent.token, wish))).toEqual([422, 'family/not-a-minor']);
    await clockTo(app, minuteBefore(midnight('2026-03-01')));
    expect((await requestLink(app, parent.token, wish)).status).toBe(201);
  });
});

describe('at midnight in Shanghai, where a month ends', () => {
  const firstOfNextMonth = (): string => {
    const [year = 0, month = 0] = dayFromNow(0).slice(0, 7).split('-').map(Number);
    return month === 12 ? `${year + 1}-01-01` : `${year}-${String(month + 1).padStart(2, '0')}-01`;
  };

  it('the monthly cap is whole again, to the minute', async () => {
    const first = firstOfNextMonth();
    const [old, next] = [dayFromNow(0).slice(0, 7), first.slice(0, 7)];
    const { child, link } = await parentAndChild(app, {
      caps: { visitCap: '100.00', monthlyCap: '100.00' },
    });
    await clockTo(app, minuteBefore(midnight(first)));
    const visit = await openVisit(scene, child.person, { holdAmount: '90.00' });
    const over = await openVisit(scene, child.person, { holdAmount: '10.01' });
    expect(over.holdDecline.code).toBe('family/cap-exceeded');
    await clockTo(app, midnight(first));
    expect((await identifyAt(scene, child.person, '100.00')).credit.payers[0].usable).toBe(
      '100.00',
    );
    const fresh = await openVisit(scene, child.person, { holdAmount: '100.00' });
    expect(fresh.hold.amount).toBe('100.00');
    expect(await countersOf(app, link.id)).toEqual({ [old]: '9000', [next]: '10000' });
    // A hold stays in the month of its placing: raised, captured above itself, and given back.
    expect(said(await putHold(scene, visit.id, '100.01'))).toEqual([402, 'family/cap-exceeded']);
    expect((await putHold(scene, visit.id, '95.00')).status).toBe(200);
    expect(await countersOf(app, link.id)).toEqual({ [old]: '9500', [next]: '10000' });
    const seen = await app.call('GET', `/v1/family-links/${link.id}`, { token: child.token });
    expect(seen.body.usedThisMonth).toBe('100.00');
    const bill = { batch: 'b', items: [line('300.00')] };
    const charged = await app.call('POST', `/v1/visits/${visit.id}/charges`, {
      token: scene.terminal,
      body: bill,
    });
    expect(charged.status, charged.text).toBe(201);
    const settled = await settle(scene, visit.id, { insurance: 'skip' });
    expect(settled.body).toMatchObject({
      dueAtCounter: '200.00',
      tenders: [{ kind: 'credit', amount: '100.00' }],
    });
    expect(await countersOf(app, link.id)).toEqual({ [old]: '10000', [next]: '10000' });
    const refund = await app.call('POST', `/v1/settlements/${settled.body.id}/refunds`, {
      token: scene.terminal,
      body: { all: true, reason: '退' },
    });
    expect(refund.status, refund.text).toBe(201);
    expect(await countersOf(app, link.id)).toEqual({ [old]: '0', [next]: '10000' });
  });

  it('a hold that expires in the next month is off the month it was placed in', async () => {
    const first = firstOfNextMonth();
    const [old, next] = [dayFromNow(0).slice(0, 7), first.slice(0, 7)];
    const { parent, child, link } = await parentAndChild(app);
    await clockTo(app, minuteBefore(midnight(first)));
    await openVisit(scene, child.person, { holdAmount: '90.00' });
    await openVisit(scene, child.person, { holdAmount: '5.00' });
    await clockTo(app, midnight(first));
    await openVisit(scene, child.person, { holdAmount: '7.00' });
    expect(await countersOf(app, link.id)).toEqual({ [old]: '9500', [next]: '700' });
    await clockTo(app, new Date(midnight(first).getTime() + 48 * 3_600_000));
    await runWorkerOnce(app.deps);
    expect(await countersOf(app, link.id)).toEqual({ [old]: '0', [next]: '0' });
    expect((await lineOf(app, parent.token)).held).toBe('0.00');
  });
});

const line = (amount: string) => ({
  lineNumber: 1,
  code: 'X1',
  name: '项目',
  quantity: '1',
  unitPrice: amount,
  amount,
});
