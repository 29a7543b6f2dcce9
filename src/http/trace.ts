// W3C Trace Context: the caller's trace id is kept, so that one road can be followed across systems.
import { randomSupply } from '../random.ts';

export interface Trace {
  /** 32 hex digits. */
  traceId: string;
  /** Our own part of the trace, 16 hex digits. */
  spanId: string;
  flags: string;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;
const ZERO_TRACE = '0'.repeat(32);
const ZERO_SPAN = '0'.repeat(16);
/** 16 bytes of a trace id and 8 of a span id. */
const nextIds = randomSupply(24);

/** Continues the caller's trace, or begins one when the header is absent or broken. */
export function readTrace(header: string | undefined): Trace {
  const [, traceId, parentId, flags = '00'] = TRACEPARENT.exec(header ?? '') ?? [];
  const ids = nextIds().toString('hex');
  const spanId = ids.slice(32);
  if (!traceId || traceId === ZERO_TRACE || parentId === ZERO_SPAN) {
    return { traceId: ids.slice(0, 32), spanId, flags: '00' };
  }
  return { traceId, spanId, flags };
}

/** The header for replies and for calls that this request causes. */
export function traceparentOf(trace: Trace): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.flags}`;
}
