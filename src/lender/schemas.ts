// What lenders send and get: lines, receivables, disbursements, evidence, notices. Law: amounts, days and
// hospitals, never a department, a diagnosis or an item.
import { z } from 'zod';
import {
  businessDateReply,
  businessDateText,
  idOf,
  listReply,
  pageQuery,
  positiveYuan,
  shortText,
  timeReply,
  yuanReply,
  yuanText,
} from '../http/schemas.ts';

export const lineParams = z.object({ lineId: idOf('creditLine') });
export const receivableParams = z.object({ receivableId: idOf('receivable') });
export const dayParams = z.object({ businessDate: businessDateText });
export const noticeParams = z.object({ noticeId: idOf('lenderNotice') });

const lineStatuses = ['active', 'suspended', 'closed'] as const;
export const linesQuery = pageQuery.extend({ status: z.enum(lineStatuses).optional() });

export const lenderLineReply = z
  .object({
    id: idOf('creditLine'),
    borrower: z.object({ name: z.string(), idNumber: z.string() }).meta({ description: 'masked' }),
    product: z.string(),
    status: z.enum(lineStatuses),
    suspendedFor: z.string().nullable(),
    frozenFor: z.enum(['lender', 'death']).nullable(),
    limit: yuanReply,
    inpatientExtra: yuanReply,
    outageExtra: yuanReply,
    held: yuanReply,
    outstanding: yuanReply,
    overdue: yuanReply,
    openedAt: timeReply,
    closedAt: timeReply.nullable(),
  })
  .meta({ id: 'LenderLine' });

const receivableStatuses = [
  'open',
  'overdue',
  'paid',
  'writtenOff',
  'waitingForInsurance',
] as const;
export const receivablesQuery = pageQuery.extend({
  lineId: idOf('creditLine').optional(),
  status: z.enum(receivableStatuses).optional(),
});

export const lenderReceivableReply = z
  .object({
    id: idOf('receivable'),
    lineId: idOf('creditLine'),
    holdId: idOf('hold').nullable(),
    loanNumber: z.string().nullable(),
    hospitalCode: z.string(),
    hospital: z.string(),
    amount: yuanReply,
    paid: yuanReply,
    reduced: yuanReply,
    writtenOff: yuanReply,
    outstanding: yuanReply,
    lateCharges: yuanReply,
    capturedAt: timeReply,
    dueAt: timeReply,
    overdueAt: timeReply.nullable(),
    disbursedOn: businessDateReply.nullable(),
    status: z.enum(receivableStatuses),
  })
  .meta({ id: 'LenderReceivable' });

const disbursementRow = z.object({
  holdId: idOf('hold').nullable(),
  receivableId: idOf('receivable'),
  lineId: idOf('creditLine'),
  amount: yuanReply,
  fixmedinsCode: z.string(),
  capturedAt: timeReply,
  dueAt: timeReply,
  loanNumber: z.string().nullable(),
});

export const disbursementReply = listReply(disbursementRow)
  .extend({
    id: idOf('disbursementFile'),
    lender: z.string(),
    businessDate: businessDateReply,
    count: z.int(),
    total: yuanReply,
    answeredAt: timeReply.nullable(),
  })
  .meta({ id: 'Disbursement' });

export const disbursementAnswerReply = z
  .object({
    id: idOf('disbursementFile'),
    businessDate: businessDateReply,
    booked: z.int(),
    refused: z.int(),
    missing: z.int().meta({ description: '未答复 captures that the answer leaves out' }),
    answeredAt: timeReply,
  })
  .meta({ id: 'DisbursementAnswer' });

export const evidenceReply = z
  .object({
    receivableId: idOf('receivable'),
    loanNumber: z.string().nullable(),
    amount: yuanReply,
    capturedAt: timeReply,
    hospital: z.object({ code: z.string(), name: z.string() }),
    line: z.object({ id: idOf('creditLine'), product: z.string(), openedAt: timeReply }),
    agreementVersion: z.string(),
    consents: z.array(
      z.object({
        kind: z.string(),
        agreementVersion: z.string(),
        grantedAt: timeReply,
        withdrawnAt: timeReply.nullable(),
      }),
    ),
    hold: z
      .object({
        id: idOf('hold'),
        amount: yuanReply,
        placedAt: timeReply,
        limitThen: yuanReply,
        outstandingThen: yuanReply,
        heldThen: yuanReply,
      })
      .nullable(),
  })
  .meta({ id: 'LoanEvidence', description: '借款凭证，不含科室、诊断和项目' });

const common = { number: shortText(60), reason: shortText(200) };
const line = { ...common, lineId: idOf('creditLine') };
const debt = { ...common, receivableId: idOf('receivable') };
const repayment = { ...common, repaymentId: idOf('repayment') };
/** Years of monthly instalments; more is no plan. */
const MAX_INSTALMENTS = 60;

export const noticeBody = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('freeze'), ...line }),
  z.strictObject({ kind: z.literal('unfreeze'), ...line }),
  z.strictObject({ kind: z.literal('death'), ...line }),
  z.strictObject({ kind: z.literal('limit'), ...line, amount: yuanText }),
  z.strictObject({ kind: z.literal('lateCharge'), ...debt, amount: positiveYuan }),
  z.strictObject({
    kind: z.literal('hardship'),
    ...debt,
    instalments: z
      .array(z.strictObject({ amount: positiveYuan, dueOn: businessDateText }))
      .min(1)
      .max(MAX_INSTALMENTS),
  }),
  z.strictObject({ kind: z.literal('writeOff'), ...debt, amount: positiveYuan.optional() }),
  z.strictObject({
    kind: z.literal('recovered'),
    ...debt,
    amount: positiveYuan,
    bankSerial: shortText(60),
  }),
  z.strictObject({
    kind: z.literal('received'),
    ...line,
    receivableId: idOf('receivable').optional(),
    amount: positiveYuan,
    bankSerial: shortText(60),
  }),
  z.strictObject({ kind: z.literal('debitReturned'), ...repayment }),
  z.strictObject({
    kind: z.literal('debitPaidTwice'),
    ...repayment,
    bankSerial: shortText(60).meta({ description: '第二笔扣款的银行流水号 of the second debit' }),
  }),
]);
export type Notice = z.output<typeof noticeBody>;
export type NoticeKind = Notice['kind'];

export const noticeReply = z
  .object({
    id: idOf('lenderNotice'),
    number: z.string(),
    kind: z.string(),
    status: z.enum(['proposed', 'applied', 'declined']),
    lineId: idOf('creditLine').nullable(),
    receivableId: idOf('receivable').nullable(),
    repaymentId: idOf('repayment').nullable(),
    amount: yuanReply.nullable(),
    reason: z.string(),
    detail: z.looseObject({}),
    maker: z.string(),
    checker: z.string().nullable(),
    createdAt: timeReply,
    resolvedAt: timeReply.nullable(),
  })
  .meta({ id: 'LenderNotice' });
