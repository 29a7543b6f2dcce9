// The other sides of a running app, reached on their own control ports: the insurer's rules, the
// banks' faults and books. And the hands of a clock: leases and quiet times that a test lets pass.
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { convertDue } from '../../src/conversion/convert-due.ts';
import { resumeConversions } from '../../src/conversion/resume-conversions.ts';
import { expireHolds } from '../../src/credit/expire-holds.ts';
import { runDueJobs } from '../../src/outbox/jobs.ts';
import { readJson } from '../../src/process-lock.ts';
import { resolveRepayments } from '../../src/repayment/resolve-repayments.ts';
import { type InsurerControl, insurerControl } from '../../src/sandbox/insurer/control-client.ts';
import { sandboxSecrets } from '../../src/sandbox/secrets.ts';
import { releaseRegistration } from '../../src/settlement/release-registration.ts';
import { resumeIntents } from '../../src/settlement/resume-intents.ts';
import { sendMoneyBack } from '../../src/settlement/send-money-back.ts';
import type { TestApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';

export interface BankTransfer {
  kind: 'debit' | 'credit';
  serial: string;
  amount: string;
  status: 'paid' | 'declined';
}

export interface Parties {
  insurer: InsurerControl;
  /** What goes wrong at the banks and refund channels from now on. */
  bankFault(mode: string, on?: ('debit' | 'credit' | 'channel')[]): Promise<void>;
  /** A lender's own books; refund channels are "channel:<kind>". */
  transfers(lender: string): Promise<BankTransfer[]>;
}

/** The processes publish their ports in the data folder; tests read them there. */
export function partiesOf(app: TestApp): Parties {
  const { EGRET_DATA_DIR } = app.deps.env;
  const portsOf = (name: string) => {
    const file = path.join(path.resolve(EGRET_DATA_DIR), 'sandbox', `${name}.json`);
    const found = readJson<{ ports: Record<string, number> }>(file);
    if (!found) throw new Error(`${file} does not say where the ${name} listens`);
    return found.ports;
  };
  const counterparties = `http://127.0.0.1:${portsOf('counterparties').port}`;
  const ask = async (method: string, target: string, body?: unknown) => {
    const reply = await fetch(counterparties + target, {
      method,
      headers: {
        authorization: `Bearer ${sandboxSecrets(EGRET_DATA_DIR).counterpartiesKey}`,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!reply.ok) throw new Error(`${method} ${target}: ${reply.status} ${await reply.text()}`);
    return (await reply.json()) as { data: BankTransfer[] };
  };
  return {
    insurer: insurerControl(`http://127.0.0.1:${portsOf('insurer').controlPort}`),
    bankFault: async (mode, on) => {
      await ask('PUT', '/faults', { mode, ...(on ? { on } : {}) });
    },
    transfers: async (lender) =>
      (await ask('GET', `/lenders/${encodeURIComponent(lender)}/books`)).data,
  };
}

/** Leases of running work, running keys and quiet times of debits run out, as if time had passed. */
export async function letLeasesRunOut(app: TestApp): Promise<void> {
  for (const statement of [
    `update intent set lease_until = clock_timestamp() - interval '1 second' where status = 'running'`,
    `update idempotency_key set lease_until = clock_timestamp() - interval '1 second' where status is null`,
    `update repayment set created_at = clock_timestamp() - interval '1 minute' where status in ('processing', 'unknown')`,
    `update job set next_attempt_at = clock_timestamp() - interval '1 second'`,
  ]) {
    await app.db.execute(sql.raw(statement));
  }
}

/**
 * What waits is looked at once, for an app without a worker of its own. Conversions are left alone
 * (see `convertOnce`): a settlement that awaits insurance goes on awaiting it.
 */
export async function workOnce(app: TestApp): Promise<void> {
  await letLeasesRunOut(app);
  await expireHolds(app.db, 100);
  await resumeIntents(app.deps);
  await resolveRepayments(app.deps);
  await runDueJobs(app.deps, { sendMoneyBack, releaseRegistration }, 100);
}

/**
 * The worker tries these conversions once and leaves all others in the queue. With `deps` of one's
 * own its process may die on the way: then it throws what that threw.
 */
export async function convertOnce(
  app: TestApp,
  conversionIds: readonly string[],
  deps = app.deps,
): Promise<void> {
  const due = JSON.stringify(conversionIds);
  await app.db.execute(sql`
    update conversion set next_attempt_at = clock_timestamp() + case
      when ${due}::jsonb ? id then interval '-1 second' else interval '1 day' end
    where status = 'queued'`);
  await convertDue(deps);
}

/** Another process finds out that the one that ran a conversion is dead. */
export async function findDeadConversions(app: TestApp): Promise<void> {
  await letLeasesRunOut(app);
  await resumeConversions(app.deps);
}

/** Both routes as if the insurer had never failed. */
export async function closeBreakers(app: TestApp): Promise<void> {
  await app.db.execute(sql.raw('delete from insurance_route'));
  // A process may go by an older look for a moment.
  await waitFor(async () => {
    const { breaker } = app.deps;
    const states = [await breaker.stateOf('local'), await breaker.stateOf('crossRegion')];
    return states.every((state) => !state.isOpen);
  });
}
