// What is under way when the service is killed: settlements, one-scan payments, refunds, repayments.
// Each case knows the one request that may be cut off and what must be true once it was repeated.
import { expect } from 'vitest';
import { fen } from '../settlement/support.ts';
import type { ReplyBody } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { waitFor } from '../support/wait-for.ts';
import type { Answered, KillableService, Request } from './crash-service.ts';

export const caseKinds = ['settle', 'oneScan', 'refundAll', 'refundLine', 'repay'] as const;
export type CaseKind = (typeof caseKinds)[number];

export interface Case {
  kind: CaseKind;
  request: Request;
  visitNumber: string;
  citizen: string;
  /** Owed on credit before the request, in fen. */
  owedBefore: bigint;
  settlementId: string | null;
}

export interface Tokens {
  terminal: string;
  auditor: string;
}

const HOSPITAL = 'H35020000001';
const items = [
  { lineNumber: 1, code: 'X1', name: '项目一', quantity: '1', unitPrice: '100', amount: '100.00' },
  { lineNumber: 2, code: 'X2', name: '项目二', quantity: '4', unitPrice: '50', amount: '200.00' },
];

export async function tokensOf(service: KillableService): Promise<Tokens> {
  const token = async (body: unknown) =>
    (await service.call('POST', '/sandbox/tokens', { body })).accessToken as string;
  return {
    terminal: await token({ role: 'terminal', hospitalCode: HOSPITAL }),
    auditor: await token({ role: 'auditor' }),
  };
}

/** Prepares everything up to the request that may be cut off. */
export async function prepare(
  service: KillableService,
  { terminal }: Tokens,
  kind: CaseKind,
  name: string,
): Promise<Case> {
  const { person, citizen } = await newCitizen(service);
  const visitNumber = name;
  const opening = {
    visitNumber,
    kind: 'outpatient',
    credential: { kind: 'idCard', number: person.idNumber },
    usePersonalAccount: true,
  };
  const cash = [{ kind: 'cash', amount: '12.50', reference: `${name}-cash` }];
  const request = { method: 'POST', token: terminal, key: `${name}-key` };
  const base = { kind, visitNumber, citizen, owedBefore: 0n, settlementId: null };
  if (kind === 'oneScan') {
    const body = { ...opening, charges: items, counterTenders: cash };
    return { ...base, request: { ...request, path: '/v1/one-scan-payments', body } };
  }
  const visit = await service.call('POST', '/v1/visits', { token: terminal, body: opening });
  await service.call('POST', `/v1/visits/${visit.id}/charges`, {
    token: terminal,
    body: { batch: '1', items },
  });
  const path = `/v1/visits/${visit.id}/settlement`;
  const body = { counterTenders: cash };
  if (kind === 'settle') return { ...base, request: { ...request, path, body } };
  const settled = await service.call('POST', path, { token: terminal, body });
  const line = await service.call('GET', '/v1/me/credit-line', { token: citizen });
  const known = { ...base, owedBefore: fen(line.outstanding), settlementId: settled.id as string };
  if (kind === 'repay') {
    const wish = { path: '/v1/me/repayments', token: citizen, body: { amount: '10.00' } };
    return { ...known, request: { ...request, ...wish } };
  }
  const which = kind === 'refundAll' ? { all: true } : { lines: [{ lineNumber: 1 }] };
  const refund = {
    path: `/v1/settlements/${settled.id}/refunds`,
    body: { ...which, reason: '退费' },
  };
  return { ...known, request: { ...request, ...refund } };
}

async function newCitizen(service: KillableService) {
  const person = uniquePerson();
  const insurance = {
    status: 'active',
    type: 'employee',
    region: '350200',
    accountBalance: '20.00',
  };
  await service.call('POST', '/sandbox/people', { body: { ...person, score: 650, insurance } });
  const role = { role: 'citizen', citizen: person };
  const { accessToken } = await service.call('POST', '/sandbox/tokens', { body: role });
  await service.call('POST', '/v1/enrolments', {
    token: accessToken,
    body: {
      agreementVersion: '1',
      consents: ['creditEnquiry', 'healthPayment', 'autoDebit'],
      repaymentAccount: { bankCode: 'LWB', token: `acc-${person.idNumber}` },
    },
  });
  return { person, citizen: accessToken as string };
}

/** What must be true of a case once its request was repeated until an answer stayed. */
export async function expectOnce(
  service: KillableService,
  tokens: Tokens,
  done: Case,
  answer: Answered,
): Promise<void> {
  const expected = { settle: [200], oneScan: [201], repay: [201, 202] } as const;
  const statuses: readonly number[] =
    done.kind in expected ? expected[done.kind as keyof typeof expected] : [201, 202];
  expect(statuses, `${done.kind}: ${answer.text}`).toContain(answer.status);
  if (done.kind === 'repay') await waitForRepayment(service, done, answer.body.id);
  if (done.kind.startsWith('refund')) await waitForRefund(service, tokens, answer.body.id);
  const visit = await onlyVisit(service, tokens, done);
  expect(visit.status).toBe('settled');
  expect(visit.settlementIds).toHaveLength(1);
  const read = () =>
    service.call('GET', `/v1/settlements/${visit.settlementIds[0]}`, { token: tokens.terminal });
  const settlement: ReplyBody = await read();
  if (done.settlementId) expect(settlement.id).toBe(done.settlementId);
  else expect(settlement.id).toBe((answer.body.settlement ?? answer.body).id);
  await expectOneClaim(service, done, settlement, read);
  await expectOneCapture(service, done, settlement);
}

async function onlyVisit(service: KillableService, { terminal }: Tokens, done: Case) {
  const target = `/v1/visits?visitNumber=${done.visitNumber}`;
  const found = await service.call('GET', target, { token: terminal });
  const alive = found.data.filter((v: ReplyBody) => v.status !== 'cancelled');
  expect(alive).toHaveLength(1);
  return alive[0] as ReplyBody;
}

/** At most one live claim at any time; exactly the one that we show once nothing is awaited. */
async function expectOneClaim(
  service: KillableService,
  done: Case,
  settlement: ReplyBody,
  read: () => Promise<ReplyBody>,
): Promise<void> {
  const target = `/sandbox/insurer/claims?hospitalCode=${HOSPITAL}&visitNumber=${done.visitNumber}`;
  const live = async () =>
    (await service.call('GET', target)).data.filter((c: ReplyBody) => c.status === 'settled');
  expect((await live()).length).toBeLessThanOrEqual(1);
  const settled = await waitFor(
    async () => {
      const now = await read();
      if (now.insurance.status !== 'awaitingInsurance') return now;
      await service.letLeasesRunOut();
      return null;
    },
    { timeoutMs: 60_000, what: `the truth about ${settlement.id}` },
  );
  const claims = await live();
  const isClaimed = ['claimed', 'converted'].includes(settled.insurance.status);
  expect(claims.map((c: ReplyBody) => c.setlId)).toEqual(
    isClaimed ? [settled.insurance.claimId] : [],
  );
  if (isClaimed) expect(claims[0].medfeeSumamt).toBe(settled.refundable);
}

/** Credit was captured once and is owed once: line, receivable and tender say the same. */
async function expectOneCapture(service: KillableService, done: Case, settlement: ReplyBody) {
  const line = await service.call('GET', '/v1/me/credit-line', { token: done.citizen });
  const owed = await service.call('GET', '/v1/me/receivables', { token: done.citizen });
  expect(line.held).toBe('0.00');
  expect(owed.data.length).toBeLessThanOrEqual(1);
  expect(fen(owed.data[0]?.outstanding ?? '0.00')).toBe(fen(line.outstanding));
  if (done.kind === 'repay') {
    expect(fen(line.outstanding)).toBe(done.owedBefore - 1_000n);
    expect(owed.data[0].paid).toBe('10.00');
  }
  if (done.kind === 'refundAll') expect(line.outstanding).toBe('0.00');
  if (done.kind === 'refundLine') {
    expect(settlement.status).toBe('partlyRefunded');
    expect(settlement.refundable).toBe('200.00');
  }
}

async function waitForRefund(service: KillableService, tokens: Tokens, id: string): Promise<void> {
  await waitFor(
    async () => {
      const now = await service.call('GET', `/v1/refunds/${id}`, { token: tokens.terminal });
      expect(now.status).not.toBe('failed');
      if (now.status === 'completed') return true;
      await service.letLeasesRunOut();
      return false;
    },
    { timeoutMs: 60_000, what: `refund ${id}` },
  );
}

async function waitForRepayment(service: KillableService, done: Case, id: string): Promise<void> {
  await waitFor(
    async () => {
      const list = await service.call('GET', '/v1/me/repayments', { token: done.citizen });
      expect(list.data.map((r: ReplyBody) => r.id)).toEqual([id]);
      if (list.data[0].status === 'paid') return true;
      await service.letLeasesRunOut();
      return false;
    },
    { timeoutMs: 60_000, what: `repayment ${id}` },
  );
}
