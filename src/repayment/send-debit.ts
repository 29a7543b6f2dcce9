// Asks a bank for the debit of a repayment. Its serial is the repayment's id, so asking twice debits once.
import type { DebitAnswer } from '../credit/lender-bank.ts';
import type { Deps } from '../deps.ts';
import { readCitizen } from '../identity/people.ts';
import type { RepaymentRow } from './repayment-store.ts';

/** From the account of whoever pays; no account there counts as declined. */
export async function sendDebit(deps: Deps, row: RepaymentRow): Promise<DebitAnswer> {
  const payer = row.paidByCitizenId ?? row.citizenId;
  const { bankAccount: account } = await readCitizen(deps.db, deps.keyring, payer);
  if (account === null) return { outcome: 'declined', reason: 'no account' };
  return deps.lenders.debit(row.lender, { serial: row.id, account, amount: row.amount });
}
