// Kinship by papers: a maker and a checker decide; until then the link gives no credit.

import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { runWorkerOnce } from '../../src/worker.ts';
import { casesAbout, type Finance, financeOf, post } from '../finance/support.ts';
import { expectLaws, newPatient, openVisit, type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { said } from '../visit/support.ts';
import {
  bornOn,
  clockTo,
  dayFromNow,
  eighteenBefore,
  midnight,
  requestLink,
  wishFor,
} from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
let finance: Finance;
beforeAll(async () => {
  scene = await sceneOf(app);
  finance = await financeOf(app);
});
afterEach(async () => {
  await expectLaws(app);
  await app.clock(0);
});

const papers = { kind: 'birthCertificate', number: 'B350200123' };

/** A payer and somebody whom the registry does not show as kin, with a link that waits. */
async function waiting(
  kind: 'minorChild' | 'parentCare',
  person = uniquePerson({ age: kind === 'minorChild' ? 4 : 70 }),
) {
  const payer = await newPatient(app);
  await app.register(person);
  const token = await app.token('citizen', { citizen: person });
  const made = await requestLink(app, payer.token, { ...wishFor(kind, person), papers });
  expect(made.status, made.text).toBe(201);
  expect(made.body).toMatchObject({ status: 'pending', kinship: 'toBeChecked' });
  const [open] = await casesAbout(app, finance.maker, made.body.id);
  expect(open).toMatchObject({ kind: 'family/kinship-papers', status: 'open' });
  return { payer, person, token, link: made.body, caseId: open?.id as string };
}

async function decide(caseId: string, decision: 'proven' | 'refused') {
  const body = { decision, reason: '核对原件 seen the original' };
  const path = `/v1/finance-cases/${caseId}/kinship`;
  const proposed = await post(app, path, finance.maker, body);
  expect(proposed.status, proposed.text).toBe(202);
  return app.call('POST', `/v1/proposals/${proposed.body.id}/approve`, { token: finance.checker });
}

const read = async (linkId: string, token: string) =>
  (await app.call('GET', `/v1/family-links/${linkId}`, { token })).body;

it('a child’s link is active once maker and checker found the papers good', async () => {
  const { payer, person, link, caseId } = await waiting('minorChild');
  const early = await openVisit(scene, person, { payer: link.id });
  expect(early.holdDecline.code).toBe('family/not-linked');
  const approved = await decide(caseId, 'proven');
  expect(approved.status, approved.text).toBe(200);
  expect(await read(link.id, payer.token)).toMatchObject({ status: 'active', kinship: 'papers' });
  expect((await openVisit(scene, person, { holdAmount: '5.00' })).payer).toBe(link.id);
  const path = `/v1/finance-cases/${caseId}`;
  const closed = await app.call('GET', path, { token: finance.checker });
  expect(closed.body).toMatchObject({ status: 'closed', detail: { decision: 'proven' } });
  expect(closed.body).not.toHaveProperty('kinship');
});

it('a parent’s link needs both: the papers and the parent’s word, in either order', async () => {
  for (const isFirst of [true, false]) {
    const { payer, token, link, caseId } = await waiting('parentCare');
    const accept = () => app.call('POST', `/v1/family-links/${link.id}/accept`, { token });
    if (isFirst) expect((await accept()).body.status).toBe('pending');
    expect((await decide(caseId, 'proven')).status).toBe(200);
    expect((await read(link.id, payer.token)).status).toBe(isFirst ? 'active' : 'pending');
    if (!isFirst) expect((await accept()).body.status).toBe('active');
  }
});

it('refused papers end the link; an ended link is no longer decided', async () => {
  const refused = await waiting('minorChild');
  expect((await decide(refused.caseId, 'refused')).status).toBe(200);
  expect(await read(refused.link.id, refused.payer.token)).toMatchObject({
    status: 'ended',
    endReason: 'kinshipRefused',
  });
  const given = await waiting('minorChild');
  const path = `/v1/family-links/${given.link.id}`;
  await app.call('DELETE', path, { token: given.payer.token });
  const late = await post(app, `/v1/finance-cases/${given.caseId}/kinship`, finance.maker, {
    decision: 'proven',
    reason: 'x',
  });
  expect(said(late)).toEqual([409, 'finance/case-closed']);
});

it('on the 18th birthday a waiting link can no longer be proven', async () => {
  const day = dayFromNow(9);
  const { caseId } = await waiting('minorChild', bornOn(eighteenBefore(day)));
  await clockTo(app, midnight(day));
  expect(said(await decide(caseId, 'proven'))).toEqual([409, 'family/link-ended']);
});

it('once the worker ends a link on the 18th birthday, nobody is asked to check its papers', async () => {
  const day = dayFromNow(9);
  const { caseId } = await waiting('minorChild', bornOn(eighteenBefore(day)));
  await clockTo(app, midnight(day));
  await runWorkerOnce(app.deps);
  const path = `/v1/finance-cases/${caseId}`;
  const closed = await app.call('GET', path, { token: finance.checker });
  expect(closed.body).toMatchObject({ status: 'closed', detail: { decision: 'ageOut' } });
});

it('shows the papers to whoever checks them, logs the look, and keeps them encrypted', async () => {
  const { payer, person, token, caseId } = await waiting('minorChild');
  const shown = await app.call('GET', `/v1/finance-cases/${caseId}`, { token: finance.checker });
  expect(shown.body.kinship).toEqual({ payer: payer.person, beneficiary: person, papers });
  for (const each of [payer.token, token]) {
    const log = await app.call('GET', '/v1/me/access-log', { token: each });
    expect(JSON.stringify(log.body.data)).toContain('kinshipPapers.read');
  }
  const listed = await app.call('GET', '/v1/finance-cases?limit=100', { token: finance.checker });
  expect(listed.text).not.toContain(papers.number);
  const [row] = await rows<{ text: string }>(
    app.db,
    sql`select string_agg(f::text, '') || (select string_agg(c::text, '') from finance_case c) as text
      from family_link f`,
  );
  expect(row?.text).not.toContain(papers.number);
});

it('a payer’s word names no stranger: their right name is taken later, by whoever knows it', async () => {
  const payer = await newPatient(app);
  const stranger = uniquePerson({ age: 70 });
  const claimed = { ...stranger, name: '冒充者' };
  const made = await requestLink(app, payer.token, { ...wishFor('parentCare', claimed), papers });
  expect(made.status, made.text).toBe(201);
  expect(made.body.beneficiary.name).toBe('冒*者');
  const [open] = await casesAbout(app, finance.maker, made.body.id);
  const path = `/v1/finance-cases/${open?.id}`;
  const shown = await app.call('GET', path, { token: finance.checker });
  expect(shown.body.kinship).toEqual({ payer: payer.person, beneficiary: claimed, papers });
  await app.fault({ mode: 'refuseConnection' });
  try {
    const visit = await openVisit(scene, stranger);
    expect(visit.insured.status).toBe('unknown');
  } finally {
    await app.fault({ mode: 'none' });
  }
  const after = await app.call('GET', path, { token: finance.checker });
  expect(after.body.kinship.beneficiary).toEqual(stranger);
});

it('is nobody’s to decide alone, and other cases are not kinship', async () => {
  const { caseId } = await waiting('minorChild');
  const both = await app.token('financeMaker', { subject: 'finance-both' });
  const body = { decision: 'proven', reason: 'x' };
  const path = `/v1/finance-cases/${caseId}/kinship`;
  expect((await post(app, path, both, body)).status).toBe(202);
  expect(said(await post(app, path, finance.maker, body))).toEqual([409, 'finance/proposal-open']);
  const none = '/v1/finance-cases/cas_01jd5z8m2cf0v9k3q7w4x6y8ab/kinship';
  expect((await post(app, none, finance.maker, body)).status).toBe(404);
});
