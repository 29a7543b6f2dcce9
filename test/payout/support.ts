// Shorthand for tests of payouts: makers and checkers, the sandbox lender's own books and faults.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { expect } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { runDueJobs } from '../../src/outbox/jobs.ts';
import { sendPayoutFile } from '../../src/payout/send-payout-file.ts';
import { sandboxSecrets } from '../../src/sandbox/secrets.ts';
import { chargedVisit, newPatient, type Scene, settle } from '../settlement/support.ts';
import type { ReplyBody, TestApp, TestReply } from '../support/app.ts';

const DAY_SECONDS = 86_400;

/** Today in Shanghai as business time has it. */
export async function today(app: TestApp): Promise<string> {
  const [row] = await rows<{ day: string }>(
    app.db,
    sql`select business_date(business_now())::text as day`,
  );
  return row?.day ?? '';
}

/** Moves business time so many days from real time. */
export const toDay = (app: TestApp, days: number) => app.clock(days * DAY_SECONDS);

/** A patient whose bill of 300.00 is wholly on credit. */
export async function onCredit(scene: Scene): Promise<{ settlement: ReplyBody; token: string }> {
  const { person, token } = await newPatient(scene.app);
  const visit = await chargedVisit(scene, person);
  const reply = await settle(scene, visit.id, { insurance: 'skip' });
  expect(reply.status, reply.text).toBe(200);
  return { settlement: reply.body, token };
}

export async function refundLine(scene: Scene, settlementId: string, lineNumber: number) {
  const reply = await scene.app.call('POST', `/v1/settlements/${settlementId}/refunds`, {
    token: scene.terminal,
    body: { lines: [{ lineNumber }], reason: '退费' },
  });
  expect(reply.status, reply.text).toBe(201);
}

export interface Desk {
  make(body: Record<string, unknown>): Promise<TestReply>;
  approve(payoutId: string, role?: 'financeMaker' | 'financeChecker'): Promise<TestReply>;
  decline(payoutId: string): Promise<TestReply>;
  returned(payoutId: string, body?: Record<string, unknown>): Promise<TestReply>;
  read(target: string, accept?: string): Promise<TestReply>;
}

export async function deskOf(app: TestApp): Promise<Desk> {
  const maker = await app.token('financeMaker');
  const checker = await app.token('financeChecker');
  const act = (id: string, verb: string, token: string, body?: Record<string, unknown>) =>
    app.call('POST', `/v1/payouts/${id}/${verb}`, { token, ...(body ? { body } : {}) });
  return {
    make: (body) => app.call('POST', '/v1/payouts', { token: maker, body }),
    approve: (id) => act(id, 'approve', checker),
    decline: (id) => act(id, 'decline', checker),
    returned: (id, body = { reason: '账号已销户' }) => act(id, 'returned', maker, body),
    read: (target, accept = 'application/json') =>
      app.call('GET', target, { token: checker, headers: { accept } }),
  };
}

/** Runs the jobs of payouts that are due, at once even if they were put off. */
export async function runPayoutJobs(app: TestApp): Promise<void> {
  await app.db.execute(
    sql`update job set next_attempt_at = clock_timestamp() where kind = 'sendPayoutFile'`,
  );
  await runDueJobs(app.deps, { sendPayoutFile }, 20);
}

/** The sandbox's counterparties themselves: their books, their faults. */
export async function atBank(
  app: TestApp,
  method: string,
  target: string,
  body?: unknown,
): Promise<{ status: number; text: string; body: ReplyBody }> {
  const dataDir = app.deps.env.EGRET_DATA_DIR;
  const file = path.join(dataDir, 'sandbox', 'counterparties.json');
  const { ports } = JSON.parse(readFileSync(file, 'utf8'));
  const reply = await fetch(`http://127.0.0.1:${ports.port}${target}`, {
    method,
    headers: { authorization: `Bearer ${sandboxSecrets(dataDir).counterpartiesKey}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await reply.text();
  const isJson = reply.headers.get('content-type')?.includes('json');
  return { status: reply.status, text, body: isJson ? JSON.parse(text) : undefined };
}

export const bankFault = (app: TestApp, mode: string, on: string[] = ['payoutFile']) =>
  atBank(app, 'PUT', '/faults', { mode, on });

/** What the lender itself booked under this end-to-end id. */
export async function bookedAtBank(app: TestApp, lender: string, endToEndId: string) {
  const { body } = await atBank(app, 'GET', `/lenders/${lender}/payout-files`);
  return body.data
    .flatMap((file: ReplyBody) => file.bookings)
    .filter((booking: ReplyBody) => booking.endToEndId === endToEndId) as ReplyBody[];
}

/** Balance of an account in fen, debit positive. */
export async function balance(
  app: TestApp,
  ownerKind: 'H' | 'B',
  owner: string,
  account: string,
): Promise<bigint> {
  const [row] = await rows<{ sum: bigint }>(
    app.db,
    sql`select coalesce(sum(amount), 0)::bigint as sum from posting
    where owner_kind = ${ownerKind} and owner = ${owner} and account = ${account}`,
  );
  return row?.sum ?? 0n;
}
