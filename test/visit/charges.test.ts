// Charges: a line is half-up(quantity × unit price), a batch is whole, and what is settled stays.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  charge,
  expectLaws,
  item,
  newPatient,
  nextNumber,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { everything, readVisit, said } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

type Item = ReturnType<typeof item>;
const add = (visitId: string, items: object[], batch = nextNumber('B'), key?: string) =>
  app.call('POST', `/v1/visits/${visitId}/charges`, {
    token: scene.terminal,
    body: { batch, items },
    ...(key ? { key } : {}),
  });
const takeOff = (visitId: string, batch: string) =>
  app.call('DELETE', `/v1/visits/${visitId}/charges/${encodeURIComponent(batch)}`, {
    token: scene.terminal,
  });

async function newVisit() {
  const { person } = await newPatient(app, { isEnrolled: false });
  return openVisit(scene, person);
}

describe('a batch', () => {
  it('is added whole and summed up', async () => {
    const visit = await newVisit();
    const reply = await add(visit.id, [item(1, '12.30'), item(7, '0.333333', '3', '1.00')], 'b 1');
    expect(reply.status, reply.text).toBe(201);
    expect(reply.body).toEqual({
      chargedTotal: '13.30',
      items: [
        { batch: 'b 1', ...item(1, '12.30') },
        { batch: 'b 1', ...item(7, '0.333333', '3', '1.00') },
      ],
    });
    expect((await add(visit.id, [item(2, '1.00')])).body.chargedTotal).toBe('14.30');
    expect(await readVisit(scene, visit.id)).toMatchObject({
      status: 'open',
      chargedTotal: '14.30',
    });
  });

  it('takes every field that the contract names', async () => {
    const visit = await newVisit();
    const whole = {
      ...item(1, '12.30'),
      occurredAt: '2026-01-05T08:30:00+08:00',
      hospitalItemCode: 'HIS-1',
      doctor: { code: 'D1', name: '江清和' },
      department: { code: 'K1', name: '内科' },
      prescriptionNumber: 'RX1',
      traceCodes: ['8123456789012345678'],
      outsideInsurance: true,
    };
    expect((await add(visit.id, [whole])).status).toBe(201);
  });

  it('with a wrong amount is refused with a pointer to each wrong line', async () => {
    const visit = await newVisit();
    const before = await everything(app);
    const reply = await add(visit.id, [
      item(1, '1.00'),
      item(2, '0.333333', '3', '1.01'),
      item(3, '2.00', '2', '4.00'),
      item(4, '10.005', '1', '10.00'),
    ]);
    expect(said(reply)).toEqual([422, 'charge/amount-mismatch']);
    expect(reply.body.errors.map((e: { pointer: string }) => e.pointer)).toEqual([
      '/items/1/amount',
      '/items/3/amount',
    ]);
    expect(reply.body.errors[1].detail).toContain('10.01');
    expect(await everything(app)).toEqual(before);
  });

  it('has the amount half-up(quantity × unit price), and no other', async () => {
    const visit = await newVisit();
    let lineNumber = 0;
    const quantities = fc.tuple(fc.nat(999), fc.nat(9999));
    const prices = fc.tuple(fc.nat(999), fc.nat(999_999));
    await fc.assert(
      fc.asyncProperty(quantities, prices, async ([whole, parts], [yuan, micro]) => {
        // The same product in integers: 10⁻⁴ × 10⁻⁶ yuan; half-up at 10⁸ of them, one fen.
        const units =
          (BigInt(whole) * 10_000n + BigInt(parts)) * (BigInt(yuan) * 1_000_000n + BigInt(micro));
        if (whole === 0 && parts === 0) return;
        const fen = (units + 50_000_000n) / 100_000_000n;
        const text = (n: bigint) => `${n / 100n}.${String(n % 100n).padStart(2, '0')}`;
        const quantity = `${whole}.${String(parts).padStart(4, '0')}`;
        const unitPrice = `${yuan}.${String(micro).padStart(6, '0')}`;
        const line = (amount: bigint): Item =>
          item(++lineNumber, unitPrice, quantity, text(amount));
        expect((await add(visit.id, [line(fen)])).status).toBe(201);
        expect((await add(visit.id, [line(fen + 1n)])).body.code).toBe('charge/amount-mismatch');
      }),
      { numRuns: 25, seed: 11 },
    );
  });

  it('is refused whole when its name or one of its lines is taken', async () => {
    const visit = await newVisit();
    await add(visit.id, [item(1, '1.00'), item(2, '2.00')], 'first');
    const before = await everything(app);
    expect(said(await add(visit.id, [item(3, '1.00')], 'first'))).toEqual([
      409,
      'charge/batch-taken',
    ]);
    const line = await add(visit.id, [item(3, '1.00'), item(2, '1.00')], 'second');
    expect(said(line)).toEqual([409, 'charge/line-taken']);
    expect(line.body.errors).toMatchObject([{ pointer: '/items/1/lineNumber' }]);
    expect(await everything(app)).toEqual(before);
    expect((await readVisit(scene, visit.id)).chargedTotal).toBe('3.00');
  });

  it('may have the names and lines of another visit', async () => {
    const [one, two] = [await newVisit(), await newVisit()];
    expect((await add(one.id, [item(1, '1.00')], 'same')).status).toBe(201);
    expect((await add(two.id, [item(1, '1.00')], 'same')).status).toBe(201);
  });

  it('raced by ten with one name and line is added once', async () => {
    const visit = await newVisit();
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => add(visit.id, [item(1, '5.00')], 'race')),
    );
    expect(replies.filter((reply) => reply.status === 201)).toHaveLength(1);
    const racing = await Promise.all(
      Array.from({ length: 10 }, (_, i) => add(visit.id, [item(2, '3.00')], `race ${i}`)),
    );
    expect(racing.filter((reply) => reply.status === 201)).toHaveLength(1);
    expect((await readVisit(scene, visit.id)).chargedTotal).toBe('8.00');
  });

  it('is replayed byte for byte by its key, also after it was taken off', async () => {
    const visit = await newVisit();
    const key = crypto.randomUUID();
    const first = await add(visit.id, [item(1, '5.00')], 'b', key);
    await takeOff(visit.id, 'b');
    const again = await add(visit.id, [item(1, '5.00')], 'b', key);
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect((await readVisit(scene, visit.id)).chargedTotal).toBe('0.00');
    expect(said(await add(visit.id, [item(1, '6.00')], 'b', key))).toEqual([
      422,
      'idempotency/key-reused',
    ]);
  });
});

describe('malformed charges', () => {
  const good = item(1, '1.00');
  it.each<[string, unknown, string]>([
    ['no items', { batch: 'b', items: [] }, '/items'],
    ['no batch', { items: [good] }, '/batch'],
    ['a blank batch', { batch: ' ', items: [good] }, '/batch'],
    ['a line twice', { batch: 'b', items: [good, good] }, '/items'],
    ['line 0', { batch: 'b', items: [{ ...good, lineNumber: 0 }] }, '/items/0/lineNumber'],
    ['half a line', { batch: 'b', items: [{ ...good, lineNumber: 1.5 }] }, '/items/0/lineNumber'],
    ['a number as amount', { batch: 'b', items: [{ ...good, amount: 1 }] }, '/items/0/amount'],
    ['a quantity of 0', { batch: 'b', items: [{ ...good, quantity: '0' }] }, '/items/0/quantity'],
    [
      'a negative quantity',
      { batch: 'b', items: [{ ...good, quantity: '-1' }] },
      '/items/0/quantity',
    ],
    [
      'a quantity of five places',
      { batch: 'b', items: [{ ...good, quantity: '1.00001' }] },
      '/items/0/quantity',
    ],
    [
      'a price of seven places',
      { batch: 'b', items: [{ ...good, unitPrice: '1.0000001' }] },
      '/items/0/unitPrice',
    ],
    ['an unknown field', { batch: 'b', items: [{ ...good, gift: 1 }] }, '/items/0/gift'],
    [
      'a time without offset',
      { batch: 'b', items: [{ ...good, occurredAt: '2026-01-05T08:30:00' }] },
      '/items/0/occurredAt',
    ],
  ])('with %s are 400 and change nothing', async (_, body, pointer) => {
    const visit = await newVisit();
    const before = await everything(app);
    const reply = await app.call('POST', `/v1/visits/${visit.id}/charges`, {
      token: scene.terminal,
      body,
    });
    expect(said(reply)).toEqual([400, 'request/invalid']);
    expect(reply.body.errors.map((e: { pointer: string }) => e.pointer)).toContain(pointer);
    expect(await everything(app)).toEqual(before);
  });
});

describe('taking a batch off', () => {
  it('takes its lines off the bill and frees names and numbers', async () => {
    const visit = await newVisit();
    await add(visit.id, [item(1, '1.00'), item(2, '2.00')], 'a/b ö');
    await add(visit.id, [item(3, '4.00')], 'kept');
    const reply = await takeOff(visit.id, 'a/b ö');
    expect(reply.status, reply.text).toBe(200);
    expect(reply.body).toEqual({ chargedTotal: '4.00', items: [] });
    expect(said(await takeOff(visit.id, 'a/b ö'))).toEqual([404, 'resource/not-found']);
    expect((await add(visit.id, [item(2, '8.00')], 'a/b ö')).body.chargedTotal).toBe('12.00');
    const settled = await settle(scene, visit.id, { insurance: 'skip' });
    expect(settled.body).toMatchObject({ total: '12.00', batches: ['kept', 'a/b ö'] });
  });

  it('of a settled visit is refused, also when it is open again', async () => {
    const visit = await newVisit();
    const batch = await charge(scene, visit.id, [item(1, '1.00')]);
    await settle(scene, visit.id, { insurance: 'skip' });
    expect(said(await takeOff(visit.id, batch))).toEqual([409, 'charge/batch-settled']);
    const late = await charge(scene, visit.id, [item(2, '2.00')]);
    expect(said(await takeOff(visit.id, batch))).toEqual([409, 'charge/batch-settled']);
    expect((await takeOff(visit.id, late)).body.chargedTotal).toBe('1.00');
    expect((await readVisit(scene, visit.id)).status).toBe('settled');
    await expectLaws(app);
  });
});

describe('charging', () => {
  it('a settled visit opens it again, for one more settlement', async () => {
    const visit = await newVisit();
    await charge(scene, visit.id, [item(1, '1.00')]);
    const first = await settle(scene, visit.id, { insurance: 'skip' });
    expect((await readVisit(scene, visit.id)).status).toBe('settled');
    await charge(scene, visit.id, [item(2, '2.00')]);
    expect((await readVisit(scene, visit.id)).status).toBe('open');
    const second = await settle(scene, visit.id, { insurance: 'skip' });
    expect(second.body.total).toBe('2.00');
    expect(await readVisit(scene, visit.id)).toMatchObject({
      status: 'settled',
      chargedTotal: '3.00',
      settlementIds: [first.body.id, second.body.id],
    });
  });

  it('a cancelled visit is refused', async () => {
    const visit = await newVisit();
    await app.call('DELETE', `/v1/visits/${visit.id}`, { token: scene.terminal });
    expect(said(await add(visit.id, [item(1, '1.00')]))).toEqual([409, 'visit/wrong-state']);
    expect(said(await takeOff(visit.id, 'x'))).toEqual([409, 'visit/wrong-state']);
  });

  it('an unknown visit is 404', async () => {
    for (const id of ['vis_01jd5z8m2cf0v9k3q7w4x6y8ab', 'nonsense']) {
      expect(said(await add(id, [item(1, '1.00')]))).toEqual([404, 'resource/not-found']);
    }
  });
});
