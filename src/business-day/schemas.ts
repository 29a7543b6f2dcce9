// A business day on the wire.
import { z } from 'zod';
import { businessDateReply, businessDateText, timeReply, yuanReply } from '../http/schemas.ts';
import type { ListedBreak } from './day-breaks.ts';
import type { DayRow } from './day-store.ts';
import type { DayTotals } from './day-totals.ts';

export const dayParams = z.object({ date: businessDateText });

const status = z.enum(['open', 'provisional', 'closed']).meta({
  description: 'provisional: over, its totals as of the look after midnight; closed: frozen',
});

const totalsReply = z.object({
  entries: z.int(),
  billed: yuanReply,
  refunded: yuanReply,
  byFact: z.array(z.object({ fact: z.string(), count: z.int() })),
  byAccount: z.array(
    z.object({ ownerKind: z.string(), account: z.string(), debit: yuanReply, credit: yuanReply }),
  ),
});

const breakReply = z.object({
  id: z.string(),
  businessDate: businessDateReply,
  counterparty: z.string(),
  scope: z.string(),
  kind: z.string(),
  subject: z.string(),
  hospitalCode: z.string().nullable(),
  ourAmount: yuanReply.nullable(),
  theirAmount: yuanReply.nullable(),
  status: z.string(),
  owner: z.string().nullable(),
  isSelfClearing: z.boolean(),
});

const hash = z.string().regex(/^[0-9a-f]{64}$/);

export const daySummaryReply = z.object({
  date: businessDateReply,
  status,
  entries: z.int(),
  hash: hash.nullable(),
  previousHash: hash.nullable(),
  computedAt: timeReply.nullable(),
  closedAt: timeReply.nullable(),
  closedBy: z.string().nullable(),
});

export const dayReply = daySummaryReply.extend({
  totals: totalsReply,
  breaks: z.array(breakReply),
});

export function summaryView(row: DayRow): z.output<typeof daySummaryReply> {
  return {
    date: row.date,
    status: row.status as 'provisional' | 'closed',
    entries: row.entryCount,
    hash: row.hash,
    previousHash: row.previousHash,
    computedAt: row.computedAt.toISOString(),
    closedAt: row.closedAt?.toISOString() ?? null,
    closedBy: row.closedBy,
  };
}

/** A day that was closed or looked at, as the hash has it. */
export function dayView(row: DayRow): z.output<typeof dayReply> {
  const { totals, breaks } = row as { totals: DayTotals; breaks: ListedBreak[] };
  return { ...summaryView(row), totals, breaks };
}

/** A day that nobody looked at yet, as it is now. */
export function openView(
  date: string,
  totals: DayTotals,
  breaks: ListedBreak[],
): z.output<typeof dayReply> {
  const nothing = {
    hash: null,
    previousHash: null,
    computedAt: null,
    closedAt: null,
    closedBy: null,
  };
  return { date, status: 'open', entries: totals.entries, ...nothing, totals, breaks };
}
