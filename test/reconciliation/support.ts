// Shorthand for tests of reconciliation: bills paid at a counter, the hospital's day file about them, and what
// a run finds.
import { expect } from 'vitest';
import { hospitalColumns } from '../../src/reconciliation/files/hospital.ts';
import {
  charge,
  item,
  newPatient,
  nextNumber,
  openVisit,
  type Scene,
  settle,
} from '../settlement/support.ts';
import type { ReplyBody, TestApp, TestReply } from '../support/app.ts';

const DAY_SECONDS = 86_400;

/** Business time at `hour` in Shanghai, `days` after today: far from the cut between days. */
export async function atHour(app: TestApp, hour: number, days = 1): Promise<string> {
  const shanghai = Math.floor(Date.now() / 1000) + 8 * 3600;
  const midnight = shanghai - (shanghai % DAY_SECONDS);
  const wanted = midnight + days * DAY_SECONDS + Math.round(hour * 3600);
  await app.clock(wanted - shanghai);
  return new Date(wanted * 1000).toISOString().slice(0, 10);
}

export interface Paid {
  settlement: ReplyBody;
  visitNumber: string;
  receipt: string | null;
}

/** A self-paid bill of these counter tenders, [kind, amount] each. */
export async function paidBill(
  scene: Scene,
  parts: [kind: string, amount: string][],
  options: { receipt?: string | null } = {},
): Promise<Paid> {
  const { person } = await newPatient(scene.app, { isEnrolled: false });
  const visitNumber = nextNumber('V');
  const visit = await openVisit(scene, person, { visitNumber });
  await charge(
    scene,
    visit.id,
    parts.map(([, amount], index) => item(index + 1, amount)),
  );
  const receipt = options.receipt === undefined ? nextNumber('R') : options.receipt;
  const reply = await settle(scene, visit.id, {
    insurance: 'skip',
    counterTenders: parts.map(([kind, amount]) => ({ kind, amount, reference: nextNumber('T') })),
    ...(receipt ? { receiptNumber: receipt } : {}),
  });
  expect(reply.status, reply.text).toBe(200);
  return { settlement: reply.body, visitNumber, receipt };
}

export interface HisRow {
  businessDate: string;
  fixmedinsCode: string;
  receiptNumber: string;
  refundOf: string;
  visitNumber: string;
  settlementId: string;
  setlId: string;
  invoiceNumber: string;
  kind: string;
  amount: string;
  occurredAt: string;
  shift: string;
  operator: string;
}

/** What the hospital's system writes about a bill: a row a tender. */
export function hisRows(scene: Scene, paid: Paid, change: Partial<HisRow> = {}): HisRow[] {
  const { settlement, visitNumber, receipt } = paid;
  return settlement.tenders.map((tender: { kind: string; amount: string }) => ({
    businessDate: settlement.businessDate,
    fixmedinsCode: scene.hospitalCode,
    receiptNumber: receipt ?? nextNumber('H'),
    refundOf: '',
    visitNumber,
    settlementId: settlement.id,
    setlId: '',
    invoiceNumber: '',
    kind: tender.kind,
    amount: tender.amount,
    occurredAt: `${settlement.businessDate}T12:00:00+08:00`,
    shift: 'A',
    operator: '王',
    ...change,
  }));
}

export function hisFile(rows: readonly HisRow[]): string {
  return [
    hospitalColumns.join(','),
    ...rows.map((row) => hospitalColumns.map((name) => row[name]).join(',')),
  ]
    .map((line) => `${line}\r\n`)
    .join('');
}

/** Sends a file; `query` names counterparty and day. */
export function send(
  app: TestApp,
  token: string,
  query: Record<string, string>,
  file: string,
): Promise<TestReply> {
  return app.call('POST', `/v1/reconciliations?${new URLSearchParams(query)}`, {
    token,
    body: file,
    headers: { 'content-type': 'text/csv' },
  });
}

/** Sends a hospital's day and reads the run. */
export async function reconcile(
  scene: Scene,
  token: string,
  businessDate: string,
  rows: readonly HisRow[],
): Promise<ReplyBody> {
  const query = { counterparty: 'hospital', businessDate, hospital: scene.hospitalCode };
  const sent = await send(scene.app, token, query, hisFile(rows));
  expect(sent.status, sent.text).toBe(202);
  return readRun(scene.app, token, sent.body.id);
}

export async function readRun(app: TestApp, token: string, id: string): Promise<ReplyBody> {
  const reply = await app.call('GET', `/v1/reconciliations/${id}`, { token });
  expect(reply.status, reply.text).toBe(200);
  return reply.body;
}

export async function breaksOf(app: TestApp, token: string, id: string): Promise<ReplyBody[]> {
  const reply = await app.call('GET', `/v1/reconciliations/${id}/breaks?limit=100`, { token });
  expect(reply.status, reply.text).toBe(200);
  return reply.body.data;
}
