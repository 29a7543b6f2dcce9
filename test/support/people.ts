// Fictional people with valid ID numbers (GB 11643-1999), each made once in a test run.
import { randomInt } from 'node:crypto';

export interface TestPerson {
  name: string;
  idNumber: string;
}

export interface PersonOptions {
  /** Whole years today; default 35. */
  age?: number;
  /** First six digits; default: Xiamen, Huli. */
  area?: string;
}

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_DIGITS = '10X98765432';
const SURNAMES = '白鹭江海林叶苏沈顾秦';
const GIVEN = '清和安宁明远思齐若水云舟';
const DAY_MS = 86_400_000;
const taken = new Set<string>();

/** A person whom no other test of this file has; the birthday is at least a day away from today. */
export function uniquePerson(options: PersonOptions = {}): TestPerson {
  const birth = birthdayOf(options.age ?? 35);
  for (;;) {
    const body = `${options.area ?? '350206'}${birth}${String(randomInt(1, 1000)).padStart(3, '0')}`;
    if (taken.has(body)) continue;
    taken.add(body);
    const pick = (from: string) => from[randomInt(from.length)] ?? '';
    return { name: pick(SURNAMES) + pick(GIVEN) + pick(GIVEN), idNumber: body + checkDigit(body) };
  }
}

/** The 18th digit of a 17-digit body. */
function checkDigit(body: string): string {
  const sum = WEIGHTS.reduce((total, weight, i) => total + weight * Number(body[i]), 0);
  return CHECK_DIGITS[sum % 11] ?? '';
}

/** YYYYMMDD between 30 and 330 days past the last birthday, so that clocks and zones do not matter. */
function birthdayOf(age: number): string {
  const at = new Date(Date.now() - randomInt(30, 330) * DAY_MS);
  at.setUTCFullYear(at.getUTCFullYear() - age);
  return at.toISOString().slice(0, 10).replaceAll('-', '');
}
