// What finance asks and gets of the books, on the wire: money as yuan strings, debit and credit apart.
import { z } from 'zod';
import {
  businessDateReply,
  businessDateText,
  idOf,
  pageQuery,
  shortText,
  timeReply,
  timeText,
  yuanReply,
} from '../http/schemas.ts';
import { formatYuan } from '../money.ts';
import type { TrialBalance } from './balances.ts';
import { accountCodes, accountName } from './chart.ts';
import type { FoundEntry, FoundLeg } from './find-entries.ts';

const ownerKind = z.enum(['H', 'B']).meta({ description: 'H hospital, B lender (bank)' });

export const trialBalanceQuery = z.strictObject({
  at: timeText.optional().meta({ description: 'as recorded up to and including this moment' }),
});

export const trialBalanceReply = z.object({
  at: timeReply,
  owners: z.array(
    z.object({
      ownerKind,
      owner: z.string(),
      name: z.string(),
      accounts: z.array(
        z.object({
          account: z.string(),
          name: z.string(),
          debit: yuanReply,
          credit: yuanReply,
          balance: yuanReply,
        }),
      ),
      balanced: z.boolean(),
    }),
  ),
  balanced: z.boolean(),
});

/** Totals in yuan strings. */
export function trialBalanceView(trial: TrialBalance): z.output<typeof trialBalanceReply> {
  return {
    at: trial.at.toISOString(),
    owners: trial.owners.map(({ accounts, isBalanced, ...owner }) => ({
      ...owner,
      accounts: accounts.map(({ debit, credit, balance, ...account }) => ({
        ...account,
        debit: formatYuan(debit),
        credit: formatYuan(credit),
        balance: formatYuan(balance),
      })),
      balanced: isBalanced,
    })),
    balanced: trial.isBalanced,
  };
}

export const entriesQuery = pageQuery.extend({
  businessDate: businessDateText.optional(),
  settlementId: idOf('settlement').optional(),
  account: z.enum(accountCodes).optional(),
  ownerKind: ownerKind.optional(),
  owner: shortText(64).optional().meta({ description: 'hospital or lender code' }),
});

const legReply = z.object({
  leg: z.int(),
  ownerKind,
  owner: z.string(),
  account: z.string(),
  name: z.string(),
  debit: yuanReply,
  credit: yuanReply,
  undone: yuanReply.meta({ description: 'how much of the leg later entries took back' }),
  counterparty: z.string().nullable(),
  citizenId: z.string().nullable(),
  settlementId: z.string().nullable(),
  claimId: z.string().nullable(),
  reference: z.string().nullable(),
  undoes: z.object({ entryId: z.string(), leg: z.int() }).nullable(),
});

export const entryReply = z.object({
  id: z.string(),
  fact: z.string(),
  subjectId: z.string(),
  settlementId: z.string().nullable(),
  occurredAt: timeReply,
  recordedAt: timeReply,
  businessDate: businessDateReply,
  legs: z.array(legReply),
});

export type EntryView = z.output<typeof entryReply>;

/** An entry with its legs, debit and credit apart. */
export function entryView(entry: FoundEntry): EntryView {
  return {
    ...entry,
    occurredAt: entry.occurredAt.toISOString(),
    recordedAt: entry.recordedAt.toISOString(),
    legs: entry.legs.map(legView),
  };
}

function legView({ amount, undone, undoesEntryId, undoesLeg, ...leg }: FoundLeg) {
  return {
    ...leg,
    name: accountName(leg.account),
    debit: formatYuan(amount > 0n ? amount : 0n),
    credit: formatYuan(amount < 0n ? -amount : 0n),
    undone: formatYuan(undone),
    undoes: undoesEntryId && undoesLeg ? { entryId: undoesEntryId, leg: undoesLeg } : null,
  };
}

export const verdictReply = z.object({
  holds: z.boolean(),
  laws: z.array(
    z.object({
      law: z.string(),
      holds: z.boolean(),
      checked: z.int().meta({ description: 'how many rows the law looked at' }),
      detail: z.string().optional().meta({ description: 'the first offenders, if any' }),
    }),
  ),
});
