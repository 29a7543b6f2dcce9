// Role: invented citizens for the demo: valid ID numbers that belong to nobody the demo knows of,
// different in each run, so that it can be played against a sandbox that was played with before.
import { checkCharacter } from '../../identity/id-number.ts';
import { cityRegion } from '../city/hospitals.ts';
import { lenderCodes } from '../city/lenders.ts';
import type { DemoClient } from './client.ts';
import type { CreditLine } from './replies.ts';
import { countAct, type Tally } from './tally.ts';

export interface DemoPerson {
  name: string;
  idNumber: string;
  phone: string;
  score: number;
  insurance: {
    status: 'active' | 'none';
    type: 'employee' | 'resident';
    region: string;
    accountBalance: string;
    /** 异地就医备案 filed for treatment elsewhere; left out: yes. */
    filed?: boolean;
  };
  /** Null: treated, but never enrolled. */
  lender: string | null;
  /** What others are to this person, as the kinship registry has it. */
  kin?: { idNumber: string; relation: 'parent' | 'child' }[];
}

const surnames = [...'林陈黄吴许郑洪叶苏庄曾谢'];
const givenNames = '海宁 思源 雨桐 建国 秀兰 志明 晓鸥 嘉禾 文博 美玲 子墨 春燕 永康 若溪'.split(
  ' ',
);
const scores = [640, 560, 480, 700, 610, 590, 520, 655];

/** Salts below this give people of their own: 900 serials in 88 invented districts. */
export const SALTS = 900 * 88;

/** The `index`-th person of a run. `salt` (0 to SALTS − 1) moves the ID numbers of a run as a whole. */
export function inventPerson(index: number, salt: number): DemoPerson {
  const surname = surnames[index % surnames.length] ?? '林';
  const given = givenNames[(index * 5 + salt) % givenNames.length] ?? '海宁';
  return {
    name: `${surname}${given}`,
    idNumber: inventIdNumber(index, salt),
    phone: `139${String(10_000_000 + (salt % 900) * 10_000 + index)}`,
    score: scores[index % scores.length] ?? 600,
    insurance: {
      status: 'active',
      type: index % 3 === 2 ? 'resident' : 'employee',
      region: cityRegion,
      accountBalance: index % 3 === 2 ? '0.00' : '600.00',
    },
    lender: lenderCodes[index % lenderCodes.length] ?? null,
  };
}

/** Adults born 1950–1999; the year, the day and the serial change with the index. */
function inventIdNumber(index: number, salt: number): string {
  const move = salt % 900;
  const district = 11 + (Math.floor(salt / 900) % 88);
  const year = 1950 + (index % 50);
  const month = String(1 + ((index + move) % 12)).padStart(2, '0');
  const day = String(1 + ((index * 7 + Math.floor(move / 12)) % 28)).padStart(2, '0');
  const serial = String(1 + ((index + move) % 999)).padStart(3, '0');
  const digits = `${cityRegion.slice(0, 4)}${district}${year}${month}${day}${serial}`;
  return digits + checkCharacter(digits);
}

/** Makes the person known to the sandbox's outside world, and enrols those who have a lender. */
export async function welcome(client: DemoClient, tally: Tally, person: DemoPerson): Promise<void> {
  const { lender, ...known } = person;
  await client.post('/sandbox/people', { body: known, expect: [200, 201] });
  if (lender === null) return;
  await client.post<CreditLine>('/v1/enrolments', {
    token: await client.citizen(person),
    body: {
      lender,
      agreementVersion: '2026-01',
      consents: ['creditEnquiry', 'healthPayment', 'autoDebit'],
      repaymentAccount: { bankCode: lender, token: `demo-account-${person.idNumber}` },
    },
    expect: [201],
  });
  countAct(tally, '开通信用就医 enrolments');
}
