// Role: the insurer's times are Asia/Shanghai texts without a zone (nhsa.md §1.3).
import { DateTime } from 'luxon';

const ZONE = 'Asia/Shanghai';
const DATE_TIME = 'yyyy-MM-dd HH:mm:ss';

/** Shanghai's only offset since its last summer time; before that the zone's history is asked. */
const OFFSET_MS = 8 * 3_600_000;
const ONE_OFFSET_SINCE_MS = Date.UTC(1992, 0, 1);
/** yyyy-mm-ddThh:mm:ss of an ISO text. */
const TO_SECONDS = 19;
const DATE = 10;

/** "yyyy-MM-dd HH:mm:ss" in Shanghai. */
export function wireDateTime(at: Date): string {
  const ms = at.getTime();
  if (!(ms >= ONE_OFFSET_SINCE_MS)) {
    return DateTime.fromJSDate(at, { zone: ZONE }).toFormat(DATE_TIME);
  }
  return new Date(ms + OFFSET_MS).toISOString().slice(0, TO_SECONDS).replace('T', ' ');
}

/** "yyyyMMddHHmmss" in Shanghai, the middle of a msgid. */
export function wireStamp(at: Date): string {
  return wireDateTime(at).replace(/[^0-9]/g, '');
}

/** "yyyy-MM-dd" in Shanghai. */
export function wireDate(at: Date): string {
  return wireDateTime(at).slice(0, DATE);
}

/** Reads "yyyy-MM-dd HH:mm:ss" as Shanghai time; null when absent or not a time. */
export function readWireDateTime(text: string): Date | null {
  const wanted = text.trim();
  // A preview has no time yet, and luxon is slow to say no.
  if (wanted === '') return null;
  const at = new Date(`${wanted.replace(' ', 'T')}+08:00`);
  // What is written back as it was read is a time of the one offset, in this very format.
  if (at.getTime() >= ONE_OFFSET_SINCE_MS && wireDateTime(at) === wanted) return at;
  const read = DateTime.fromFormat(wanted, DATE_TIME, { zone: ZONE });
  return read.isValid ? read.toJSDate() : null;
}
