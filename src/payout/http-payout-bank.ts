// Role: the lenders' payout desks over HTTP. Law: only a clean answer is believed.
import { z } from 'zod';
import { callCounterparty, type HttpAnswer } from '../credit/http-counterparty.ts';
import { formatYuan } from '../money.ts';
import type { PayoutBank, PayoutFileAnswer } from './payout-bank.ts';

/** Nobody waits for a file at a counter; a bank that takes longer is asked again. */
const DEADLINE_MS = 5_000;

const fileReply = z.discriminatedUnion('status', [
  z.object({ status: z.literal('accepted'), bankFileId: z.string().min(1) }),
  z.object({ status: z.literal('refused'), reason: z.string() }),
]);
const absentReply = z.object({ status: z.literal('absent') });

export function makeHttpPayoutBank(options: { url: string; apiKey: string }): PayoutBank {
  const base = options.url.replace(/\/$/, '');
  const filesOf = (lender: string) => `${base}/lenders/${encodeURIComponent(lender)}/payout-files`;
  const { apiKey } = options;
  return {
    async sendFile(lender, { fileId, bookOn, payments }) {
      const answer = await callCounterparty({
        url: filesOf(lender),
        apiKey,
        method: 'POST',
        body: {
          fileId,
          bookOn,
          payments: payments.map((p) => ({ ...p, amount: formatYuan(p.amount) })),
        },
        deadlineMs: DEADLINE_MS,
      });
      return answerOf(answer);
    },
    async findFile(lender, fileId) {
      const answer = await callCounterparty({
        url: `${filesOf(lender)}/${encodeURIComponent(fileId)}`,
        apiKey,
        method: 'GET',
        deadlineMs: DEADLINE_MS,
      });
      return isAbsent(answer) ? { outcome: 'absent' } : answerOf(answer);
    },
  };
}

function answerOf(answer: HttpAnswer): PayoutFileAnswer {
  if (answer.outcome === 'refused') return { outcome: 'offline' };
  if (answer.outcome === 'unknown' || answer.status !== 200) return { outcome: 'unknown' };
  const parsed = fileReply.safeParse(answer.body);
  if (!parsed.success) return { outcome: 'unknown' };
  const { data } = parsed;
  return data.status === 'accepted'
    ? { outcome: 'accepted', bankFileId: data.bankFileId }
    : { outcome: 'refused', reason: data.reason };
}

/** The bank itself says that it has no such file; a bare 404 of a proxy proves nothing. */
function isAbsent(answer: HttpAnswer): boolean {
  return (
    answer.outcome === 'answered' &&
    answer.status === 404 &&
    absentReply.safeParse(answer.body).success
  );
}
