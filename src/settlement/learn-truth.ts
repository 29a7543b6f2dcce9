// What became of a 2207 that nobody answered (domain.md, Learning the truth): left alone for a quiet
// time, then 5203, then 2601. Law: only an answer with setl_id and the whole split is adopted.
import type { Deps } from '../deps.ts';
import type { ClaimSplit } from '../insurance/insurer.ts';
import { payerOf, type StoredMessage, setFate, storeAnswer } from '../insurance/message-store.ts';
import type { Payer } from '../insurance/person.ts';
import { regionRules } from '../insurance/regions.ts';
import { readSplit } from '../insurance/split.ts';
import { querySettlement5203, reverse2601 } from '../insurance/trades.ts';
import type { BilledVisit } from './bill.ts';
import { claimedIn, findPerson, isBooked } from './claim-bill.ts';
import type { Intent } from './intent-store.ts';
import { openTalk, type Talk } from './talk.ts';

export type Truth =
  | { fate: 'live'; split: ClaimSplit; msgid: string }
  /** No live claim is left: the same charges may be claimed again. */
  | { fate: 'gone' }
  /** Ask later, claim nothing. */
  | { fate: 'unknown'; reason: string };

const BUDGET_MS = 8_000;

/** Finds out; stores its own 2601 like any other trade and records the fate of the message. */
export async function learnTruth(
  deps: Deps,
  order: {
    held: Pick<Intent, 'id' | 'leaseToken'>;
    bill: BilledVisit;
    message: StoredMessage;
    trialToken?: string | null;
    /** False: a live claim is of no use any more and is reversed. */
    mayAdopt?: boolean;
  },
): Promise<Truth> {
  const { bill, message } = order;
  const now = deps.realNow().getTime();
  if (now < message.sentAt.getTime() + deps.env.INSURANCE_QUIET_MS) {
    return { fate: 'unknown', reason: 'still within the quiet time' };
  }
  const known = payerOf(message) ?? bill.person;
  const payer = known ?? (await findPerson(deps, bill, order.trialToken));
  if (!payer) return { fate: 'unknown', reason: 'insurer offline' };
  const talk = await openTalk(deps, {
    held: order.held,
    bill,
    insuredRegion: payer.insuredRegion,
    isResumed: true,
    deadlineAt: now + BUDGET_MS,
    trialToken: order.trialToken ?? null,
  });
  const adopted =
    order.mayAdopt === false ? null : await askForClaim(deps, talk, { bill, payer, message });
  if (adopted) {
    await setFate(deps.db, message.msgid, 'live');
    return { fate: 'live', split: adopted, msgid: message.msgid };
  }
  const reversed = await talk.change('2601', reverse2601(payer, message), 'always');
  if (talk.unsaved) {
    await storeAnswer(deps.db, deps.keyring, talk.unsaved.msgid, talk.unsaved.answer);
  }
  if (reversed.outcome !== 'ok' && reversed.outcome !== 'alreadyDone') {
    return { fate: 'unknown', reason: reversed.reason };
  }
  await setFate(deps.db, message.msgid, 'reversed');
  return { fate: 'gone' };
}

/** 5203, where the region answers it without a setl_id: the whole split of this very message, or null. */
async function askForClaim(
  deps: Deps,
  talk: Talk,
  { bill, payer, message }: { bill: BilledVisit; payer: Payer; message: StoredMessage },
): Promise<ClaimSplit | null> {
  const { mdtrtId, total } = claimedIn(message);
  const found = await talk.ask('5203', querySettlement5203(payer, { mdtrtId }));
  if (found.outcome !== 'ok') return null;
  const { psnNo } = payer;
  const expected = { total, mdtrtId, psnNo, msgid: message.msgid, isPreview: false };
  const read = readSplit(found.output, expected, regionRules(bill.hospital.region));
  // A registration may hold several settlements: only the echo of this very message proves it.
  if ('broken' in read || read.split.medinsSetlId !== message.msgid) return null;
  // A settlement that is booked already cannot be this message's as well: the claim is reversed.
  return (await isBooked(deps, bill.hospital.code, read.split.setlId)) ? null : read.split;
}
