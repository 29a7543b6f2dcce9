// Brings the insurer's record of a stay in line with ours once it is over: 2402 after the settlement,
// 2405 when a discharge was cancelled, 2404 for admissions that carry no claim. Tried until it is.
import { and, eq, inArray, isNull, sql } from 'drizzle-orm';
import { businessNow, type Db, rows, transact } from '../db/db.ts';
import { chargeBatch, claim, conversion, settlement, visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { openCase } from '../finance/open-case.ts';
import { tradesOf } from '../insurance/claim-inputs.ts';
import { isRegister } from '../insurance/claim-trades.ts';
import { cancelDischarge2405, discharge2402 } from '../insurance/inpatient-trades.ts';
import type { Answer } from '../insurance/insurer.ts';
import { messagesOfVisit, storeAnswer } from '../insurance/message-store.ts';
import type { InsuredPerson } from '../insurance/person.ts';
import { readRegistration } from '../insurance/registration.ts';
import type { JobHandler } from '../outbox/jobs.ts';
import { type BilledVisit, readUnsettledBill } from '../settlement/bill.ts';
import { findPerson } from '../settlement/claim-bill.ts';
import {
  beginIntent,
  endIntent,
  type Intent,
  refuseWhileAtCounter,
} from '../settlement/intent-store.ts';
import { stayStateOf } from '../settlement/stay-order.ts';
import { openTalk, type Talk } from '../settlement/talk.ts';
import { lockVisit, type VisitRow } from '../visit/visit-store.ts';
import { planStay, type StayStep } from './plan-stay.ts';

const BUDGET_MS = 8_000;
/** In the sandbox somebody watches. */
const RETRY_SECONDS = { sandbox: 2, production: 30 };
const BUSY_SECONDS = 2;

/** The handler of the job `syncStay`; its subject is the visit. */
export const syncStay: JobHandler = async (deps, job) => {
  const [row] = await deps.db.select().from(visit).where(eq(visit.id, job.subjectId));
  // A cancelled visit's registrations are undone by releaseRegistration.
  if (row?.kind !== 'inpatient' || row.status === 'cancelled') return 'done';
  const plan = await readPlan(deps, row);
  if (plan === 'busy') return { retryAfterSeconds: RETRY_SECONDS[deps.env.EGRET_MODE] };
  if (plan.length === 0) return 'done';
  const held = await takeVisit(deps, row);
  if (!held) return { retryAfterSeconds: BUSY_SECONDS };
  try {
    return await takeSteps(deps, held);
  } finally {
    await transact(deps.db, (tx) => endIntent(tx, held, 'finished'));
  }
};

/** One at the visit at a time: a settlement may want the very registration that is closed here. */
async function takeVisit(deps: Deps, { id, hospitalCode }: VisitRow): Promise<Intent | null> {
  try {
    return await transact(deps.db, async (tx) => {
      const row = await lockVisit(tx, id, hospitalCode);
      if (row.status === 'settling') throw new Refusal('visit/settling');
      await refuseWhileAtCounter(tx, id);
      const about = { visitId: id, settlementId: null, key: null };
      return beginIntent(tx, deps.keyring, { kind: 'preview', ...about, order: { closes: id } });
    });
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** Planned anew now that nobody else is at it. */
async function takeSteps(deps: Deps, held: Intent): ReturnType<JobHandler> {
  const bill = await readUnsettledBill(deps, held.visitId, []);
  const person = bill.person ?? (await findPerson(deps, bill));
  if (!person) return { retryAfterSeconds: RETRY_SECONDS[deps.env.EGRET_MODE] };
  const plan = await readPlan(deps, bill.visit);
  if (plan === 'busy') return { retryAfterSeconds: BUSY_SECONDS };
  for (const [index, step] of plan.entries()) {
    const talk = await openTalk(deps, {
      held: { id: `${held.id}/${index}`, leaseToken: '' },
      bill: { ...bill, person },
      isResumed: false,
      deadlineAt: deps.realNow().getTime() + BUDGET_MS,
      trialToken: null,
    });
    const answer = await send(talk, step, { bill, person });
    if (talk.unsaved) {
      await storeAnswer(deps.db, deps.keyring, talk.unsaved.msgid, talk.unsaved.answer);
    }
    const isAway = answer.outcome === 'offline' || answer.outcome === 'unknown';
    if (isAway)
      return { retryAfterSeconds: RETRY_SECONDS[deps.env.EGRET_MODE], because: answer.reason };
    if (answer.outcome === 'rejected' || answer.outcome === 'notInsured') {
      await tellFinance(deps, bill.visit, step, answer.reason);
    } else if (step.do === 'release') await forget(deps, bill.visit, step.mdtrtId);
  }
  return 'done';
}

async function send(
  talk: Talk,
  { do: what, mdtrtId }: StayStep,
  { bill, person }: { bill: BilledVisit; person: InsuredPerson },
): Promise<Answer> {
  const { claimVisit } = bill;
  switch (what) {
    case 'discharge':
      return talk.change('2402', discharge2402(person, claimVisit, mdtrtId));
    case 'readmit':
      return talk.change('2405', cancelDischarge2405(person, mdtrtId));
    case 'release': {
      const { cancelUpload, cancelRegistration, input } = tradesOf(claimVisit);
      const emptied = await talk.change(cancelUpload, input.cancelUpload(person, mdtrtId));
      if (emptied.outcome === 'offline') return emptied;
      const released = input.cancelRegistration(person, claimVisit, mdtrtId);
      return talk.change(cancelRegistration, released);
    }
  }
  return what satisfies never;
}

/**
 * 'busy' while a refund or conversion has the registrations in its hands. Strictly in this order: one
 * that begins after the look registers after the messages were read, so its registration is not in
 * the plan; one that ended before the look has booked its claim, which is read last.
 */
async function readPlan(deps: Deps, row: VisitRow): Promise<StayStep[] | 'busy'> {
  const messages = await messagesOfVisit(deps.db, deps.keyring, row.id);
  if ((await isUnderWay(deps.db, row.id)) || (await hasOpenConversion(deps.db, row.id)))
    return 'busy';
  const [claims, unsettled] = await Promise.all([
    deps.db
      .select({ mdtrtId: claim.mdtrtId })
      .from(claim)
      .innerJoin(settlement, eq(settlement.id, claim.settlementId))
      .where(and(eq(settlement.visitId, row.id), eq(claim.status, 'live'))),
    deps.db
      .select({ batch: chargeBatch.batch })
      .from(chargeBatch)
      .where(and(eq(chargeBatch.visitId, row.id), isNull(chargeBatch.settlementId))),
  ]);
  const made = messages.flatMap(({ infno, answer }) =>
    isRegister(infno) && answer?.outcome === 'ok' ? [readRegistration(answer.output)] : [],
  );
  const live = new Set(claims.map((c) => c.mdtrtId));
  const known = new Set([...made, row.mdtrtId, ...live].filter((id) => id !== null));
  return planStay({
    isDischarged: row.dischargedAt !== null,
    hasUnsettled: unsettled.length > 0,
    current: row.mdtrtId,
    registrations: [...known].map((mdtrtId) => ({
      mdtrtId,
      state: stayStateOf(messages, mdtrtId),
      hasLiveClaim: live.has(mdtrtId),
    })),
  });
}

/** Until it has ended nobody knows which registration will carry the claim. */
async function hasOpenConversion(db: Db, visitId: string): Promise<boolean> {
  const [open] = await db
    .select({ id: conversion.id })
    .from(conversion)
    .innerJoin(settlement, eq(settlement.id, conversion.settlementId))
    .where(
      and(
        eq(settlement.visitId, visitId),
        inArray(conversion.status, ['queued', 'claiming', 'awaitingPatient']),
      ),
    )
    .limit(1);
  return open !== undefined;
}

async function isUnderWay(db: Db, visitId: string): Promise<boolean> {
  const running = await rows(
    db,
    sql`
    select 1 from intent where visit_id = ${visitId} and status = 'running'
      and kind in ('refund', 'convert') limit 1`,
  );
  return running.length > 0;
}

/** What was released is nobody's registration any more. */
async function forget(deps: Deps, row: VisitRow, mdtrtId: string): Promise<void> {
  await deps.db
    .update(visit)
    .set({ mdtrtId: null })
    .where(and(eq(visit.id, row.id), eq(visit.mdtrtId, mdtrtId)));
}

async function tellFinance(deps: Deps, row: VisitRow, step: StayStep, reason: string) {
  await transact(deps.db, async (tx) =>
    openCase(tx, {
      kind: 'insurance/stay-not-closed',
      subjectId: row.id,
      hospitalCode: row.hospitalCode,
      reason,
      detail: { step: step.do },
      now: await businessNow(tx),
    }),
  );
}
