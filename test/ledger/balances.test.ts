import { beforeAll, describe, expect, it } from 'vitest';
import { businessNow, transact } from '../../src/db/db.ts';
import { balanceOf, trialBalance } from '../../src/ledger/balances.ts';
import { credit, debit, hospitalBooks, lenderBooks } from '../../src/ledger/journal.ts';
import { postEntry } from '../../src/ledger/post.ts';
import { useDatabase } from '../support/database.ts';
import { fillOwners, HOSPITAL, LENDER, OTHER_LENDER } from './city-people.ts';

const { db } = useDatabase();
const h = hospitalBooks(HOSPITAL);

/** A credit tender of one lender for one citizen; returns business time after it was recorded. */
async function settle(subjectId: string, lender: string, citizenId: string, amount: bigint) {
  const b = lenderBooks(lender);
  const { entryId } = await transact(db, (tx) =>
    postEntry(tx, {
      fact: 'settlement.settled',
      subjectId,
      // It occurred long ago: books at a time go by when it was recorded.
      occurredAt: new Date('2020-01-01T00:00:00Z'),
      legs: [
        debit(h, '1203', amount, { counterparty: lender }),
        credit(h, '4101', amount),
        debit(b, '1301', amount, { citizenId }),
        credit(b, '2101', amount, { counterparty: HOSPITAL }),
      ],
    }),
  );
  const recorded = await db.query.journalEntry.findFirst({
    where: (entry, { eq }) => eq(entry.id, entryId),
  });
  return recorded!.recordedAt;
}

let afterFirst: Date;

beforeAll(async () => {
  await transact(db, fillOwners);
  afterFirst = await settle('set_1', LENDER, 'cit_1', 5000n);
  // The clock is microseconds, the wire milliseconds: the next entry is in a later millisecond.
  while ((await businessNow(db)).getTime() <= afterFirst.getTime());
  await settle('set_2', LENDER, 'cit_2', 700n);
  await settle('set_3', OTHER_LENDER, 'cit_1', 20n);
});

describe('a balance', () => {
  it('is the sum of all legs of an account', async () => {
    expect(await balanceOf(db, { ...h, account: '1203' })).toBe(5720n);
    expect(await balanceOf(db, { ...h, account: '4101' })).toBe(-5720n);
    expect(await balanceOf(db, { ...h, account: '1101' })).toBe(0n);
  });

  it('is of one counterparty or one citizen, if asked', async () => {
    expect(await balanceOf(db, { ...h, account: '1203', counterparty: LENDER })).toBe(5700n);
    const debt = { ownerKind: 'B', owner: LENDER, account: '1301' } as const;
    expect(await balanceOf(db, { ...debt, citizenId: 'cit_1' })).toBe(5000n);
    expect(await balanceOf(db, { ...debt, citizenId: 'cit_2' })).toBe(700n);
  });

  it('is as recorded at a time: with what was recorded then, without what came later', async () => {
    const at = (time: Date) => balanceOf(db, { ...h, account: '1203', at: time });
    expect(await at(new Date(afterFirst.getTime() - 1))).toBe(0n);
    expect(await at(afterFirst)).toBe(5000n);
    expect(await at(await businessNow(db))).toBe(5720n);
  });
});

describe('the trial balance', () => {
  it('totals every account of every owner, hospitals first, and balances', async () => {
    const trial = await trialBalance(db);
    expect(trial.isBalanced).toBe(true);
    expect(trial.owners).toEqual([
      {
        ownerKind: 'H',
        owner: HOSPITAL,
        name: '测试医院',
        isBalanced: true,
        accounts: [
          {
            account: '1203',
            name: '应收贷款银行 Lender',
            debit: 5720n,
            credit: 0n,
            balance: 5720n,
          },
          {
            account: '4101',
            name: '医疗收费 Charges billed',
            debit: 0n,
            credit: 5720n,
            balance: -5720n,
          },
        ],
      },
      expect.objectContaining({
        ownerKind: 'B',
        owner: LENDER,
        name: '测试银行甲',
        isBalanced: true,
      }),
      expect.objectContaining({ ownerKind: 'B', owner: OTHER_LENDER, isBalanced: true }),
    ]);
  });

  it('shows what was recorded until a time', async () => {
    const early = new Date(afterFirst.getTime() - 1);
    expect(await trialBalance(db, { at: early })).toEqual({
      at: early,
      owners: [],
      isBalanced: true,
    });
    const then = await trialBalance(db, { at: afterFirst });
    expect(then.owners.map((owner) => owner.owner)).toEqual([HOSPITAL, LENDER]);
    expect(then.owners[0]?.accounts[0]?.balance).toBe(5000n);
  });

  it('shows one hospital its own books only', async () => {
    const own = await trialBalance(db, { hospitalCode: HOSPITAL });
    expect(own.owners.map((owner) => owner.owner)).toEqual([HOSPITAL]);
    expect((await trialBalance(db, { hospitalCode: 'H00000000000' })).owners).toEqual([]);
  });
});
