// The visits of one citizen with everything that was charged, for their own export.
import { and, asc, eq, gt } from 'drizzle-orm';
import { charge, visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { openPerson } from '../insurance/person.ts';
import { formatYuan } from '../money.ts';
import { readClinical } from '../visit/change-visit.ts';
import { type VisitRow, visitView } from '../visit/visit-store.ts';
import { paged } from './paged.ts';

/** Oldest first; the operator at the terminal is another person and stays out. */
export function exportVisits(deps: Deps, citizenId: string): AsyncIterable<unknown> {
  return paged(
    (last: VisitRow | null, count) =>
      deps.db
        .select()
        .from(visit)
        .where(and(eq(visit.citizenId, citizenId), last ? gt(visit.id, last.id) : undefined))
        .orderBy(asc(visit.id))
        .limit(count),
    (row) => exportVisit(deps, row),
  );
}

async function exportVisit(deps: Deps, row: VisitRow) {
  const [view, charges] = await Promise.all([
    visitView(deps.db, deps.keyring, row),
    deps.db.select().from(charge).where(eq(charge.visitId, row.id)).orderBy(asc(charge.lineNumber)),
  ]);
  const { patient: _, ...known } = view;
  return {
    ...known,
    hospitalCode: row.hospitalCode,
    credentialKind: row.credentialKind,
    personalAccount: row.usePersonalAccount,
    familyAccount: row.useFamilyAccount,
    clinical: readClinical(deps, row),
    insuredPerson: insuredOf(deps, row),
    charges: charges.map(({ amount, refundedAmount, visitId: _visit, ...line }) => ({
      ...line,
      amount: formatYuan(amount),
      refundedAmount: formatYuan(refundedAmount),
    })),
  };
}

/** What the insurer said at the visit (1101). */
function insuredOf(deps: Deps, row: VisitRow) {
  if (!row.insuredPerson) return null;
  const { balance, ...person } = openPerson(deps.keyring, row.insuredPerson);
  return { ...person, balance: balance === null ? null : formatYuan(balance) };
}
