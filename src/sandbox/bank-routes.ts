// /sandbox/banks: what goes wrong at the sandbox's banks, and their own books, for whoever tries the
// money afterwards.
import { fetch } from 'undici';
import { z } from 'zod';
import type { Deps } from '../deps.ts';
import { type Route, route } from '../http/route.ts';
import { bankFaultSchema } from './counterparties/fault.ts';
import { reach, type SandboxParties } from './people.ts';
import { sandboxSecrets } from './secrets.ts';

const TIMEOUT_MS = 5_000;
const common = { tag: 'Sandbox', roles: 'public', idempotency: 'none', problems: [] } as const;
const transfer = z.looseObject({
  kind: z.string(),
  serial: z.string(),
  amount: z.string(),
  status: z.string(),
});

export function bankRoutes(parties: SandboxParties): Route[] {
  return [
    route({
      ...common,
      method: 'put',
      path: '/sandbox/banks/fault',
      operationId: 'setBankFault',
      summary: '银行故障演练 What goes wrong at the sandbox banks',
      body: bankFaultSchema,
      replies: { 200: bankFaultSchema },
      handler: async ({ deps, body }) => {
        await ask(deps, parties, '/faults', { method: 'PUT', body: JSON.stringify(body) });
        return { status: 200, body };
      },
    }),
    route({
      ...common,
      method: 'get',
      path: '/sandbox/banks/books',
      operationId: 'listBankTransfers',
      summary: '银行方账册 A bank’s own books',
      query: z.strictObject({ lender: z.string().min(1).max(32) }),
      replies: { 200: z.object({ data: z.array(transfer) }) },
      handler: async ({ deps, query }) => {
        const path = `/lenders/${encodeURIComponent(query.lender)}/books`;
        return { status: 200, body: await ask(deps, parties, path, { method: 'GET' }) };
      },
    }),
  ];
}

/** 503 when the party does not answer. */
function ask(
  deps: Pick<Deps, 'env'>,
  parties: SandboxParties,
  path: string,
  sent: { method: string; body?: string },
): Promise<unknown> {
  const { counterpartiesKey } = sandboxSecrets(deps.env.EGRET_DATA_DIR);
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${counterpartiesKey}`,
  };
  return reach(async () => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const url = new URL(path, parties.counterpartiesUrl);
    const response = await fetch(url, { ...sent, headers, signal });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return response.json();
  });
}
