// Pure: sums what the settlements of a run came to. Law shown by the table: in each row
// billed = fund + account + credit + counter + due, because tenders sum to total − dueAtCounter.
import { type Fen, parseYuan } from '../../money.ts';
import { type Settlement, type VisitKind, visitKinds } from './replies.ts';

export interface Row {
  visits: number;
  settlements: number;
  billed: Fen;
  fund: Fen;
  account: Fen;
  credit: Fen;
  counter: Fen;
  due: Fen;
  /** Settled as self-pay while the insurer was away. */
  waiting: number;
}

export type MoneyColumn = 'billed' | 'fund' | 'account' | 'credit' | 'counter' | 'due';
type TenderColumn = Exclude<MoneyColumn, 'billed' | 'due'>;

const columnOf: Record<string, TenderColumn> = {
  insuranceFund: 'fund',
  hospitalBorne: 'fund',
  personalAccount: 'account',
  familyAccount: 'account',
  credit: 'credit',
};

export interface Tally {
  rows: Map<VisitKind, Row>;
  /** Duration of each paying request at the counter (settlement or one scan), in milliseconds. */
  counterMs: number[];
  /** What went on beside the visits: refunds, repayments, replays … and how often. */
  acts: Map<string, number>;
  /** Steps that got an unexpected answer, in words. */
  failures: string[];
}

export function emptyTally(): Tally {
  const rows = new Map(([...visitKinds, 'inpatient'] as const).map((kind) => [kind, emptyRow()]));
  return { rows, counterMs: [], acts: new Map(), failures: [] };
}

export function countVisit(tally: Tally, kind: VisitKind): void {
  rowOf(tally, kind).visits += 1;
}

export function countAct(tally: Tally, act: string): void {
  tally.acts.set(act, (tally.acts.get(act) ?? 0) + 1);
}

/** Adds a settlement as it is now; tenders of unknown kind are counter tenders. */
export function countSettlement(tally: Tally, kind: VisitKind, settlement: Settlement): void {
  const row = rowOf(tally, kind);
  row.settlements += 1;
  row.billed += parseYuan(settlement.total);
  row.due += parseYuan(settlement.dueAtCounter);
  for (const { kind: source, amount } of settlement.tenders) {
    row[columnOf[source] ?? 'counter'] += parseYuan(amount);
  }
  if (settlement.insurance.status === 'awaitingInsurance') row.waiting += 1;
}

export function totalOf(tally: Tally): Row {
  const total = emptyRow();
  for (const row of tally.rows.values()) {
    for (const column of ['billed', 'fund', 'account', 'credit', 'counter', 'due'] as const) {
      total[column] += row[column];
    }
    for (const column of ['visits', 'settlements', 'waiting'] as const) {
      total[column] += row[column];
    }
  }
  return total;
}

/** True when every fen billed has a source or is due. */
export function isWhole(row: Row): boolean {
  return row.billed === row.fund + row.account + row.credit + row.counter + row.due;
}

/** The value at or below which `share` of the values lie (nearest rank); 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function emptyRow(): Row {
  return {
    visits: 0,
    settlements: 0,
    billed: 0n,
    fund: 0n,
    account: 0n,
    credit: 0n,
    counter: 0n,
    due: 0n,
    waiting: 0,
  };
}

function rowOf(tally: Tally, kind: VisitKind): Row {
  const row = tally.rows.get(kind);
  if (!row) throw new Error(`no row for ${kind}`);
  return row;
}
