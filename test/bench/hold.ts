// Bench: holds placed a second over HTTP, next to the very same SQL statement run bare by postgres.js
// with as many connections.

import type { SQL } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { setHold } from '../../src/credit/set-hold.ts';
import { connect } from '../../src/db/connect.ts';
import type { Tx } from '../../src/db/db.ts';
import { concurrently } from '../../src/sandbox/demo/concurrently.ts';
import type { DemoPerson } from '../../src/sandbox/demo/people.ts';
import type { Visit } from '../../src/sandbox/demo/replies.ts';
import type { Bench } from './bench.ts';
import { type City, terminalsOf } from './city.ts';
import type { Round } from './figure.ts';
import { watchProcesses } from './processes.ts';

const CONNECTIONS = 16;
const PEOPLE = 100;
const VISITS_OF_PERSON = 4;
const AMOUNT = '10.00';

interface Place {
  visitId: string;
  token: string;
}

export const hold: Bench = async (options, say) => {
  const rounds: Round[] = [];
  await options.withCity(async (city) => {
    const places = await openVisits(city, await city.people(PEOPLE));
    const bare = connect(city.databaseUrl, { max: CONNECTIONS });
    try {
      for (let round = 0; round <= options.rounds; round += 1) {
        const costs = watchProcesses();
        const overHttp = await placeAll(places, (place) => placeOverHttp(city, place));
        const processes = costs();
        await voidAll(city, places);
        const statements = await statementsOf(city, places);
        const byHand = await placeAll(statements, ({ text, params }) =>
          bare.unsafe(text, params as string[], { prepare: true }),
        );
        await voidAll(city, places);
        // The first round only warms up.
        if (round === 0) continue;
        rounds.push({ ...overHttp, yardstick: byHand.value, processes });
        say(`${overHttp.value.toFixed(0)} holds/s, bare ${byHand.value.toFixed(0)}/s`);
      }
    } finally {
      await bare.end();
    }
  });
  return {
    figure: 'hold',
    unit: 'holds/s',
    yardstick: `the same statement by postgres.js on ${CONNECTIONS} connections`,
    rounds,
  };
};

/** Visits without a hold, each with the terminal that opened it. */
async function openVisits(city: City, people: readonly DemoPerson[]): Promise<Place[]> {
  const terminals = await terminalsOf(city);
  const wanted = Array.from({ length: people.length * VISITS_OF_PERSON }, (_, i) => i);
  const places: Place[] = [];
  await concurrently(wanted, CONNECTIONS, async (number) => {
    const person = people[number % people.length];
    const token = terminals[number % terminals.length]?.token ?? '';
    const opened = await city.client.post<Visit>('/v1/visits', {
      token,
      body: {
        visitNumber: `H-${number}`,
        kind: 'outpatient',
        credential: { kind: 'idCard', number: person?.idNumber, name: person?.name },
        holdAmount: AMOUNT,
      },
      expect: [201],
    });
    places.push({ visitId: opened.body.id, token });
  });
  await voidAll(city, places);
  return places;
}

async function voidAll(city: City, places: readonly Place[]): Promise<void> {
  await concurrently(places, CONNECTIONS, async ({ visitId, token }) => {
    await city.client.delete(`/v1/visits/${visitId}/hold`, { token, expect: [200, 204] });
  });
}

async function placeOverHttp(city: City, { visitId, token }: Place): Promise<void> {
  const body = { amount: AMOUNT };
  await city.client.put(`/v1/visits/${visitId}/hold`, { token, body, expect: [200] });
}

async function placeAll<T>(
  list: readonly T[],
  place: (element: T) => PromiseLike<unknown>,
): Promise<Pick<Round, 'value' | 'latenciesMs' | 'errors'>> {
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  await concurrently(list, CONNECTIONS, async (element) => {
    const begunAt = performance.now();
    await place(element);
    latenciesMs.push(performance.now() - begunAt);
  });
  const seconds = (performance.now() - startedAt) / 1000;
  return { value: list.length / seconds, latenciesMs, errors: 0 };
}

interface Statement {
  text: string;
  params: unknown[];
}

/** What the use case would send for each visit, caught before it is sent. */
async function statementsOf(city: City, places: readonly Place[]): Promise<Statement[]> {
  const dialect = new PgDialect();
  const payers = await city.sql<{ id: string; payer: string }[]>`
    select id, payer_citizen_id as payer from visit`;
  const payerOf = new Map(payers.map(({ id, payer }) => [id, payer]));
  return Promise.all(
    places.map(async ({ visitId }) => {
      let caught: Statement | null = null;
      const execute = (statement: SQL) => {
        const { sql, params } = dialect.sqlToQuery(statement);
        caught ??= { text: sql, params };
        return Promise.resolve([]);
      };
      const wish = {
        visitId,
        payerCitizenId: payerOf.get(visitId) ?? null,
        visitKind: 'outpatient',
        amount: 1000n,
        isPartialAllowed: false,
        isEmergency: false,
      } as const;
      // Without an answer it refuses; only what it asked is wanted.
      await setHold({ execute } as unknown as Tx, wish).catch(() => {});
      if (!caught) throw new Error('no statement was caught');
      return caught;
    }),
  );
}
