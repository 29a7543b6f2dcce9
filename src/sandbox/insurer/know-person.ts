// Role: makes a person known to the insurer, or changes one. What is not said stays as it is; a new
// person without insurance is known and not insured.

import type { z } from 'zod';
import { formatYuan } from '../../money.ts';
import type { Books } from './books.ts';
import type { personSchema } from './control-schemas.ts';
import type { Person } from './events.ts';

/** The sandbox city's region; a person may name another. */
const defaultRegion = '350200';

/** Returns the person with psnNo and current account balance. */
export function knowPerson(books: Books, input: z.output<typeof personSchema>) {
  const known = books.people.get(input.idNumber);
  const { insurance } = input;
  const serial = books.nextSerial();
  const region = insurance?.region ?? known?.region ?? defaultRegion;
  const person: Person = {
    idNumber: input.idNumber,
    name: input.name,
    phone: input.phone ?? known?.phone ?? null,
    psnNo: known?.psnNo ?? `${region}${String(serial).padStart(14, '0')}`,
    cardNumbers: input.cardNumbers ?? known?.cardNumbers ?? [],
    status: insurance?.status ?? known?.status ?? 'none',
    type: insurance?.type ?? known?.type ?? 'employee',
    region,
    isFiled: insurance?.filed ?? known?.isFiled ?? true,
  };
  const balance = insurance?.accountBalance ?? formatYuan(books.balanceOf(input.idNumber));
  const kin = (input.kin ?? [])
    .map(({ idNumber }) => idNumber)
    .filter((id) => id !== input.idNumber);
  books.record({ type: 'personKnown', serial, person, balance, kin });
  const { psnNo, idNumber, name, status, type } = person;
  return { psnNo, idNumber, name, insurance: { status, type, region, accountBalance: balance } };
}
