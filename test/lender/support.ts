// Shorthand for tests of lenders: people who owe through the counter, operators, and their calls.

import { sql } from 'drizzle-orm';
import { expect } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { formatYuan } from '../../src/money.ts';
import {
  charge,
  type Enrolled,
  item,
  newPatient,
  openVisit,
  type Scene,
  settle,
} from '../settlement/support.ts';
import type { ReplyBody, TestApp, TestReply } from '../support/app.ts';

export interface Owing extends Enrolled {
  lineId: string;
  receivableId: string;
  settlementId: string;
}

let numbers = 0;
export const nextNotice = () => `N${Date.now()}${(numbers++).toString()}`;

/** Somebody who owes this for one bill, self-paid on credit. */
export async function owing(scene: Scene, amount = '50.00'): Promise<Owing> {
  const { app } = scene;
  const patient = await newPatient(app);
  const bill = await oweMore(scene, patient, amount);
  const line = await app.call('GET', '/v1/me/credit-line', { token: patient.token });
  return { ...patient, ...bill, lineId: line.body.id };
}

export async function oweMore(scene: Scene, { person }: Enrolled, amount: string) {
  const visit = await openVisit(scene, person);
  await charge(scene, visit.id, [item(1, amount)]);
  const settled = await settle(scene, visit.id, { insurance: 'skip' });
  expect(settled.body, settled.text).toMatchObject({ status: 'settled', dueAtCounter: '0.00' });
  return {
    receivableId: settled.body.receivableId as string,
    settlementId: settled.body.id as string,
  };
}

export const notify = (
  app: TestApp,
  token: string,
  notice: Record<string, unknown>,
): Promise<TestReply> =>
  app.call('POST', '/v1/lender/notices', {
    token,
    body: { number: nextNotice(), reason: '银行通知', ...notice },
  });

export async function told(app: TestApp, token: string, notice: Record<string, unknown>) {
  const reply = await notify(app, token, notice);
  expect(reply.status, reply.text).toBeLessThan(300);
  return reply.body as ReplyBody;
}

export async function debtOf(app: TestApp, token: string, id: string): Promise<ReplyBody> {
  const { body } = await app.call('GET', '/v1/me/receivables?limit=100', { token });
  return body.data.find((each: ReplyBody) => each.id === id);
}

/** Legs of one fact about a settlement or repayment: "B 1311 50.00". */
export async function legsOf(app: TestApp, fact: string, citizenToken: string): Promise<string[]> {
  const line = await app.call('GET', '/v1/me/credit-line', { token: citizenToken });
  const found = await rows<{ account: string; amount: bigint }>(
    app.db,
    sql`
    select p.account, p.amount from posting p join journal_entry e on e.id = p.entry_id
    where e.fact = ${fact} and p.owner_kind = 'B' and p.citizen_id =
      (select citizen_id from credit_line where id = ${line.body.id})
    order by p.entry_id, p.leg`,
  );
  return found.map(({ account, amount }) => `${account} ${formatYuan(amount)}`);
}
