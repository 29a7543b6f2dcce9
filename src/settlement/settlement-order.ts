// What a settlement was asked to be, as its intent keeps it over a crash.
import { newId } from '../ids.ts';
import type { SettlementRequest } from './schemas.ts';
import type { CounterKind } from './waterfall.ts';

/** A counter request has 5 s in all for the insurer; the rest is for our own two transactions. */
export const INSURER_BUDGET_MS = 4_500;

/** Sealed in the intent. Amounts in fen as text. */
export interface SettlementOrder {
  settlementId: string;
  hospitalCode: string;
  /** Null: settled by phone. */
  terminalId: string | null;
  /** The citizen who settled it by phone. */
  settledBy?: string | null;
  batches: string[];
  total: string;
  counterTenders: { kind: CounterKind; amount: string; reference: string }[];
  insurance: 'claim' | 'skip';
  whenInsuranceOffline: 'selfPay' | 'wait';
  isInterim: boolean;
  /** RFC 3339; of a settlement that closes a stay: when the patient left. */
  dischargedAt?: string | null;
  receiptNumber: string | null;
  isOneScan: boolean;
  /** Real time in ms, for a one-scan's elapsedMs and for the seconds at the counter. */
  startedAtMs: number;
}

/** A request as an order; its batches and total are chosen under the visit's lock. */
export function orderOf(
  place: { hospitalCode: string; terminalId: string | null; settledBy?: string | null },
  request: Omit<SettlementRequest, 'batches'>,
): SettlementOrder {
  return {
    settlementId: newId('settlement'),
    hospitalCode: place.hospitalCode,
    terminalId: place.terminalId,
    settledBy: place.settledBy ?? null,
    batches: [],
    total: '0',
    counterTenders: (request.counterTenders ?? []).map((t) => ({
      ...t,
      amount: t.amount.toString(),
    })),
    insurance: request.insurance ?? 'claim',
    whenInsuranceOffline: request.whenInsuranceOffline ?? 'selfPay',
    isInterim: request.interim ?? false,
    receiptNumber: request.receiptNumber ?? null,
    isOneScan: false,
    startedAtMs: 0,
  };
}

/**
 * Milliseconds that the patient stood at the counter for this settlement; null when a worker or a
 * repeated request finished it, or nobody stood there (by phone).
 */
export function counterMsOf(
  intent: { order: unknown; isResumed: boolean },
  realNow: Date,
): number | null {
  const { terminalId, startedAtMs } = intent.order as SettlementOrder;
  if (intent.isResumed || !terminalId || startedAtMs === 0) return null;
  return Math.max(0, Math.round(realNow.getTime() - startedAtMs));
}
