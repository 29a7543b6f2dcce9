import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { rows, type Tx, transact, violatedConstraint } from '../../src/db/db.ts';
import { newId } from '../../src/ids.ts';
import { balanceOf } from '../../src/ledger/balances.ts';
import { credit, debit, type Entry, hospitalBooks, type Leg } from '../../src/ledger/journal.ts';
import { openLegs, undoLegs } from '../../src/ledger/open-legs.ts';
import { postEntry } from '../../src/ledger/post.ts';
import { useDatabase } from '../support/database.ts';

const RACERS = 20;
const { db } = useDatabase({ poolSize: RACERS });

const h = hospitalBooks('H00000000009');
const OCCURRED = new Date('2026-03-01T04:05:06.789Z');

function entryOf(legs: Leg[], settlementId = newId('settlement')): Entry {
  return {
    fact: 'settlement.settled',
    subjectId: settlementId,
    settlementId,
    occurredAt: OCCURRED,
    legs,
  };
}

function cashEntry(amount: bigint, settlementId?: string): Entry {
  return entryOf([debit(h, '1101', amount), credit(h, '4101', amount)], settlementId);
}

const post = (entry: Entry) => transact(db, (tx) => postEntry(tx, entry));

/** The constraint that a transaction breaks; "none" when it commits. */
async function brokenBy(work: (tx: Tx) => Promise<unknown>): Promise<string | undefined> {
  return transact(db, work).then(
    () => 'none',
    (error: unknown) => violatedConstraint(error),
  );
}

interface RawLeg {
  leg?: number;
  legCount?: number;
  ownerKind?: string;
  owner?: string;
  account?: string;
  amount: number;
  undoes?: [entryId: string, leg: number];
}

const rawEntry = (tx: Tx, id: string, legCount: number) =>
  tx.execute(sql`
  insert into journal_entry (id, fact, subject_id, leg_count, occurred_at, recorded_at, business_date)
  values (${id}, 'settlement.settled', ${id}, ${legCount}, now(), now(), business_date(now()))`);

const rawLeg = (tx: Tx, entryId: string, leg: RawLeg) =>
  tx.execute(sql`
  insert into posting (entry_id, leg, leg_count, owner_kind, owner, account, amount, occurred_at,
    undoes_entry_id, undoes_leg)
  values (${entryId}, ${leg.leg ?? 1}, ${leg.legCount ?? 2}, ${leg.ownerKind ?? 'H'},
    ${leg.owner ?? h.owner}, ${leg.account ?? '1101'}, ${leg.amount}, now(),
    ${leg.undoes?.[0] ?? null}, ${leg.undoes?.[1] ?? null})`);

describe('posting an entry', () => {
  it('records every leg as given, with the settlement of the entry by default', async () => {
    const settlementId = newId('settlement');
    const legs = [
      debit(h, '1201', 9_999_999_999n, { claimId: 'clm_1', reference: 'setl_1' }),
      debit(h, '2203', 1n, { citizenId: 'cit_1', settlementId: 'set_other' }),
      credit(h, '4101', 10_000_000_000n),
    ];
    const { entryId } = await post(entryOf(legs, settlementId));
    const open = await transact(db, (tx) => openLegs(tx, settlementId));
    expect(open.map((leg) => leg.leg)).toEqual([3, 1]);
    expect(open[1]).toEqual({
      entryId,
      leg: 1,
      fact: 'settlement.settled',
      ownerKind: 'H',
      owner: h.owner,
      account: '1201',
      amount: 9_999_999_999n,
      undone: 0n,
      counterparty: null,
      citizenId: null,
      settlementId,
      claimId: 'clm_1',
      reference: 'setl_1',
    });
    const [elsewhere] = await transact(db, (tx) => openLegs(tx, 'set_other'));
    expect(elsewhere).toMatchObject({ entryId, leg: 2, citizenId: 'cit_1' });
  });

  it('belongs to the business day of recording, whenever it occurred', async () => {
    const read = async (entryId: string) => {
      const [row] = await rows<{ day: string; occurred: string; today: string }>(
        db,
        sql`
        select business_date::text as day, occurred_at as occurred,
          business_date(business_now())::text as today
        from journal_entry where id = ${entryId}`,
      );
      return row!;
    };
    const today = await read((await post(cashEntry(1n))).entryId);
    expect(today.day).toBe(today.today);
    expect(new Date(today.occurred)).toEqual(OCCURRED);
    await db.execute(sql`update business_clock set offset_seconds = 86400`);
    const tomorrow = await read((await post(cashEntry(1n))).entryId);
    await db.execute(sql`update business_clock set offset_seconds = 0`);
    expect(tomorrow.day).toBe(tomorrow.today);
    expect(tomorrow.day > today.day).toBe(true);
  });

  it('happens once per fact and subject', async () => {
    const entry = cashEntry(100n);
    await post(entry);
    expect(await brokenBy((tx) => postEntry(tx, entry))).toBe('journal_entry_fact');
    const raced = cashEntry(100n);
    const outcomes = await Promise.allSettled(Array.from({ length: RACERS }, () => post(raced)));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });

  it('leaves nothing behind when its transaction fails', async () => {
    const entry = cashEntry(100n);
    const broken = transact(db, async (tx) => {
      await postEntry(tx, entry);
      throw new Error('later trouble');
    });
    await expect(broken).rejects.toThrow('later trouble');
    await post(entry);
  });
});

describe('the database refuses', () => {
  it.each<[string, RawLeg[], string]>([
    ['an unbalanced entry', [{ amount: 5 }, { leg: 2, amount: -4 }], 'entry_balances'],
    [
      'an entry whose owners balance only together',
      [{ amount: 5 }, { leg: 2, amount: -5, ownerKind: 'B' }],
      'entry_balances',
    ],
    ['an entry with a missing leg', [{ amount: 5 }], 'entry_has_all_legs'],
    ['an entry without legs', [], 'entry_has_all_legs'],
    ['a zero leg', [{ amount: 0 }, { leg: 2, amount: 0 }], 'posting_amount'],
    ['books of nobody', [{ amount: 5, ownerKind: 'E' }], 'posting_owner'],
  ])('%s', async (_what, legs, constraint) => {
    const id = newId('entry');
    const broken = await brokenBy(async (tx) => {
      await rawEntry(tx, id, 2);
      for (const leg of legs) await rawLeg(tx, id, leg);
    });
    expect(broken).toBe(constraint);
  });

  it('an extra leg later, under whatever number and count', async () => {
    const { entryId } = await post(cashEntry(100n));
    const extra = (leg: number, legCount: number) =>
      brokenBy((tx) => rawLeg(tx, entryId, { leg, legCount, amount: 1 }));
    expect(await extra(2, 2)).toBe('posting_entry_id_leg_pk');
    expect(await extra(3, 2)).toBe('posting_leg');
    expect(await extra(3, 3)).toMatch(/^posting_entry_id_leg_count.*_fk$/);
  });

  it.each([
    ['changing an amount', `update posting set amount = amount + 1`],
    ['moving a leg to another account', `update posting set account = '1104'`],
    ['taking an undo back', `update posting set undone = undone - 1`],
    ['a no-change update', `update posting set undone = undone`],
    ['hiding a change behind the counter', `update posting set undone = 1, owner = 'other'`],
    ['deleting legs', `delete from posting`],
    ['changing an entry', `update journal_entry set fact = 'other'`],
    ['deleting entries', `delete from journal_entry`],
    ['truncating legs', `truncate posting cascade`],
    ['truncating entries', `truncate journal_entry cascade`],
  ])('%s', async (_what, statement) => {
    await post(cashEntry(100n));
    expect(await brokenBy((tx) => tx.execute(sql.raw(statement)))).toBe('books_are_append_only');
  });

  it('an undo of more than the leg, of its own side, or of another account or owner', async () => {
    const { entryId } = await post(cashEntry(100n));
    const undoing = (leg: Omit<RawLeg, 'undoes'>, other: RawLeg) =>
      brokenBy(async (tx) => {
        const id = newId('entry');
        await rawEntry(tx, id, 2);
        await rawLeg(tx, id, { ...leg, undoes: [entryId, 1] });
        await rawLeg(tx, id, { leg: 2, ...other });
      });
    expect(await undoing({ amount: -101 }, { account: '1102', amount: 101 })).toBe(
      'posting_undone',
    );
    expect(await undoing({ amount: 50 }, { account: '1102', amount: -50 })).toBe(
      'posting_undoes_leg',
    );
    expect(await undoing({ account: '1104', amount: -50 }, { amount: 50 })).toBe(
      'posting_undoes_leg',
    );
    expect(await undoing({ owner: 'other', amount: -50 }, { owner: 'other', amount: 50 })).toBe(
      'posting_undoes_leg',
    );
    expect(await undoing({ amount: -100 }, { account: '1102', amount: 100 })).toBe('none');
    expect(await undoing({ amount: -1 }, { account: '1102', amount: 1 })).toBe('posting_undone');
  });
});

describe('racing undos of one leg', () => {
  it('never take more than the leg, from twenty connections at once', async () => {
    const settlementId = newId('settlement');
    await post(cashEntry(100n, settlementId));
    // Everybody reads the leg as untouched before anybody undoes a part of it.
    const open = await transact(db, (tx) => openLegs(tx, settlementId));
    const outcomes = await Promise.allSettled(
      Array.from({ length: RACERS }, (_, racer) =>
        post({
          fact: 'refund.completed',
          subjectId: `${settlementId}-${racer}`,
          settlementId,
          occurredAt: OCCURRED,
          legs: [
            ...undoLegs(open, { ...h, account: '1101', amount: 15n }),
            ...undoLegs(open, { ...h, account: '4101', amount: 15n }),
          ],
        }),
      ),
    );
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(failed.map((outcome) => violatedConstraint(outcome.reason))).toEqual(
      Array(RACERS - 6).fill('posting_undone'),
    );
    const left = await transact(db, (tx) => openLegs(tx, settlementId));
    expect(left.filter((leg) => leg.entryId === open[0]?.entryId).map((leg) => leg.undone)).toEqual(
      [90n, 90n],
    );
    expect(await balanceOf(db, { ...h, account: '1101' })).toBeGreaterThanOrEqual(10n);
  });
});
