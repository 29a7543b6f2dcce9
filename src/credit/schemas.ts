// What citizens send and get for enrolment, credit line, consents and receivables.
import { z } from 'zod';
import { idOf, shortText, timeReply, yuanReply } from '../http/schemas.ts';

/** Separate consents, each withdrawable (domain.md, Credit). All are needed for new credit. */
export const consentKinds = ['creditEnquiry', 'healthPayment', 'autoDebit'] as const;
export type ConsentKind = (typeof consentKinds)[number];

const consentList = z.array(z.enum(consentKinds)).max(consentKinds.length);

export const enrolmentBody = z.strictObject({
  lender: shortText(30).optional(),
  agreementVersion: shortText(30),
  consents: consentList,
  /** Where repayments are debited and refunds go: the bank's own token, never an account number. */
  repaymentAccount: z.strictObject({ bankCode: shortText(30), token: shortText(200) }),
});
export type Enrolment = z.output<typeof enrolmentBody>;

const creditLineReply = z
  .object({
    id: idOf('creditLine'),
    lender: z.string(),
    status: z.enum(['active', 'suspended', 'closed']),
    limit: yuanReply,
    inpatientExtra: yuanReply,
    held: yuanReply,
    outstanding: yuanReply,
    available: yuanReply,
    score: z.object({ value: z.int(), tier: z.int(), asOf: timeReply }),
  })
  .meta({ id: 'CreditLine' });

export const explainedLineReply = creditLineReply
  .extend({
    explanation: z.array(
      z.object({
        about: z.enum(['limit', 'inpatientExtra', 'outageExtra', 'available', 'status']),
        text: z.string(),
        next: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'MyCreditLine', description: '额度及其原因 the line, and why it is what it is' });

/** The whole set of consents that hold from now on; what is left out is withdrawn. */
export const consentsBody = z.strictObject({
  consents: consentList,
  agreementVersion: shortText(30).optional(),
});
export const consentsReply = z.object({ consents: z.array(z.enum(consentKinds)) });

export const lenderReply = z
  .object({
    code: z.string(),
    name: z.string(),
    product: z.enum(['standard', 'pilot']),
    due: z.object({
      days: z.int().meta({ description: 'Days after the day of the capture' }),
      at: z.string().meta({ description: 'Time of that day in Asia/Shanghai', example: '23:00' }),
    }),
  })
  .meta({ id: 'Lender' });

export const receivableReply = z
  .object({
    id: idOf('receivable'),
    settlementId: idOf('settlement'),
    hospital: z.string(),
    amount: yuanReply,
    paid: yuanReply,
    outstanding: yuanReply,
    dueAt: timeReply,
    status: z.enum(['open', 'overdue', 'paid', 'writtenOff', 'waitingForInsurance']),
    lateCharges: yuanReply.meta({ description: '银行通知的逾期费用 by the lender’s notices' }),
    loanNumber: z.string().optional(),
    instalments: z
      .array(z.object({ amount: yuanReply, dueAt: timeReply }))
      .optional()
      .meta({ description: '分期 what is left of a hardship plan' }),
  })
  .meta({ id: 'Receivable' });
