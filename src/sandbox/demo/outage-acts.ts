// Role: what the outage demo does beside the visits: faults, refunds of waiting visits, the wait for
// the queue to drain.
import { setTimeout as pause } from 'node:timers/promises';
import { type DemoClient, StepError } from './client.ts';
import type { Refund, RouteReport, Settlement } from './replies.ts';
import type { Stage } from './scenario.ts';
import { countAct } from './tally.ts';

/** A conversion that is just being tried holds its settlement for less than this. */
const BUSY_WITHIN_MS = 20_000;
/** The quiet time of an unknown claim (15 s) and some, on a machine with other work. */
const DRAINED_WITHIN_MS = 120_000;
const LOOK_MS = 500;

export async function setFault(
  client: DemoClient,
  fault: { mode: string; on?: string[]; rate?: number },
): Promise<void> {
  await client.put('/sandbox/insurer/fault', { body: fault, expect: [200] });
}

/** Refunds a line, or all, of a settlement whose conversion waits; asks again while it is tried. */
export async function refundWaiting(
  stage: Stage,
  settlement: Settlement,
  refund: { token: string; isWhole: boolean },
): Promise<void> {
  const { client, tally } = stage;
  const { token, isWhole } = refund;
  const what = isWhole ? { all: true } : { lines: [{ lineNumber: 1 }] };
  const deadline = Date.now() + BUSY_WITHIN_MS;
  for (;;) {
    const got = await client.post<Refund & { code?: string }>(
      `/v1/settlements/${settlement.id}/refunds`,
      { token, body: { ...what, reason: '未执行项目' }, expect: [201, 202, 409] },
    );
    if (got.status !== 409) break;
    if (got.body.code !== 'settlement/busy' || Date.now() > deadline) {
      throw new StepError(`refund while waiting: ${got.text}`);
    }
    await pause(LOOK_MS);
  }
  countAct(
    tally,
    isWhole
      ? '等待中整单退费 whole refunds while waiting'
      : '等待中单项退费 refunds by line while waiting',
  );
}

/** Waits until no conversion of the city waits; false when that takes too long. */
export async function waitForDrain(stage: Stage, token: string): Promise<boolean> {
  const deadline = Date.now() + DRAINED_WITHIN_MS;
  let most = 0;
  for (;;) {
    const waiting = await waitingNow(stage.client, token);
    most = Math.max(most, waiting);
    stage.progress.at('转医保 draining', most - waiting, most);
    if (waiting === 0) return true;
    if (Date.now() > deadline) return false;
    await pause(LOOK_MS);
  }
}

async function waitingNow(client: DemoClient, token: string): Promise<number> {
  const routes = await client.get<RouteReport>('/v1/insurance/routes', { token, expect: [200] });
  return routes.body.data.reduce((sum, { awaiting }) => sum + awaiting, 0);
}
