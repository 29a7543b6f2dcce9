// What one run of a claim knows on its way, and how it leaves the sequence of trades.
import type { Deps } from '../deps.ts';
import type { Filing } from '../insurance/filing.ts';
import type { Answer, ClaimSplit, RouteName, WireNode } from '../insurance/insurer.ts';
import type { InsuredPerson } from '../insurance/person.ts';
import type { BilledVisit } from './bill.ts';
import type { Talk, TalkOrder } from './talk.ts';

/** What came out of the talk, beside its answer; saved by whoever finishes the run. */
export interface Outcome {
  route: RouteName;
  person: InsuredPerson | null;
  mdtrtId: string | null;
  preview: ClaimSplit | null;
  unsaved: Talk['unsaved'];
  /** What was learnt of the filing of a patient insured elsewhere. */
  filing?: Filing | null;
}

export type ClaimResult = Outcome &
  (
    | { outcome: 'settled'; split: ClaimSplit; msgid: string }
    | { outcome: 'rejected'; reason: string }
    | { outcome: 'notInsured'; reason: string }
    | { outcome: 'offline'; reason: string }
    /** `msgid` is the 2207 (2304) of unknown fate; null when an earlier one already settled this bill. */
    | { outcome: 'unknown'; reason: string; msgid: string | null; isBroken: boolean }
  );

type Failure = Extract<ClaimResult, { reason: string }>['outcome'];

export interface ClaimOrder extends TalkOrder {
  bill: BilledVisit;
  /** Stop after 2206 (2303): `outcome` is settled with the preview's split (empty setlId). */
  isPreview: boolean;
  /** Register anew even if the visit has a registration (after a partial refund). */
  isFresh: boolean;
  /** True when no message of this visit can exist yet: spares the look. */
  isNewVisit: boolean;
}

export interface ClaimRun {
  deps: Deps;
  order: ClaimOrder;
  talk: Talk;
  person: InsuredPerson | null;
  mdtrtId: string | null;
  preview: ClaimSplit | null;
  filing: Filing | null;
  /** True when this visit's registration may hold lines of an earlier upload. */
  isUploaded: boolean;
}

/** Thrown to leave the sequence of trades with a result. */
export class Stop extends Error {
  readonly outcome: Failure;
  readonly msgid: string | null;
  /** The insurer's own answer breaks a money invariant: it has booked something that cannot be. */
  readonly isBroken: boolean;

  constructor(outcome: Failure, reason: string, msgid: string | null = null, isBroken = false) {
    super(reason);
    this.outcome = outcome;
    this.msgid = msgid;
    this.isBroken = isBroken;
  }
}

/** The output of a trade before the money trade; any failure leaves with its outcome. */
export async function must(answering: Promise<Answer>): Promise<WireNode> {
  const answer = await answering;
  switch (answer.outcome) {
    case 'ok':
      return answer.output;
    case 'alreadyDone':
      return {};
    case 'rejected':
    case 'notInsured':
    case 'offline':
      throw new Stop(answer.outcome, answer.reason);
    case 'unknown':
      // Before 2207 an unknown fate moved no money; "already settled" texts alone claim otherwise.
      throw new Stop('unknown', answer.reason);
  }
  return answer satisfies never;
}
