// What a try at converting means for the conversion. Pure.
// Law: doubt never ends a conversion and never lets a second claim be made; only a plain no or a
// claim whose answer twice broke its own sums does.
import type { ClaimResult } from '../settlement/claim-run.ts';

export type ConversionDecision =
  | { do: 'convert' }
  /** Finally refused: a person is told why. */
  | { do: 'reject'; kind: RejectionKind; reason: string }
  /** Not now: the insurer is away; nothing was claimed. */
  | { do: 'wait'; reason: string }
  /** A claim of unknown fate: its truth is learnt before anything else. */
  | { do: 'learn'; reason: string; msgid: string; isBroken: boolean };

export type RejectionKind =
  | 'insurance/rejected'
  | 'insurance/not-insured'
  | 'insurance/answer-broken'
  | 'insurance/too-late';

/** `wait` and `learn` come again; see `secondsUntilNext`. */
export function decideConversion(result: ClaimResult): ConversionDecision {
  switch (result.outcome) {
    case 'settled':
      return { do: 'convert' };
    case 'rejected':
      return { do: 'reject', kind: 'insurance/rejected', reason: result.reason };
    case 'notInsured':
      return { do: 'reject', kind: 'insurance/not-insured', reason: result.reason };
    case 'offline':
      return { do: 'wait', reason: result.reason };
    case 'unknown': {
      const { msgid, reason, isBroken } = result;
      return msgid ? { do: 'learn', reason, msgid, isBroken } : { do: 'wait', reason };
    }
  }
  return result satisfies never;
}

/** A claim that breaks an invariant is reversed and claimed once more; then it is a finance case. */
export const MAX_BROKEN_CLAIMS = 2;

/** Sandbox: at most 5 s (api.md, Sandbox). Production: 5 s, doubling to 5 minutes. */
export function secondsUntilNext(tries: number, isSandbox: boolean): number {
  const doubled = 2 ** Math.min(Math.max(tries - 1, 0), 10);
  return isSandbox ? Math.min(5, doubled) : Math.min(300, 5 * doubled);
}
