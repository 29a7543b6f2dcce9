// The steps of a random run after the bill: refunds, repayments, the clock and the worker.
import { expect } from 'vitest';
import type { ReplyBody } from '../support/app.ts';
import { leftAfter, refund, type Settlement } from './model.ts';
import { allocate, type Fen, owedOn, pay } from './model-credit.ts';
import { breakInsurer, LENDER, liveClaims, sendBack, sendingsOf } from './random-books.ts';
import { expectSettlement } from './random-compare.ts';
import type { Step } from './random-visits.ts';
import {
  ask,
  businessNow,
  calm,
  codeOf,
  type Encounter,
  setClock,
  unitsText,
  type World,
  work,
  yuan,
} from './random-world.ts';

/** What goes wrong at the insurer while a claim is cancelled and the rest claimed anew. */
interface Trouble {
  fault: { mode: string; on: readonly string[] };
  outcome: 'rejected' | 'offline' | 'goesOn' | 'restRefused';
  isForRest?: true;
}

const troubles: readonly Trouble[] = [
  { fault: { mode: 'reject', on: ['2208'] }, outcome: 'rejected' },
  { fault: { mode: 'error500', on: ['2208'] }, outcome: 'goesOn' },
  { fault: { mode: 'answerLost', on: ['2208'] }, outcome: 'goesOn' },
  { fault: { mode: 'error500', on: ['2203'] }, outcome: 'offline', isForRest: true },
  { fault: { mode: 'error500', on: ['2206'] }, outcome: 'offline', isForRest: true },
  { fault: { mode: 'reject', on: ['2207'] }, outcome: 'restRefused', isForRest: true },
  { fault: { mode: 'error500', on: ['2207'] }, outcome: 'goesOn', isForRest: true },
  { fault: { mode: 'answerLost', on: ['2207'] }, outcome: 'goesOn', isForRest: true },
];

/** Which lines a refund asks for, in units; and how it asks. */
function newRefund(world: World, visit: Encounter, of: Settlement) {
  const { random } = world;
  const items = visit.items.filter((i) => of.batches.includes(i.batch) && i.leftUnits > 0n);
  const isAll = items.length === 0 || random.chance(0.35);
  const chosen = isAll ? items : random.some(items);
  const parts = new Map<number, bigint>();
  const lines = chosen.map(({ lineNumber, leftUnits }) => {
    const units = isAll || random.chance(0.5) ? leftUnits : random.fen(leftUnits);
    parts.set(lineNumber, units);
    return { lineNumber, ...(units === leftUnits ? {} : { quantity: unitsText(units) }) };
  });
  const left = visit.items
    .filter((i) => of.batches.includes(i.batch))
    .reduce((all, i) => all + leftAfter(i, parts.get(i.lineNumber) ?? 0n).leftAmount, 0n);
  const body = isAll ? { all: true, reason: '退费' } : { lines, reason: '退费' };
  return { parts, body, left };
}

export const refundSome: Step = (world) => {
  const { random } = world;
  const found = world.visits.flatMap((visit) => visit.settlements.map((of) => ({ visit, of })));
  if (found.length === 0) return null;
  const { visit, of } = random.pick(found);
  const { parts, body, left } = newRefund(world, visit, of);
  const possible = troubles.filter((t) => left > 0n || !t.isForRest);
  const trouble = of.claim && parts.size > 0 && random.chance(0.4) ? random.pick(possible) : null;
  return async () => {
    // The worker that goes on with it is to find nothing else to do.
    if (trouble?.outcome === 'goesOn') await work(world);
    if (trouble) await breakInsurer(world, trouble.fault);
    const target = `/v1/settlements/${of.id}/refunds`;
    const reply = await ask(world, 'POST', target, { body });
    if (parts.size === 0) {
      expect(codeOf(reply), reply.text).toEqual([409, 'refund/exceeds-leg']);
    } else if (reply.body.code === 'refund/citizen-part-rises') {
      // Rounding may turn a refund of next to nothing into more to pay; a real one only where
      // another refund has opened the year's deductible again.
      expect(world.hasDeductible || of.refundable - left < 6n).toBe(true);
    } else if (trouble?.outcome === 'rejected') {
      expect(codeOf(reply), reply.text).toEqual([409, 'insurance/rejected']);
    } else if (trouble?.outcome === 'offline') {
      expect(codeOf(reply), reply.text).toEqual([503, 'insurance/offline']);
    } else {
      const isBegun = trouble?.outcome === 'goesOn';
      expect(reply.status, reply.text).toBe(isBegun ? 202 : 201);
      const shown = isBegun ? await goOn(world, reply.body, random.chance(0.5)) : reply.body;
      const isRefused = trouble?.outcome === 'restRefused';
      await refunded(world, { visit, of, parts, left, isRefused, wasWorked: isBegun }, shown);
    }
    await calm(world.app, world.parties);
    const now = await ask(world, 'GET', `/v1/settlements/${of.id}`);
    expectSettlement(now.body, of);
  };
};

/** After 2208 it only goes forward, also through a time in which the insurer is down altogether. */
async function goOn(world: World, begun: ReplyBody, isDownFirst: boolean): Promise<ReplyBody> {
  const read = async () => (await ask(world, 'GET', `/v1/refunds/${begun.id}`)).body;
  expect(begun.status).toBe('processing');
  const busy = await ask(world, 'POST', `/v1/settlements/${begun.settlementId}/refunds`, {
    body: { all: true, reason: '退费' },
  });
  expect(codeOf(busy)).toEqual([409, 'settlement/busy']);
  if (isDownFirst) {
    await breakInsurer(world, { mode: 'error500' });
    await work(world);
    expect((await read()).status).toBe('processing');
  }
  await calm(world.app, world.parties);
  await work(world);
  const shown = await read();
  expect(shown.status, JSON.stringify(shown)).toBe('completed');
  return shown;
}

async function refunded(
  world: World,
  done: {
    visit: Encounter;
    of: Settlement;
    parts: Map<number, bigint>;
    left: Fen;
    /** The insurer took the old claim back and refused the rest. */
    isRefused: boolean;
    wasWorked: boolean;
  },
  shown: ReplyBody,
): Promise<void> {
  const { visit, of, parts, left, isRefused, wasWorked } = done;
  const others = [
    ...visit.strays,
    ...visit.settlements.filter((s) => s !== of).map((s) => s.claim?.setlId),
  ];
  const live = (await liveClaims(world, visit)).filter((claim) => !others.includes(claim.setlId));
  const isReclaimed = of.claim !== null && left > 0n && !isRefused;
  expect(live.map((claim) => claim.total)).toEqual(isReclaimed ? [left] : []);
  const { amount, tenders } = refund(visit, of, parts, live[0] ?? null, businessNow(world));
  const sent = sendingsOf(world, visit, tenders);
  // The worker that went on with a refund has sent the money back as well.
  if (wasWorked) for (const sending of sent) sendBack(world, sending, 'none');
  world.refunds.push({ id: shown.id, tenders: sent });
  expect(shown).toMatchObject({ status: 'completed', amount: yuan(amount) });
  expect(shown.tenders.map((t: ReplyBody) => [t.kind, t.amount, t.status])).toEqual(
    sent.map((t) => [t.kind, yuan(t.amount), t.status]),
  );
}

export const repay: Step = (world) => {
  const { random } = world;
  const person = random.pick(world.people);
  const { line } = person;
  if (!line) return null;
  return async () => {
    const owed = line.debts.filter((debt) => owedOn(debt) > 0n);
    const chosen = owed.length > 1 && random.chance(0.3) ? random.some(owed) : owed;
    const free = chosen.filter((debt) => !debt.isUnderWay);
    const most = free.reduce((all, debt) => all + owedOn(debt), 0n);
    const amount = random.chance(0.1)
      ? most + 1n
      : random.chance(0.5)
        ? most || 1n
        : random.fen(most + 1n);
    const bank = random.pick([
      'none',
      'none',
      'none',
      'declined',
      'answerLost',
      'error500',
    ] as const);
    await world.parties.bankFault(bank, ['debit']);
    const receivableIds = chosen === owed ? {} : { receivableIds: chosen.map((debt) => debt.id) };
    const body = { amount: yuan(amount), ...receivableIds };
    const reply = await ask(world, 'POST', '/v1/me/repayments', { body, token: person.token });
    await world.parties.bankFault('none');
    const parts = allocate({ ...line, debts: chosen }, amount);
    if (!parts) {
      const isOwed = amount <= chosen.reduce((all, debt) => all + owedOn(debt), 0n);
      const code = isOwed ? [409, 'repayment/under-way'] : [422, 'repayment/exceeds-debt'];
      expect(codeOf(reply), reply.text).toEqual(code);
      return;
    }
    const isDoubtful = bank === 'answerLost' || bank === 'error500';
    expect(reply.status, reply.text).toBe(isDoubtful ? 202 : 201);
    const status = isDoubtful ? 'unknown' : bank === 'declined' ? 'failed' : 'paid';
    expect(reply.body).toMatchObject({ amount: yuan(amount), status });
    const shown = reply.body.allocations.map((a: ReplyBody) => [a.receivableId, a.amount]).sort();
    expect(shown).toEqual([...parts].map(([debt, part]) => [debt.id, yuan(part)]).sort());
    if (bank !== 'error500') {
      const at = bank === 'declined' ? 'declined' : 'paid';
      world.transfers.push({ at: LENDER, kind: 'debit', amount, status: at });
    }
    if (status === 'paid') pay(line, parts);
    else if (isDoubtful) {
      for (const debt of parts.keys()) debt.isUnderWay = true;
      world.debits.push({ person, id: reply.body.id, parts, isPaid: bank === 'answerLost' });
    }
  };
};

/** Business time goes on: hours, or so far that holds expire and bills are overdue. */
export const moveClock: Step = (world) => async () => {
  const hours = world.random.pick([13, 13, 25, 31 * 24, 43 * 24]);
  world.offsetMs += hours * 3_600_000;
  await setClock(world, world.offsetMs);
};

/** Whatever waits is done; now and then banks and channels refuse what goes back, or are not heard. */
export const workSome: Step = (world) => () =>
  work(world, world.random.pick(['none', 'none', 'declined', 'answerLost']));
