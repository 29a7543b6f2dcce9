// Compares what the model of a random run believes with what the service and the insurer's books say.
import { expect } from 'vitest';
import type { ReplyBody } from '../support/app.ts';
import { dueOf, type Settlement, sumOf } from './model.ts';
import { type Conversion, carriedOf } from './model-conversion.ts';
import { type Debt, type Fen, isOverdue, owedOn } from './model-credit.ts';
import { books, liveClaims } from './random-books.ts';
import { ask, businessNow, type Encounter, type Person, type World, yuan } from './random-world.ts';

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
    conversionId: shown.conversionId,
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
    conversionId: model.conversions.filter((c) => c.status !== 'cancelled').at(-1)?.id,
  });
}

/** The conversion as finance sees it: its proof, and where the money went back to. */
export async function expectConversion(world: World, model: Conversion): Promise<void> {
  const { finance: token } = world;
  const { body: shown } = await world.app.call('GET', `/v1/conversions/${model.id}`, { token });
  const sum = yuan(sumOf(model.before));
  expect({
    status: shown.status,
    before: shownAmounts(shown.before),
    after: shown.after && shownAmounts(shown.after),
    proof: shown.proof,
    refunds: shown.refunds.map((r: ReplyBody) => [r.to, r.amount, r.status]),
  }).toEqual({
    status: model.status,
    before: amounts(model.before),
    after: model.after && amounts(model.after),
    proof: {
      totalBefore: sum,
      totalAfter: model.after && sum,
      balanced: model.after && true,
    },
    refunds: model.back.map((s) => [s.kind, yuan(s.amount), s.status]),
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

/** What the citizen carries is what the insurer leaves them: psn_cash_pay, or the whole bill. */
function expectSums(of: Settlement): void {
  expect(dueOf(of) >= 0n).toBe(true);
  expect(sumOf(of.tenders) + of.dueAtCounter).toBe(of.total);
  expect(carriedOf(of)).toBe(of.claim ? of.claim.cash : of.refundable);
}

/** Banks and refund channels have moved in their own books what was to move, once each. */
async function expectTransfers(world: World): Promise<void> {
  for (const at of books) {
    const all = (await world.parties.transfers(at)).slice(world.bookedBefore.get(at));
    const moved = all.map(({ kind, amount, status }) => `${kind} ${amount} ${status}`);
    const wanted = world.transfers
      .filter((transfer) => transfer.at === at)
      .map(({ kind, amount, status }) => `${kind} ${yuan(amount)} ${status}`);
    expect([at, moved.sort()]).toEqual([at, wanted.sort()]);
  }
}

/** Everything the model believes is what the service and the insurer's own books say. */
export async function expectAgreement(world: World): Promise<void> {
  for (const person of world.people) await expectCredit(world, person);
  for (const visit of world.visits) {
    expectVisit((await ask(world, 'GET', `/v1/visits/${visit.id}`)).body, visit);
    for (const settlement of visit.settlements) {
      const shown = await ask(world, 'GET', `/v1/settlements/${settlement.id}`);
      expectSettlement(shown.body, settlement);
      expectSums(settlement);
      for (const conversion of settlement.conversions) await expectConversion(world, conversion);
    }
    const live = await liveClaims(world, visit);
    const ours = visit.settlements.filter((s) => s.claim);
    expect(live.map((claim) => claim.setlId).sort()).toEqual(
      [...ours.map((s) => s.claim?.setlId ?? ''), ...visit.strays].sort(),
    );
    for (const { claim, refundable } of ours) {
      const booked = live.find((c) => c.setlId === claim?.setlId);
      expect([booked?.total, booked?.cash]).toEqual([refundable, claim?.cash]);
    }
  }
  for (const refund of world.refunds) {
    const shown = await ask(world, 'GET', `/v1/refunds/${refund.id}`);
    expect(shown.body.status).toBe('completed');
    expect(shown.body.tenders.map((t: ReplyBody) => [t.kind, t.amount, t.status])).toEqual(
      refund.tenders.map((t) => [t.kind, yuan(t.amount), t.status]),
    );
  }
  await expectTransfers(world);
}
