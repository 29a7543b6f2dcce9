// Role: JSON in which every number stays its text. Law: exactly what lossless-json reads, of any body;
// the built-in parser does it in half the time where a body is plain, as nearly all answers are.
import { parse } from 'lossless-json';
import type { WireValue } from './insurer.ts';

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** Deeper than any answer, and far from the end of the stack. */
const MAX_DEPTH = 64;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BRACKET = 0x5d;
const BRACE = 0x7d;

/** The value of a JSON text, numbers as text. Throws on what is not JSON. */
export function parseExactly(body: string): WireValue {
  return parsePlain(body) ?? (parse(body, null, (number) => number) as WireValue);
}

/** Puts numbers into quotes and parses; null: the library shall judge. */
function parsePlain(body: string): WireValue {
  // Without escapes a string ends at the next quote.
  const quoted = body.includes('\\') ? null : quoteNumbers(body);
  if (!quoted) return null;
  try {
    const value = JSON.parse(quoted.text) as WireValue;
    // The built-in parser takes the last of two members of one name; the library takes none.
    return membersOf(value, 0) === quoted.colons ? value : null;
  } catch {
    return null;
  }
}

/** Null where a number is none, or is not a value that ends at `,`, `]` or `}`. */
function quoteNumbers(body: string): { text: string; colons: number } | null {
  let text = '';
  let done = 0;
  let colons = 0;
  for (let i = 0; i < body.length; i += 1) {
    const code = body.charCodeAt(i);
    if (code === QUOTE) {
      i = body.indexOf('"', i + 1);
      if (i < 0) return null;
    } else if (code === COLON) {
      colons += 1;
    } else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      const end = endOfNumber(body, i);
      const number = body.slice(i, end);
      if (!NUMBER.test(number)) return null;
      text += `${body.slice(done, i)}"${number}"`;
      done = end;
      i = end - 1;
    }
  }
  return { text: text + body.slice(done), colons };
}

function endOfNumber(body: string, from: number): number {
  for (let i = from; i < body.length; i += 1) {
    const code = body.charCodeAt(i);
    if (code === COMMA || code === BRACKET || code === BRACE) return i;
  }
  return from;
}

/** How many members all objects in a value have; NaN when it is too deep. */
function membersOf(value: WireValue, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > MAX_DEPTH) return Number.NaN;
  if (Array.isArray(value)) {
    return value.reduce<number>((sum, item) => sum + membersOf(item, depth + 1), 0);
  }
  let members = 0;
  for (const name in value) members += 1 + membersOf(value[name] ?? null, depth + 1);
  return members;
}
