// The entry that settles a difference. Law: it balances within each owner, in the books of the break's own
// hospital and lender; whoever is limited to a hospital touches no lender's books; a citizen's debt, and money
// that the bank's own word moves, are never adjusted.
import type { Tx } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import { type AccountCode, accountCodes, chart } from '../ledger/chart.ts';
import { balanced, type Entry, type Leg, UnbalancedEntry } from '../ledger/journal.ts';
import type { Fen } from '../money.ts';
import type { BreakRow } from './break-store.ts';
import { areKnown } from './run-store.ts';

/** Principal, late charges and repayments are the lender's word; what is refundable on credit has its own road. */
const NEVER_ADJUSTED: ReadonlySet<AccountCode> = new Set([
  '1301',
  '1302',
  '1311',
  '2201',
  '9201',
  '9202',
  '9301',
  '9302',
]);
export const adjustable = accountCodes.filter((code) => !NEVER_ADJUSTED.has(code)) as [
  AccountCode,
  ...AccountCode[],
];

/** Of 1101 without a shift: a shift's drawer is what was taken and paid out in it, whatever is found later. */
export interface LegOrder {
  /** Hospital or lender code, as the account says. */
  owner: string;
  account: AccountCode;
  side: 'debit' | 'credit';
  /** Fen, positive. */
  amount: Fen;
  counterparty?: string | undefined;
}

type About = Pick<BreakRow, 'id' | 'businessDate' | 'hospitalCode' | 'lender'>;

/** The lawful entry. Refuses with break/remedy-unfit for legs that are not its matter, break/unbalanced. */
export async function adjustmentOf(
  tx: Tx,
  staff: CallerOf<'staff'>,
  row: About,
  orders: readonly LegOrder[],
): Promise<Entry> {
  const legs: Leg[] = orders.map(({ side, amount, account, ...leg }) => ({
    ...leg,
    account,
    amount: side === 'debit' ? amount : -amount,
    ownerKind: chart[account].owner,
  }));
  for (const leg of legs) {
    if (!isOwn(leg, row, staff)) throw unfit(`${leg.owner} ${leg.account}`);
    if (!(await isKnown(tx, leg))) throw unfit(`${leg.owner} ${leg.counterparty ?? ''}`.trim());
  }
  const entry: Entry = {
    fact: 'break.adjusted',
    subjectId: row.id,
    occurredAt: noonOf(row.businessDate),
    legs,
  };
  try {
    return balanced(entry);
  } catch (error) {
    if (!(error instanceof UnbalancedEntry)) throw error;
    throw new Refusal('break/unbalanced', { detail: error.message, cause: error });
  }
}

function isOwn(leg: Leg, row: About, staff: CallerOf<'staff'>): boolean {
  if (leg.ownerKind === 'H') return row.hospitalCode === null || leg.owner === row.hospitalCode;
  return staff.hospitalCode === null && (row.lender === null || leg.owner === row.lender);
}

/** Both ends of a leg are somebody. H1206 and H2205 are between hospitals. */
async function isKnown(tx: Tx, leg: Leg): Promise<boolean> {
  const { ownerKind, owner, account, counterparty = null } = leg;
  const isBetweenHospitals = account === '1206' || account === '2205';
  const isAboutHospital = ownerKind === 'B' || isBetweenHospitals;
  const other = isAboutHospital
    ? { hospitalCode: counterparty, lender: null }
    : { hospitalCode: null, lender: counterparty };
  const own =
    ownerKind === 'H'
      ? { hospitalCode: owner, lender: null }
      : { hospitalCode: null, lender: owner };
  return (await areKnown(tx, own)) && (await areKnown(tx, other));
}

export const noonOf = (day: string) => new Date(`${day}T12:00:00+08:00`);

export const unfit = (what: string) =>
  new Refusal('break/remedy-unfit', { detail: `需要或不符 needed or unfit: ${what}` });
