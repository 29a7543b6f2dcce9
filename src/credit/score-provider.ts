// The port to the city's credit score provider.
import type { Fen } from '../money.ts';

export interface Score {
  value: number;
  asOf: Date;
}

/** What a report of overdue debt says: amounts and days, nothing of hospitals or visits. */
export interface OverdueReport {
  /** Ours; makes every call of this report idempotent. */
  serial: string;
  person: { name: string; idNumber: string };
  debts: { amount: Fen; dueAt: Date }[];
}

/** Only `taken` is believed; after anything else the same call is made again with the same serial. */
export type ReportAnswer = 'taken' | 'unknown';

export interface ScoreProvider {
  /** The citizen's score, or null when it cannot be had (no score, or the provider is down). */
  scoreOf(person: { name: string; idNumber: string }): Promise<Score | null>;
  /** Tells of overdue debt. */
  report(report: OverdueReport): Promise<ReportAnswer>;
  /** Ends a report: `erased` = it was wrong and is taken back, `repaid` = it was right and is cleared. */
  endReport(serial: string, because: 'erased' | 'repaid'): Promise<ReportAnswer>;
}
