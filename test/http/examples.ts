// Bodies made from the API document: examples that a schema would take, and mutations of them.
import fc from 'fast-check';

export interface Operation {
  method: string;
  path: string;
  queryNames: string[];
  /** JSON Schema of the body, if the operation has one. */
  body: unknown;
}

interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  example?: unknown;
  examples?: unknown[];
  format?: string;
  minimum?: number;
  properties?: Record<string, Schema>;
  items?: Schema;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
}

interface Described {
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema: unknown }> };
}

/** All operations of an OpenAPI document. */
export function operationsOf(document: object): Operation[] {
  const { paths } = document as { paths: Record<string, Record<string, Described>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({
      method,
      path,
      queryNames: (described.parameters ?? []).filter((p) => p.in === 'query').map((p) => p.name),
      body: described.requestBody?.content['application/json']?.schema,
    })),
  );
}

/** Values that the schema would take, as the document's examples say; free text is one of `words`. */
export function examplesOf(
  document: object,
  schema: unknown,
  words: string[],
): fc.Arbitrary<unknown> {
  return arbitraryOf({ document, words }, schema as Schema);
}

interface Context {
  document: object;
  words: string[];
}

function arbitraryOf(context: Context, schema: Schema): fc.Arbitrary<unknown> {
  if (schema.$ref) return arbitraryOf(context, resolve(context.document, schema.$ref));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const example = schema.example ?? schema.examples?.[0];
  if (example !== undefined) return fc.constant(example);
  const choices = schema.oneOf ?? schema.anyOf ?? schema.allOf;
  if (choices) return fc.oneof(...choices.map((one) => arbitraryOf(context, one)));
  if (schema.type === 'object') return objectOf(context, schema);
  if (schema.type === 'array') {
    const items = arbitraryOf(context, schema.items ?? {});
    return fc.array(items, { minLength: 1, maxLength: 2 });
  }
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'integer' || schema.type === 'number')
    return fc.constantFrom(schema.minimum ?? 1, 2);
  if (schema.type === 'null') return fc.constant(null);
  if (schema.format === 'uri') return fc.constant('http://127.0.0.1:9/x');
  return fc.constantFrom(...context.words);
}

function objectOf(context: Context, schema: Schema): fc.Arbitrary<unknown> {
  const members = Object.entries(schema.properties ?? {}).map(
    ([name, member]) => [name, arbitraryOf(context, member)] as const,
  );
  const record = fc.record(Object.fromEntries(members), { noNullPrototype: true });
  return fc
    .tuple(
      record,
      fc.array(fc.constantFrom('', ...members.map(([name]) => name)), { maxLength: 3 }),
    )
    .map(([whole, left]) => {
      const part: Record<string, unknown> = { ...whole };
      for (const name of left) delete part[name];
      return part;
    });
}

function resolve(document: object, ref: string): Schema {
  const parts = ref.slice(2).split('/');
  const found = parts.reduce<unknown>(
    (at, part) => (at as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')],
    document,
  );
  return found as Schema;
}

const naughty: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1.5,
    2 ** 31,
    2 ** 53,
    1e308,
    '',
    ' ',
    '\0',
    '\ud800',
    '0.00',
    '-1.00',
    '1.005',
    '99999999.99',
    '999999999999.99',
    '1e999',
    '__proto__',
    "';--",
    'vis_01jd5z8m2cf0v9k3q7w4x6y8ab',
    '2026-02-30T00:00:00Z',
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59+14:00',
    'x'.repeat(5000),
    [],
    {},
    [[]],
    { a: { b: {} } },
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.jsonValue({ maxDepth: 2 }),
);

/** The value itself, or with one place in it replaced, removed or added. */
export function mutations(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const how = fc.constantFrom('keep', 'replace', 'replace', 'replace', 'remove', 'add');
  return fc
    .tuple(values, naughty, fc.nat(1000), how)
    .map(([value, bad, at, what]) => (what === 'keep' ? value : change(value, bad, at, what)));
}

function change(value: unknown, bad: unknown, at: number, what: string): unknown {
  const copy = structuredClone(value);
  const places = placesIn(copy);
  const place = places[at % Math.max(1, places.length)];
  if (!place || at % 17 === 0) return bad;
  const owner = place.owner as Record<string, unknown>;
  if (what === 'remove') delete owner[place.name];
  else if (what === 'add') owner[`${place.name}X`] = bad;
  else owner[place.name] = bad;
  return copy;
}

function placesIn(value: unknown): { owner: object; name: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [
    { owner: value, name },
    ...placesIn(member),
  ]);
}
