// Law: doubt is never a no. Whatever might have been executed at a money trade is `unknown`;
// before the money trade the same doubt is `offline` (domain.md, Answers; nhsa.md §10).
import { isCancelSettle, isMoneyTrade, isSettle, isUndoing } from './claim-trades.ts';
import { readable, reasonOf } from './error-text.ts';
import type { Answer } from './insurer.ts';
import { type RegionRules, readErrorText, type TextMeaning } from './regions.ts';
import { node, type ResponseEvent, text, type WireReply } from './wire.ts';

/** What happened to one message. The first two mean that no byte of it was sent. */
export type ExchangeEvent =
  | { kind: 'refused'; reason: string }
  | { kind: 'timeoutBeforeSend' }
  | { kind: 'timeout' }
  | { kind: 'reset'; reason: string }
  | ResponseEvent;

export interface Verdict {
  answer: Answer;
  /** An error text that no pattern knows, to be counted and shown to finance. */
  unlistedText: string | null;
  /** The insurer wants a 9001 first; the message was surely not executed. */
  needsSignIn: boolean;
}

/** True where doubt means `unknown`: the trade may have been executed. */
const isDoubtful = (infno: string) => isMoneyTrade(infno) || infno === '2601';
const isReversal = (infno: string) => isCancelSettle(infno) || infno === '2601';

/** The decision table from (trade, event, region) to one of the answers. Pure. */
export function classify(infno: string, event: ExchangeEvent, rules: RegionRules): Verdict {
  switch (event.kind) {
    case 'refused':
      return sure({ outcome: 'offline', reason: `connection refused: ${event.reason}` });
    case 'timeoutBeforeSend':
      return sure({ outcome: 'offline', reason: 'no connection before the deadline' });
    case 'gateway401':
      return sure({ outcome: 'offline', reason: `gateway 401: ${readable(event.message)}` });
    case 'timeout':
      return doubt(infno, 'no answer before the deadline');
    case 'reset':
      return doubt(infno, `connection lost: ${event.reason}`);
    case 'httpStatus':
      return doubt(infno, `HTTP ${event.status}`);
    case 'nonJson':
      return doubt(infno, 'answer is not JSON');
    case 'noInfcode':
      return doubt(infno, 'answer without infcode');
    case 'reply':
      return classifyReply(infno, event.reply, rules);
  }
  return event satisfies never;
}

function classifyReply(infno: string, reply: WireReply, rules: RegionRules): Verdict {
  const { infcode, output } = reply;
  const isOk = infcode === '0' || (infno === '1101' && rules.lookUpOkCodes.includes(infcode));
  if (isOk) {
    if (!output) return doubt(infno, 'answer with an unreadable output');
    if (isSettle(infno) && text(node(output, 'setlinfo'), 'setl_id') === '') {
      return doubt(infno, 'answer without setl_id');
    }
    return sure({ outcome: 'ok', output });
  }
  // −2 is the business error of the DLL edition (nhsa.md §1.5); its text is read alike.
  if (infcode === '-1' || infcode === '-2') return classifyText(infno, reply.errMsg, rules);
  return doubt(infno, `infcode ${readable(infcode)}`);
}

function classifyText(infno: string, errMsg: string, rules: RegionRules): Verdict {
  const reason = reasonOf(errMsg);
  const meaning = readErrorText(rules, infno, errMsg);
  if (meaning === null) {
    return { ...sure({ outcome: 'rejected', reason }), unlistedText: reason };
  }
  return answerOf(infno, meaning, reason);
}

function answerOf(infno: string, meaning: TextMeaning, reason: string): Verdict {
  const rejected = sure({ outcome: 'rejected', reason });
  const done = sure({ outcome: 'alreadyDone', reason });
  switch (meaning) {
    case 'systemTrouble':
      return doubt(infno, reason);
    case 'alreadySettled':
      return sure({ outcome: 'unknown', reason });
    case 'alreadyReversed':
      return isReversal(infno) ? done : rejected;
    case 'nothingToCancel':
      return isUndoing(infno) ? done : rejected;
    case 'alreadyDischarged':
      return infno === '2402' ? done : rejected;
    case 'noSuchMessage':
      return infno === '2601' ? done : rejected;
    case 'notInsured':
      return sure({ outcome: 'notInsured', reason });
    case 'notSignedIn':
      return { ...sure({ outcome: 'offline', reason }), needsSignIn: true };
    case 'rejected':
      return rejected;
  }
  return meaning satisfies never;
}

function doubt(infno: string, reason: string): Verdict {
  return sure({ outcome: isDoubtful(infno) ? 'unknown' : 'offline', reason });
}

function sure(answer: Answer): Verdict {
  return { answer, unlistedText: null, needsSignIn: false };
}
