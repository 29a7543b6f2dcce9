// Role: what can be asked of the sandbox's counterparties, and what they answer from their books.
import { z } from 'zod';
import { isYuan } from '../../money.ts';
import { type Books, personHash, type Transfer } from './books.ts';
import { debtDoors, spoilDebit } from './debt-doors.ts';
import { payoutDoors } from './payout-doors.ts';

export const operations = [
  'debit',
  'credit',
  'channel',
  'score',
  'report',
  'kinship',
  'payoutFile',
  'payoutQuery',
] as const;
export type Operation = (typeof operations)[number];

const relation = z.enum(['parent', 'child']);
const personBody = z.looseObject({
  idNumber: z.string(),
  score: z.int().min(0).max(1000).optional(),
  kin: z.array(z.looseObject({ idNumber: z.string(), relation })).default([]),
});
const transferBody = z.strictObject({
  serial: z.string().min(1),
  account: z.string().min(1),
  amount: z.string().refine(isYuan),
});
const channelBody = z.strictObject({
  serial: z.string().min(1),
  hospitalCode: z.string(),
  reference: z.string().nullable(),
  account: z.string().nullable(),
  amount: z.string().refine(isYuan),
});
const scoreBody = z.looseObject({ idNumber: z.string() });
const kinshipBody = z.strictObject({ idNumber: z.string(), otherIdNumber: z.string() });

export interface Exchange {
  books: Books;
  body: unknown;
  /** Parts of the path that a pattern catches. */
  caught: string[];
  /** The bank is to refuse what it is asked. */
  isDeclining: boolean;
  /** The fault that this door was given, else "none". */
  mode: string;
  query: URLSearchParams;
}
export interface Answer {
  status: number;
  body?: unknown;
  /** Instead of a JSON body. */
  text?: string;
  contentType?: string;
}

export interface Door {
  method: string;
  path: RegExp;
  operation?: Operation;
  handle: (exchange: Exchange) => Answer;
}

export const doors: Door[] = [
  { method: 'POST', path: /^\/people$/, handle: registerPerson },
  { method: 'POST', path: /^\/scores$/, operation: 'score', handle: tellScore },
  { method: 'POST', path: /^\/kinship$/, operation: 'kinship', handle: tellKinship },
  { method: 'POST', path: /^\/lenders\/([^/]+)\/debits$/, operation: 'debit', handle: debit },
  { method: 'POST', path: /^\/lenders\/([^/]+)\/credits$/, operation: 'credit', handle: credit },
  {
    method: 'POST',
    path: /^\/channels\/([^/]+)\/refunds$/,
    operation: 'channel',
    handle: channelRefund,
  },
  { method: 'GET', path: /^\/lenders\/([^/]+)\/debits\/([^/]+)$/, handle: findDebit },
  { method: 'GET', path: /^\/lenders\/([^/]+)\/books$/, handle: showBooks },
  ...debtDoors,
  ...payoutDoors,
];

function registerPerson({ books, body }: Exchange): Answer {
  const { idNumber, score, kin } = personBody.parse(body);
  books.register({
    person: personHash(idNumber),
    ...(score === undefined ? {} : { score }),
    kin: kin.map((k) => ({ person: personHash(k.idNumber), relation: k.relation })),
  });
  return { status: 201, body: {} };
}

function tellScore({ books, body }: Exchange): Answer {
  const score = books.scoreOf(personHash(scoreBody.parse(body).idNumber));
  return score ? { status: 200, body: score } : { status: 404, body: { detail: 'no score' } };
}

function tellKinship({ books, body }: Exchange): Answer {
  const { idNumber, otherIdNumber } = kinshipBody.parse(body);
  const found = books.relationOf(personHash(idNumber), personHash(otherIdNumber));
  return { status: 200, body: { relation: found } };
}

function debit(exchange: Exchange): Answer {
  return transfer('debit', exchange);
}

function credit(exchange: Exchange): Answer {
  return transfer('credit', exchange);
}

/** Money back on the instrument it came from; in the books as a credit of "channel:<kind>". */
function channelRefund({ body, caught, ...exchange }: Exchange): Answer {
  const { serial, reference, account, amount } = channelBody.parse(body);
  return transfer('credit', {
    ...exchange,
    caught: [`channel:${caught[0] ?? ''}`],
    body: { serial, account: account ?? reference ?? 'unknown', amount },
  });
}

function transfer(kind: Transfer['kind'], exchange: Exchange): Answer {
  const { books, body, caught, isDeclining } = exchange;
  const [lender = ''] = caught;
  const wish = transferBody.parse(body);
  const made = books.transfer({
    kind,
    lender,
    ...wish,
    status: isDeclining ? 'declined' : 'paid',
    ...(isDeclining ? { reason: '余额不足 insufficient balance' } : {}),
  });
  const isSame = made.amount === wish.amount && made.account === wish.account;
  if (!isSame) return { status: 409, body: { detail: 'serial used for another transfer' } };
  spoilDebit(exchange, made);
  return { status: 200, body: made };
}

function findDebit({ books, caught }: Exchange): Answer {
  const [lender = '', serial = ''] = caught;
  const found = books.find('debit', lender, serial);
  return found ? { status: 200, body: found } : { status: 404, body: { status: 'absent' } };
}

function showBooks({ books, caught }: Exchange): Answer {
  return { status: 200, body: { data: books.transfersOf(caught[0] ?? '') } };
}
