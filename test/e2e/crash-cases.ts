// What is under way when the service (or its database) is killed: each case is one visit, how its bill
// came to be, and the one request that may be cut off.
import { uniquePerson } from '../support/people.ts';
import type { Answered, KillableService, Request } from './crash-service.ts';

/** `late…`: the bill was closed without the insurer and is converted meanwhile. */
export const calmKinds = ['settle', 'oneScan', 'refundAll', 'refundLine', 'repay', 'ask'] as const;
export const lateKinds = [
  'late',
  'lateRefundLine',
  'lateRefundAll',
  'lateRepay',
  'lateOptOut',
] as const;
export type CaseKind = (typeof calmKinds)[number] | (typeof lateKinds)[number];

export interface Case {
  kind: CaseKind;
  visitNumber: string;
  citizen: string;
  /** How the bill is closed while the insurer fails; null: it was closed before, or is not yet. */
  settling: Request | null;
  /** What else is asked of it while conversions drain; needs `settlementId`. */
  request: ((settlementId: string) => Request) | null;
  /** Of the bill, as soon as it is closed. */
  settlementId: string | null;
  /** Kept answers, by method and key. */
  answers: Map<string, Answered>;
}

export interface Tokens {
  terminal: string;
  auditor: string;
}

const HOSPITAL = 'H35020000001';
/** The default credit of 3,000.00 carries what these leave of 300.00. */
const mixes: readonly (readonly [kind: string, amount: string])[][] = [
  [],
  [],
  [['wechatPay', '300.00']],
  [['alipay', '300.00']],
  [['cash', '12.50']],
  [
    ['wechatPay', '100.00'],
    ['alipay', '150.00'],
  ],
  [
    ['cash', '120.00'],
    ['bankCard', '80.00'],
  ],
];
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

/** Prepares everything up to the request that may be cut off; `mix`: how the patient pays. */
export async function prepare(
  service: KillableService,
  { terminal }: Tokens,
  plan: { kind: CaseKind; visitNumber: string; mix: number },
): Promise<Case> {
  const { kind, visitNumber } = plan;
  const { person, citizen } = await newCitizen(service);
  const base = { kind, visitNumber, citizen, settlementId: null, answers: new Map() };
  const opening = {
    visitNumber,
    kind: 'outpatient',
    credential: { kind: 'idCard', number: person.idNumber },
    usePersonalAccount: true,
  };
  // A debt that can be repaid in part is on credit alone.
  const mix = kind.endsWith('epay') ? [] : (mixes[plan.mix % mixes.length] ?? []);
  const counterTenders = mix.map(([tender, amount]) => ({
    kind: tender,
    amount,
    reference: `${visitNumber}-${tender}`,
  }));
  const post = (path: string, body: unknown, token = terminal): Request => {
    return { method: 'POST', path, token, key: `${visitNumber}-${path.split('/').at(-1)}`, body };
  };
  if (kind === 'oneScan') {
    const body = { ...opening, charges: items, counterTenders };
    return { ...base, settling: post('/v1/one-scan-payments', body), request: null };
  }
  const visit = await service.call('POST', '/v1/visits', { token: terminal, body: opening });
  await service.call('POST', `/v1/visits/${visit.id}/charges`, {
    token: terminal,
    body: { batch: '1', items },
  });
  const path = `/v1/visits/${visit.id}/settlement`;
  const isSkipped = kind === 'ask';
  const body = { counterTenders, ...(isSkipped ? { insurance: 'skip' } : {}) };
  const request = followUp(kind, post, { terminal, citizen });
  if (kind === 'settle' || kind.startsWith('late')) {
    return { ...base, settling: post(path, body), request };
  }
  const settled = await service.call('POST', path, { token: terminal, body });
  return { ...base, settling: null, request, settlementId: settled.id };
}

function followUp(
  kind: CaseKind,
  post: (path: string, body: unknown, token?: string) => Request,
  { terminal, citizen }: { terminal: string; citizen: string },
): Case['request'] {
  switch (kind) {
    case 'settle':
    case 'oneScan':
    case 'late':
      return null;
    case 'refundAll':
    case 'lateRefundAll':
      return (id) => post(`/v1/settlements/${id}/refunds`, { all: true, reason: '退费' });
    case 'refundLine':
    case 'lateRefundLine':
      return (id) =>
        post(`/v1/settlements/${id}/refunds`, { lines: [{ lineNumber: 1 }], reason: '退药' });
    case 'repay':
    case 'lateRepay':
      return () => post('/v1/me/repayments', { amount: '10.00' }, citizen);
    case 'ask':
      return (id) =>
        post(`/v1/settlements/${id}/conversion`, { cause: 'forgottenCredential' }, terminal);
    case 'lateOptOut':
      return (id) => {
        const path = `/v1/settlements/${id}/conversion`;
        return { method: 'DELETE', path, token: citizen, key: '', body: undefined };
      };
  }
  return kind satisfies never;
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
