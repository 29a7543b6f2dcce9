// Finance reads conversions; terminals and patients ask for one, agree to it, or give it up.
import { and, desc, eq } from 'drizzle-orm';
import { z } from 'zod';
import { transact } from '../db/db.ts';
import { conversion } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { once } from '../http/idempotency.ts';
import { olderThan, page, readCursor } from '../http/paging.ts';
import { type Caller, callerOf, type Route, route, staffRoles } from '../http/route.ts';
import { listReply } from '../http/schemas.ts';
import { type Look, logLooksAtBills } from '../identity/access-log.ts';
import { idPattern } from '../ids.ts';
import { settlementParams } from '../settlement/schemas.ts';
import { feesOf, handClaimOf } from './claim-by-hand.ts';
import { confirmConversion } from './confirm-conversion.ts';
import {
  type ConversionRow,
  conversionsOf,
  conversionView,
  findConversion,
  findOwnSettlement,
  ownHospital,
} from './conversion-store.ts';
import { optOut } from './opt-out.ts';
import { requestConversion } from './request-conversion.ts';
import {
  conversionParams,
  conversionReply,
  conversionRequestBody,
  conversionsQuery,
  myConversionReply,
} from './schemas.ts';

const finance = { tag: 'Finance', roles: staffRoles, idempotency: 'none' } as const;
const citizen = { tag: 'Citizen', roles: ['citizen'] } as const;
const patientOrCounter = { tag: 'Counter', roles: ['terminal', 'citizen'] } as const;

/** The patient, or a terminal of the hospital. */
function asker({ caller }: { caller: Caller }) {
  if (caller.kind === 'terminal' || caller.kind === 'citizen') return caller;
  throw new Error(`route lets in a ${caller.kind}`);
}

const billsOf = (found: ConversionRow[]) => found.map(({ settlementId }) => settlementId);

/** A member of staff looks at whose bill was converted. */
function lookOf(deps: Deps, caller: Caller): Look {
  const hospitalCode = caller.kind === 'staff' ? caller.hospitalCode : null;
  return { actor: caller.client, hospitalCode, action: 'conversion.read', at: deps.realNow() };
}

export const conversionRoutes: Route[] = [
  route({
    ...finance,
    method: 'get',
    path: '/v1/conversions',
    operationId: 'listConversions',
    summary: '转医保清单 List conversions, newest first',
    query: conversionsQuery,
    replies: { 200: listReply(conversionReply) },
    problems: [],
    handler: async ({ deps, query, caller }) => {
      const after = readCursor(
        query.cursor,
        z.tuple([z.iso.datetime(), z.string().regex(idPattern('conversion'))]),
      );
      const found = await deps.reportDb
        .select()
        .from(conversion)
        .where(
          and(
            ownHospital(caller),
            query.status && eq(conversion.status, query.status),
            olderThan({ at: conversion.createdAt, id: conversion.id }, after),
          ),
        )
        .orderBy(desc(conversion.createdAt), desc(conversion.id))
        .limit(query.limit + 1);
      const { data, nextCursor } = page(found, query.limit, (row) => [
        row.createdAt.toISOString(),
        row.id,
      ]);
      const [views] = await Promise.all([
        Promise.all(data.map((row) => conversionView(deps.reportDb, row))),
        logLooksAtBills(deps.db, billsOf(data), lookOf(deps, caller)),
      ]);
      return { status: 200, body: { data: views, nextCursor } };
    },
  }),
  route({
    ...finance,
    method: 'get',
    path: '/v1/conversions/{conversionId}',
    operationId: 'readConversion',
    summary: '转医保详情 Read a conversion',
    params: conversionParams,
    replies: { 200: conversionReply },
    problems: ['resource/not-found'],
    handler: async ({ deps, params, caller }) => {
      const row = await findConversion(deps.db, params.conversionId, caller);
      const [body] = await Promise.all([
        conversionView(deps.db, row),
        logLooksAtBills(deps.db, billsOf([row]), lookOf(deps, caller)),
      ]);
      return { status: 200, body };
    },
  }),
  route({
    ...patientOrCounter,
    method: 'post',
    path: '/v1/settlements/{settlementId}/conversion',
    operationId: 'requestConversion',
    summary: '申请转医保 Ask that a self-paid settlement be turned into an insurance settlement',
    // Required of terminals, as everywhere; a citizen may send one.
    idempotency: 'optional',
    params: settlementParams,
    body: conversionRequestBody,
    replies: { 202: conversionReply },
    problems: [
      'resource/not-found',
      'conversion/under-way',
      'conversion/not-possible',
      'settlement/busy',
      'visit/patient-bound',
      'visit/proxy-is-patient',
      'identity/unknown',
      'identity/expired',
      'identity/already-used',
      'identity/insurer-needed',
    ],
    handler: async (call) => {
      const caller = asker(call);
      if (caller.kind === 'terminal' && !call.key) throw new Refusal('idempotency/key-missing');
      const { deps, key, params, body } = call;
      return requestConversion({
        deps,
        key,
        caller,
        settlementId: params.settlementId,
        request: body,
      });
    },
  }),
  route({
    ...patientOrCounter,
    method: 'delete',
    path: '/v1/settlements/{settlementId}/conversion',
    operationId: 'giveUpConversion',
    summary: '自行手工报销 "I claim by hand": give the conversion up',
    idempotency: 'none',
    params: settlementParams,
    replies: { 200: conversionReply },
    problems: [
      'resource/not-found',
      'conversion/wrong-state',
      'conversion/fate-unknown',
      'settlement/busy',
    ],
    handler: (call) =>
      transact(call.deps.db, async (tx) => {
        const row = await optOut(tx, call.deps, asker(call), call.params.settlementId);
        return { status: 200, body: await conversionView(tx, row) };
      }),
  }),
  route({
    ...citizen,
    method: 'post',
    path: '/v1/settlements/{settlementId}/conversion/confirm',
    operationId: 'confirmConversion',
    summary: '同意转医保 Agree to a conversion that waits for the patient',
    idempotency: 'optional',
    params: settlementParams,
    replies: { 202: conversionReply },
    problems: ['resource/not-found', 'conversion/wrong-state'],
    handler: (call) =>
      once(call, async (tx) => {
        const patient = callerOf(call, 'citizen');
        const row = await confirmConversion(tx, patient, call.params.settlementId);
        return { status: 202, body: await conversionView(tx, row) };
      }),
  }),
  route({
    ...citizen,
    method: 'get',
    path: '/v1/me/settlements/{settlementId}/conversion',
    operationId: 'readMyConversion',
    summary: '我的转医保 The conversion of my settlement; refused: reason, deadline, papers, fees',
    idempotency: 'none',
    params: settlementParams,
    replies: { 200: myConversionReply },
    problems: ['resource/not-found'],
    handler: async ({ deps, params, caller }) => {
      const bill = await findOwnSettlement(deps.db, params.settlementId, caller);
      const newest = (await conversionsOf(deps.db, bill.id)).at(-1);
      if (!newest) throw new Refusal('resource/not-found');
      const view = await conversionView(deps.db, newest);
      // What no insurer paid may be claimed by hand: a refused bill, or one that was given up.
      const isRefused = ['rejected', 'cancelled'].includes(newest.status) && bill.refundable > 0n;
      if (!isRefused) return { status: 200, body: view };
      const [guide, fees] = await Promise.all([
        handClaimOf(deps.db, bill.id, newest.reason ?? ''),
        feesOf(deps.db, bill.id),
      ]);
      return { status: 200, body: { ...view, handClaim: { ...guide, fees } } };
    },
  }),
];
