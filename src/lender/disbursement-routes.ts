// Lender's operators: the day's file of captures to disburse, and the answer to it.
import { z } from 'zod';
import { transact } from '../db/db.ts';
import { assert } from '../errors.ts';
import { once } from '../http/idempotency.ts';
import { page, readCursor } from '../http/paging.ts';
import { callerOf, type Route, route } from '../http/route.ts';
import { idOf, pageQuery } from '../http/schemas.ts';
import { type Column, tabularReply } from '../http/tabular.ts';
import { formatYuan } from '../money.ts';
import { refusalOfFile } from '../reconciliation/file-refusal.ts';
import { FileRefusal } from '../reconciliation/statement.ts';
import { disbursementOf } from './disbursement-store.ts';
import { type LoanRow, listLoans, loanView } from './loan-store.ts';
import { dayParams, disbursementAnswerReply, disbursementReply } from './schemas.ts';
import { takeAnswer } from './take-answer.ts';

/** 100,000 rows of an answer are about 15 MB. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** A whole file is written at once: more captures than any lender has in a day. */
const MAX_ROWS = 1_000_000;

function rowView(row: LoanRow) {
  const { id, lineId, holdId, amount, hospitalCode, capturedAt, dueAt, loanNumber } = loanView(row);
  const fixmedinsCode = hospitalCode;
  return { holdId, receivableId: id, lineId, amount, fixmedinsCode, capturedAt, dueAt, loanNumber };
}

const columns: readonly Column<ReturnType<typeof rowView>>[] = (
  [
    'holdId',
    'receivableId',
    'lineId',
    'amount',
    'fixmedinsCode',
    'capturedAt',
    'dueAt',
    'loanNumber',
  ] as const
).map((key) => ({ key, cell: (row) => row[key] }));

export const disbursementRoutes: Route[] = [
  route({
    tag: 'Lender',
    method: 'get',
    roles: ['lenderOperator'],
    idempotency: 'none',
    path: '/v1/lender/disbursements/{businessDate}',
    operationId: 'readDisbursement',
    summary: '放款文件 The captures of a day that is over; made once, as CSV whole',
    params: dayParams,
    query: pageQuery,
    isTabular: true,
    replies: { 200: disbursementReply },
    problems: ['disbursement/day-not-over'],
    handler: async (call) => {
      const { deps, query, accept } = call;
      const { lender } = callerOf(call, 'lenderOperator');
      const { businessDate } = call.params;
      const file = await transact(deps.db, (tx) => disbursementOf(tx, lender, businessDate));
      const isWhole = accept !== 'json';
      const after = readCursor(query.cursor, z.tuple([idOf('receivable')]));
      const found = await listLoans(deps.db, lender, {
        disbursedOn: businessDate,
        after: isWhole ? null : (after?.[0] ?? null),
        count: isWhole ? MAX_ROWS : query.limit + 1,
      });
      if (isWhole) {
        return tabularReply(accept, `disbursement-${businessDate}`, columns, found.map(rowView));
      }
      const { data, nextCursor } = page(found, query.limit, (row) => [row.id]);
      const { id, count, answeredAt } = file;
      return {
        status: 200,
        body: {
          ...{ id, lender, businessDate, count, total: formatYuan(file.total) },
          answeredAt: answeredAt?.toISOString() ?? null,
          ...{ data: data.map(rowView), nextCursor },
        },
      };
    },
  }),
  route({
    tag: 'Lender',
    method: 'post',
    roles: ['lenderOperator'],
    idempotency: 'required',
    path: '/v1/lender/disbursements/{businessDate}/answer',
    operationId: 'answerDisbursement',
    summary: '放款回执 Which captures were booked as loans and which refused; all of it or nothing',
    params: dayParams,
    file: {
      maxBytes: MAX_ANSWER_BYTES,
      contentTypes: ['text/csv', 'text/plain', 'application/octet-stream'],
    },
    replies: { 200: disbursementAnswerReply },
    problems: [
      'resource/not-found',
      'disbursement/answered',
      'file/wrong-header',
      'file/wrong-encoding',
      'file/truncated',
      'file/formula',
      'file/duplicate-row',
      'file/bad-value',
      'file/too-large',
    ],
    handler: async (call) => {
      const { file: body } = call;
      const { lender } = callerOf(call, 'lenderOperator');
      const { businessDate } = call.params;
      assert(body, 'the route needs a file');
      try {
        return await once(call, async (tx) => {
          const { file, ...counts } = await takeAnswer(tx, { lender, businessDate }, body);
          const answeredAt = file.answeredAt?.toISOString();
          return { status: 200, body: { id: file.id, businessDate, ...counts, answeredAt } };
        });
      } catch (error) {
        throw error instanceof FileRefusal ? refusalOfFile(error) : error;
      }
    },
  }),
];
