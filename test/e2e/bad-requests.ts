// Bad requests made from the API document: which bodies it refuses, and mutations of good ones.
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export interface Operation {
  method: string;
  path: string;
  operationId: string;
  /** Roles that may call; empty: no token is needed. */
  roles: string[];
  /** Names of query parameters. */
  query: string[];
  hasJsonBody: boolean;
  /** True when the JSON body is required. */
  isBodyRequired: boolean;
  takesKey: boolean;
  needsKey: boolean;
  statuses: number[];
  /** JSON Schema of the body; undefined: none. */
  schema: unknown;
  /** Whether the document's schema takes this body. */
  takes: (body: unknown) => boolean;
}

interface Described {
  operationId: string;
  description?: string;
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { required?: boolean; content: Record<string, { schema: object }> };
  responses: Record<string, unknown>;
}

/** Every operation of an OpenAPI 3.1 document. */
export function operationsOf(document: object): Operation[] {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema(document, 'openapi');
  const { paths } = document as { paths: Record<string, Record<string, Described>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => {
      const parameters = described.parameters ?? [];
      const hasJsonBody = described.requestBody?.content['application/json'] !== undefined;
      const schema = [
        'paths',
        path,
        method,
        'requestBody',
        'content',
        'application/json',
        'schema',
      ];
      const $ref = `openapi#/${schema.map(escapePart).join('/')}`;
      const validate = hasJsonBody ? ajv.compile({ $ref }) : () => true;
      return {
        method: method.toUpperCase(),
        path,
        operationId: described.operationId,
        roles: /^For: (.*)\.$/.exec(described.description ?? '')?.[1]?.split(', ') ?? [],
        query: parameters.filter((p) => p.in === 'query').map((p) => p.name),
        hasJsonBody,
        isBodyRequired: described.requestBody?.required === true,
        takesKey: parameters.some((p) => p.name === 'Idempotency-Key'),
        needsKey: parameters.some((p) => p.name === 'Idempotency-Key' && p.required === true),
        schema: described.requestBody?.content['application/json']?.schema,
        statuses: Object.keys(described.responses).map(Number),
        takes: (body: unknown) => validate(body) === true,
      };
    }),
  );
}

const escapePart = (part: string) =>
  encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

/** Stands for a JSON number that no double can hold; see `toJson`. */
const HUGE = '@1e999@';

/** JSON text of a value; HUGE becomes the bare number 1e999. */
export const toJson = (value: unknown): string =>
  (JSON.stringify(value) ?? '').replaceAll(`"${HUGE}"`, '1e999');

/** Values that somebody will send some day, for any field. */
export const naughtyValues: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  -1e308,
  HUGE,
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  '\udfff',
  '\u0007',
  '\r\nSet-Cookie: a=b',
  '0.00',
  '-1.00',
  '+1.00',
  '1.005',
  '1,00',
  '１２.３０',
  '٣.٠٠',
  '1e999',
  '0x10',
  'NaN',
  'Infinity',
  '99999999999999999999.99',
  '12.30\n',
  '__proto__',
  'constructor',
  "' or 1=1;--",
  '"); drop table visit; --',
  '../../etc/passwd',
  '%00',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '=cmd|calc',
  'vis_01jd5z8m2cf0v9k3q7w4x6y8ab',
  'VIS_01JD5Z8M2CF0V9K3Q7W4X6Y8AB',
  'set_zzzzzzzzzzzzzzzzzzzzzzzzzz',
  '2026-02-30T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59+14:00',
  '2026-01-01T00:00:00',
  '𠮷'.repeat(40),
  'ﷺ\u202e',
  'e\u0301'.repeat(2000),
  'x'.repeat(9000),
  [],
  {},
  [[]],
  [null],
  { a: { b: {} } },
  JSON.parse('{"__proto__":{"isAdmin":true}}'),
  { constructor: { prototype: { isAdmin: true } } },
  nested(40),
];

function nested(depth: number): unknown {
  return depth === 0 ? [] : [nested(depth - 1)];
}

interface Place {
  owner: Record<string, unknown>;
  name: string;
}

function placesIn(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [
    { owner: value as Record<string, unknown>, name },
    ...placesIn(member),
  ]);
}

/** Texts are trimmed before they are checked, so a blank at an end is no fault. */
export function trimmed(value: unknown): unknown {
  if (typeof value === 'string') return value.trim();
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(trimmed);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, trimmed(member)]));
}

/** A generator of reproducible numbers from 0 to 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` of the values, not always others. */
export function sample<T>(values: readonly T[], random: () => number, count: number): T[] {
  return Array.from({ length: count }, () => values[Math.floor(random() * values.length)] as T);
}

/** A good body with one place removed, added or replaced, for every place, `each` values a place. */
export function mutantsOf(body: unknown, random: () => number, each: number): unknown[] {
  const at = (index: number, change: (place: Place) => void): unknown => {
    const copy: unknown = JSON.parse(JSON.stringify(body));
    const place = placesIn(copy)[index];
    if (place) change(place);
    return copy;
  };
  const perPlace = placesIn(body).flatMap((_, index) => [
    at(index, ({ owner, name }) => delete owner[name]),
    at(index, ({ owner, name }) => {
      owner[`${name}X`] = owner[name];
    }),
    at(index, ({ owner, name }) => {
      owner[name] = [owner[name]];
    }),
    ...sample(naughtyValues, random, each).map((value) =>
      at(index, ({ owner, name }) => {
        owner[name] = value;
      }),
    ),
  ]);
  return [...perPlace, { ...(body as object), extra: 1 }, ...sample(naughtyValues, random, 10)];
}

/** Texts that are no JSON of ours, with what they are sent as. */
export const brokenPayloads: readonly { raw: string | Uint8Array; type: string }[] = [
  ...[
    '{',
    '[1,',
    'nul',
    '{"a":1,}',
    "{'a':1}",
    '{"a":"\u0001"}',
    '\ufeff\ufeff{}',
    '{"a":"\\ud8"}',
    `${'['.repeat(100_000)}`,
    `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
    '"text"',
    '7',
    'null',
    '[]',
  ].map((raw) => ({ raw, type: 'application/json' })),
  {
    raw: new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
    type: 'application/json',
  },
  { raw: new Uint8Array([0x7b, 0x00, 0x7d, 0x00]), type: 'application/json; charset=utf-16le' },
  { raw: '{}', type: 'text/plain' },
  { raw: '<a/>', type: 'application/xml' },
  { raw: 'a=1', type: 'application/x-www-form-urlencoded' },
  { raw: '--x\r\n\r\n--x--', type: 'multipart/form-data; boundary=x' },
  { raw: '{}', type: 'application/jsonp' },
  { raw: '{}', type: '' },
  { raw: `{"a":"${'x'.repeat(1_100_000)}"}`, type: 'application/json' },
];
