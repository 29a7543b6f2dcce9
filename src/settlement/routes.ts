// Counter: settlements, payments, refunds, vouchers.
import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import { transact } from '../db/db.ts';
import { refund, settlement } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { once } from '../http/idempotency.ts';
import { callerOf, type Route, route } from '../http/route.ts';
import { idOf, shortText, yuanReply } from '../http/schemas.ts';
import { logLooks } from '../identity/access-log.ts';
import { visitParams, visitReply } from '../visit/schemas.ts';
import { lockVisit } from '../visit/visit-store.ts';
import { collectPayment } from './collect-payment.ts';
import { oneScanBody, payByOneScan } from './one-scan.ts';
import { payOutVoucher } from './pay-out-voucher.ts';
import { previewSettlement } from './preview-settlement.ts';
import { refundSettlement } from './refund-settlement.ts';
import { refundView } from './refund-store.ts';
import {
  invoiceBody,
  paymentBody,
  previewReply,
  refundBody,
  refundReply,
  settlementBody,
  settlementParams,
  settlementReply,
} from './schemas.ts';
import { setInvoice } from './set-invoice.ts';
import { settleVisit } from './settle-visit.ts';
import { findSettlement, settlementView } from './settlement-store.ts';

const counter = { tag: 'Counter', roles: ['terminal'] } as const;

/** What settling may refuse, at the counter and by phone. */
export const settleProblems = [
  'resource/not-found',
  'visit/wrong-state',
  'visit/settling',
  'visit/already-settled',
  'visit/diagnosis-missing',
  'settlement/nothing-charged',
  'settlement/batch-unknown',
  'settlement/receipt-used',
  'tender/reference-used',
  'tender/deposit-not-allowed',
  'insurance/rejected',
  'insurance/offline',
  'insurance/unknown',
] as const;

export const settlementRoutes: Route[] = [
  route({
    ...counter,
    method: 'post',
    path: '/v1/visits/{visitId}/settlement/preview',
    operationId: 'previewSettlement',
    summary: '预结算 Preview the split; moves no money, hold or status',
    idempotency: 'none',
    params: visitParams,
    body: settlementBody,
    isBodyOptional: true,
    replies: { 200: previewReply },
    problems: settleProblems,
    handler: (call) =>
      previewSettlement({
        deps: call.deps,
        terminal: callerOf(call, 'terminal'),
        visitId: call.params.visitId,
        request: call.body,
      }),
  }),
  route({
    ...counter,
    method: 'post',
    path: '/v1/visits/{visitId}/settlement',
    operationId: 'settleVisit',
    summary: '结算 Settle batches of a visit',
    idempotency: 'required',
    params: visitParams,
    body: settlementBody,
    isBodyOptional: true,
    replies: { 200: settlementReply },
    problems: settleProblems,
    handler: (call) => {
      const { terminalId, hospitalCode } = callerOf(call, 'terminal');
      return settleVisit({
        deps: call.deps,
        key: call.key,
        terminalId,
        lock: (tx) => lockVisit(tx, call.params.visitId, hospitalCode),
        request: call.body,
      });
    },
  }),
  route({
    ...counter,
    method: 'post',
    path: '/v1/one-scan-payments',
    operationId: 'payByOneScan',
    summary: '一码付 Identify, open, charge and settle in one request',
    idempotency: 'required',
    body: oneScanBody,
    replies: {
      201: z.object({ visit: visitReply, settlement: settlementReply, elapsedMs: z.int() }),
    },
    problems: [
      ...settleProblems,
      'visit/number-taken',
      'charge/amount-mismatch',
      'charge/total-exceeded',
      'visit/proxy-is-patient',
      'identity/unknown',
      'identity/expired',
      'identity/already-used',
      'identity/insurer-needed',
    ],
    handler: (call) =>
      payByOneScan({
        deps: call.deps,
        key: call.key,
        terminal: callerOf(call, 'terminal'),
        request: call.body,
      }),
  }),
  route({
    ...counter,
    method: 'get',
    path: '/v1/settlements/{settlementId}',
    operationId: 'readSettlement',
    summary: '结算单 Read a settlement',
    idempotency: 'none',
    params: settlementParams,
    replies: { 200: settlementReply },
    problems: ['resource/not-found'],
    handler: async (call) => {
      const { client: actor, hospitalCode } = callerOf(call, 'terminal');
      const { db, realNow } = call.deps;
      const row = await findSettlement(db, call.params.settlementId, hospitalCode);
      if (!row) throw new Refusal('resource/not-found');
      const look = { actor, hospitalCode, action: 'settlement.read', at: realNow() } as const;
      const [body] = await Promise.all([
        settlementView(db, row),
        logLooks(db, [row.citizenId], look),
      ]);
      return { status: 200, body };
    },
  }),
  route({
    ...counter,
    method: 'post',
    path: '/v1/settlements/{settlementId}/payments',
    operationId: 'collectPayment',
    summary: '收款 Collect what is due at the counter',
    idempotency: 'required',
    params: settlementParams,
    body: paymentBody,
    replies: { 200: settlementReply },
    problems: [
      'resource/not-found',
      'visit/settling',
      'settlement/busy',
      'settlement/nothing-due',
      'payment/exceeds-due',
      'tender/reference-used',
      'tender/deposit-not-allowed',
    ],
    handler: (call) =>
      once(call, async (tx) => {
        const terminal = callerOf(call, 'terminal');
        const row = await collectPayment(tx, terminal, call.params.settlementId, call.body);
        return { status: 200, body: await settlementView(tx, row) };
      }),
  }),
  route({
    ...counter,
    method: 'put',
    path: '/v1/settlements/{settlementId}/invoice',
    operationId: 'setInvoice',
    summary: '登记电子发票 Record the electronic invoice',
    idempotency: 'none',
    params: settlementParams,
    body: invoiceBody,
    replies: { 200: settlementReply },
    problems: ['resource/not-found', 'invoice/wrong-state'],
    handler: (call) =>
      transact(call.deps.db, async (tx) => {
        const { hospitalCode } = callerOf(call, 'terminal');
        const row = await setInvoice(tx, hospitalCode, call.params.settlementId, call.body);
        return { status: 200, body: await settlementView(tx, row) };
      }),
  }),
  route({
    ...counter,
    method: 'post',
    path: '/v1/settlements/{settlementId}/refunds',
    operationId: 'refundSettlement',
    summary: '退费 Refund lines or all of a settlement',
    idempotency: 'required',
    params: settlementParams,
    body: refundBody,
    replies: { 201: refundReply, 202: refundReply },
    problems: [
      'resource/not-found',
      'refund/exceeds-leg',
      'refund/line-unknown',
      'refund/citizen-part-rises',
      'visit/settling',
      'settlement/busy',
      'insurance/rejected',
      'insurance/offline',
    ],
    handler: (call) =>
      refundSettlement({
        deps: call.deps,
        key: call.key,
        terminal: callerOf(call, 'terminal'),
        settlementId: call.params.settlementId,
        request: call.body,
      }),
  }),
  route({
    ...counter,
    method: 'get',
    path: '/v1/refunds/{refundId}',
    operationId: 'readRefund',
    summary: '退费单 Read a refund',
    idempotency: 'none',
    params: z.object({ refundId: idOf('refund') }),
    replies: { 200: refundReply },
    problems: ['resource/not-found'],
    handler: async (call) => {
      const { client: actor, hospitalCode } = callerOf(call, 'terminal');
      const { db, realNow } = call.deps;
      const [found] = await db
        .select({ refund, citizenId: settlement.citizenId })
        .from(refund)
        .innerJoin(settlement, eq(settlement.id, refund.settlementId))
        .where(and(eq(refund.id, call.params.refundId), eq(settlement.hospitalCode, hospitalCode)));
      if (!found) throw new Refusal('resource/not-found');
      const look = { actor, hospitalCode, action: 'refund.read', at: realNow() } as const;
      const [body] = await Promise.all([
        refundView(db, found.refund),
        logLooks(db, [found.citizenId], look),
      ]);
      return { status: 200, body };
    },
  }),
  route({
    ...counter,
    method: 'post',
    path: '/v1/refund-vouchers/{code}/payout',
    operationId: 'payOutVoucher',
    summary: '兑付退款凭证 Pay a refund voucher out at the counter, once',
    idempotency: 'required',
    params: z.object({ code: shortText(32) }),
    replies: {
      200: z.object({
        code: z.string(),
        amount: yuanReply,
        settlementId: idOf('settlement'),
        status: z.literal('done'),
      }),
    },
    problems: ['resource/not-found', 'voucher/already-paid'],
    handler: (call) =>
      once(call, async (tx) => {
        const terminal = callerOf(call, 'terminal');
        return { status: 200, body: await payOutVoucher(tx, terminal, call.params.code) };
      }),
  }),
];
