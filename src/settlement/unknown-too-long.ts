// Law: a truth that stays unknown for hours is a finance case, never a loop: a person is told once, and
// the insurer is asked hourly from then on (domain.md, Learning the truth).
import type { Deps } from '../deps.ts';

const CASE_AFTER_MS = 2 * 3_600_000;
export const HOURLY_SECONDS = 3_600;

/** Kind of the finance case. */
export const UNKNOWN_TOO_LONG = 'insurance/unknown-too-long';

/** Whether a person must be told of what has not been known since then. */
export function isUnknownTooLong(deps: Pick<Deps, 'realNow'>, since: Date): boolean {
  return deps.realNow().getTime() - since.getTime() > CASE_AFTER_MS;
}
