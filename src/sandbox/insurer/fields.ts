// Role: reading the platform's loosely typed nodes: text or number, "" and null are both absent.
import { type Fen, fenFromWire } from '../../money.ts';
import { Refusal, refusals } from './refusals.ts';

export type Node = Record<string, unknown>;

/** The field as trimmed text; numbers as their digits; "" for absent, null, objects. */
export function textOf(node: Node, field: string): string {
  const value = node[field];
  if (typeof value === 'string') return value.trim();
  return typeof value === 'number' ? String(value) : '';
}

/** A node of the input, e.g. "data" or "signIn"; refuses when it is not an object. */
export function nodeOf(input: Node, name: string): Node {
  const node = input[name];
  if (!isNode(node)) throw new Refusal(refusals.fieldEmpty(name));
  return node;
}

/** A list of nodes; a single node counts as a list of one, as the platform takes it. */
export function nodesOf(input: Node, name: string): Node[] {
  const value = input[name];
  const list = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
  if (!list.every(isNode)) throw new Refusal(refusals.malformed(`${name}格式不正确`));
  return list;
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Refuses when one of the starred fields is empty. */
export function need(node: Node, fields: readonly string[]): void {
  for (const field of fields) {
    if (textOf(node, field) === '') throw new Refusal(refusals.fieldEmpty(field));
  }
}

/**
 * Clinical fields that the standard stars and production insists on: the sandbox takes a default
 * and says so in warn_msg (api.md, PATCH /v1/visits).
 */
export function warnAbout(node: Node, fields: readonly string[]): string | null {
  const empty = fields.filter((field) => textOf(node, field) === '');
  return empty.length === 0 ? null : `${empty.join(',')}为空，沙箱已取默认值`;
}

/** An amount in fen; refuses text that is no amount, is negative or finer than a fen. */
export function amountOf(node: Node, field: string): Fen {
  const fen = fenFromWire(node[field]);
  if (fen === null || fen < 0n) throw new Refusal(refusals.badAmount(field));
  return fen;
}

/** A non-negative decimal text with at most the given places (cnt 16,4 and pric 16,6). */
export function decimalOf(node: Node, field: string, places: number): string {
  const text = textOf(node, field);
  const [whole = '', fraction = ''] = text.split('.');
  const isDecimal = /^\d{1,12}(\.\d+)?$/.test(text) && whole.length + fraction.length <= 16;
  if (!isDecimal || fraction.length > places) throw new Refusal(refusals.badAmount(field));
  return text;
}
