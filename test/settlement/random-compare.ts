// Compares what the model of a random run believes with what the service and the insurer's books say.
import { expect } from 'vitest';
import type { ReplyBody } from '../support/app.ts';
import { dueOf, type Settlement, sumOf } from './model.ts';
import { type Debt, type Fen, isOverdue, owedOn } from './model-credit.ts';
import {
  ask,
  businessNow,
  type Encounter,
  liveClaims,
  type Person,
  type World,
  yuan,
} from './random-world.ts';

const amounts = (parts: readonly { kind: string; amount: Fen; reference?: string }[]) =>
  parts.map(({ kind, amount, reference }) => [kind, yuan(amount), reference]);

const shownAmounts = (parts: ReplyBody[]) =>
  parts.map(({ kind, amount, reference }) => [kind, amount, reference]);

/** The settlement as the service shows it is the model's, to the fen. */
export function expectSettlement(shown: ReplyBody, model: Settlement): void {
  expect({
    total: shown.total,
    dueAtCounter: shown.dueAtCounter,
    tenders: shownAmounts(shown.tenders),
    unused: shownAmounts(shown.unused),
    status: shown.status,
    insurance: shown.insurance.status,
    claimId: shown.insurance.claimId,
    refundable: shown.refundable,
    batches: shown.batches,
    isOwed: shown.receivableId !== undefined,
    awaits: shown.conversionId !== undefined,
  }).toEqual({
    total: yuan(model.total),
    dueAtCounter: yuan(model.dueAtCounter),
    tenders: amounts(model.tenders),
    unused: amounts(model.unused),
    status: model.status,
    insurance: model.insurance,
    claimId: model.claim?.setlId,
    refundable: yuan(model.refundable),
    batches: model.batches,
    isOwed: model.debt !== null,
    awaits: model.insurance === 'awaitingInsurance',
  });
}

export function expectVisit(shown: ReplyBody, model: Encounter): void {
  expect({
    status: shown.status,
    hold: shown.hold && [shown.hold.status, shown.hold.amount],
    chargedTotal: shown.chargedTotal,
    settlementIds: shown.settlementIds,
  }).toEqual({
    status: model.status,
    hold: model.hold && [model.hold.status, yuan(model.hold.amount)],
    chargedTotal: yuan(sumOf(model.items)),
    settlementIds: model.settlements.map((s) => s.id),
  });
}

/** Line and debts of a person. */
async function expectCredit(world: World, { line, token }: Person): Promise<void> {
  const shown = await world.app.call('GET', '/v1/me/credit-line', { token });
  if (!line) {
    expect(shown.status).toBe(404);
    return;
  }
  const free = line.limit - line.held - line.outstanding;
  expect(shown.body).toMatchObject({
    limit: yuan(line.limit),
    held: yuan(line.held),
    outstanding: yuan(line.outstanding),
    available: yuan(free > 0n ? free : 0n),
  });
  expect(line.outstanding).toBe(line.debts.reduce((all, debt) => all + owedOn(debt), 0n));
  const owed = await world.app.call('GET', '/v1/me/receivables?limit=100', { token });
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
  const now = businessNow(world);
  expect(
    owed.body.data
      .sort(byId)
      .map((r: ReplyBody) => [r.id, r.amount, r.paid, r.outstanding, r.status]),
  ).toEqual(
    [...line.debts]
      .sort(byId)
      .map((debt) => [
        debt.id,
        yuan(debt.amount),
        yuan(debt.paid),
        yuan(owedOn(debt)),
        statusOf(debt, now),
      ]),
  );
}

function statusOf(debt: Debt, now: number): string {
  if (owedOn(debt) === 0n) return 'paid';
  if (debt.awaitsInsurance) return 'waitingForInsurance';
  const only = { limit: 0n, held: 0n, outstanding: 0n, debts: [debt] };
  return isOverdue(only, now) ? 'overdue' : 'open';
}

/** Everything the model believes is what the service and the insurer's own books say. */
export async function expectAgreement(world: World): Promise<void> {
  for (const person of world.people) await expectCredit(world, person);
  for (const visit of world.visits) {
    expectVisit((await ask(world, 'GET', `/v1/visits/${visit.id}`)).body, visit);
    for (const settlement of visit.settlements) {
      const shown = await ask(world, 'GET', `/v1/settlements/${settlement.id}`);
      expectSettlement(shown.body, settlement);
      expect(dueOf(settlement) >= 0n).toBe(true);
    }
    const live = await liveClaims(world, visit);
    const ours = visit.settlements.filter((s) => s.claim);
    expect(live.map((claim) => claim.setlId).sort()).toEqual(
      [...ours.map((s) => s.claim?.setlId ?? ''), ...visit.strays].sort(),
    );
    for (const { claim, refundable } of ours) {
      expect(live.find((c) => c.setlId === claim?.setlId)?.total).toBe(refundable);
    }
  }
  for (const refund of world.refunds) {
    const shown = await ask(world, 'GET', `/v1/refunds/${refund.id}`);
    expect(shown.body.status).toBe('completed');
    expect(shown.body.tenders.map((t: ReplyBody) => [t.kind, t.amount, t.status])).toEqual(
      refund.tenders.map((t) => [t.kind, yuan(t.amount), t.sending.status]),
    );
  }
}
