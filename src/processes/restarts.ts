// Law: a process that dies is started again, but not for ever: what dies again and again would only look
// like a service. Pure.

/** Deaths of one process within the window that are still bad luck; a start takes one to three seconds. */
export const MAX_DEATHS = 5;
export const WINDOW_MS = 60_000;

/** The deaths (ms of one clock, ascending) that still count after one `nowMs`; null: one too many. */
export function noteDeath(deathsMs: readonly number[], nowMs: number): number[] | null {
  const counted = [...deathsMs.filter((at) => at > nowMs - WINDOW_MS), nowMs];
  return counted.length >= MAX_DEATHS ? null : counted;
}
