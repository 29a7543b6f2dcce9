// A running app's sandbox banks and score provider: their faults, their mistakes and their own books.
import path from 'node:path';
import { readJson } from '../../src/process-lock.ts';
import type { ScoreReport, Transfer } from '../../src/sandbox/counterparties/books.ts';
import { sandboxSecrets } from '../../src/sandbox/secrets.ts';
import type { TestApp } from '../support/app.ts';

export function banksOf(app: TestApp) {
  const { EGRET_DATA_DIR } = app.deps.env;
  const file = path.join(path.resolve(EGRET_DATA_DIR), 'sandbox', 'counterparties.json');
  const port = readJson<{ ports: { port: number } }>(file)?.ports.port;
  const ask = async (method: string, target: string, body?: unknown) => {
    const reply = await fetch(`http://127.0.0.1:${port}${target}`, {
      method,
      headers: {
        authorization: `Bearer ${sandboxSecrets(EGRET_DATA_DIR).counterpartiesKey}`,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!reply.ok) throw new Error(`${method} ${target}: ${reply.status} ${await reply.text()}`);
    return (await reply.json()) as { data: unknown };
  };
  return {
    fault: (fault: { mode: string; on?: string[]; lender?: string; forMs?: number }) =>
      ask('PUT', '/faults', fault),
    takeBack: (lender: string, serial: string) =>
      ask('POST', `/lenders/${lender}/debits/${serial}/return`),
    books: async (lender: string) =>
      (await ask('GET', `/lenders/${lender}/books`)).data as Transfer[],
    reports: async () => (await ask('GET', '/score-reports')).data as ScoreReport[],
  };
}
