// The refund channels over HTTP. Law: only a clean answer is believed; doubt is asked again with the
// same serial, which the channel pays once.
import { z } from 'zod';
import { callCounterparty } from '../credit/http-counterparty.ts';
import { formatYuan } from '../money.ts';
import type { RefundChannel } from './refund-channel.ts';

const DEADLINE_MS = 5_000;

const reply = z.discriminatedUnion('status', [
  z.object({ status: z.literal('paid'), bankSerial: z.string().min(1) }),
  z.object({ status: z.literal('declined'), reason: z.string() }),
]);

export function makeHttpRefundChannel(options: { url: string; apiKey: string }): RefundChannel {
  const base = options.url.replace(/\/$/, '');
  return {
    async payBack({ kind, amount, ...refund }) {
      const answer = await callCounterparty({
        url: `${base}/channels/${kind}/refunds`,
        apiKey: options.apiKey,
        method: 'POST',
        body: { ...refund, amount: formatYuan(amount) },
        deadlineMs: DEADLINE_MS,
      });
      if (answer.outcome === 'refused') return { outcome: 'offline' };
      if (answer.outcome === 'unknown' || answer.status !== 200) return { outcome: 'unknown' };
      const parsed = reply.safeParse(answer.body);
      if (!parsed.success) return { outcome: 'unknown' };
      return parsed.data.status === 'paid'
        ? { outcome: 'paid', bankSerial: parsed.data.bankSerial }
        : { outcome: 'declined', reason: parsed.data.reason };
    },
  };
}
