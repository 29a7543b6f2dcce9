// Role: plays one planned visit at the counter, over HTTP only, and checks what the story promises.
import { checkReplay, checkSettlement, checkVisit } from './checks.ts';
import { StepError } from './client.ts';
import { refundAll, refundLine } from './refunds.ts';
import type { Settlement, Split, Visit } from './replies.ts';
import { countAct, countSettlement, countVisit } from './tally.ts';
import { type AtCounter, type Desk, openingOf, settlingOf } from './visit-bodies.ts';
import { chargeBodies, type VisitPlan } from './visit-plan.ts';

/** Plays the plan; an unexpected answer becomes a failure of the tally and the demo goes on. */
export async function playVisit(desk: Desk, plan: VisitPlan, number: number): Promise<void> {
  const visitNumber = `${desk.run}-${String(number).padStart(4, '0')}`;
  try {
    countVisit(desk.tally, plan.kind);
    const token = await desk.client.terminal(plan.hospitalCode);
    const at: AtCounter = { desk, plan, visitNumber, token };
    if (plan.road === 'oneScan') await payInOneScan(at);
    else await payInSteps(at);
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    desk.tally.failures.push(`${visitNumber} ${plan.title}: ${error.message}`);
  }
}

async function payInOneScan(at: AtCounter): Promise<void> {
  const { desk, plan, token } = at;
  const paid = await desk.client.post<{ visit: Visit; settlement: Settlement }>(
    '/v1/one-scan-payments',
    {
      token,
      body: {
        ...(await openingOf(at)),
        charges: chargeBodies(plan.batches).flat(),
        ...settlingOf(at, 1),
      },
      expect: [201],
    },
  );
  desk.tally.counterMs.push(paid.elapsedMs);
  countAct(desk.tally, '一码付 one-scan payments');
  checkVisit(plan, paid.body.visit);
  await finish(at, paid.body.settlement);
}

async function payInSteps(at: AtCounter): Promise<void> {
  const { desk, plan, token } = at;
  const { client } = desk;
  const opened = await client.post<Visit>('/v1/visits', {
    token,
    body: await openingOf(at),
    expect: [201],
  });
  checkVisit(plan, opened.body);
  const path = `/v1/visits/${opened.body.id}`;
  for (const [i, items] of chargeBodies(plan.batches).entries()) {
    const body = { batch: String(i + 1), items };
    await client.post(`${path}/charges`, { token, body, expect: [201] });
  }
  if (plan.road === 'cancelled') {
    await client.delete(path, { token, expect: [200, 204] });
    countAct(desk.tally, '取消就诊 cancellations');
    return;
  }
  if (plan.credential === 'late') await bindPatient(at, path);
  if (plan.hasPreview) await preview(at, path);
  const runs = plan.isSettledByBatch ? plan.batches.map((_, i) => [String(i + 1)]) : [undefined];
  for (const [i, batches] of runs.entries()) await settle(at, path, i + 1, batches);
}

async function settle(at: AtCounter, path: string, run: number, batches?: string[]): Promise<void> {
  const { desk, plan, token } = at;
  const sent = {
    token,
    key: `${at.visitNumber}-settle-${run}`,
    body: { ...settlingOf(at, run), ...(batches ? { batches } : {}) },
    expect: [200],
  };
  const settled = await desk.client.post<Settlement>(`${path}/settlement`, sent);
  desk.tally.counterMs.push(settled.elapsedMs);
  if (plan.after.includes('replay')) {
    const again = await desk.client.post<Settlement>(`${path}/settlement`, sent);
    checkReplay(settled, again);
    countAct(desk.tally, '重放幂等请求 replayed requests');
  }
  await finish(at, settled.body);
}

/** Checks the settlement, collects what is due if the plan says so, counts it, gives money back. */
async function finish(at: AtCounter, settlement: Settlement): Promise<void> {
  const { desk, plan } = at;
  checkSettlement(plan, settlement);
  const isPaying = plan.after.includes('payDue') && settlement.dueAtCounter !== '0.00';
  const last = isPaying ? await payDue(at, settlement) : settlement;
  countSettlement(desk.tally, plan.kind, last);
  const back = { client: desk.client, tally: desk.tally, token: at.token, settlement: last };
  if (plan.after.includes('refundAll')) await refundAll(back);
  if (plan.after.includes('refundLine')) await refundLine(back, 1);
}

async function payDue(at: AtCounter, settlement: Settlement): Promise<Settlement> {
  const { client, tally } = at.desk;
  const paid = await client.post<Settlement>(`/v1/settlements/${settlement.id}/payments`, {
    token: at.token,
    body: {
      kind: 'wechatPay',
      amount: settlement.dueAtCounter,
      reference: `${at.visitNumber}-due-${settlement.id.slice(-6)}`,
    },
    expect: [200, 201],
  });
  if (paid.body.dueAtCounter !== '0.00') throw new StepError('paid what was due, still due');
  countAct(tally, '窗口补缴 counter payments');
  return paid.body;
}

async function bindPatient(at: AtCounter, path: string): Promise<void> {
  const { patient } = at.plan;
  const credential = { kind: 'idCard', number: patient.idNumber, name: patient.name };
  await at.desk.client.patch(path, { token: at.token, body: { credential }, expect: [200] });
  countAct(at.desk.tally, '无名急诊补登身份 bound later');
}

async function preview(at: AtCounter, path: string): Promise<void> {
  const { client, tally } = at.desk;
  const seen = await client.post<Split>(`${path}/settlement/preview`, {
    token: at.token,
    body: {},
    expect: [200],
  });
  if (seen.body.total === '0.00') throw new StepError('preview of nothing');
  countAct(tally, '预结算 previews');
}
