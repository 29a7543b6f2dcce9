// What the people of a link do, for tests: ask, accept, change caps, end, enrol, look at debts.
import { sql } from 'drizzle-orm';
import { expect } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { type Enrolled, newPatient } from '../settlement/support.ts';
import type { ReplyBody, TestApp, TestReply } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { addKin, type Relative, requestLink, wishFor } from './support.ts';

type By = { token: string };

export const accept = (
  app: TestApp,
  linkId: string,
  token: string,
  body?: object,
): Promise<TestReply> =>
  app.call('POST', `/v1/family-links/${linkId}/accept`, { token, ...(body ? { body } : {}) });

export const end = (app: TestApp, link: ReplyBody, by: By): Promise<TestReply> =>
  app.call('DELETE', `/v1/family-links/${link.id}`, { token: by.token });

export const patchCaps = (
  app: TestApp,
  link: ReplyBody,
  by: By,
  caps: object,
  ifMatch: string | null = '*',
): Promise<TestReply> =>
  app.call('PATCH', `/v1/family-links/${link.id}`, {
    token: by.token,
    body: caps,
    headers: ifMatch === null ? {} : { 'if-match': ifMatch },
  });

export const linksOf = async (app: TestApp, token: string): Promise<ReplyBody[]> =>
  (await app.call('GET', '/v1/me/family-links', { token })).body.data;

/** The facts about a link, oldest first: which, and who is told. */
export const factsAbout = (app: TestApp, linkId: string) =>
  rows<{ type: string; citizen_id: string }>(
    app.db,
    sql`select type, citizen_id from event where data ->> 'linkId' = ${linkId} order by id`,
  );

export const enrol = (app: TestApp, token: string): Promise<TestReply> =>
  app.call('POST', '/v1/enrolments', {
    token,
    body: {
      agreementVersion: '1',
      consents: ['creditEnquiry', 'healthPayment', 'autoDebit'],
      repaymentAccount: { bankCode: 'LWB', token: 'acc' },
    },
  });

export const owedOf = async (app: TestApp, of: By): Promise<ReplyBody[]> =>
  (await app.call('GET', '/v1/me/receivables', { token: of.token })).body.data;

/** An enrolled adult and a parent (70) of the registry, without a link. */
export async function adultAndParent(app: TestApp): Promise<{ adult: Enrolled; parent: Relative }> {
  const adult = await newPatient(app);
  const parent = await addKin(app, adult.person, 'parent', uniquePerson({ age: 70 }));
  return { adult, parent };
}

/** A link to a parent, asked for and accepted in the app. */
export async function careFor(app: TestApp, adult: Enrolled, parent: Relative): Promise<ReplyBody> {
  const made = await requestLink(app, adult.token, wishFor('parentCare', parent.person));
  const accepted = await accept(app, made.body.id, parent.token);
  expect(accepted.status, accepted.text).toBe(200);
  return accepted.body;
}
