// Every operation of the real service, bombarded: no request whatever gives a 5xx except a 503 with
// Retry-After, every refusal is a problem of the catalogue, and the books stay as they were.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { problems } from '../../src/errors.ts';
import { chargedVisit, newPatient, type Scene, sceneOf, settle } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import type { TestPerson } from '../support/people.ts';
import { examplesOf, mutations, type Operation, operationsOf } from './examples.ts';

const app = useApp({ env: { RATE_LIMIT_PER_SECOND: '1000000' } });

/** A fixed seed makes a found failure stay found; other runs may ask for others. */
const seed = Number(process.env.FUZZ_SEED ?? 20_261_122);
const numRuns = Number(process.env.FUZZ_RUNS ?? 25);

/** What should not have been; all of it is told at the end. */
const found = new Set<string>();

let document: object;
let scene: Scene;
let patient: TestPerson;
let tokens: string[];
let operations: Operation[];

beforeAll(async () => {
  document = (await app.call('GET', '/openapi.json')).body;
  operations = operationsOf(document).filter(({ path }) => !path.startsWith('/sandbox'));
  scene = await sceneOf(app);
  const { person, token } = await newPatient(app);
  patient = person;
  const staff = await Promise.all(
    (['admin', 'auditor', 'financeMaker', 'lenderOperator'] as const).map((role) =>
      app.token(role),
    ),
  );
  tokens = [scene.terminal, token, ...staff];
});

/** Path parameters by name: ids of things that are there, so that the requests get far. */
async function freshIds(): Promise<Record<string, string>> {
  const open = await chargedVisit(scene, patient);
  const other = await chargedVisit(scene, patient);
  const settled = await settle(scene, other.id);
  return { visitId: open.id, settlementId: settled.body.id };
}

async function bombard(
  operation: Operation,
  ids: Record<string, string>,
  token: string,
  how: {
    body: unknown;
    query?: string;
  },
) {
  const { method, path } = operation;
  const target = path.replace(/\{([^}]+)\}/g, (_, name) => encodeURIComponent(ids[name] ?? 'A1'));
  const hasBody = method !== 'get' && how.body !== undefined;
  const reply = await fetch(`${app.url}${target}${how.query ?? ''}`, {
    method: method.toUpperCase(),
    headers: {
      authorization: `Bearer ${token}`,
      'idempotency-key': crypto.randomUUID(),
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
    },
    ...(hasBody ? { body: JSON.stringify(how.body) } : {}),
  });
  const text = await reply.text();
  const asked = `${method} ${target}${how.query ?? ''} ${JSON.stringify(how.body)}`.slice(0, 600);
  const where = `${asked} → ${reply.status} ${text.slice(0, 300)}`;
  const isPassing = reply.status === 503 && reply.headers.has('retry-after');
  if (reply.status >= 500 && !isPassing) found.add(where);
  if (reply.status >= 400 && path.startsWith('/v1') && !(JSON.parse(text).code in problems)) {
    found.add(where);
  }
}

describe('every operation', () => {
  it('takes naughty and mistyped bodies without a 5xx', async () => {
    for (const operation of operations.filter((each) => each.body)) {
      const ids = await freshIds();
      const words = [patient.idNumber, scene.hospitalCode, 'A1', '1', '2026-11-22'];
      const bodies = mutations(examplesOf(document, operation.body, words));
      const callers = fc.constantFrom(...tokens.slice(0, 3));
      await fc.assert(
        fc.asyncProperty(bodies, callers, (body, token) =>
          bombard(operation, ids, token, { body }),
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
      const callers = fc.constantFrom(...tokens);
      await fc.assert(
        fc.asyncProperty(names, value, callers, (name, text, token) =>
          bombard(operation, {}, token, {
            body: {},
            query: `?${name}=${encodeURIComponent(text)}`,
          }),
        ),
        { numRuns: Math.ceil(numRuns / 3), seed },
      );
    }
  }, 300_000);

  it('kept that promise each time', () => {
    expect([...found]).toEqual([]);
  });

  it('leaves all laws of the books held', async () => {
    const token = await app.token('auditor');
    const { body } = await app.call('GET', '/v1/ops/verify', { token });
    expect(body.holds).toBe(true);
  });
});
