// Every decline and every limit says why, and what to do next, in Chinese and English.
import { beforeAll, describe, expect, it } from 'vitest';
import { type LineFacts, reasonsOf } from '../../src/credit/explain-line.ts';
import type { LineRow } from '../../src/credit/line-store.ts';
import { type ProblemCode, problems, Refusal } from '../../src/errors.ts';
import { explained } from '../../src/http/explanations.ts';
import { problemOf } from '../../src/http/problem.ts';
import { newPatient, openVisit, type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

const BOTH = /\p{Script=Han}[\s\S]* [A-Z0-9]?[\s\S]*[a-z]{3}/u;
const declines = (Object.keys(problems) as ProblemCode[]).filter((code) =>
  /^(credit|family|identity|insurance)\//.test(code),
);

describe('the catalogue', () => {
  it('explains every code of credit, family, identity and insurance, and publishes it', async () => {
    expect(declines.length).toBeGreaterThan(20);
    const body = (await (await fetch(`${app.url}/problems`)).json()) as {
      data: { code: string; why?: string; next?: string }[];
    };
    const published = new Map(body.data.map((problem) => [problem.code, problem]));
    for (const code of [...declines, 'tender/not-by-phone'] as ProblemCode[]) {
      const { why, next } = explained(code);
      expect(why, code).toMatch(BOTH);
      expect(next, code).toMatch(BOTH);
      expect(published.get(code)).toMatchObject({ why, next });
      expect(problemOf(new Refusal(code))).toMatchObject({ code, why, next });
    }
    expect(explained('request/malformed')).toEqual({});
  });

  it('has texts of one language each: no half is missing or in the wrong tongue', () => {
    for (const code of declines) {
      for (const text of Object.values(explained(code))) {
        const lastHan = [...text].findLastIndex((c) => /\p{Script=Han}/u.test(c));
        expect(lastHan, `${code} ${text}`).toBeGreaterThan(3);
        expect(text.slice(lastHan + 1).length, `${code} ${text}`).toBeGreaterThan(10);
      }
    }
  });

  it('shows them on a page for people', async () => {
    const page = await fetch(`${app.url}/problems`, { headers: { accept: 'text/html' } });
    expect(await page.text()).toContain(explained('credit/overdue').next);
  });
});

describe('a declined hold', () => {
  it('says why and what to do next, at the counter and in the refusal', async () => {
    const { person } = await newPatient(app, { isEnrolled: false });
    const visit = await openVisit(scene, person);
    expect(visit.holdDecline).toEqual({
      code: 'credit/not-enrolled',
      title: problems['credit/not-enrolled'].title,
      ...explained('credit/not-enrolled'),
    });
    const raised = await app.call('PUT', `/v1/visits/${visit.id}/hold`, {
      token: scene.terminal,
      body: { amount: '10.00' },
    });
    expect(raised.status).toBe(402);
    expect(raised.body).toMatchObject({
      code: 'credit/not-enrolled',
      ...explained('credit/not-enrolled'),
    });
  });
});

describe('a credit line', () => {
  it.each([
    [500, '500 分及以下', '500.00'],
    [501, '501 至 600 分', '1000.00'],
    [600, '501 至 600 分', '1000.00'],
    [601, '601 分及以上', '3000.00'],
  ])('of score %i says why its limit is what it is', async (score, range, limit) => {
    const { token } = await newPatient(app, { score });
    const { body } = await app.call('GET', '/v1/me/credit-line', { token });
    expect(body.limit).toBe(limit);
    const about = (name: string) =>
      body.explanation.find((reason: { about: string }) => reason.about === name);
    expect(about('limit').text).toContain(`信用分 ${score}`);
    expect(about('limit').text).toContain(range);
    expect(about('limit').text).toContain(limit);
    expect(about('limit').next).toMatch(BOTH);
    expect(about('inpatientExtra').text).toContain(body.inpatientExtra);
    expect(about('available').text).toContain(`− 已占用 ${body.held}`);
    expect(about('status')).toBeUndefined();
  });

  it('says since when a consent is missing, and how to go on', async () => {
    const { token } = await newPatient(app);
    await app.call('PUT', '/v1/me/consents', { token, body: { consents: ['healthPayment'] } });
    const { body } = await app.call('GET', '/v1/me/credit-line', { token });
    expect(body.explanation[0].about).toBe('status');
    expect(body.explanation[0].text).toMatch(/\d{4}-\d\d-\d\d 撤回了授权/);
    expect(body.explanation[0].next).toMatch(BOTH);
  });

  it('says since when it is suspended or overdue, and that the lender set another limit', () => {
    const line = {
      status: 'suspended',
      consented: true,
      limit: 200_00n,
      held: 0n,
      outstanding: 50_00n,
      inpatientExtra: 0n,
      outageExtra: 0n,
      scoreValue: 550,
      scoreTier: 2,
      policyVersion: 1,
    } as LineRow;
    const facts: LineFacts = {
      tier: { from: 501, upTo: 600, limit: '1000.00' },
      scoreDate: '2026-01-05',
      suspendedSince: '2026-03-01',
      overdueSince: '2026-02-26',
      withdrawnSince: null,
    };
    const [suspended, overdue, limit] = reasonsOf(line, facts);
    expect(suspended?.text).toContain('自 2026-03-01 起暂停');
    expect(suspended?.next).toMatch(BOTH);
    expect(overdue?.text).toContain('自 2026-02-26 起逾期');
    expect(limit?.text).toContain('1000.00');
    expect(limit?.text).toContain('贷款银行把它定为 200.00 元');
    const unknown = reasonsOf(line, { ...facts, tier: null, suspendedSince: null })[0];
    expect(unknown?.text).toMatch(/^额度暂停/);
  });
});
