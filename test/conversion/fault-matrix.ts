// Plays the cells of the fault matrix. Each proves that it met its fault, or that it could not, and is
// then held against the insurer's own books.
import { expect } from 'vitest';
import { charge, chargedVisit, item, nextNumber, settle } from '../settlement/support.ts';
import type { ReplyBody, TestReply } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Cell, isIdle } from './fault-matrix-cells.ts';
import {
  type Bill,
  expectEnd,
  newInsured,
  type Patient,
  type World,
  workUntil,
} from './fault-matrix-world.ts';

interface Story {
  visitNumber: string;
  bills: Bill[];
}

/** Plays one cell to its end and checks it against the insurer's own books. */
export async function play(world: World, cell: Cell): Promise<void> {
  const { insurer } = world;
  await insurer.reset();
  const patient = await newInsured(world);
  const made = await stories[cell.use](world, cell, patient);
  await insurer.mend();
  if (isIdle(cell)) expect(insurer.sent(cell.trade, patient)).toEqual([]);
  else await insurer.expectStruck(cell, patient);
  await expectEnd(world, patient, made);
}

type Tell = (world: World, cell: Cell, patient: Patient) => Promise<Story>;

const settlement: Tell = async (world, cell, patient) => {
  const visit = await openFor(world, cell, patient);
  const pay = (body: object) => settle(world.scene, visit.id, { ...body });
  const { body } = await payThrough(world, cell, patient, pay);
  return { visitNumber: visit.visitNumber, bills: [billOf(cell, body)] };
};

const oneScan: Tell = async (world, cell, patient) => {
  const visitNumber = nextNumber('M');
  const { person } = patient;
  const credential = { kind: 'idCard', number: person.idNumber, name: person.name };
  const charges = [item(1, '100.00'), item(2, '50.00', '4', '200.00')];
  const pay = (body: object) =>
    world.app.call('POST', '/v1/one-scan-payments', {
      token: world.scene.terminal,
      body: { visitNumber, kind: 'outpatient', credential, charges, ...body },
    });
  const { body } = await payThrough(world, cell, patient, pay);
  return { visitNumber, bills: [billOf(cell, body.settlement)] };
};

/** Pays while the insurer fails; where the counter was refused, once more when it works again. */
async function payThrough(
  world: World,
  cell: Cell,
  patient: Patient,
  pay: (body: object) => Promise<TestReply>,
): Promise<TestReply> {
  const { insurer } = world;
  if (cell.trade === '2601') {
    // Whoever would rather wait than pay alone has the truth learnt, and then pays once more.
    await loseClaim(world);
    const parked = await pay({ whenInsuranceOffline: 'wait' });
    expect(parked.body.code, parked.text).toBe('insurance/unknown');
    await strikeUntilMet(world, cell, patient);
    const busy = ['visit/settling', 'visit/number-taken'];
    return workUntil(world, async () => {
      const reply = await pay({});
      return busy.includes(reply.body.code) ? null : reply;
    });
  }
  await insurer.strike(cell);
  const first = await pay({});
  await insurer.mend();
  if (first.status < 300) return first;
  expect([cell.fault, first.body.code], first.text).toEqual(['rejected', 'insurance/rejected']);
  return pay({});
}

const conversion: Tell = async (world, cell, patient) => {
  const { visit, body } = await selfPaid(world, cell, patient);
  if (isIdle(cell)) await world.insurer.strike(cell);
  else await strikeUntilMet(world, cell, patient);
  return { visitNumber: visit.visitNumber, bills: [convertedBill(cell, body)] };
};

const refund: Tell = async (world, cell, patient) => {
  const { insurer } = world;
  const visit = await chargedVisit(world.scene, patient.person);
  const { body } = await settle(world.scene, visit.id);
  expect(body.insurance.status).toBe('claimed');
  const key = crypto.randomUUID();
  if (cell.trade === '2601') await loseClaim(world);
  else await insurer.strike(cell);
  const first = await askRefund(world, body.id, key);
  if (cell.trade === '2601') await strikeUntilMet(world, cell, patient);
  await insurer.mend();
  // A kept refusal is its key's answer for ever; after a 503 the same key is free.
  const again = () => askRefund(world, body.id, first.status === 503 ? key : crypto.randomUUID());
  const reply =
    first.status < 300 ? first : await workUntil(world, async () => accepted(await again()));
  await refundEnds(world, reply);
  const isRestRefused = cell.fault === 'rejected' && cell.trade === '2207';
  const end = isRestRefused ? 'rejected' : 'claimed';
  const bill: Bill = { settlementId: body.id, left: '200.00', isRefunded: true, end };
  return { visitNumber: visit.visitNumber, bills: [bill] };
};

/** Something arrives while the conversion waits: what it waits for is the fault of the cell. */
const whileQueued =
  (arrive: Arrival): Tell =>
  async (world, cell, patient) => {
    const { app, insurer, scene } = world;
    const visit = await openFor(world, cell, patient);
    if (cell.trade === '2601') await loseClaim(world);
    else await insurer.strike(cell);
    const { body } = await settle(scene, visit.id);
    expect(body.insurance.status).toBe('awaitingInsurance');
    if (cell.trade === '2601') await strikeUntilMet(world, cell, patient);
    await insurer.mend();
    // Nothing works on the queue meanwhile: it waits, and the counter sees an insurer that is back.
    await app.fault({ mode: 'none' });
    expect(await conversionStatus(world, body.conversionId)).toBe('queued');
    const bill: Bill = { ...billOf(cell, body), end: 'converted' };
    const bills = await arrive(world, { visit, bill, isBusy: false });
    return { visitNumber: visit.visitNumber, bills };
  };

/** Something arrives while the conversion's own message is on its way; then that message fails. */
const whileClaiming =
  (arrive: Arrival): Tell =>
  async (world, cell, patient) => {
    const { app, insurer } = world;
    const { visit, body } = await selfPaid(world, cell, patient);
    const gate = insurer.hold(cell.trade);
    const running = workUntil(world, () => insurer.failures(cell, patient).length > 0);
    // A run that fails before the gate would be waited for in vain.
    running.catch(() => {});
    await waitFor(gate.isReached);
    expect(await conversionStatus(world, body.conversionId)).toBe('claiming');
    const claiming = {
      visit,
      bill: convertedBill(cell, body),
      isBusy: true,
      async goOn() {
        await insurer.strike(cell);
        gate.release();
        await running;
        await insurer.mend();
      },
    };
    try {
      const bills = await arrive(world, claiming);
      return { visitNumber: visit.visitNumber, bills };
    } finally {
      gate.release();
      await app.fault({ mode: 'none' }).catch(() => {});
    }
  };

interface Waiting {
  visit: ReplyBody;
  bill: Bill;
  /** The conversion is under way and goes on, into its fault, when told so. */
  isBusy: boolean;
  goOn?(): Promise<void>;
}

type Arrival = (world: World, at: Waiting) => Promise<Bill[]>;

const aRefund: Arrival = async (world, { bill, isBusy, goOn }) => {
  const first = await askRefund(world, bill.settlementId);
  if (isBusy) {
    expect([first.status, first.body.code]).toEqual([409, 'settlement/busy']);
    expect(first.headers.get('retry-after')).toBeTruthy();
  }
  await goOn?.();
  const again = async () => accepted(await askRefund(world, bill.settlementId));
  const reply = isBusy ? await workUntil(world, again) : first;
  expect([201, 202], reply.text).toContain(reply.status);
  await refundEnds(world, reply);
  return [{ ...bill, left: '200.00', isRefunded: true }];
};

const aSecondBill: Arrival = async (world, { visit, bill, goOn }) => {
  await charge(world.scene, visit.id, [item(3, '80.00')]);
  const { status, body, text } = await settle(world.scene, visit.id);
  expect(status, text).toBe(200);
  expect(body.insurance.status, text).toBe('claimed');
  await goOn?.();
  const second: Bill = { settlementId: body.id, left: '80.00', isRefunded: false, end: 'claimed' };
  return [bill, second];
};

const stories: Record<Cell['use'], Tell> = {
  settlement,
  oneScan,
  conversion,
  refund,
  refundWhileQueued: whileQueued(aRefund),
  secondWhileQueued: whileQueued(aSecondBill),
  refundWhileClaiming: whileClaiming(aRefund),
  secondWhileClaiming: whileClaiming(aSecondBill),
};

/** A settlement asks 1101 only where the opening of the visit got no answer to it. */
async function openFor({ app, insurer, scene }: World, { trade }: Cell, { person }: Patient) {
  if (trade === '1101') await insurer.control.setFault({ mode: 'refuseConnection' });
  const visit = await chargedVisit(scene, person);
  if (trade === '1101') await app.fault({ mode: 'none' });
  insurer.forget();
  return visit;
}

/** A bill whose conversion is queued; for a 2601 its own 2207 is of unknown fate. */
async function selfPaid(world: World, { trade }: Cell, { person }: Patient) {
  const { app, insurer, scene } = world;
  const visit = await chargedVisit(scene, person);
  if (trade === '2601') await loseClaim(world);
  else await insurer.control.setFault({ mode: 'refuseConnection' });
  const { body } = await settle(scene, visit.id);
  expect(body.insurance.status).toBe('awaitingInsurance');
  await app.fault({ mode: 'none' });
  insurer.forget();
  return { visit, body };
}

/** The next 2207 is executed and nobody hears of it; only 2601 can tell. */
async function loseClaim({ insurer }: World): Promise<void> {
  await insurer.hideClaims();
  await insurer.strike({ fault: 'lost', trade: '2207' });
}

/** The worker goes on until it meets the fault; then the insurer works again. */
async function strikeUntilMet(world: World, cell: Cell, patient: Patient): Promise<void> {
  const { insurer } = world;
  await insurer.strike(cell);
  await workUntil(world, () => insurer.failures(cell, patient).length > 0);
  await insurer.mend();
}

const askRefund = ({ app, scene }: World, settlementId: string, key = crypto.randomUUID()) =>
  app.call('POST', `/v1/settlements/${settlementId}/refunds`, {
    token: scene.terminal,
    body: { lines: [{ lineNumber: 1 }], reason: '退药' },
    key,
  });

const accepted = (reply: TestReply) => (reply.status < 300 ? reply : null);

async function refundEnds(world: World, asked: TestReply): Promise<void> {
  const { app, scene } = world;
  await workUntil(world, async () => {
    const path = `/v1/refunds/${asked.body.id}`;
    return (await app.call('GET', path, { token: scene.terminal })).body.status === 'completed';
  });
}

async function conversionStatus({ app, finance }: World, id: string): Promise<string> {
  return (await app.call('GET', `/v1/conversions/${id}`, { token: finance })).body.status;
}

/** How a bill that was settled at the counter ends. */
function billOf({ fault, trade }: Cell, body: ReplyBody): Bill {
  const whole = { settlementId: body.id, left: '300.00', isRefunded: false };
  const isAwaiting = body.insurance.status === 'awaitingInsurance';
  // Whom the insurer does not know is not insured: self-pay at once, nothing is queued.
  const isUnknownPerson = fault === 'rejected' && trade === '1101';
  return { ...whole, end: isAwaiting ? 'converted' : isUnknownPerson ? 'notInsured' : 'claimed' };
}

/** How a conversion ends that meets its fault on the way: a plain no is final, but not of a 2601. */
function convertedBill(cell: Cell, body: ReplyBody): Bill {
  const isRefused = cell.fault === 'rejected' && cell.trade !== '2601' && !isIdle(cell);
  const whole = { settlementId: body.id, left: '300.00', isRefunded: false };
  return { ...whole, end: isRefused ? 'rejected' : 'converted' };
}
