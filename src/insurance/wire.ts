// Role: the tolerant reader. Numbers stay text (no floats), infcode may be a number or a string,
// output an object or a JSON string, idetinfo may lie outside it (nhsa.md §1.2, §1.5).
import { parseExactly } from './exact-json.ts';
import type { WireNode, WireValue } from './insurer.ts';

/** The envelope of an answer that is one. */
export interface WireReply {
  /** As text, trimmed: "0", "-1", "1" … */
  infcode: string;
  errMsg: string;
  /** Null when the answer carries an output that cannot be read; {} when it carries none. */
  output: WireNode | null;
}

/** What came back over HTTP, before anybody asks what it means for a trade. */
export type ResponseEvent =
  | { kind: 'gateway401'; message: string }
  | { kind: 'httpStatus'; status: number }
  | { kind: 'nonJson' }
  | { kind: 'noInfcode' }
  | { kind: 'reply'; reply: WireReply };

/** Reads an HTTP answer. Never throws, whatever the body is. */
export function readResponse(status: number, body: string): ResponseEvent {
  const envelope = asNode(parseJson(body));
  if (status === 401) return { kind: 'gateway401', message: gatewayMessage(envelope) };
  if (status < 200 || status > 299) return { kind: 'httpStatus', status };
  if (!envelope) return { kind: 'nonJson' };
  const infcode = text(envelope, 'infcode');
  if (infcode === '') {
    // The gateway's own refusals are no envelopes: {"code":401,"message":"签名不一致!"}.
    if (text(envelope, 'code') !== '401') return { kind: 'noInfcode' };
    return { kind: 'gateway401', message: gatewayMessage(envelope) };
  }
  const reply = { infcode, errMsg: text(envelope, 'err_msg'), output: readOutput(envelope) };
  return { kind: 'reply', reply };
}

/** The text of a scalar field, trimmed; "" when it is absent, null or not a scalar. */
export function text(node: WireNode | null | undefined, field: string): string {
  const value = node && Object.hasOwn(node, field) ? node[field] : null;
  if (typeof value === 'string') return value.trim();
  return typeof value === 'boolean' ? String(value) : '';
}

/** The node under a field; null when there is none. */
export function node(parent: WireNode | null | undefined, field: string): WireNode | null {
  return parent && Object.hasOwn(parent, field) ? asNode(parent[field]) : null;
}

/** The nodes under a field; a single node counts as a list of one. */
export function nodes(parent: WireNode | null | undefined, field: string): WireNode[] {
  const value = parent && Object.hasOwn(parent, field) ? parent[field] : null;
  const list = Array.isArray(value) ? value : [value];
  return list.map(asNode).filter((item) => item !== null);
}

function readOutput(envelope: WireNode): WireNode | null {
  const raw = envelope.output;
  const isAbsent = raw === undefined || raw === null || raw === '';
  const output = isAbsent ? {} : asNode(typeof raw === 'string' ? parseJson(raw) : raw);
  const stray = envelope.idetinfo;
  if (!output || stray === undefined || Object.hasOwn(output, 'idetinfo')) return output;
  return { ...output, idetinfo: stray };
}

function gatewayMessage(envelope: WireNode | null): string {
  return text(envelope, 'message') || text(envelope, 'err_msg') || 'no message';
}

function asNode(value: WireValue | undefined): WireNode | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
}

function parseJson(body: string): WireValue | undefined {
  try {
    return parseExactly(body);
  } catch {
    return undefined;
  }
}
