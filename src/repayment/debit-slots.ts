// Law (pure): when the bank may be asked for what is due. At the due time itself; then at the policy's
// hours of the next days; never at night otherwise, however late a worker comes (domain.md, Repayment).
import { DateTime } from 'luxon';

/** When and how long a debit is tried again; policy data. */
export interface RetryRule {
  /** Shanghai times of a day, in order, none of them at night. */
  at: readonly string[];
  /** Days after the due time on which every time of `at` counts; then only the first does. */
  denseDays: number;
  /** After so many days the lender collects by itself. */
  days: number;
}

export interface Slot {
  /** Names the try: one debit a line and slot. "2026-01-02T08:00", Shanghai. */
  slot: string;
  /** What fell due by then is taken. */
  at: Date;
  /** Nothing that fell due before then is taken. */
  dueAfter: Date;
}

const ZONE = 'Asia/Shanghai';
/** Nobody's account is debited at night but at the product's own due time. */
const NIGHT_FROM = 22;
const NIGHT_UNTIL = 7;
/** A worker that comes later than this to a due time waits for the next slot. */
export const DUE_WINDOW_MINUTES = 60;

const nameOf = (at: DateTime) => at.toFormat("yyyy-MM-dd'T'HH:mm");

/** The retry that `now` lies in: the newest of today's times that has come; null at night or before it. */
export function retrySlot(now: Date, rule: RetryRule): Slot | null {
  const local = DateTime.fromJSDate(now, { zone: ZONE });
  if (local.hour >= NIGHT_FROM || local.hour < NIGHT_UNTIL) return null;
  const times = rule.at.map((text) => timeOn(local, text)).filter((at) => at <= local);
  const at = times.at(-1);
  if (!at) return null;
  const days = times.length === 1 ? rule.days : rule.denseDays;
  const dueAfter = at.minus({ days });
  return { slot: nameOf(at), at: at.toJSDate(), dueAfter: dueAfter.toJSDate() };
}

function timeOn(day: DateTime, text: string): DateTime {
  const [hour, minute] = text.split(':').map(Number);
  return day.startOf('day').set({ hour: hour ?? 0, minute: minute ?? 0 });
}
