// One scan at the counter: identify, open, charge and settle in one request. A refusal leaves
// nothing half-done: the visit is cancelled and its number free again.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { allOf, type Tx, transact } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { leaseKey, lookAtKey, type RequestKey, takeByLease } from '../http/idempotency.ts';
import type { CallerOf, Reply } from '../http/route.ts';
import { growHold } from '../inpatient/grow-hold.ts';
import {
  insertBatch,
  insertLines,
  refuseMismatch,
  refuseTakenLines,
  refuseTooMuch,
  totalOf,
} from '../visit/charges.ts';
import {
  type DraftVisit,
  draftVisit,
  holdAtOpening,
  type Opening,
  prepareOpening,
  saveVisit,
} from '../visit/open-visit.ts';
import { chargeItems, credentialRule, needsCredential, openVisitFields } from '../visit/schemas.ts';
import type { VisitRow } from '../visit/visit-store.ts';
import {
  draftIntent,
  type Intent,
  isKeyAtWork,
  LEASE_SECONDS,
  takeOverOwn,
} from './intent-store.ts';
import { settlementFields } from './schemas.ts';
import { completeOrder, runSettlement } from './settle-visit.ts';
import { orderOf, type SettlementOrder } from './settlement-order.ts';

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
  const { reply, isAbandoned } = await lookAtKey(deps.db, key);
  if (reply) return reply;
  const own = isAbandoned ? await transact(deps.db, (tx) => takeOverCrashed(tx, call)) : null;
  if (own) return runSettlement(deps, own);
  await inStep('charge', async () => refuseMismatch(request.charges, '/charges'));
  const opening = await inStep('identify', () => prepareOpening(deps, terminal, request));
  const begun = await transact(deps.db, (tx) => beginOneScan(tx, call, opening, startedAtMs));
  return runSettlement(deps, begun);
}

/**
 * A run of this very key whose process died: its credential is spent, so it must not be asked again.
 * Refuses with idempotency/in-flight while a worker is at it; else its own visit would be refused as a
 * number taken.
 */
async function takeOverCrashed(tx: Tx, call: OneScanCall): Promise<Intent | null> {
  const { deps, key } = call;
  const own = await takeOverOwn(tx, deps.keyring, key);
  if (own && key) await leaseKey(tx, key, LEASE_SECONDS);
  if (!own && key && (await isKeyAtWork(tx, key))) {
    throw new Refusal('idempotency/in-flight', { retryAfterSeconds: 1 });
  }
  return own;
}

async function beginOneScan(
  tx: Tx,
  call: OneScanCall,
  opening: Opening,
  startedAtMs: number,
): Promise<Intent> {
  const { deps, terminal, request } = call;
  const total = totalOf(request.charges);
  await inStep('charge', async () => refuseTooMuch(total));
  const draft = await inStep('open', () => draftVisit(tx, deps, opening));
  draft.row = { ...draft.row, status: 'settling', chargedTotal: total };
  const asked = { ...orderOf(terminal, request), batches: [BATCH], total: total.toString() };
  const order = await inStep('settle', () =>
    completeOrder(tx, deps, draft.row, { ...asked, isOneScan: true, startedAtMs }),
  );
  // Sent together and done in this order; a visit that is refused takes its hold with it.
  const [intent, row] = await allOf<[Intent, VisitRow]>(
    saveAll(tx, call, { opening, draft, order }),
    inStep('open', () => holdAtOpening(tx, opening, draft)),
  );
  await inStep('charge', () => growHold(tx, row, total));
  return intent;
}

/** The key's lease, the visit, its charges and the intent, in one statement. */
async function saveAll(
  tx: Tx,
  { deps, key, request }: OneScanCall,
  scan: { opening: Opening; draft: DraftVisit; order: SettlementOrder },
): Promise<Intent> {
  const { opening, draft, order } = scan;
  const { row } = draft;
  const { settlementId } = order;
  const items = request.charges;
  const batch = { visitId: row.id, batch: BATCH, position: sql`1`, total: row.chargedTotal };
  const now = row.openedAt;
  const begun = { kind: 'oneScan', visitId: row.id, settlementId, key, order } as const;
  const drafted = draftIntent(deps.keyring, begun);
  const made = sql`made`;
  const saved = await inStep('open', () =>
    saveVisit<{ line_numbers: number[]; begun_at: string }>(tx, deps, opening, draft, {
      first: key && takeByLease(key, LEASE_SECONDS),
      beside: {
        batch: insertBatch({ ...batch, now, settlementId }, made),
        lines: insertLines(row.id, { batch: BATCH, items }, now, made),
        begun: drafted.insertFor(made),
      },
      result: sql`
        select (select jsonb_agg(line_number) from lines) as line_numbers,
          begun.created_at as begun_at
        from begun`,
    }),
  );
  await inStep('charge', async () => refuseTakenLines(items, saved.line_numbers));
  return drafted.begun(new Date(saved.begun_at));
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
