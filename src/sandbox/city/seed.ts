// Role: puts the demo city into a migrated database. Three statements, and repeating them is harmless.
import { defaultPolicies } from '../../credit/default-policy.ts';
import type { Db } from '../../db/db.ts';
import { hospital, lender, policy } from '../../db/schema.ts';
import { institutions } from './hospitals.ts';
import { lenderCodes, lenders } from './lenders.ts';

/**
 * Inserts the city's hospitals, lenders and default policies where they are missing; what is there
 * stays as it is, so an administrator's changes survive a restart. The clock is not touched.
 */
export async function seedCity(db: Db): Promise<void> {
  await db.transaction(async (tx) => {
    await tx
      .insert(hospital)
      .values([...institutions])
      .onConflictDoNothing();
    await tx
      .insert(lender)
      .values([...lenders])
      .onConflictDoNothing();
    await tx
      .insert(policy)
      .values([...defaultPolicies([...lenderCodes])])
      .onConflictDoNothing();
  });
}
