import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Tx, transact } from '../../src/db/db.ts';
import { checkLaws, type LawResult, verifyBooks } from '../../src/ledger/verify.ts';
import { useDatabase } from '../support/database.ts';
import { fillCity } from './city.ts';
import { damages } from './damages.ts';

const { db } = useDatabase();

beforeAll(async () => {
  await transact(db, fillCity);
});

class RollBack extends Error {}

/** Breaks the tables by force (no triggers, no foreign keys), lets verify look, takes it all back. */
async function lawsAfter(damage: readonly string[]): Promise<LawResult[]> {
  let laws: LawResult[] = [];
  await db
    .transaction(async (tx: Tx) => {
      await tx.execute(sql`set local session_replication_role = replica`);
      for (const statement of damage) await tx.execute(sql.raw(statement));
      laws = (await checkLaws(tx)).laws;
      throw new RollBack();
    })
    .catch((error: unknown) => {
      if (!(error instanceof RollBack)) throw error;
    });
  return laws;
}

describe('verify', () => {
  it('finds every law held in a lawful city, and looks at something for each', async () => {
    const verdict = await verifyBooks(db);
    expect(verdict.laws.filter((law) => !law.holds)).toEqual([]);
    expect(verdict.laws.filter((law) => law.checked === 0)).toEqual([]);
    expect(verdict.holds).toBe(true);
  });

  it('has one damage for each law and names no law twice', async () => {
    const names = (await verifyBooks(db)).laws.map((law) => law.law);
    expect(new Set(names).size).toBe(names.length);
    expect(damages.map((damage) => damage.law).sort()).toEqual(names.sort());
  });

  it.each(damages)('notices the damage to: $law', async ({ law, damage, offender }) => {
    const found = (await lawsAfter(damage)).find((result) => result.law === law);
    expect(found).toMatchObject({ holds: false });
    expect(found?.detail).toContain(offender);
  });

  it('looks at one moment: what commits while it runs is not seen', async () => {
    const seen = await db.transaction(
      async (tx) => {
        const before = await checkLaws(tx);
        await db.execute(sql`update credit_line set held = held + 100 where id = 'lin_1'`);
        return [before, await checkLaws(tx)];
      },
      { isolationLevel: 'repeatable read', accessMode: 'read only' },
    );
    expect(seen.map((verdict) => verdict.holds)).toEqual([true, true]);
    expect((await verifyBooks(db)).holds).toBe(false);
    await db.execute(sql`update credit_line set held = held - 100 where id = 'lin_1'`);
    expect((await verifyBooks(db)).holds).toBe(true);
  });
});
