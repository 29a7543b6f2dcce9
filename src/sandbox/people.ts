// Role: makes a person exist for the insurer, the score provider, the bank and the kinship registry
// alike, each told over HTTP as the separate party that it is.
import { fetch } from 'undici';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { insurerControl } from './insurer/control-client.ts';
import type { SandboxPerson } from './schemas.ts';
import { sandboxSecrets } from './secrets.ts';

const TIMEOUT_MS = 5_000;

export interface SandboxParties {
  /** Control port of our sandbox insurer; null when INSURANCE_URL names somebody else's. */
  insurerControlUrl: string | null;
  /** Base URL of the process that plays bank, score provider and kinship registry. */
  counterpartiesUrl: string;
}

/** Tells all parties; what a field leaves out stays as it was. 503 when a party is not there. */
export async function addSandboxPerson(
  deps: Pick<Deps, 'env'>,
  parties: SandboxParties,
  person: SandboxPerson,
): Promise<void> {
  const { score, insurance, cardNumbers, ...shared } = person;
  const { counterpartiesKey } = sandboxSecrets(deps.env.EGRET_DATA_DIR);
  const counterparties = new URL('/people', parties.counterpartiesUrl);
  await Promise.all([
    parties.insurerControlUrl === null
      ? undefined
      : reach(() =>
          insurerControl(parties.insurerControlUrl ?? '').addPerson({
            ...shared,
            insurance,
            cardNumbers,
          }),
        ),
    reach(() => post(counterparties, counterpartiesKey, { ...shared, score })),
  ]);
}

/** Runs a call to a sandbox party; a party that does not answer is 503 here. */
export async function reach<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new Refusal('service/unavailable', {
      detail: '沙盒对手方未就绪 A sandbox party does not answer',
      retryAfterSeconds: 1,
      cause,
    });
  }
}

async function post(url: URL, key: string, body: unknown): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url.pathname} answered ${response.status}: ${text}`);
}
