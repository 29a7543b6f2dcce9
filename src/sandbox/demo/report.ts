// Role: what the demo prints when the story is over: table, acts, trial balance, laws, last line.
import { type Fen, fenFromWire, formatYuan, sumFen } from '../../money.ts';
import type { LawReport, RouteReport, TrialBalance, VisitKind } from './replies.ts';
import { isWhole, percentile, type Row, type Tally, totalOf } from './tally.ts';
import { textTable } from './text-table.ts';

const kindNames: Record<VisitKind, string> = {
  outpatient: '门诊 outpatient',
  emergency: '急诊 emergency',
  online: '互联网 online',
  registration: '挂号 registration',
  examination: '检查 examination',
  inpatient: '住院 inpatient',
};

export interface Outcome {
  tally: Tally;
  trialBalance: TrialBalance;
  laws: LawReport;
  routes: RouteReport;
  elapsedSeconds: number;
  requests: number;
}

/** The whole report as lines. */
export function reportLines(outcome: Outcome): string[] {
  const { tally } = outcome;
  return [
    ...visitLines(tally),
    '',
    ...[...tally.acts].map(([act, times]) => `${act}: ${times}`),
    ...waitingLines(outcome),
    counterLine(outcome),
    '',
    ...balanceLines(outcome.trialBalance),
    '',
    ...lawLines(outcome.laws),
    ...tally.failures.map((failure) => `✗ ${failure}`),
    '',
    lastLine(outcome),
  ];
}

/** What decides whether the run was good. */
export type Verdict = Pick<Outcome, 'tally' | 'laws' | 'trialBalance'>;

/** True when every step went as told, every row adds up, the books balance and every law holds. */
export function isGood({ tally, laws, trialBalance }: Verdict): boolean {
  return (
    tally.failures.length === 0 &&
    trialBalance.balanced &&
    laws.holds &&
    laws.laws.length > 0 &&
    laws.laws.every((law) => law.holds) &&
    [...tally.rows.values()].every(isWhole)
  );
}

/** "demo: 40 visits, 23 laws held", or what went wrong. */
export function lastLine(outcome: Verdict): string {
  const { laws } = outcome.laws;
  const held = laws.filter((law) => law.holds).length;
  const { visits } = totalOf(outcome.tally);
  if (isGood(outcome)) return `demo: ${visits} visits, ${held} laws held`;
  const failures = outcome.tally.failures.length;
  return `demo: FAILED: ${visits} visits, ${failures} unexpected steps, ${held} of ${laws.length} laws held`;
}

function visitLines(tally: Tally): string[] {
  const head = ['就诊 visits', '数 count', '总额 billed', '基金 fund', '个账 account'];
  head.push('信用 credit', '窗口 counter', '待付 due');
  const cells = (name: string, row: Row) => [
    name,
    String(row.visits),
    ...[row.billed, row.fund, row.account, row.credit, row.counter, row.due].map(formatYuan),
  ];
  const rows = [...tally.rows].filter(([, row]) => row.visits > 0);
  const body = rows.map(([kind, row]) => cells(kindNames[kind], row));
  return textTable(head, [...body, cells('合计 total', totalOf(tally))]);
}

function waitingLines({ tally, routes }: Outcome): string[] {
  const { waiting } = totalOf(tally);
  if (waiting === 0) return [];
  const awaiting = routes.data.map((route) => `${route.route} ${route.status}, ${route.awaiting}`);
  return [
    `等待医保 awaiting insurance: ${waiting} settlements now; queued: ${awaiting.join('; ')}`,
  ];
}

function counterLine({ tally, elapsedSeconds, requests }: Outcome): string {
  const seconds = (share: number) => (percentile(tally.counterMs, share) / 1000).toFixed(2);
  return (
    `窗口结算 seconds at the counter: p50 ${seconds(0.5)}, p99 ${seconds(0.99)} ` +
    `(${tally.counterMs.length} settlements; ${requests} requests in ${elapsedSeconds.toFixed(1)} s)`
  );
}

/** Sums over all hospitals and over all lenders: per owner the service itself lists them. */
function balanceLines({ owners }: TrialBalance): string[] {
  const sums = new Map<string, { name: string; debit: Fen; credit: Fen; balance: Fen }>();
  for (const { ownerKind, accounts } of owners) {
    for (const { account, name, debit, credit, balance } of accounts) {
      const key = `${ownerKind} ${account}`;
      const sum = sums.get(key) ?? { name, debit: 0n, credit: 0n, balance: 0n };
      sum.debit += signed(debit);
      sum.credit += signed(credit);
      sum.balance += signed(balance);
      sums.set(key, sum);
    }
  }
  const head = ['试算平衡 trial balance', '借 debit', '贷 credit', '余额 balance'];
  const body = [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, sum]) => {
      return [`${key} ${sum.name}`, ...[sum.debit, sum.credit, sum.balance].map(formatYuan)];
    });
  const all = [...sums.values()];
  const total = (['debit', 'credit', 'balance'] as const).map((column) =>
    sumFen(all.map((sum) => sum[column])),
  );
  return textTable(head, [...body, ['合计 total', ...total.map(formatYuan)]]);
}

function lawLines({ laws }: LawReport): string[] {
  const head = ['定律 law', '查 checked', '成立 holds'];
  const body = laws.map((law) => [law.law, String(law.checked), law.holds ? '✓' : '✗']);
  const broken = laws.filter((law) => !law.holds);
  return [...textTable(head, body), ...broken.map((law) => `✗ ${law.law}: ${String(law.detail)}`)];
}

function signed(yuan: string): Fen {
  const fen = fenFromWire(yuan);
  if (fen === null) throw new Error(`the trial balance has an amount that is none: ${yuan}`);
  return fen;
}
