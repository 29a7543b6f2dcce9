// Runs and breaks as finance sees them: Chinese first, yuan, no names.
import type { Column } from '../http/tabular.ts';
import { formatYuan } from '../money.ts';
import { type BreakKind, breakCatalogue } from './break-catalogue.ts';
import type { BreakRow } from './break-store.ts';
import type { RunRow } from './run-store.ts';

const DAY_MS = 86_400_000;

/** The run as the contract shows it. */
export function runView(row: RunRow) {
  const { byKind = {} } = row.detail as { byKind?: Record<string, number> };
  const side = (count: number | null, amount: bigint | null) => ({
    count: count ?? 0,
    amount: formatYuan(amount ?? 0n),
  });
  return {
    id: row.id,
    counterparty: row.counterparty,
    businessDate: row.businessDate,
    hospital: row.hospitalCode,
    lender: row.lender,
    format: row.format,
    status: row.status,
    totals:
      row.status === 'done'
        ? {
            ours: side(row.oursCount, row.oursTotal),
            theirs: side(row.theirsCount, row.theirsTotal),
          }
        : null,
    matched: row.matched,
    breaks: { total: Object.values(byKind).reduce((a, b) => a + b, 0), byKind },
    fileHash: row.fileHash,
    problem: row.problem,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}

/** The break as the contract shows it; `now` is business time, for its age. */
export function breakView(row: BreakRow, now: Date) {
  const about = breakCatalogue[row.kind as BreakKind];
  const end = row.resolvedAt ?? now;
  const ageDays = Math.max(0, Math.floor((end.getTime() - row.openedAt.getTime()) / DAY_MS));
  return {
    id: row.id,
    reconciliationId: row.reconciliationId,
    counterparty: row.counterparty,
    kind: row.kind as BreakKind,
    title: `${about.zh} ${about.en}`,
    businessDate: row.businessDate,
    hospitalCode: row.hospitalCode,
    lender: row.lender,
    settlementId: row.settlementId,
    subject: row.subject,
    ourAmount: row.ourAmount === null ? null : formatYuan(row.ourAmount),
    theirAmount: row.theirAmount === null ? null : formatYuan(row.theirAmount),
    status: row.status,
    owner: row.owner,
    desk: about.desk,
    ageDays,
    isLate: row.status === 'open' && ageDays > about.days,
    isSelfClearing: row.isSelfClearing,
    remedy: row.remedy,
    evidence: row.evidence,
    openedAt: row.openedAt.toISOString(),
    resolvedAt: row.resolvedAt?.toISOString() ?? null,
    resolution: row.resolution,
  };
}

export type BreakView = ReturnType<typeof breakView>;

/** RFC 9110: changes with every change that a person could have missed. */
export const etagOf = (row: Pick<BreakRow, 'version'>): string => `"${row.version}"`;

export const breakColumns: readonly Column<BreakView>[] = [
  { key: 'id', cell: (row) => row.id },
  { key: 'reconciliationId', cell: (row) => row.reconciliationId },
  { key: 'counterparty', cell: (row) => row.counterparty },
  { key: 'kind', cell: (row) => row.kind },
  { key: 'title', cell: (row) => row.title },
  { key: 'businessDate', cell: (row) => row.businessDate },
  { key: 'hospitalCode', cell: (row) => row.hospitalCode },
  { key: 'lender', cell: (row) => row.lender },
  { key: 'settlementId', cell: (row) => row.settlementId },
  { key: 'subject', cell: (row) => row.subject },
  { key: 'ourAmount', cell: (row) => row.ourAmount },
  { key: 'theirAmount', cell: (row) => row.theirAmount },
  { key: 'status', cell: (row) => row.status },
  { key: 'owner', cell: (row) => row.owner },
  { key: 'desk', cell: (row) => row.desk },
  { key: 'ageDays', cell: (row) => String(row.ageDays) },
  { key: 'isSelfClearing', cell: (row) => String(row.isSelfClearing) },
  { key: 'remedy', cell: (row) => row.remedy },
  { key: 'openedAt', cell: (row) => row.openedAt },
  { key: 'resolvedAt', cell: (row) => row.resolvedAt },
];
