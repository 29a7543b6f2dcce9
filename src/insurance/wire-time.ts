// Role: the insurer's times are Asia/Shanghai texts without a zone (nhsa.md §1.3).
import { DateTime } from 'luxon';

const ZONE = 'Asia/Shanghai';
const DATE_TIME = 'yyyy-MM-dd HH:mm:ss';

/** "yyyy-MM-dd HH:mm:ss" in Shanghai. */
export function wireDateTime(at: Date): string {
  return DateTime.fromJSDate(at, { zone: ZONE }).toFormat(DATE_TIME);
}

/** "yyyyMMddHHmmss" in Shanghai, the middle of a msgid. */
export function wireStamp(at: Date): string {
  return DateTime.fromJSDate(at, { zone: ZONE }).toFormat('yyyyMMddHHmmss');
}

/** "yyyy-MM-dd" in Shanghai. */
export function wireDate(at: Date): string {
  return DateTime.fromJSDate(at, { zone: ZONE }).toFormat('yyyy-MM-dd');
}

/** Reads "yyyy-MM-dd HH:mm:ss" as Shanghai time; null when absent or not a time. */
export function readWireDateTime(text: string): Date | null {
  const read = DateTime.fromFormat(text.trim(), DATE_TIME, { zone: ZONE });
  return read.isValid ? read.toJSDate() : null;
}
