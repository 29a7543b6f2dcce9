// Debt that a lender spread, wrote off in part, and is about to be reported: added to the small city.
import { sql } from 'drizzle-orm';
import type { Tx } from '../../src/db/db.ts';
import * as t from '../../src/db/schema.ts';
import { credit, debit } from '../../src/ledger/journal.ts';
import { postEntry } from '../../src/ledger/post.ts';
import { bankOf, LENDER, NOW, yuan } from './city-people.ts';

const DAY_MS = 86_400_000;

export async function fillDebt(tx: Tx): Promise<void> {
  await tx.insert(t.instalment).values([
    {
      receivableId: 'rcv_2',
      number: 1,
      amount: yuan(100),
      dueAt: new Date(NOW.getTime() + DAY_MS),
    },
    {
      receivableId: 'rcv_2',
      number: 2,
      amount: yuan(80),
      dueAt: new Date(NOW.getTime() + 9 * DAY_MS),
    },
  ]);
  await tx.insert(t.scoreReport).values({
    id: 'srp_2',
    lineId: 'lin_2',
    citizenId: 'cit_2',
    status: 'reported',
    receivableIds: ['rcv_2'],
    toldAt: NOW,
    sendAfter: new Date(NOW.getTime() + 5 * DAY_MS),
    reportedAt: new Date(NOW.getTime() + 6 * DAY_MS),
  });
  const b = bankOf(LENDER);
  const about = { citizenId: 'cit_1', settlementId: 'set_4' };
  await postEntry(tx, {
    fact: 'debt.writtenOff',
    subjectId: 'ntc_4',
    occurredAt: NOW,
    legs: [
      debit(b, '5101', yuan(10), about),
      credit(b, '1301', yuan(10), about),
      debit(b, '9301', yuan(10), about),
      credit(b, '9302', yuan(10), about),
    ],
  });
  await tx.execute(sql`update receivable set written_off = 1000 where id = 'rcv_4'`);
  await tx.execute(sql`update credit_line set outstanding = outstanding - 1000,
    status = 'suspended', frozen_for = 'lender' where id = 'lin_1'`);
}
