// Role: what an ID number tells of a person (birth date, gender, age) and the fields made of it. Pure.
import type { Person } from './events.ts';

/** psn_no, names, certificate, gender, birth date and age, as baseinfo and setlinfo carry them. */
export function identityFields(person: Person, today: string) {
  const born = birthDateOf(person.idNumber);
  return {
    psn_no: person.psnNo,
    psn_cert_type: '01',
    certno: person.idNumber,
    psn_name: person.name,
    gend: genderOf(person.idNumber),
    naty: '01',
    brdy: born,
    age: born === null ? null : ageOf(born, today),
  };
}

/** psn_type: 11 working, 12 retired, 15 adult resident, 16 aged, 1402 infant, 1403 pupil. */
export function personTypeOf(person: Person, today: string): string {
  const born = birthDateOf(person.idNumber);
  const age = born === null ? 30 : ageOf(born, today);
  if (person.type === 'employee') return age >= 60 ? '12' : '11';
  if (age >= 60) return '16';
  if (age >= 18) return '15';
  return age >= 6 ? '1403' : '1402';
}

function birthDateOf(idNumber: string): string | null {
  const match = /^\d{6}(\d{4})(\d{2})(\d{2})\d{3}[\dX]$/.exec(idNumber);
  return match === null ? null : `${match[1]}-${match[2]}-${match[3]}`;
}

function genderOf(idNumber: string): string {
  return Number(idNumber.slice(-2, -1)) % 2 === 1 ? '1' : '2';
}

/** Whole years at a day: plain text comparison of month and day decides the birthday. */
function ageOf(born: string, today: string): number {
  const years = Number(today.slice(0, 4)) - Number(born.slice(0, 4));
  return today.slice(5) < born.slice(5) ? years - 1 : years;
}
