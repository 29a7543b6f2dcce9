// Role: what can be asked of a sandbox lender's payout desk: files handed over and asked for, and the
// day's statement of its clearing account as camt.053 (pain-free subset of files.md) or CSV.
import { z } from 'zod';
import { isYuan } from '../../money.ts';
import type { Answer, Door, Exchange } from './doors.ts';
import { type FileRecord, type Mishap, payoutBooksOf } from './payout-books.ts';
import { statementCsv, statementOf, statementXml } from './statement.ts';

const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const fileBody = z.strictObject({
  fileId: z.string().min(1),
  bookOn: day,
  payments: z
    .array(
      z.strictObject({
        endToEndId: z.string().min(1).max(35),
        hospitalCode: z.string(),
        amount: z.string().refine(isYuan),
        remark: z.string(),
      }),
    )
    .min(1),
});

const files = /^\/lenders\/([^/]+)\/payout-files$/;
const file = /^\/lenders\/([^/]+)\/payout-files\/([^/]+)$/;
const statement = /^\/lenders\/([^/]+)\/statements\/(\d{4}-\d{2}-\d{2})(\.csv|\.xml)?$/;

export const payoutDoors: Door[] = [
  { method: 'POST', path: files, operation: 'payoutFile', handle: takeFile },
  { method: 'GET', path: files, handle: showFiles },
  { method: 'GET', path: file, operation: 'payoutQuery', handle: findFile },
  { method: 'GET', path: statement, handle: showStatement },
];

function takeFile({ books, body, caught, mode }: Exchange): Answer {
  const wish = fileBody.parse(body);
  const record = payoutBooksOf(books).take(caught[0] ?? '', wish, mishapOf(mode));
  const isSame = JSON.stringify(record.payments) === JSON.stringify(wish.payments);
  if (!isSame) return { status: 409, body: { detail: 'file id used for another file' } };
  return { status: 200, body: answerOf(record) };
}

function findFile({ books, caught }: Exchange): Answer {
  const [lender = '', fileId = ''] = caught;
  const found = payoutBooksOf(books).find(lender, fileId);
  return found
    ? { status: 200, body: answerOf(found) }
    : { status: 404, body: { status: 'absent' } };
}

function showFiles({ books, caught }: Exchange): Answer {
  return { status: 200, body: { data: payoutBooksOf(books).filesOf(caught[0] ?? '') } };
}

/** `…/statements/2026-11-22` is XML; `….csv` and `?format=csv` are CSV. */
function showStatement({ books, caught, query }: Exchange): Answer {
  const [lender = '', on = '', suffix] = caught;
  const found = statementOf(books, lender, on);
  const isCsv = suffix === '.csv' || query.get('format') === 'csv';
  return isCsv
    ? { status: 200, text: statementCsv(found), contentType: 'text/csv; charset=utf-8' }
    : { status: 200, text: statementXml(found), contentType: 'application/xml; charset=utf-8' };
}

const answerOf = ({ status, bankFileId, reason }: FileRecord) => ({
  status,
  bankFileId,
  ...(reason ? { reason } : {}),
});

function mishapOf(mode: string): Mishap {
  return mode === 'declined' || mode === 'paidTwice' || mode === 'returned' ? mode : 'none';
}
