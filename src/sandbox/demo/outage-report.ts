// Role: what the outage demo prints: counters by phase, outages, proofs, counts. Pure.
import { formatYuan, parseYuan } from '../../money.ts';
import type { PhaseName } from './outage-plan.ts';
import type { Tender } from './replies.ts';
import { percentile } from './tally.ts';
import { textTable } from './text-table.ts';

/** What the demo reads of GET /v1/conversions. */
export interface Conversion {
  id: string;
  settlementId: string;
  status: string;
  reason?: string;
  before: Tender[];
  after: Tender[] | null;
  refunds: { to: string; amount: string; status: string }[];
  proof: { totalBefore: string; totalAfter: string | null; balanced: boolean | null };
}

/** What the demo reads of GET /v1/insurance/outages/{id}. */
export interface OutageReport {
  id: string;
  route: string;
  startsAt: string;
  secondsToDetect: number | null;
  minutesToDrain: number | null;
  visits: number;
  money: string;
  refunds: number;
  refundedMoney: string;
  converted: number;
  rejected: number;
  cancelled: number;
  waiting: number;
}

const phaseNames: Record<PhaseName, string> = {
  before: '之前 before',
  answersLost: '期间：回执每十丢一 during: every tenth answer lost',
  portClosed: '期间：端口关闭 during: port closed',
  draining: '恢复中 back, queue draining',
  after: '之后 after',
};

/** Seconds at the counter: the whole one-scan request, as the terminal sees it. */
export function phaseLines(phases: ReadonlyMap<PhaseName, readonly number[]>): string[] {
  const seconds = (values: readonly number[], share: number) =>
    (percentile(values, share) / 1000).toFixed(2);
  const body = [...phases].map(([name, values]) => [
    phaseNames[name],
    String(values.length),
    ...[0.5, 0.99, 1].map((share) => seconds(values, share)),
  ]);
  return textTable(['窗口秒数 seconds at the counter', '就诊 visits', 'p50', 'p99', 'max'], body);
}

export function outageLines(outages: readonly OutageReport[]): string[] {
  const head = ['中断 outage', '发现秒 s to detect', '清空分 min to drain', '就诊 visits'];
  head.push(
    '金额 money',
    '退款 refunds',
    '退回 refunded',
    '转 converted',
    '拒 rejected',
    '撤 cancelled',
  );
  const body = outages.map((o) => [
    `${o.startsAt.slice(11, 19)} ${o.route}`,
    o.secondsToDetect?.toFixed(1) ?? '',
    o.minutesToDrain?.toFixed(1) ?? '',
    String(o.visits),
    o.money,
    String(o.refunds),
    o.refundedMoney,
    String(o.converted),
    String(o.rejected),
    String(o.cancelled),
  ]);
  return textTable(
    [...head, '等 waiting'],
    body.map((row, i) => [...row, String(outages[i]?.waiting)]),
  );
}

/** One conversion of each pattern of money, the rarer ones first, and one of each other ending. */
export function proofLines(conversions: readonly Conversion[], most: number): string[] {
  const patterns = new Map<string, Conversion[]>();
  for (const conversion of conversions) {
    const { status, before, after, refunds } = conversion;
    const pattern = [status, kindsOf(before), kindsOf(after), refunds.map((r) => r.to)].join(' ');
    patterns.set(pattern, [...(patterns.get(pattern) ?? []), conversion]);
  }
  const samples = [...patterns.values()]
    .sort((a, b) => a.length - b.length)
    .flatMap((alike) => alike.slice(0, 1));
  const others = ['rejected', 'cancelled'].flatMap((status) =>
    samples.filter((sample) => sample.status === status).slice(0, 1),
  );
  const converted = samples.filter((sample) => sample.status === 'converted');
  const body = [...converted.slice(0, most - others.length), ...others].map(proofRow);
  const head = ['转医保 conversion', '原支付 before', '现支付 after', '退回 back', '平 balanced'];
  return textTable(head, body);
}

function proofRow({ id, status, reason, before, after, refunds, proof }: Conversion): string[] {
  const back = refunds.map((r) => `${r.to} ${r.amount} ${r.status}`).join(' + ');
  const name = `${id.slice(-6)} ${status}`;
  if (!after) return [name, partsText(before), (reason ?? '').slice(0, 30), back || '–', '–'];
  const sums = `${proof.totalBefore} = ${proof.totalAfter}`;
  const mark = proof.balanced ? '✓' : '✗';
  return [name, partsText(before), partsText(after), back || '–', `${sums} ${mark}`];
}

const kindsOf = (parts: Tender[] | null) => parts?.map((part) => part.kind).join('+') ?? '';

function partsText(parts: readonly Tender[]): string {
  const sums = new Map<string, bigint>();
  for (const { kind, amount } of parts) sums.set(kind, (sums.get(kind) ?? 0n) + parseYuan(amount));
  return [...sums].map(([kind, sum]) => `${kind} ${formatYuan(sum)}`).join(' + ');
}

export function countLines(conversions: readonly Conversion[]): string[] {
  const count = (status: string) => conversions.filter((c) => c.status === status).length;
  const waiting = ['queued', 'claiming', 'awaitingPatient'].reduce((sum, s) => sum + count(s), 0);
  return [
    `转医保 conversions: ${conversions.length} = 已转 converted ${count('converted')} + ` +
      `拒绝 rejected ${count('rejected')} + 整单退费 cancelled ${count('cancelled')} + 等待 waiting ${waiting}`,
  ];
}
