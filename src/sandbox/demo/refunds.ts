// Role: the demo's refunds and repayments, each followed until it has come to its end.
import { setTimeout as pause } from 'node:timers/promises';
import { formatYuan, parseYuan } from '../../money.ts';
import { type DemoClient, StepError } from './client.ts';
import type { DemoPerson } from './people.ts';
import type { CreditLine, Refund, Repayment, Settlement } from './replies.ts';
import { countAct, type Tally } from './tally.ts';

export interface GivingBack {
  client: DemoClient;
  tally: Tally;
  token: string;
  settlement: Settlement;
}

/** A refund reverses and reclaims at the insurer, a repayment waits for the bank; both are quick. */
const RESOLVED_WITHIN_MS = 20_000;

export async function refundAll(back: GivingBack): Promise<void> {
  const refund = await askRefund(back, { all: true, reason: '重复缴费' });
  const after = await settlementNow(back);
  if (refund.amount !== back.settlement.total || after.status !== 'refunded') {
    throw new StepError(`whole refund of ${refund.amount} left the settlement ${after.status}`);
  }
  countAct(back.tally, '整单退费 whole refunds');
}

export async function refundLine(back: GivingBack, lineNumber: number): Promise<void> {
  await askRefund(back, { lines: [{ lineNumber }], reason: '未执行项目' });
  const after = await settlementNow(back);
  if (after.status !== 'partlyRefunded') {
    throw new StepError(`refund of a line left the settlement ${after.status}`);
  }
  countAct(back.tally, '单项退费 refunds by line');
}

/** Repays the whole debt or half of it, and waits until the bank has said so. */
export async function repay(
  client: DemoClient,
  tally: Tally,
  person: DemoPerson,
  share: 'whole' | 'half',
): Promise<void> {
  const token = await client.citizen(person);
  const line = () => client.get<CreditLine>('/v1/me/credit-line', { token, expect: [200] });
  const owed = parseYuan((await line()).body.outstanding);
  const amount = share === 'whole' ? owed : owed / 2n;
  if (amount === 0n) return;
  await client.post<Repayment>('/v1/me/repayments', {
    token,
    body: { amount: formatYuan(amount) },
    expect: [201, 202],
  });
  await until(`repayment of ${formatYuan(amount)}`, async () => {
    return parseYuan((await line()).body.outstanding) === owed - amount;
  });
  countAct(tally, share === 'whole' ? '全额还款 whole repayments' : '部分还款 partial repayments');
}

async function askRefund(back: GivingBack, body: unknown): Promise<Refund> {
  const { client, token } = back;
  const path = `/v1/settlements/${back.settlement.id}/refunds`;
  let refund = (await client.post<Refund>(path, { token, body, expect: [201, 202] })).body;
  await until(`refund ${refund.id}`, async () => {
    if (refund.status === 'processing') {
      refund = (await client.get<Refund>(`/v1/refunds/${refund.id}`, { token, expect: [200] }))
        .body;
    }
    return refund.status !== 'processing';
  });
  if (refund.status !== 'completed') throw new StepError(`refund ${refund.id} ${refund.status}`);
  return refund;
}

async function settlementNow(back: GivingBack): Promise<Settlement> {
  const path = `/v1/settlements/${back.settlement.id}`;
  const got = await back.client.get<Settlement>(path, { token: back.token, expect: [200] });
  return got.body;
}

async function until(what: string, isDone: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + RESOLVED_WITHIN_MS;
  while (!(await isDone())) {
    if (Date.now() > deadline) throw new StepError(`${what}: no end within 20 s`);
    await pause(250);
  }
}
