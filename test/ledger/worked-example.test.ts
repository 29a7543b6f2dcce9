// Every row of the books' worked example: posted as its legs are written there, its columns checked.
import { describe, expect, it } from 'vitest';
import { type Tx, transact } from '../../src/db/db.ts';
import { balanceOf } from '../../src/ledger/balances.ts';
import type { AccountCode, OwnerKind } from '../../src/ledger/chart.ts';
import { accountOf } from '../../src/ledger/chart.ts';
import type { Fact, Leg } from '../../src/ledger/journal.ts';
import { booksLaws } from '../../src/ledger/laws/books-laws.ts';
import { openLegs, undoLegs } from '../../src/ledger/open-legs.ts';
import { postEntry } from '../../src/ledger/post.ts';
import { verifyBooks } from '../../src/ledger/verify.ts';
import { useDatabase } from '../support/database.ts';

const { db } = useDatabase();

/** D citizen's debt, K hospital's claim on the lender, I insurer owes, C cash in drawer, P owed to the patient. */
type Columns = Partial<Record<'D' | 'K' | 'I' | 'C' | 'P', number>>;

/** "B 1301 50 / 2101 50 · H …": debits / credits; "~" marks a leg that undoes earlier ones. */
type Step = [fact: Fact, legs: string, after?: Columns];

const one: Step = [
  'settlement.settled',
  'B 1301 50 / 2101 50 · H 1201 190, 1202 30, 1203 50, 1101 30 / 4101 300',
  { D: 50, K: 50, I: 220, C: 30 },
];
const two: Step = [
  'settlement.settled',
  'B 1301 180 / 2101 180 · H 1203 180, 1101 120 / 4101 300',
  { D: 180, K: 180, I: 0, C: 120 },
];
const convertedH = 'H 1201 190, 1202 30 / 1203~ 180, 2203 40';
const convertedUnpaid: Step = [
  'settlement.converted',
  `${convertedH} · B 2101~ 180 / 1301~ 180`,
  { D: 0, K: 0, I: 220, C: 120, P: 40 },
];
const repaid: Step = ['repayment.paid', 'B 1311 50 / 1301 50', { D: 0, K: 50, I: 220, C: 30 }];
const sent: Step = [
  'payout.sent',
  'H 1103 50 / 1203 50 · B 2101 50 / 2102 50',
  { D: 50, K: 0, I: 220, C: 30 },
];
const confirmed: Step = [
  'payout.confirmed',
  'H 1102 50 / 1103 50 · B 2102 50 / 1321 50',
  { D: 50, K: 0, I: 220, C: 30 },
];
const returned: Columns = { D: 50, K: 50, I: 220, C: 30 };

const examples: Record<string, Step[]> = {
  '1 settled with insurance': [one],
  '2 settled in an outage': [two],
  '3a converted, nothing repaid': [two, convertedUnpaid],
  '3b converted, 100 repaid before': [
    two,
    ['repayment.paid', 'B 1311 100 / 1301 100', { D: 80 }],
    [
      'settlement.converted',
      `${convertedH} · B 2101~ 180 / 1301~ 80, 2201 100`,
      { D: 0, K: 0, I: 220, C: 120, P: 40 },
    ],
    ['moneyBack.paid', 'B 2201 100 / 1311 100', { D: 0 }],
  ],
  '3c converted, repaid and paid out before': [
    two,
    ['repayment.paid', 'B 1311 180 / 1301 180', { D: 0 }],
    ['payout.sent', 'H 1103 180 / 1203 180 · B 2101 180 / 2102 180', { K: 0 }],
    ['payout.confirmed', 'H 1102 180 / 1103 180 · B 2102 180 / 1321 180', { K: 0 }],
    [
      'settlement.converted',
      `${convertedH} · B 2101~ 180 / 2201 180`,
      { D: 0, K: -180, I: 220, C: 120, P: 40 },
    ],
  ],
  "4 cash goes back to the patient's account": [
    two,
    convertedUnpaid,
    ['moneyBack.paid', 'H 2203 40 / 1102 40', { D: 0, K: 0, I: 220, C: 120, P: 0 }],
  ],
  '4 cash goes back by a voucher at the counter': [
    two,
    convertedUnpaid,
    ['voucher.paid', 'H 2203 40 / 1101 40', { D: 0, K: 0, I: 220, C: 80, P: 0 }],
  ],
  '6 a line of 60 refunded after 1': [
    one,
    [
      'refund.completed',
      'H 4101~ 60, 1201 152, 1202 24 / 1201~ 190, 1202~ 30, 1203~ 16 · B 2101~ 16 / 1301~ 16',
      { D: 34, K: 34, I: 176, C: 30 },
    ],
  ],
  '7 all refunded after 1': [
    one,
    [
      'refund.completed',
      'H 4101~ 300 / 1201~ 190, 1202~ 30, 1203~ 50, 2203 30 · B 2101~ 50 / 1301~ 50',
      { D: 0, K: 0, I: 0, C: 30, P: 30 },
    ],
    ['moneyBack.paid', 'H 2203 30 / 1101 30', { D: 0, K: 0, I: 0, C: 0, P: 0 }],
  ],
  '8 repayment': [one, repaid],
  '9 auto-debit sent, failed, sent again, paid': [
    one,
    ['debit.sent', 'B 9201 50 / 9202 50', { D: 50 }],
    ['debit.resolved', 'B 9202~ 50 / 9201~ 50', { D: 50 }],
    ['debit.sent', 'B 9201 50 / 9202 50', { D: 50 }],
    ['debit.resolved', 'B 9202~ 50 / 9201~ 50', { D: 50 }],
    repaid,
  ],
  '10 confirmed debit returned': [
    one,
    repaid,
    ['repayment.returned', 'B 1301~ 50 / 1311~ 50', { D: 50, K: 50, I: 220, C: 30 }],
  ],
  '10 paid twice': [
    one,
    repaid,
    ['repayment.received', 'B 1311 50 / 2201 50', { D: 0 }],
    ['moneyBack.paid', 'B 2201 50 / 1311 50', { D: 0, K: 50, I: 220, C: 30 }],
  ],
  '11 written off by the lender, recovered': [
    one,
    [
      'debt.writtenOff',
      'B 5101 50 / 1301 50 · B 9301 50 / 9302 50',
      { D: 0, K: 50, I: 220, C: 30 },
    ],
    ['debt.recovered', 'B 1311 50 / 5102 50 · B 9302 50 / 9301 50', { D: 0, K: 50 }],
  ],
  '12 payout sent, confirmed': [one, sent, confirmed],
  '13 payout returned before booking': [
    one,
    sent,
    ['payout.returned', 'H 1203~ 50 / 1103~ 50 · B 2102~ 50 / 2101~ 50', returned],
  ],
  '13 payout returned after booking': [
    one,
    sent,
    confirmed,
    ['payout.returned', 'H 1203~ 50 / 1102~ 50 · B 1321~ 50 / 2101~ 50', returned],
  ],
  '14 due at the counter, collected': [
    [
      'settlement.settled',
      'B 1301 50 / 2101 50 · H 1201 190, 1202 30, 1203 50, 1207 30 / 4101 300',
      { D: 50, K: 50, I: 220, C: 0 },
    ],
    ['settlement.paymentCollected', 'H 1101 30 / 1207~ 30', { D: 50, K: 50, I: 220, C: 30 }],
  ],
  '15 insurer pays the month and keeps 5 %': [
    one,
    ['insurer.paid', 'H 1102 210.50, 1204 9.50 / 1201 190, 1202 30', { D: 50, K: 50, I: 0, C: 30 }],
  ],
  '15 insurer refuses a part later': [
    one,
    ['insurer.deducted', 'H 4103 20 / 1201 20', { I: 200 }],
    ['insurer.paid', 'H 1102 191.50, 1204 8.50 / 1201 170, 1202 30', { I: 0 }],
  ],
  "16 expert's fee carried by a sponsor": [
    [
      'settlement.settled',
      'H 1205 6000, 1203 2000 / 4101 8000 · B 1301 2000 / 2101 2000',
      { D: 2000, K: 2000, I: 0, C: 0 },
    ],
  ],
  "16 expert's fee waived in part": [
    [
      'settlement.settled',
      'H 4102 6000, 1203 2000 / 4101 8000 · B 1301 2000 / 2101 2000',
      { D: 2000, K: 2000, I: 0, C: 0 },
    ],
  ],
  '17 township orders, county performs': [
    [
      'order.paid',
      'H 1201 130, 1203 70 / 2204 200 · B 1301 70 / 2101 70',
      { D: 70, K: 70, I: 130, C: 0 },
    ],
    [
      'order.performed',
      'H 2204 200 / 4101 40, 2205 160 · X 1206 160 / 4101 160',
      { D: 70, K: 70, I: 130, C: 0 },
    ],
    [
      'order.cleared',
      'H 2205 160 / 1102 160 · X 1102 160 / 1206 160',
      { D: 70, K: 70, I: 130, C: 0 },
    ],
  ],
};

/** Each example has owners of its own, so that balances of one do not touch another. */
interface Cast {
  H: string;
  B: string;
  /** The county's hospital of row 17. */
  X: string;
  citizenId: string;
  settlementId: string;
}

async function legsOf(tx: Tx, cast: Cast, text: string): Promise<Leg[]> {
  const open = await openLegs(tx, cast.settlementId);
  return text.split(' · ').flatMap((part) => {
    const who = part[0] as 'H' | 'B' | 'X';
    const sides = part.slice(2).split(' / ');
    return sides.flatMap((side, index) =>
      side.split(', ').flatMap((leg) => legFrom(leg, index === 0, who, cast, open)),
    );
  });
}

function legFrom(
  text: string,
  isDebit: boolean,
  who: 'H' | 'B' | 'X',
  cast: Cast,
  open: Awaited<ReturnType<typeof openLegs>>,
): Leg[] {
  const [code = '', yuan = ''] = text.split(' ');
  const account = code.slice(0, 4) as AccountCode;
  const amount = BigInt(Math.round(Number(yuan) * 100));
  const ownerKind: OwnerKind = who === 'B' ? 'B' : 'H';
  const books = { ownerKind, owner: cast[who], account };
  if (code.endsWith('~'))
    return undoLegs(open, { ...books, side: isDebit ? 'credit' : 'debit', amount });
  const isInstitution = account === '1206' || account === '2205';
  const other = isInstitution ? (who === 'H' ? cast.X : cast.H) : who === 'B' ? cast.H : cast.B;
  return [
    {
      ...books,
      amount: isDebit ? amount : -amount,
      ...(accountOf(account).mirrorOf ? { counterparty: other } : {}),
      ...(account === '1301' ? { citizenId: cast.citizenId } : {}),
    },
  ];
}

async function columnsOf(tx: Tx, cast: Cast): Promise<Required<Columns>> {
  const h = async (account: '1101' | '1201' | '1202' | '1203' | '2203') =>
    Number(await balanceOf(tx, { ownerKind: 'H', owner: cast.H, account })) / 100;
  const { B, citizenId } = cast;
  const debt = await balanceOf(tx, { ownerKind: 'B', owner: B, account: '1301', citizenId });
  return {
    D: Number(debt) / 100,
    K: await h('1203'),
    I: (await h('1201')) + (await h('1202')),
    C: await h('1101'),
    P: 0 - (await h('2203')),
  };
}

describe('the worked example', () => {
  it.each(Object.entries(examples))('row %s', async (name, steps) => {
    const cast: Cast = {
      H: `hospital of ${name}`,
      B: `lender of ${name}`,
      X: `county of ${name}`,
      citizenId: `citizen of ${name}`,
      settlementId: name,
    };
    for (const [index, [fact, legs, after]] of steps.entries()) {
      const seen = await transact(db, async (tx) => {
        const entry = { fact, subjectId: `${name}, step ${index}`, settlementId: name };
        const posted = await legsOf(tx, cast, legs);
        await postEntry(tx, { ...entry, occurredAt: new Date(), legs: posted });
        return columnsOf(tx, cast);
      });
      expect(seen, `${name}, step ${index}`).toMatchObject(after ?? {});
    }
  });

  it('says what the refund of repaid credit leaves (row 5): no debt, nothing refundable', async () => {
    const name = '3b converted, 100 repaid before';
    const owner = `lender of ${name}`;
    expect(await balanceOf(db, { ownerKind: 'B', owner, account: '2201' })).toBe(0n);
    expect(await balanceOf(db, { ownerKind: 'B', owner, account: '1311' })).toBe(0n);
  });

  it('leaves the lender with nothing in transit once a debit is resolved (row 9)', async () => {
    const owner = 'lender of 9 auto-debit sent, failed, sent again, paid';
    expect(await balanceOf(db, { ownerKind: 'B', owner, account: '9201' })).toBe(0n);
    expect(await balanceOf(db, { ownerKind: 'B', owner, account: '9202' })).toBe(0n);
  });

  it('leaves every law of the books held', async () => {
    const names = new Set(booksLaws.map((law) => law.law));
    const laws = (await verifyBooks(db)).laws.filter((law) => names.has(law.law));
    expect(laws.filter((law) => !law.holds || law.checked === 0)).toEqual([]);
  });
});
