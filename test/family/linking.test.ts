// How a link to a child comes to be: kinship by the registry, the guardian's own act, and no guess while
// the registry is away.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { expectLaws, newPatient, type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { said } from '../visit/support.ts';
import { factsAbout, linksOf } from './acts.ts';
import {
  addKin,
  counterpartyFault,
  identifyAt,
  linkChild,
  parentAndChild,
  requestLink,
  tryOpen,
  wishFor,
} from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(() => counterpartyFault(app, { mode: 'none' }));

const countLinks = () => rows(app.db, sql`select 1 from family_link`).then((all) => all.length);

describe('a link to a minor child', () => {
  it('is active at once by the guardian’s own act, until the 18th birthday', async () => {
    const { parent, child, link } = await parentAndChild(app, {
      caps: { visitCap: '12.34', monthlyCap: '56.78' },
    });
    expect(link).toMatchObject({
      kind: 'minorChild',
      status: 'active',
      role: 'payer',
      kinship: 'registry',
      acceptedVia: 'guardian',
      visitCap: '12.34',
      monthlyCap: '56.78',
      usedThisMonth: '0.00',
      endedAt: null,
    });
    expect(link.acceptedAt).toBe(link.createdAt);
    expect(new Date(link.endsAt).toISOString().slice(11, 16)).toBe('16:00');
    expect(JSON.stringify(link)).not.toContain(child.person.idNumber);
    expect(JSON.stringify(link)).not.toContain(child.person.name);
    expect(await linksOf(app, parent.token)).toEqual([link]);
    expect(await linksOf(app, child.token)).toEqual([{ ...link, role: 'beneficiary' }]);
    const told = await factsAbout(app, link.id);
    expect(told.map(({ type }) => type)).toEqual(['familyLink.active', 'familyLink.active']);
    expect(new Set(told.map((each) => each.citizen_id)).size).toBe(2);
    await expectLaws(app);
  });

  it('needs the registry to say that the payer is the parent', async () => {
    const parent = await newPatient(app);
    const stranger = uniquePerson({ age: 9 });
    await app.register(stranger);
    const none = await requestLink(app, parent.token, wishFor('minorChild', stranger));
    expect(said(none)).toEqual([422, 'family/kinship-not-proven']);
    // The other way round: the child of the registry is not somebody's parent.
    const child = await addKin(app, parent.person, 'child', uniquePerson({ age: 9 }));
    const reversed = await requestLink(app, parent.token, wishFor('parentCare', child.person));
    expect(said(reversed)).toEqual([422, 'family/kinship-not-proven']);
    const self = await requestLink(app, parent.token, wishFor('parentCare', parent.person));
    expect(said(self)).toEqual([422, 'family/kinship-not-proven']);
    expect(await linksOf(app, child.token)).toEqual([]);
    const renamed = { ...child.person, name: '别人' };
    const misnamed = await requestLink(app, parent.token, wishFor('minorChild', renamed));
    expect(said(misnamed)).toEqual([422, 'family/kinship-not-proven']);
    expect(await linksOf(app, parent.token)).toEqual([]);
  });

  it('is refused for a child of 18 and for a payer under 18', async () => {
    const parent = await newPatient(app);
    const grown = await addKin(app, parent.person, 'child', uniquePerson({ age: 18 }));
    const reply = await requestLink(app, parent.token, wishFor('minorChild', grown.person));
    expect(said(reply)).toEqual([422, 'family/not-a-minor']);
    const child = await addKin(app, parent.person, 'child', uniquePerson({ age: 17 }));
    const wrong = await requestLink(app, child.token, wishFor('parentCare', parent.person));
    expect(said(wrong)).toEqual([422, 'credit/under-age']);
    await linkChild(app, parent, child);
  });

  it('needs no credit line; its use is declined until the payer has one', async () => {
    const parent = await newPatient(app, { isEnrolled: false });
    const child = await addKin(app, parent.person, 'child', uniquePerson({ age: 3 }));
    const link = await linkChild(app, parent, child);
    expect((await identifyAt(scene, child.person)).credit).toMatchObject({
      enrolled: false,
      payers: [{ payer: link.id, usable: '0.00' }],
    });
    const opened = await tryOpen(scene, child.person, { payer: link.id });
    expect(opened.body).toMatchObject({ hold: null, holdDecline: { code: 'credit/not-enrolled' } });
  });

  it('is there once: a second one is refused, a new one after an end is not', async () => {
    const { parent, child, link } = await parentAndChild(app);
    const wish = wishFor('minorChild', child.person);
    expect(said(await requestLink(app, parent.token, wish))).toEqual([
      409,
      'family/already-linked',
    ]);
    await app.call('DELETE', `/v1/family-links/${link.id}`, { token: parent.token });
    expect((await requestLink(app, parent.token, wish)).status).toBe(201);
  });

  it('is the first one’s reply again under the same key', async () => {
    const parent = await newPatient(app);
    const child = await addKin(app, parent.person, 'child', uniquePerson({ age: 3 }));
    const options = { token: parent.token, key: crypto.randomUUID() };
    const body = wishFor('minorChild', child.person);
    const first = await app.call('POST', '/v1/me/family-links', { ...options, body });
    await counterpartyFault(app, { mode: 'error500', on: ['kinship'] });
    const again = await app.call('POST', '/v1/me/family-links', { ...options, body });
    expect([first.status, again.text]).toEqual([201, first.text]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  it.each([
    ['a wrong ID number', { beneficiary: { name: '叶', idNumber: '350203199001010010' } }],
    ['a cap of nothing', { visitCap: '0.00' }],
    ['a cap as a number', { monthlyCap: 5 }],
    ['another kind', { kind: 'spouse' }],
    ['an unknown field', { more: 1 }],
  ])('with %s is malformed', async (_, wrong) => {
    const { token } = await newPatient(app);
    const body = { ...wishFor('minorChild', uniquePerson({ age: 3 })), ...wrong };
    expect(said(await requestLink(app, token, body))).toEqual([400, 'request/invalid']);
  });
});

describe('while the registry is away', () => {
  it.each([
    [{ mode: 'error500', on: ['kinship'] }],
    [{ mode: 'answerLost', on: ['kinship'] }],
    [{ mode: 'hang', on: ['kinship'] }],
    [{ mode: 'refuseConnection', forMs: 300 }],
  ])('by %j nothing is decided: 503 with Retry-After, and the key stays free', async (fault) => {
    const parent = await newPatient(app);
    const child = await addKin(app, parent.person, 'child', uniquePerson({ age: 3 }));
    const before = await countLinks();
    const papers = { kind: 'birthCertificate', number: 'B1' };
    const body = { ...wishFor('minorChild', child.person), papers };
    const ask = { token: parent.token, key: crypto.randomUUID(), body };
    await counterpartyFault(app, fault);
    const reply = await app.call('POST', '/v1/me/family-links', ask);
    expect(said(reply)).toEqual([503, 'service/unavailable']);
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await countLinks()).toBe(before);
    await counterpartyFault(app, { mode: 'none' });
    const later = await app.call('POST', '/v1/me/family-links', ask);
    expect(later.status, later.text).toBe(201);
  });
});

it('keeps no word of a person in clear text beside a link', async () => {
  const { child, link } = await parentAndChild(app);
  const [row] = await rows<{ text: string }>(
    app.db,
    sql`select f::text || (select string_agg(e::text, ' ') from event e) as text
      from family_link f where id = ${link.id}`,
  );
  expect(row?.text).toContain(link.id);
  expect(row?.text).not.toContain(child.person.idNumber);
  expect(row?.text).not.toContain(child.person.name);
});
