// Every operation of the real service, bombarded: no request whatever gives a 5xx except a 503 with
// Retry-After, every refusal is a problem of the catalogue, and the books stay as they were.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { problems } from '../../src/errors.ts';
import { useApp } from '../support/app.ts';
import { examplesOf, mutations, type Operation, operationsOf } from './examples.ts';

const app = useApp({ env: { RATE_LIMIT_PER_SECOND: '1000000' } });

/** A fixed seed makes a found failure stay found; the long run of the suite varies it. */
const seed = Number(process.env.FUZZ_SEED ?? 20_261_122);
const numRuns = Number(process.env.FUZZ_RUNS ?? 25);
const roles = [
  'terminal',
  'citizen',
  'admin',
  'auditor',
  'financeMaker',
  'lenderOperator',
] as const;
const citizen = { name: '林小禾', idNumber: '350203199001011231' };

let document: object;
let tokens: string[];
let operations: Operation[];

beforeAll(async () => {
  document = (await app.call('GET', '/openapi.json')).body;
  operations = operationsOf(document).filter(({ path }) => !path.startsWith('/sandbox'));
  tokens = await Promise.all(
    roles.map((role) => app.token(role, role === 'citizen' ? { citizen } : {})),
  );
});

/** Bodies that are no JSON at all go as text. */
async function bombard({ method, path }: Operation, token: string, body: unknown, query = '') {
  const target = path.replace(/\{[^}]+\}/g, () =>
    encodeURIComponent('vis_01jd5z8m2cf0v9k3q7w4x6y8ab'),
  );
  const hasBody = method !== 'get' && body !== undefined;
  const reply = await fetch(`${app.url}${target}${query}`, {
    method: method.toUpperCase(),
    headers: {
      authorization: `Bearer ${token}`,
      'idempotency-key': crypto.randomUUID(),
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
    },
    ...(hasBody ? { body: JSON.stringify(body) } : {}),
  });
  const text = await reply.text();
  const where = `${method} ${path} ${JSON.stringify(body)?.slice(0, 300)} → ${reply.status} ${text.slice(0, 300)}`;
  if (reply.status === 503) expect(reply.headers.get('retry-after'), where).not.toBeNull();
  else expect(reply.status < 500, where).toBe(true);
  if (reply.status >= 400 && path.startsWith('/v1')) {
    expect(Object.keys(problems), where).toContain(JSON.parse(text).code);
  }
}

describe('every operation', () => {
  it('takes naughty and mistyped bodies without a 5xx', async () => {
    for (const operation of operations.filter((each) => each.body)) {
      const bodies = mutations(examplesOf(document, operation.body));
      await fc.assert(
        fc.asyncProperty(bodies, fc.constantFrom(...tokens.slice(0, 3)), (body, token) =>
          bombard(operation, token, body),
        ),
        { numRuns, seed },
      );
    }
  }, 300_000);

  it('takes naughty queries and paths without a 5xx', async () => {
    for (const operation of operations) {
      const value = fc.constantFrom(
        '',
        '0',
        '-1',
        '\0',
        '999999999999999999999',
        '2026-02-30',
        "'",
        '[]',
        '啊',
      );
      const names = fc.constantFrom(...operation.queryNames, 'x', 'limit', 'cursor');
      await fc.assert(
        fc.asyncProperty(names, value, fc.constantFrom(...tokens), (name, text, token) =>
          bombard(operation, token, {}, `?${name}=${encodeURIComponent(text)}`),
        ),
        { numRuns: Math.ceil(numRuns / 3), seed },
      );
    }
  }, 300_000);

  it('leaves all laws of the books held', async () => {
    const [, , , auditor] = tokens;
    const { body } = await app.call('GET', '/v1/ops/verify', { token: String(auditor) });
    expect(body.holds).toBe(true);
  });
});
