// The steps of a random run around a visit: opening, holds, charges, settling, paying, cancelling.
// Each asks the service, tells the model, and compares the two.
import { expect } from 'vitest';
import type { ReplyBody, TestReply } from '../support/app.ts';
import { halfUp } from '../support/rational.ts';
import {
  type Claim,
  collect,
  divide,
  dueOf,
  type Item,
  type Offer,
  type Settlement,
  settle,
  sumOf,
  UNITS,
} from './model.ts';
import { capturable, extend, type Fen, hold, type Kind, release } from './model-credit.ts';
import {
  ask,
  businessNow,
  calm,
  codeOf,
  type Encounter,
  expectSettlement,
  expectVisit,
  liveClaims,
  type Person,
  unitsText,
  type World,
  work,
  yuan,
} from './random-world.ts';
import { fen, nextNumber } from './support.ts';

/** A step, or null where the world has nothing to do it with. */
export type Step = (world: World) => (() => Promise<void>) | null;

const isChangeable = (visit: Encounter) => visit.status !== 'cancelled';
const unsettledOf = (visit: Encounter): string[] => [
  ...new Set(
    visit.items
      .map((item) => item.batch)
      .filter((batch) => !visit.settlements.some((s) => s.batches.includes(batch))),
  ),
];

/** The body of an opening and the visit as the model has it before the service answers. */
function newVisit(world: World) {
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
function newItems(world: World, visit: Encounter, batch: string) {
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

function newOffers(world: World, kind: Kind, about: Fen): Offer[] {
  const { random } = world;
  const kinds = kind === 'inpatient' ? [...counter, 'deposit'] : counter;
  return Array.from({ length: random.pick([0, 0, 1, 1, 2]) }, () => ({
    kind: random.pick(kinds),
    amount: random.fen((about * 6n) / 10n + 1n),
    reference: nextNumber('R'),
  }));
}

const wireOffers = (offers: readonly Offer[]) =>
  offers.map((offer) => ({ ...offer, amount: yuan(offer.amount) }));

/** What goes wrong at the insurer while a bill is settled. `executed`: it has booked a claim. */
interface Trouble {
  fault: Record<string, unknown>;
  outcome: 'rejected' | 'offline' | 'unknown';
  executed: boolean;
  /** Only a visit that is not registered yet sends the trade that fails. */
  isAtFirst?: true;
}

const sure = { executed: false } as const;
const troubles: readonly Trouble[] = [
  { fault: { mode: 'error500', on: ['2201'] }, outcome: 'offline', isAtFirst: true, ...sure },
  { fault: { mode: 'answerLost', on: ['2201'] }, outcome: 'offline', isAtFirst: true, ...sure },
  { fault: { mode: 'reject', on: ['2204'] }, outcome: 'rejected', ...sure },
  { fault: { mode: 'reject', on: ['2206'] }, outcome: 'rejected', ...sure },
  { fault: { mode: 'reject', on: ['2207'] }, outcome: 'rejected', ...sure },
  { fault: { mode: 'error500', on: ['2203'] }, outcome: 'offline', ...sure },
  { fault: { mode: 'error500', on: ['2204'] }, outcome: 'offline', ...sure },
  { fault: { mode: 'error500', on: ['2206'] }, outcome: 'offline', ...sure },
  { fault: { mode: 'error500', on: ['2207'] }, outcome: 'unknown', ...sure },
  { fault: { mode: 'garbage', on: ['2207'] }, outcome: 'unknown', ...sure },
  { fault: { mode: 'answerLost', on: ['2207'] }, outcome: 'unknown', executed: true },
];

interface Closing {
  batches: string[];
  offers: Offer[];
  total: Fen;
  insurance: 'claim' | 'skip';
  when: 'selfPay' | 'wait';
  trouble: Trouble | null;
  body: Record<string, unknown>;
}

function newClosing(world: World, visit: Encounter, batches: string[], canWait: boolean): Closing {
  const { random } = world;
  const total = sumOf(visit.items.filter((item) => batches.includes(item.batch)));
  const offers = newOffers(world, visit.kind, total);
  const insurance = random.chance(0.15) ? 'skip' : 'claim';
  const when = canWait && random.chance(0.25) ? 'wait' : 'selfPay';
  const isAsked = insurance === 'claim' && visit.person?.isInsured && total > 0n;
  const possible = troubles.filter((t) => !t.isAtFirst || !visit.isRegistered);
  const trouble = isAsked && random.chance(0.4) ? random.pick(possible) : null;
  const body = {
    counterTenders: wireOffers(offers),
    ...(insurance === 'skip' ? { insurance } : {}),
    ...(when === 'wait' ? { whenInsuranceOffline: when } : {}),
  };
  return { batches, offers, total, insurance, when, trouble, body };
}

/** Which refusal the caller gets, or null when the bill is closed. */
function refusalOf({ trouble, when }: Closing): [number, string] | null {
  if (trouble?.outcome === 'rejected') return [409, 'insurance/rejected'];
  if (trouble && when === 'wait') return [503, `insurance/${trouble.outcome}`];
  return null;
}

/** Asks while the trouble lasts. */
async function troubled(
  world: World,
  visit: Encounter,
  { trouble, insurance, total }: Closing,
  asking: () => Promise<TestReply>,
): Promise<TestReply> {
  if (trouble) await world.parties.insurer.setFault(trouble.fault as never);
  const reply = await asking();
  await calm(world.app, world.parties);
  if (insurance === 'claim' && total > 0n && !trouble?.isAtFirst) visit.isRegistered = true;
  return reply;
}

/** The claim that the insurer has now and had not before; the insurer must have exactly one. */
async function newClaimOf(world: World, visit: Encounter): Promise<Claim & { total: Fen }> {
  const known = [...visit.strays, ...visit.settlements.map((s) => s.claim?.setlId)];
  const fresh = (await liveClaims(world, visit)).filter((claim) => !known.includes(claim.setlId));
  expect(fresh).toHaveLength(1);
  const [claim] = fresh;
  if (!claim) throw new Error('the insurer has no claim');
  return claim;
}

/** Tells the model that the bill was closed and compares the settlement. */
async function closed(
  world: World,
  visit: Encounter,
  closing: Closing,
  shown: ReplyBody,
): Promise<Settlement> {
  const { trouble, total, insurance } = closing;
  const isAsked = insurance === 'claim' && total > 0n;
  const isClaimed =
    isAsked && visit.person?.isInsured === true && (!trouble || closing.when === 'wait');
  const claim = isClaimed ? await newClaimOf(world, visit) : null;
  if (claim) expect(claim.total).toBe(total);
  const status = claim
    ? 'claimed'
    : trouble
      ? 'awaitingInsurance'
      : isAsked
        ? 'notInsured'
        : 'skipped';
  const isUnknown = !claim && trouble?.outcome === 'unknown';
  const { batches, offers } = closing;
  const made = { id: shown.id, batches, offers, claim, insurance: status, isUnknown } as const;
  const settlement = settle(visit, made, businessNow(world));
  if (settlement.debt) settlement.debt.id = shown.receivableId;
  expectSettlement(shown, settlement);
  if (isUnknown && trouble?.executed) visit.strays.push((await newClaimOf(world, visit)).setlId);
  return settlement;
}

/** The caller waits for the truth: the worker learns it, and the same key goes on from there. */
async function learn(
  world: World,
  visit: Encounter,
  closing: Closing,
  again: () => Promise<TestReply>,
): Promise<void> {
  const target = `/v1/visits/${visit.id}`;
  expect((await ask(world, 'GET', target)).body.status).toBe('settling');
  await work(world);
  const now = (await ask(world, 'GET', target)).body;
  expect(now.status === 'open' || closing.trouble?.executed).toBe(true);
  const reply = await again();
  expect(reply.status, reply.text).toBe(200);
  await closed(world, visit, closing, reply.body);
}

export const settleVisit: Step = (world) => {
  const { random } = world;
  const visit = world.visits.find((v) => v.status === 'open' && unsettledOf(v).length > 0);
  if (!visit) return null;
  const unsettled = unsettledOf(visit);
  const batches = random.chance(0.7) ? unsettled : random.some(unsettled);
  const closing = newClosing(world, visit, batches, true);
  return async () => {
    const key = nextNumber('S');
    const body = { ...closing.body, ...(batches === unsettled ? {} : { batches }) };
    const target = `/v1/visits/${visit.id}/settlement`;
    const refusal = refusalOf(closing);
    // The worker that learns the truth is to find nothing else to do.
    if (refusal?.[1] === 'insurance/unknown') await work(world);
    const reply = await troubled(world, visit, closing, () =>
      ask(world, 'POST', target, { body, key }),
    );
    if (!refusal) {
      expect(reply.status, reply.text).toBe(200);
      await closed(world, visit, closing, reply.body);
    } else {
      expect(codeOf(reply), reply.text).toEqual(refusal);
      const again = () => ask(world, 'POST', target, { body, key });
      if (refusal[1] === 'insurance/unknown') await learn(world, visit, closing, again);
    }
    expectVisit((await ask(world, 'GET', `/v1/visits/${visit.id}`)).body, visit);
  };
};

/** A preview moves nothing and says what a settlement now would say. */
export const preview: Step = (world) => {
  const visit = world.visits.find((v) => v.status === 'open' && unsettledOf(v).length > 0);
  if (!visit) return null;
  return async () => {
    const batches = unsettledOf(visit);
    const total = sumOf(visit.items.filter((item) => batches.includes(item.batch)));
    const offers = newOffers(world, visit.kind, total);
    const body = { counterTenders: wireOffers(offers) };
    const target = `/v1/visits/${visit.id}/settlement/preview`;
    const reply = await ask(world, 'POST', target, { body, key: null });
    expect(reply.status, reply.text).toBe(200);
    const part = (kind: string): Fen =>
      fen(reply.body.tenders.find((t: ReplyBody) => t.kind === kind)?.amount ?? '0.00');
    const [fund, account, hospitalBorne] = [
      'insuranceFund',
      'personalAccount',
      'hospitalBorne',
    ].map(part);
    const isClaimed = reply.body.insurance.status === 'claimed';
    expect(isClaimed).toBe(total > 0n && visit.person?.isInsured === true);
    const insured = {
      fund: fund ?? 0n,
      account: account ?? 0n,
      hospitalBorne: hospitalBorne ?? 0n,
    };
    const cash = total - insured.fund - insured.account - insured.hospitalBorne;
    const divided = divide(total, isClaimed ? { setlId: '', ...insured, cash } : null, offers);
    const credit = capturable(visit, divided.owed, false, businessNow(world));
    if (total > 0n) visit.isRegistered = true;
    expect(part('credit')).toBe(credit);
    expect(reply.body.dueAtCounter).toBe(yuan(divided.owed - credit));
    expectVisit((await ask(world, 'GET', `/v1/visits/${visit.id}`)).body, visit);
  };
};

export const oneScan: Step = (world) => async () => {
  const { body, visit } = newVisit(world);
  const { items, wire } = newItems(world, visit, '1');
  visit.items.push(...items);
  extend(visit, businessNow(world));
  const closing = newClosing(world, visit, ['1'], false);
  const reply = await troubled(world, visit, closing, () =>
    ask(world, 'POST', '/v1/one-scan-payments', {
      body: { ...body, charges: wire, ...closing.body },
    }),
  );
  if (refusalOf(closing)) {
    expect(codeOf(reply), reply.text).toEqual(refusalOf(closing));
    expect(reply.body.step).toBe('settle');
    release(visit, 'voided');
    return;
  }
  expect(reply.status, reply.text).toBe(201);
  visit.id = reply.body.visit.id;
  await closed(world, visit, closing, reply.body.settlement);
  expectVisit(reply.body.visit, visit);
  world.visits.push(visit);
};

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
