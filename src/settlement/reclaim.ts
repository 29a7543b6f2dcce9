// The insurer's side of a refund: preview the rest on a fresh registration, cancel the old claim
// (2208, of an inpatient 2305), claim the rest (2207, 2304). Before 2208 any doubt changes nothing; after it there is no way back.
import { MAX_BROKEN_CLAIMS } from '../conversion/decide-conversion.ts';
import type { Deps } from '../deps.ts';
import { assert } from '../errors.ts';
import { tradesOf } from '../insurance/claim-inputs.ts';
import { isCancelSettle, isSettle } from '../insurance/claim-trades.ts';
import type { ClaimSplit } from '../insurance/insurer.ts';
import {
  findMessage,
  messagesOfIntent,
  payerOf,
  type StoredMessage,
  storeAnswer,
} from '../insurance/message-store.ts';
import type { Payer } from '../insurance/person.ts';
import { routeOf } from '../insurance/regions.ts';
import { readReversal } from '../insurance/split.ts';
import { querySettlement5203 } from '../insurance/trades.ts';
import { node, text } from '../insurance/wire.ts';
import type { BilledVisit } from './bill.ts';
import { identifyPerson, previewClaim, runClaim, settleClaim, storedClaim } from './claim-bill.ts';
import { type ClaimOrder, type ClaimRun, Stop } from './claim-run.ts';
import type { Intent } from './intent-store.ts';
import { learnTruth } from './learn-truth.ts';
import { INSURER_BUDGET_MS } from './settlement-order.ts';
import type { ClaimRow } from './settlement-store.ts';
import type { Talk } from './talk.ts';

export type Reclaimed =
  /** There was no claim: the insurer has nothing to do with it. */
  | { outcome: 'selfPay' }
  /** The whole claim is cancelled and nothing is left to claim. */
  | { outcome: 'reversed'; reversalSetlId: string }
  | { outcome: 'reclaimed'; reversalSetlId: string; split: ClaimSplit; msgid: string }
  /** The old claim is cancelled and the rest was finally refused: self-pay and a finance case. */
  | { outcome: 'restSelfPay'; reversalSetlId: string; reason: string }
  /** Nothing was changed at the insurer. */
  | {
      outcome: 'refused';
      code: 'insurance/offline' | 'insurance/rejected' | 'refund/citizen-part-rises';
      reason: string;
    }
  /** Begun, to be gone on with later; `isUnknown`: what the insurer has executed is not known. */
  | { outcome: 'pending'; reason: string; isUnknown: boolean };

interface Order {
  /** What is left of the bill; no lines for a whole refund. */
  bill: BilledVisit;
  oldClaim: ClaimRow;
}

/** Cancels the old claim and claims the rest. Safe to call again after a crash or a `pending`. */
export async function reclaim(deps: Deps, intent: Intent, order: Order): Promise<Reclaimed> {
  const messages = intent.isResumed ? await messagesOfIntent(deps.db, deps.keyring, intent.id) : [];
  const reversal = reversalIn(messages);
  const doubtful = unknownClaim(messages);
  if (doubtful) {
    const truth = await learnTruth(deps, { held: intent, bill: order.bill, message: doubtful });
    if (truth.fate === 'unknown') return pending(truth.reason, true);
    if (truth.fate === 'live') {
      return { ...truth, outcome: 'reclaimed', reversalSetlId: reversal.setlId ?? '' };
    }
  }
  if (brokenClaims(messages) >= MAX_BROKEN_CLAIMS) {
    const reason = 'insurer answers broke their own sums';
    return { outcome: 'restSelfPay', reversalSetlId: reversal.setlId ?? '', reason };
  }
  const claimOrder: ClaimOrder = {
    held: intent,
    // The certificate of the visit may have lapsed: 1101 is asked anew by ID number.
    bill: { ...order.bill, person: null },
    isPreview: false,
    isFresh: true,
    isResumed: intent.isResumed,
    isNewVisit: false,
    deadlineAt: deps.realNow().getTime() + INSURER_BUDGET_MS,
  };
  const result = await runClaim(deps, claimOrder, (run) => cancelAndClaim(run, order, reversal));
  if (result.unsaved) {
    const { msgid, answer } = result.unsaved;
    await storeAnswer(deps.db, deps.keyring, msgid, answer);
  }
  if (reversal.setlId === null) return notCancelled(result, reversal.isDoubtful);
  const reversalSetlId = reversal.setlId;
  if (order.bill.total === 0n) return { outcome: 'reversed', reversalSetlId };
  switch (result.outcome) {
    case 'settled':
      return { outcome: 'reclaimed', reversalSetlId, split: result.split, msgid: result.msgid };
    case 'rejected':
    case 'notInsured':
      return { outcome: 'restSelfPay', reversalSetlId, reason: result.reason };
    case 'offline':
      return pending(result.reason, false);
    case 'unknown':
      if (!result.isBroken || !result.msgid) return pending(result.reason, true);
      return takeBackBroken(deps, intent, order, result.msgid);
  }
  return result satisfies never;
}

const pending = (reason: string, isUnknown: boolean): Reclaimed => ({
  outcome: 'pending',
  reason,
  isUnknown,
});

/** Reverses a claim whose answer breaks its own sums; the next run claims once more or gives it up. */
async function takeBackBroken(
  deps: Deps,
  intent: Intent,
  order: Order,
  msgid: string,
): Promise<Reclaimed> {
  const messages = await messagesOfIntent(deps.db, deps.keyring, intent.id);
  const message = messages.find((m) => m.msgid === msgid);
  assert(message, `claim ${msgid} was stored before it was sent`);
  const { bill } = order;
  const truth = await learnTruth(deps, { held: intent, bill, message, mayAdopt: false });
  const isGone = truth.fate === 'gone';
  return pending(isGone ? 'a claim that broke its sums was reversed' : 'claim broken', !isGone);
}

/** Claims of this refund that were reversed because their answers broke their own sums. */
function brokenClaims(messages: readonly StoredMessage[]): number {
  return messages.filter(
    (m) => isSettle(m.infno) && m.fate === 'reversed' && m.answer?.outcome === 'ok',
  ).length;
}

/** What is known of the old claim's end. From the first 2208 on there is no way back. */
interface Reversal {
  /** Of the reversal record; '' when the insurer only said that it is done; null = not yet. */
  setlId: string | null;
  isDoubtful: boolean;
}

function reversalIn(messages: readonly StoredMessage[]): Reversal {
  const sent = messages.filter((m) => isCancelSettle(m.infno));
  const last = sent.at(-1);
  if (last?.answer?.outcome === 'ok') {
    return { setlId: readReversal(last.answer.output).setlId, isDoubtful: false };
  }
  if (last?.answer?.outcome === 'alreadyDone') return { setlId: '', isDoubtful: false };
  // A repeat that did not get through says nothing of the first one, whose answer was lost.
  const isDoubtful = sent.some((m) => !m.answer || m.answer.outcome === 'unknown');
  return { setlId: null, isDoubtful };
}

async function cancelAndClaim(run: ClaimRun, order: Order, reversal: Reversal) {
  const stored = await storedClaim(run);
  if (stored) return stored;
  const payer = await payerOfClaim(run, order.oldClaim);
  // Sent before, its answer lost: the same 2208 again tells; only then is the rest worth previewing.
  if (reversal.isDoubtful) await cancelOld(run, payer, order.oldClaim, reversal);
  if (order.bill.total === 0n) {
    if (reversal.setlId === null) await cancelOld(run, payer, order.oldClaim, reversal);
    throw new Stop('rejected', 'nothing is left to claim');
  }
  const previewed = await previewClaim(run);
  if (reversal.setlId === null) {
    // Account money counts as the citizen's: the old claim still holds it, 2208 sets it free.
    if (ownPart(previewed.preview) > ownPart(order.oldClaim))
      throw new Stop('rejected', PART_RISES);
    await cancelOld(run, payer, order.oldClaim, reversal);
  }
  return settleClaim(run, previewed);
}

const ownPart = (of: { cash: bigint; account: bigint }) => of.cash + of.account;

const PART_RISES = "the citizen's part would rise";

type Result = Awaited<ReturnType<typeof runClaim>>;

function notCancelled(result: Result, isDoubtful: boolean): Reclaimed {
  const reason = result.outcome === 'settled' ? '' : result.reason;
  if (isDoubtful) return pending(reason, true);
  if (result.outcome === 'rejected' || result.outcome === 'notInsured') {
    const code = reason === PART_RISES ? 'refund/citizen-part-rises' : 'insurance/rejected';
    return { outcome: 'refused', code, reason };
  }
  return { outcome: 'refused', code: 'insurance/offline', reason };
}

/** Whoever the old claim was made for, covered or not today: by its own message, else as 1101 says now. */
async function payerOfClaim(run: ClaimRun, { msgid }: ClaimRow): Promise<Payer> {
  const { db, keyring } = run.deps;
  const message = await findMessage(db, keyring, msgid);
  return (message && payerOf(message)) ?? identifyPerson(run);
}

/** The old claim is at the insurer that it was made at; the rest is claimed at today's. */
async function askingInsurerOf<T>(
  { talk, order }: ClaimRun,
  { insuredRegion }: Payer,
  ask: (talk: Talk) => Promise<T>,
): Promise<T> {
  const today = { insuredRegion: talk.insuredRegion, route: talk.route };
  const route = routeOf(order.bill.hospital.region, insuredRegion);
  Object.assign(talk, { insuredRegion, route });
  try {
    return await ask(talk);
  } finally {
    Object.assign(talk, today);
  }
}

/** 2208 of the same setl_id may be repeated; 已撤销 means it is done. */
async function cancelOld(
  run: ClaimRun,
  payer: Payer,
  oldClaim: ClaimRow,
  reversal: Reversal,
): Promise<void> {
  const { cancelSettle, input } = tradesOf(run.order.bill.claimVisit);
  const order = input.cancelSettle(payer, oldClaim);
  const told = await askingInsurerOf(run, payer, (talk) =>
    talk.change(cancelSettle, order, 'inDoubt'),
  );
  switch (told.outcome) {
    case 'ok':
      reversal.setlId = readReversal(told.output).setlId;
      reversal.isDoubtful = false;
      return;
    case 'alreadyDone':
      reversal.setlId = '';
      reversal.isDoubtful = false;
      return;
    case 'unknown':
      reversal.isDoubtful = true;
      throw new Stop('offline', told.reason);
    case 'rejected':
    case 'notInsured':
      if (!reversal.isDoubtful) throw new Stop(told.outcome, told.reason);
      return askWhetherReversed(run, payer, oldClaim, reversal);
    case 'offline':
      throw new Stop('offline', told.reason);
  }
  return told satisfies never;
}

/** A no to the repeat says nothing of the 2208 whose answer was lost: 5203 knows the claim's end. */
async function askWhetherReversed(
  run: ClaimRun,
  payer: Payer,
  oldClaim: ClaimRow,
  reversal: Reversal,
): Promise<void> {
  const { mdtrtId, setlId } = oldClaim;
  const question = querySettlement5203(payer, { mdtrtId, setlId });
  const told = await askingInsurerOf(run, payer, (talk) => talk.ask('5203', question));
  const flag = told.outcome === 'ok' ? text(node(told.output, 'setlinfo'), 'refd_setl_flag') : '';
  if (flag === '1') {
    reversal.setlId = '';
    reversal.isDoubtful = false;
    return;
  }
  reversal.isDoubtful = flag !== '0';
  throw new Stop(reversal.isDoubtful ? 'offline' : 'rejected', 'the insurer refuses to cancel');
}

/** The 2207 of this refund whose fate is not known yet. */
function unknownClaim(messages: readonly StoredMessage[]): StoredMessage | null {
  const last = messages.filter((m) => isSettle(m.infno)).at(-1);
  // A claim found live whose booking was lost must be found again.
  const isOpen = last && (last.fate === null || last.fate === 'live');
  const isUnknown = isOpen && (!last.answer || last.answer.outcome === 'unknown');
  return isUnknown ? last : null;
}
