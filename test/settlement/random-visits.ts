// The steps of a random run around a visit: opening, holds, charges, cancelling, paying what is due.
// Each asks the service, tells the model, and compares the two.
import { expect } from 'vitest';
import { halfUp } from '../support/rational.ts';
import { collect, dueOf, type Item, type Offer, sumOf, UNITS } from './model.ts';
import { extend, type Fen, hold, type Kind, release } from './model-credit.ts';
import { expectSettlement, expectVisit } from './random-compare.ts';
import {
  ask,
  businessNow,
  codeOf,
  type Encounter,
  type Person,
  unitsText,
  type World,
  yuan,
} from './random-world.ts';
import { fen, nextNumber } from './support.ts';

/** A step, or null where the world has nothing to do it with. */
export type Step = (world: World) => (() => Promise<void>) | null;

const isChangeable = (visit: Encounter) => visit.status !== 'cancelled';
export const unsettledOf = (visit: Encounter): string[] => [
  ...new Set(
    visit.items
      .map((item) => item.batch)
      .filter((batch) => !visit.settlements.some((s) => s.batches.includes(batch))),
  ),
];

/** The body of an opening and the visit as the model has it before the service answers. */
export function newVisit(world: World) {
  const { random } = world;
  const kind: Kind = random.pick(['outpatient', 'outpatient', 'emergency', 'inpatient']);
  const isUnnamed = kind === 'emergency' && random.chance(0.2);
  const person: Person | null = isUnnamed ? null : random.pick(world.people);
  const number = nextNumber('V');
  const amount = random.pick([null, null, 0n, random.fen(900_00n)]);
  const isPartial = random.chance(0.5);
  const visit: Encounter = {
    ...{ id: '', number, kind, status: 'open', hold: null, items: [], settlements: [] },
    ...{ line: person?.line ?? null, person, strays: [], isRegistered: false },
    openedAt: businessNow(world),
  };
  const body = {
    visitNumber: number,
    kind,
    ...(person ? { credential: { kind: 'idCard', number: person.idNumber } } : {}),
    ...(amount === null ? {} : { holdAmount: yuan(amount) }),
    ...(isPartial ? { allowPartialHold: true } : {}),
    usePersonalAccount: random.chance(0.5),
  };
  const decline =
    amount === 0n && person ? null : hold(visit, { amount, isPartial }, businessNow(world));
  return { body, visit, decline };
}

export const openVisit: Step = (world) => async () => {
  const { body, visit, decline } = newVisit(world);
  const reply = await ask(world, 'POST', '/v1/visits', { body });
  expect(reply.status, reply.text).toBe(201);
  expect(reply.body.holdDecline?.code ?? null).toBe(decline);
  visit.id = reply.body.id;
  expectVisit(reply.body, visit);
  world.visits.push(visit);
};

/** Lines of a new batch: odd quantities and prices, free ones, some outside the insurance. */
export function newItems(world: World, visit: Encounter, batch: string) {
  const { random } = world;
  const first = Math.max(0, ...visit.items.map((item) => item.lineNumber)) + 1;
  const count = 1 + random.below(3);
  const lines = Array.from({ length: count }, (_, i) => {
    const units = random.chance(0.5) ? UNITS * random.fen(5n) : random.fen(40_000n);
    const micros = random.chance(0.06) ? 0n : random.fen(200_000_000n);
    const price = random.chance(0.5) ? (micros / 10_000n) * 10_000n : micros;
    const amount = halfUp({ n: units * price * 100n, d: UNITS * 1_000_000n });
    const lineNumber = first + i;
    const item: Item = { lineNumber, batch, units, amount, leftUnits: units, leftAmount: amount };
    const unitPrice = `${price / 1_000_000n}.${`${price % 1_000_000n}`.padStart(6, '0')}`;
    const wire = {
      ...{ lineNumber, code: `R${random.below(6)}`, name: '项目', unitPrice },
      ...{ quantity: unitsText(units), amount: yuan(amount) },
      ...(random.chance(0.15) ? { outsideInsurance: true } : {}),
    };
    return { item, wire };
  });
  return { items: lines.map((l) => l.item), wire: lines.map((l) => l.wire) };
}

export const charge: Step = (world) => {
  const visit = world.visits.filter(isChangeable).at(-1 - world.random.below(2));
  if (!visit) return null;
  return async () => {
    const batch = nextNumber('B');
    const { items, wire } = newItems(world, visit, batch);
    const target = `/v1/visits/${visit.id}/charges`;
    const wrong = wire.map((line) => ({ ...line, amount: yuan(fen(line.amount) + 1n) }));
    const refused = await ask(world, 'POST', target, { body: { batch, items: wrong } });
    expect(codeOf(refused)).toEqual([422, 'charge/amount-mismatch']);
    const reply = await ask(world, 'POST', target, { body: { batch, items: wire } });
    expect(reply.status, reply.text).toBe(201);
    visit.items.push(...items);
    visit.status = 'open';
    extend(visit, businessNow(world));
    expect(reply.body.chargedTotal).toBe(yuan(sumOf(visit.items)));
  };
};

export const removeBatch: Step = (world) => {
  const visit = world.visits.find((v) => isChangeable(v) && unsettledOf(v).length > 1);
  const batch = visit && unsettledOf(visit).at(-1);
  if (!visit || !batch) return null;
  return async () => {
    const reply = await ask(world, 'DELETE', `/v1/visits/${visit.id}/charges/${batch}`);
    expect(reply.status, reply.text).toBe(200);
    visit.items = visit.items.filter((item) => item.batch !== batch);
    expect(reply.body.chargedTotal).toBe(yuan(sumOf(visit.items)));
  };
};

export const setHold: Step = (world) => {
  const visit = world.visits.filter((v) => v.status === 'open').at(-1);
  if (!visit) return null;
  return async () => {
    const amount = world.random.fen(1_500_00n);
    const allowPartial = world.random.chance(0.4);
    const body = { amount: yuan(amount), allowPartial };
    const reply = await ask(world, 'PUT', `/v1/visits/${visit.id}/hold`, { body });
    const decline = hold(visit, { amount, isPartial: allowPartial }, businessNow(world));
    if (decline) expect(codeOf(reply), reply.text).toEqual([402, decline]);
    else {
      expect(reply.status, reply.text).toBe(200);
      expect(reply.body).toMatchObject({
        status: 'placed',
        amount: yuan(visit.hold?.amount ?? 0n),
      });
    }
  };
};

export const voidHold: Step = (world) => {
  const visit = world.visits.filter(isChangeable).at(-1);
  if (!visit) return null;
  return async () => {
    const reply = await ask(world, 'DELETE', `/v1/visits/${visit.id}/hold`);
    if (release(visit, 'voided')) expect(reply.status, reply.text).toBe(200);
    else expect(codeOf(reply)).toEqual([409, 'hold/none']);
  };
};

export const cancelVisit: Step = (world) => {
  const visit = world.visits.filter((v) => v.status !== 'cancelled').at(-1);
  if (!visit) return null;
  return async () => {
    const reply = await ask(world, 'DELETE', `/v1/visits/${visit.id}`);
    if (visit.settlements.length > 0) {
      expect(codeOf(reply)).toEqual([409, 'visit/already-settled']);
      return;
    }
    expect(reply.status, reply.text).toBeLessThan(300);
    release(visit, 'voided');
    visit.status = 'cancelled';
  };
};

const counter = [
  'cash',
  'wechatPay',
  'alipay',
  'bankCard',
  'eCny',
  'commercialInsurance',
  'subsidy',
];

export function newOffers(world: World, kind: Kind, about: Fen): Offer[] {
  const { random } = world;
  const kinds = kind === 'inpatient' ? [...counter, 'deposit'] : counter;
  return Array.from({ length: random.pick([0, 0, 1, 1, 2]) }, () => ({
    kind: random.pick(kinds),
    amount: random.fen((about * 6n) / 10n + 1n),
    reference: nextNumber('R'),
  }));
}

export const wireOffers = (offers: readonly Offer[]) =>
  offers.map((offer) => ({ ...offer, amount: yuan(offer.amount) }));

export const payDue: Step = (world) => {
  const { random } = world;
  const found = world.visits
    .flatMap((visit) => visit.settlements.map((settlement) => ({ visit, settlement })))
    .filter(({ settlement }) => settlement.total > 0n)
    .sort((a, b) => Number(dueOf(b.settlement) - dueOf(a.settlement)))[0];
  if (!found) return null;
  return async () => {
    const { visit, settlement } = found;
    const due = dueOf(settlement);
    const amount = random.chance(0.1)
      ? due + 1n
      : random.chance(0.6)
        ? due || 1n
        : random.fen(due + 1n);
    const offer = newOffers(world, visit.kind, 100n)[0] ?? {
      kind: 'cash',
      amount,
      reference: nextNumber('R'),
    };
    const payment = { ...offer, amount };
    const body = { ...payment, amount: yuan(amount) };
    const reply = await ask(world, 'POST', `/v1/settlements/${settlement.id}/payments`, { body });
    if (due === 0n) expect(codeOf(reply)).toEqual([409, 'settlement/nothing-due']);
    else if (amount > due) expect(codeOf(reply)).toEqual([422, 'payment/exceeds-due']);
    else {
      expect(reply.status, reply.text).toBe(200);
      collect(settlement, payment);
      expectSettlement(reply.body, settlement);
    }
  };
};
