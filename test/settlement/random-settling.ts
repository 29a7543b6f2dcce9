// The steps of a random run that close a bill, with whatever goes wrong at the insurer meanwhile.
import { expect } from 'vitest';
import type { ReplyBody, TestReply } from '../support/app.ts';
import { divide, type Offer, type Settlement, settle, sumOf } from './model.ts';
import { queue } from './model-conversion.ts';
import { capturable, extend, type Fen, release } from './model-credit.ts';
import { breakInsurer, newClaimOf } from './random-books.ts';
import { expectSettlement, expectVisit } from './random-compare.ts';
import {
  newItems,
  newOffers,
  newVisit,
  type Step,
  unsettledOf,
  wireOffers,
} from './random-visits.ts';
import {
  ask,
  businessNow,
  calm,
  codeOf,
  type Encounter,
  type World,
  work,
  yuan,
} from './random-world.ts';
import { fen, nextNumber } from './support.ts';

/** What goes wrong at the insurer while a bill is settled. `executed`: it has booked a claim. */
interface Trouble {
  fault: { mode: string; on: readonly string[] };
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
  const insurance = random.chance(0.2) ? 'skip' : 'claim';
  const when = canWait && random.chance(0.25) ? 'wait' : 'selfPay';
  const isAsked = insurance === 'claim' && visit.person?.isInsured && total > 0n;
  const possible = troubles.filter((t) => !t.isAtFirst || !visit.isRegistered);
  // What is in doubt is what is worth most tries.
  const outcome = random.pick(['rejected', 'offline', 'unknown', 'unknown'] as const);
  const trouble =
    isAsked && random.chance(0.6)
      ? random.pick(possible.filter((t) => t.outcome === outcome))
      : null;
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
  if (trouble) await breakInsurer(world, trouble.fault);
  const reply = await asking();
  await calm(world.app, world.parties);
  // A registration whose answer was lost is found again by 5201.
  const isAnswered = !trouble?.isAtFirst || trouble.fault.mode === 'answerLost';
  if (insurance === 'claim' && total > 0n && isAnswered) visit.isRegistered = true;
  return reply;
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
  const made = { id: shown.id, batches, offers, claim, insurance: status } as const;
  const settlement = settle(visit, made, businessNow(world));
  if (settlement.debt) settlement.debt.id = shown.receivableId;
  const setlId = isUnknown && trouble?.executed ? (await newClaimOf(world, visit)).setlId : null;
  if (setlId) visit.strays.push(setlId);
  if (status === 'awaitingInsurance') {
    const unknown = isUnknown ? { total, setlId } : null;
    queue(settlement, { id: shown.conversionId, askedBy: 'outage', unknown });
  }
  expectSettlement(shown, settlement);
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
  // A claim that the insurer has is adopted, unless its registration shows another settlement first:
  // then it is reversed and claimed anew. One that was never made leaves the visit open again.
  const isFirst = visit.settlements.length === 0;
  const adopted = now.settlementIds.length - visit.settlements.length;
  if (!closing.trouble?.executed) expect([now.status, adopted]).toEqual(['open', 0]);
  else if (isFirst) expect(adopted).toBe(1);
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
      const again = (sameKey: string) => ask(world, 'POST', target, { body, key: sameKey });
      if (refusal[1] === 'insurance/unknown') await learn(world, visit, closing, () => again(key));
      else if (random.chance(0.5)) {
        // Nothing was changed: the same tenders are good once more, and after 503 the same key.
        const reply = await again(refusal[0] === 503 ? key : nextNumber('S'));
        expect(reply.status, reply.text).toBe(200);
        await closed(world, visit, { ...closing, trouble: null }, reply.body);
      }
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
