// The decision at the counter: which answer of the insurer means what for the bill. Pure.
// Law: doubt never refuses and never takes the insurer's word (domain.md, At the counter).
import { withFilingAdvice } from '../insurance/filing.ts';
import type { ClaimResult } from './claim-run.ts';

export type CounterDecision =
  | {
      do: 'book';
      insurance: 'claimed' | 'awaitingInsurance' | 'notInsured' | 'skipped';
      reason?: string;
    }
  /** Nothing is changed: the visit is open again and the caller gets this refusal. */
  | { do: 'undo'; code: 'insurance/rejected' | 'insurance/offline'; reason: string }
  /** Of unknown fate, and the caller would rather wait: it only goes forward from here. */
  | { do: 'park'; code: 'insurance/unknown'; reason: string };

export function decideAtCounter(
  claim: ClaimResult | { outcome: 'skipped' },
  whenOffline: 'selfPay' | 'wait',
): CounterDecision {
  switch (claim.outcome) {
    case 'skipped':
      return { do: 'book', insurance: 'skipped' };
    case 'settled':
      return { do: 'book', insurance: 'claimed' };
    case 'notInsured':
      return { do: 'book', insurance: 'notInsured', reason: claim.reason };
    case 'rejected':
      return { do: 'undo', code: 'insurance/rejected', reason: withFilingAdvice(claim.reason) };
    case 'offline':
      return whenOffline === 'wait'
        ? { do: 'undo', code: 'insurance/offline', reason: claim.reason }
        : { do: 'book', insurance: 'awaitingInsurance', reason: claim.reason };
    case 'unknown':
      return whenOffline === 'wait'
        ? { do: 'park', code: 'insurance/unknown', reason: claim.reason }
        : { do: 'book', insurance: 'awaitingInsurance', reason: claim.reason };
  }
  return claim satisfies never;
}
