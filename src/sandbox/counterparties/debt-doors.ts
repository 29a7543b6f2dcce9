// Role: what goes wrong with a paid debit later, and what the score provider keeps of reported debt.
import { z } from 'zod';
import { isYuan } from '../../money.ts';
import { personHash, type Transfer } from './books.ts';
import type { Answer, Door, Exchange } from './doors.ts';

const reportBody = z.looseObject({
  serial: z.string().min(1),
  idNumber: z.string(),
  debts: z.array(z.strictObject({ amount: z.string().refine(isYuan), dueAt: z.iso.datetime() })),
});
const endBody = z.strictObject({ because: z.enum(['erased', 'repaid']) });

export const debtDoors: Door[] = [
  { method: 'POST', path: /^\/lenders\/([^/]+)\/debits\/([^/]+)\/return$/, handle: returnDebit },
  { method: 'POST', path: /^\/score-reports$/, operation: 'report', handle: takeReport },
  {
    method: 'POST',
    path: /^\/score-reports\/([^/]+)\/end$/,
    operation: 'report',
    handle: endReport,
  },
  { method: 'GET', path: /^\/score-reports$/, handle: showReports },
];

/** After the answer "paid": the account is debited again, or the debit is taken back. */
export function spoilDebit({ books, mode }: Exchange, paid: Transfer): void {
  if (paid.kind !== 'debit' || paid.status !== 'paid') return;
  if (mode === 'paidTwice') books.debitAgain(paid);
  if (mode === 'returned') books.takeBack(paid.lender, paid.serial);
}

/** The bank's mistake or the payer's objection: a paid debit is taken back, later. */
function returnDebit({ books, caught }: Exchange): Answer {
  const [lender = '', serial = ''] = caught;
  const found = books.takeBack(lender, serial);
  return found ? { status: 200, body: found } : { status: 404, body: { status: 'absent' } };
}

function takeReport({ books, body }: Exchange): Answer {
  const { serial, idNumber, debts } = reportBody.parse(body);
  const person = personHash(idNumber);
  const known = books.findReport(serial);
  const { status } = known ?? books.report({ serial, person, status: 'reported', debts });
  return { status: 200, body: { serial, status } };
}

function endReport({ books, body, caught }: Exchange): Answer {
  const { because } = endBody.parse(body);
  const known = books.findReport(caught[0] ?? '');
  if (!known) return { status: 404, body: { detail: 'no such report' } };
  const { serial, person, debts } = known;
  return { status: 200, body: books.report({ serial, person, debts, status: because }) };
}

function showReports({ books }: Exchange): Answer {
  return { status: 200, body: { data: books.reports() } };
}
