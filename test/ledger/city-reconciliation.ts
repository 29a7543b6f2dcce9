// A file compared, one break that a run explained, one that two people settled by an entry.
import type { Tx } from '../../src/db/db.ts';
import * as t from '../../src/db/schema.ts';
import { credit, debit } from '../../src/ledger/journal.ts';
import { postEntry } from '../../src/ledger/post.ts';
import { HOSPITAL, h, NOW, yuan } from './city-people.ts';

export async function fillReconciliation(tx: Tx): Promise<void> {
  const businessDate = NOW.toISOString().slice(0, 10);
  const of = { counterparty: 'hospital', scope: HOSPITAL, hospitalCode: HOSPITAL, businessDate };
  await tx.insert(t.reconciliation).values({
    ...{ ...of, id: 'rec_1', format: 'csv', fileHash: 'a', status: 'done', createdBy: 'maker' },
    ...{ oursCount: 2, oursTotal: yuan(40), theirsCount: 2, theirsTotal: yuan(43), matched: 1 },
    ...{ detail: {}, createdAt: NOW, finishedAt: NOW },
  });
  await tx.insert(t.proposal).values({
    ...{
      id: 'prp_71',
      kind: 'breakRemedy',
      subjectId: 'brk_71',
      hospitalCode: HOSPITAL,
      detail: {},
    },
    ...{ reason: '已核对', maker: 'maker', checker: 'checker', status: 'approved' },
    ...{ createdAt: NOW, resolvedAt: NOW },
  });
  const { entryId } = await postEntry(tx, {
    fact: 'break.adjusted',
    subjectId: 'brk_71',
    occurredAt: NOW,
    legs: [debit(h, '1104', yuan(3)), credit(h, '4102', yuan(3))],
  });
  const ended = { isSelfClearing: false, openedAt: NOW, resolvedAt: NOW, evidence: {} };
  await tx.insert(t.reconciliationBreak).values([
    {
      ...{ ...of, ...ended, id: 'brk_71', reconciliationId: 'rec_1', subject: 'one' },
      ...{ kind: 'amountOver', status: 'resolved', remedy: 'adjust' },
      resolution: { by: 'proposal', proposalId: 'prp_71', entryId },
    },
    {
      ...{ ...of, ...ended, id: 'brk_72', reconciliationId: 'rec_1', subject: 'two' },
      ...{ kind: 'dateCutoff', status: 'cleared', remedy: 'waitNextDay' },
      resolution: { by: 'reconciliation', reconciliationId: 'rec_1' },
    },
  ]);
}
