// One scan at the counter: identify, open, charge and settle in one request. A refusal leaves
// nothing half-done: the visit is cancelled and its number free again.
import { z } from 'zod';
import { type Tx, transact } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { leaseKey, peekKey, type RequestKey, takeKey } from '../http/idempotency.ts';
import type { CallerOf, Reply } from '../http/route.ts';
import { insertCharges, refuseMismatch } from '../visit/charges.ts';
import { insertVisit, type Opening, prepareOpening } from '../visit/open-visit.ts';
import { chargeItems, credentialRule, needsCredential, openVisitFields } from '../visit/schemas.ts';
import { type Intent, isKeyAtWork, LEASE_SECONDS, takeOverOwn } from './intent-store.ts';
import { settlementFields } from './schemas.ts';
import { chooseBatches, recordIntent, runSettlement } from './settle-visit.ts';
import { orderOf } from './settlement-order.ts';

export const oneScanBody = z
  .strictObject({ ...openVisitFields, charges: chargeItems, ...settlementFields })
  .refine(needsCredential, credentialRule);
export type OneScan = z.output<typeof oneScanBody>;

/** The one batch of a one-scan visit. */
const BATCH = '1';

export interface OneScanCall {
  deps: Deps;
  key: RequestKey | null;
  terminal: CallerOf<'terminal'>;
  request: OneScan;
}

/** The use case behind POST /v1/one-scan-payments. */
export async function payByOneScan(call: OneScanCall): Promise<Reply> {
  const { deps, key, terminal, request } = call;
  const startedAtMs = deps.realNow().getTime();
  const replay = await peekKey(deps.db, key);
  if (replay) return replay;
  const own = await transact(deps.db, (tx) => takeOverCrashed(tx, call));
  if (own) return runSettlement(deps, own);
  await inStep('charge', async () => refuseMismatch(request.charges, '/charges'));
  const opening = await inStep('identify', () => prepareOpening(deps, terminal, request));
  const begun = await transact(deps.db, (tx) => beginOneScan(tx, call, opening, startedAtMs));
  return 'status' in begun ? begun : runSettlement(deps, begun);
}

/** A run of this very key whose process died: its credential is spent, so it must not be asked again. */
async function takeOverCrashed(tx: Tx, call: OneScanCall): Promise<Intent | null> {
  const { deps, key } = call;
  const own = await takeOverOwn(tx, deps.keyring, key);
  if (own && key) await leaseKey(tx, key, LEASE_SECONDS);
  return own;
}

async function beginOneScan(
  tx: Tx,
  call: OneScanCall,
  opening: Opening,
  startedAtMs: number,
): Promise<Reply | Intent> {
  const { deps, key, terminal, request } = call;
  const [stored, isAtWork] = key
    ? await Promise.all([takeKey(tx, key), isKeyAtWork(tx, key)])
    : [null, false];
  if (stored) return stored;
  // Else its own visit would be refused as a number taken, and that would be the key's last word.
  if (isAtWork) {
    throw new Refusal('idempotency/in-flight', { retryAfterSeconds: 1 });
  }
  const row = await inStep('open', () => insertVisit(tx, deps, opening));
  const lines = { batch: BATCH, items: request.charges };
  await inStep('charge', () => insertCharges(tx, row, lines));
  return inStep('settle', async () => {
    const order = orderOf(terminal, request);
    const chosen = await chooseBatches(tx, row);
    return recordIntent(
      tx,
      call,
      row,
      { ...order, ...chosen, isOneScan: true, startedAtMs },
      'oneScan',
    );
  });
}

/** Names the step in the problem of whatever refuses in it. */
async function inStep<T>(
  step: 'identify' | 'open' | 'charge' | 'settle',
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(error.code, { ...error.options, extra: { ...error.options.extra, step } });
  }
}
