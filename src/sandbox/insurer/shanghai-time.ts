// Role: the insurer's clock texts. The platform speaks Asia/Shanghai without offset; the zone has
// had no daylight saving since 1991, so adding eight hours is exact.
const EIGHT_HOURS_MS = 8 * 3_600_000;

/** "yyyy-MM-dd HH:mm:ss" in Asia/Shanghai. */
export function shanghaiText(epochMs: number): string {
  return shifted(epochMs).slice(0, 19).replace('T', ' ');
}

/** "yyyyMMddHHmmssSSS" in Asia/Shanghai (refmsg_time, respond_time). */
export function shanghaiDigits(epochMs: number): string {
  return shifted(epochMs).slice(0, 23).replace(/\D/g, '');
}

/** "2026-11-21 09:30:00" (Shanghai) as RFC 3339: "2026-11-21T09:30:00+08:00". */
export function toRfc3339(shanghai: string): string {
  return `${shanghai.replace(' ', 'T')}+08:00`;
}

function shifted(epochMs: number): string {
  return new Date(epochMs + EIGHT_HOURS_MS).toISOString();
}
