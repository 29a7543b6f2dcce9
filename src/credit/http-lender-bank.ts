// Role: the banks over HTTP. Law: only a clean answer is believed; a refused connection is offline,
// anything doubtful is unknown and must be asked for before it is repeated.
import { z } from 'zod';
import { type Fen, formatYuan } from '../money.ts';
import { callCounterparty, type HttpAnswer } from './http-counterparty.ts';
import type { DebitAnswer, LenderBank } from './lender-bank.ts';

/** A citizen waits for this; past it the worker goes on. */
const DEADLINE_MS = 5_000;

const transferReply = z.discriminatedUnion('status', [
  z.object({ status: z.literal('paid'), bankSerial: z.string().min(1) }),
  z.object({ status: z.literal('declined'), reason: z.string() }),
]);

interface Transfer {
  serial: string;
  account: string;
  amount: Fen;
}

export function makeHttpLenderBank(options: { url: string; apiKey: string }): LenderBank {
  const base = options.url.replace(/\/$/, '');
  const pathOf = (lender: string, kind: string) =>
    `${base}/lenders/${encodeURIComponent(lender)}/${kind}`;
  const transfer = async (url: string, { serial, account, amount }: Transfer) =>
    answerOf(
      await callCounterparty({
        url,
        apiKey: options.apiKey,
        method: 'POST',
        body: { serial, account, amount: formatYuan(amount) },
        deadlineMs: DEADLINE_MS,
      }),
    );

  return {
    debit: (lender, debit) => transfer(pathOf(lender, 'debits'), debit),
    payBack: (lender, credit) => transfer(pathOf(lender, 'credits'), credit),
    async findDebit(lender, serial) {
      const answer = await callCounterparty({
        url: `${pathOf(lender, 'debits')}/${encodeURIComponent(serial)}`,
        apiKey: options.apiKey,
        method: 'GET',
        deadlineMs: DEADLINE_MS,
      });
      if (isAbsent(answer)) return { outcome: 'absent' };
      return answerOf(answer);
    },
  };
}

function answerOf(answer: HttpAnswer): DebitAnswer {
  if (answer.outcome === 'refused') return { outcome: 'offline' };
  if (answer.outcome === 'unknown' || answer.status !== 200) return { outcome: 'unknown' };
  const parsed = transferReply.safeParse(answer.body);
  if (!parsed.success) return { outcome: 'unknown' };
  const { data } = parsed;
  return data.status === 'paid'
    ? { outcome: 'paid', bankSerial: data.bankSerial }
    : { outcome: 'declined', reason: data.reason };
}

/** The bank itself says that it has no such debit; a bare 404 of a proxy proves nothing. */
function isAbsent(answer: HttpAnswer): boolean {
  const absent = z.object({ status: z.literal('absent') });
  return (
    answer.outcome === 'answered' && answer.status === 404 && absent.safeParse(answer.body).success
  );
}
