// One try at turning a self-paid settlement into an insurance settlement, from a taken conversion to
// its end: learn the truth of an unknown claim, claim what is left of the bill, book or wait.
import { businessNow, transact } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { openCase } from '../finance/open-case.ts';
import { untilNobodyWaits } from '../http/live-requests.ts';
import { messagesOfVisit, storeAnswer } from '../insurance/message-store.ts';
import { type BilledVisit, readBill } from '../settlement/bill.ts';
import { claimBill, claimedIn } from '../settlement/claim-bill.ts';
import { learnTruth } from '../settlement/learn-truth.ts';
import {
  HOURLY_SECONDS,
  isUnknownTooLong,
  UNKNOWN_TOO_LONG,
} from '../settlement/unknown-too-long.ts';
import { bookConversion } from './book-conversion.ts';
import type { TakenConversion } from './convert-queue.ts';
import { decideConversion, MAX_BROKEN_CLAIMS, secondsUntilNext } from './decide-conversion.ts';
import { awaitPatient, cancelRefunded, reject, requeue } from './end-try.ts';
import { asksPatient } from './queue-conversion.ts';
import { lateClaimDecision, readRegionPolicy } from './region-policy.ts';

/** Nobody waits for a conversion: it may take longer than the counter. */
const BUDGET_MS = 20_000;

/** The longest that one conversion waits for its turns, all together; it fits into its budget. */
const TURNS_MS = 1_500;

/** True: the insurer answered (also with a no), so more may be sent to it. */
export async function convertSettlement(
  deps: Deps,
  taken: TakenConversion,
  trialToken: string | null,
): Promise<boolean> {
  const read = await readBill(deps, taken.intent.visitId, taken.row.settlementId);
  // 1101 is asked anew: what the insurer said at the visit may be long ago.
  const bill: BilledVisit = { ...read, person: null };
  if (taken.row.unknownMsgid) {
    const isKnown = await settleTruth(deps, taken, bill, trialToken);
    if (isKnown !== 'gone') return isKnown === 'done';
  }
  if (bill.total === 0n) {
    await transact(deps.db, (tx) => cancelRefunded(tx, taken));
    return true;
  }
  if (taken.row.brokenClaims >= MAX_BROKEN_CLAIMS) {
    const refused = {
      kind: 'insurance/answer-broken',
      reason: 'insurer answers broke their own sums',
    };
    await transact(deps.db, (tx) => reject(tx, taken, refused));
    return true;
  }
  if (taken.row.unknownMsgid && !taken.row.confirmedAt) {
    if (await asksPatient(deps.db, taken.row.hospitalCode)) {
      await transact(deps.db, (tx) => awaitPatient(tx, taken));
      return true;
    }
  }
  const policy = await readRegionPolicy(deps.db, bill.hospital.region);
  const late = lateClaimDecision(bill.visit.startedAt, policy.now, policy);
  if (late.outcome === 'tooLate') {
    const refused = { kind: 'insurance/too-late', reason: late.reason };
    await transact(deps.db, (tx) => reject(tx, taken, refused));
    return true;
  }
  return claimRest(deps, taken, bill, trialToken);
}

/** 1101 → 2201 → 2203 → 2204 → 2206 → 2207 on a registration of its own, with the original times. */
async function claimRest(
  deps: Deps,
  taken: TakenConversion,
  bill: BilledVisit,
  trialToken: string | null,
): Promise<boolean> {
  const turn = turns(deps);
  const result = await claimBill(deps, {
    held: taken.intent,
    bill,
    isPreview: false,
    isFresh: true,
    isResumed: false,
    isNewVisit: true,
    deadlineAt: deps.realNow().getTime() + BUDGET_MS,
    trialToken,
    // A trial shows everybody whether the insurer is back: it waits for nobody.
    ...(trialToken ? {} : { turn }),
  });
  if (!trialToken) await turn();
  const decision = decideConversion(result);
  // Before 1101 answered nobody knows which way the patient's insurer is.
  const route = result.person ? result.route : null;
  if (result.outcome === 'settled') {
    await transact(deps.db, (tx) => bookConversion(tx, deps, taken, result));
    return true;
  }
  if (result.unsaved) {
    await storeAnswer(deps.db, deps.keyring, result.unsaved.msgid, result.unsaved.answer);
  }
  switch (decision.do) {
    case 'convert':
      return true;
    case 'reject':
      await transact(deps.db, (tx) => reject(tx, taken, decision));
      return true;
    case 'wait': {
      const seconds = secondsUntilNext(taken.row.tries, deps.env.EGRET_MODE === 'sandbox');
      const { reason } = decision;
      // Whatever claim was in doubt is gone, or nothing would have been sent.
      const known = result.outcome === 'offline' ? { unknownMsgid: null } : {};
      const ending = { outcome: 'offline', reason, seconds, route, ...known };
      await transact(deps.db, (tx) => requeue(tx, taken, ending));
      // What failed on the other route says nothing against this one.
      return route !== null && route !== taken.row.route;
    }
    case 'learn': {
      const { msgid: unknownMsgid, reason, isBroken } = decision;
      const soon = deps.env.INSURANCE_QUIET_MS / 1000;
      const ending = { outcome: 'unknown', reason, unknownMsgid, isBroken, route };
      await againInDoubt(deps, taken, soon, ending);
      return route !== null && route !== taken.row.route;
    }
  }
  return decision satisfies never;
}

/** Waits before each step while somebody waits at a counter, until its time for that is used up. */
function turns({ db }: Pick<Deps, 'db'>): () => Promise<void> {
  let leftMs = TURNS_MS;
  return async () => {
    if (leftMs <= 0) return;
    const startedAt = performance.now();
    await untilNobodyWaits(db, leftMs);
    leftMs -= performance.now() - startedAt;
  };
}

/** gone: nothing is claimed, go on. done: adopted and booked. later: ask again, claim nothing. */
async function settleTruth(
  deps: Deps,
  taken: TakenConversion,
  bill: BilledVisit,
  trialToken: string | null,
): Promise<'gone' | 'done' | 'later'> {
  const messages = await messagesOfVisit(deps.db, deps.keyring, taken.intent.visitId);
  const message = messages.find((m) => m.msgid === taken.row.unknownMsgid);
  if (!message) return 'gone';
  // Lines refunded since, or an answer that broke its sums: that claim is of no use any more.
  const isOfThisBill = claimedIn(message).total === bill.total;
  const truth = await learnTruth(deps, {
    held: taken.intent,
    bill,
    message,
    trialToken,
    mayAdopt: isOfThisBill && taken.row.brokenClaims === 0,
  });
  switch (truth.fate) {
    case 'gone':
      return 'gone';
    case 'live':
      await transact(deps.db, (tx) => bookConversion(tx, deps, taken, truth));
      return 'done';
    case 'unknown':
      await askLater(deps, taken, truth.reason);
      return 'later';
  }
  return truth satisfies never;
}

async function askLater(deps: Deps, taken: TakenConversion, reason: string): Promise<void> {
  const soon = secondsUntilNext(taken.row.tries, deps.env.EGRET_MODE === 'sandbox');
  await againInDoubt(deps, taken, soon, { outcome: 'unknown', reason });
}

/**
 * Queued again after `soon` seconds; in doubt for hours, hourly and with a finance case. That holds as
 * well for claims that are reversed one after the other because none is ever answered whole.
 */
async function againInDoubt(
  deps: Deps,
  taken: TakenConversion,
  soon: number,
  ending: Omit<Parameters<typeof requeue>[2], 'seconds'>,
): Promise<void> {
  const { row } = taken;
  const isCase = row.unknownSince !== null && isUnknownTooLong(deps, row.unknownSince);
  await transact(deps.db, async (tx) => {
    if (isCase) {
      await openCase(tx, {
        kind: UNKNOWN_TOO_LONG,
        subjectId: row.id,
        hospitalCode: row.hospitalCode,
        reason: ending.reason,
        detail: { settlementId: row.settlementId },
        now: await businessNow(tx),
      });
    }
    await requeue(tx, taken, { ...ending, seconds: isCase ? HOURLY_SECONDS : soon });
  });
}
