// Role: the visit that all benches pay: three usual lines, one scan, mostly on credit.
import { chargeItemNamed } from '../../src/sandbox/city/charge-items.ts';
import type { DemoPerson } from '../../src/sandbox/demo/people.ts';
import type { Settlement } from '../../src/sandbox/demo/replies.ts';
import { chargeBodies, type Line } from '../../src/sandbox/demo/visit-plan.ts';
import { type City, HOSPITALS, terminalsIn } from './city.ts';

const basket = ['普通门诊挂号费', '普通门诊诊查费', '盐酸氨溴索口服液 100ml'];

export const lines: readonly Line[] = basket.map((name) => {
  const { code, unitPrice } = chargeItemNamed(name);
  return { code, name, quantity: '1', unitPrice };
});

const charges = chargeBodies([[...lines]]).flat();

export interface Paid {
  settlement: Settlement;
  elapsedMs: number;
}

/** Pays the `number`-th visit by one scan, going round terminals and people. */
export type PayVisit = (number: number) => Promise<Paid>;

/** `name`: what makes the visit numbers of this phase unique. Throws StepError. */
export async function makePayer(
  city: City,
  people: readonly DemoPerson[],
  name: string,
  hospitals = HOSPITALS,
): Promise<PayVisit> {
  const terminals = terminalsIn(city, hospitals);
  // Fetched beforehand: the first visit does not wait for it.
  await terminals.tokenOf(0);
  return async (number) => {
    const person = people[number % people.length];
    if (!person) throw new Error('nobody to pay for');
    const token = await terminals.tokenOf(number);
    return payOneScan(city, { token, person, visitNumber: `${name}-${number}` });
  };
}

/** The three usual lines of a person by one scan. Throws StepError. */
export async function payOneScan(
  city: City,
  { token, person, visitNumber }: { token: string; person: DemoPerson; visitNumber: string },
): Promise<Paid> {
  const { body, elapsedMs } = await city.client.post<{ settlement: Settlement }>(
    '/v1/one-scan-payments',
    {
      token,
      body: {
        visitNumber,
        kind: 'outpatient',
        credential: { kind: 'idCard', number: person.idNumber, name: person.name },
        department: { code: 'A03', name: '内科' },
        doctor: { code: 'D350200000001', name: '沈观澜' },
        diagnoses: [{ code: 'J06.900', name: '急性上呼吸道感染' }],
        charges,
      },
      expect: [201],
    },
  );
  return { settlement: body.settlement, elapsedMs };
}
