// Law: whatever the body is, it is read as lossless-json reads it, or refused as it refuses it.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { parse } from 'lossless-json';
import { describe, expect, it } from 'vitest';
import { parseExactly } from '../../src/insurance/exact-json.ts';

const outcomeOf = (read: (body: string) => unknown, body: string) => {
  try {
    return { value: read(body) };
  } catch {
    return 'refused';
  }
};
const library = (body: string) => parse(body, null, (number) => number);

function expectSame(body: string): void {
  const read = outcomeOf(parseExactly, body);
  const expected = outcomeOf(library, body);
  expect(isDeepStrictEqual(read, expected), body).toBe(true);
  // The order of members, too: what is stored of an answer is its text.
  expect(JSON.stringify(read)).toBe(JSON.stringify(expected));
}

const numberText = fc.stringMatching(/^-?(0|[1-9]\d{0,20})(\.\d{1,20})?([eE][+-]?\d{1,3})?$/);
const almostNumber = fc.stringMatching(/^[-+.eE0-9]{1,6}$/);
const stringText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => JSON.stringify(text)),
  fc.constantFrom('""', '"10:10:10"', '"-1"', '"{1,2}"', '"\\"1"', '"\\u00311"', '"总额：1"'),
);
const name = fc.constantFrom('"a"', '"b"', '"1"', '"__proto__"', '"constructor"', '"\\u0061"', '1');
const space = fc.constantFrom('', '', '', ' ', '\n', '\t ');

/** Texts that are JSON, or nearly: every token may have white space around it. */
const { body } = fc.letrec<{ body: string; list: string; object: string }>((tie) => ({
  list: fc
    .array(
      fc.tuple(space, tie('body'), space).map((parts) => parts.join('')),
      { maxLength: 4 },
    )
    .map((items) => `[${items.join(',')}]`),
  object: fc
    .array(fc.tuple(space, name, space, tie('body'), space), { maxLength: 4 })
    .map((members) => `{${members.map(([a, k, b, v, c]) => `${a}${k}${b}:${v}${c}`).join(',')}}`),
  body: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    { weight: 4, arbitrary: numberText },
    { weight: 1, arbitrary: almostNumber },
    { weight: 3, arbitrary: stringText },
    { weight: 2, arbitrary: fc.constantFrom('true', 'false', 'null', 'nul', '') },
    { weight: 4, arbitrary: tie('list') },
    { weight: 6, arbitrary: tie('object') },
  ),
}));

describe('an answer is read as the library reads it', () => {
  it('whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.json(), (text) => expectSame(text)),
      { numRuns: 1_000 },
    );
  });

  it('whatever is nearly JSON, with any number and any name twice', () => {
    fc.assert(fc.property(body, expectSame), { numRuns: 5_000 });
  });

  it('when something was lost, added or changed in it', () => {
    const change = fc.constantFrom('', '"', ',', ':', '1', '-', ' ', '\\', '{', '}', ']', '\n');
    fc.assert(
      fc.property(body, fc.nat(), fc.nat({ max: 2 }), change, (text, place, lost, added) => {
        const at = place % (text.length + 1);
        expectSame(text.slice(0, at) + added + text.slice(at + lost));
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    '{"a":1,"a":1}',
    '{"a":1,"a":2}',
    '{1:2}',
    '{1 :2}',
    '{"a":01}',
    '{"a":-}',
    '1',
    '[1 ]',
    '{"a":1"b":2}',
    '{"__proto__":{"a":1}}',
    '\ufeff{"a":1}',
    `${'['.repeat(200)}1${']'.repeat(200)}`,
    `${'['.repeat(100_000)}1${']'.repeat(100_000)}`,
  ])('%#', (text) => expectSame(text));
});
