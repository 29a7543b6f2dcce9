// 2601 is repeated for the old msgid right after a new claim (domain.md, Learning the truth): a
// message that the insurer executes late must not leave a second live claim.
import { eq } from 'drizzle-orm';
import { settlement } from '../db/schema.ts';
import { isSettle } from '../insurance/claim-trades.ts';
import { messagesOfVisit, payerOf, storeAnswer } from '../insurance/message-store.ts';
import { reverse2601 } from '../insurance/trades.ts';
import type { JobHandler } from '../outbox/jobs.ts';
import { readBill } from '../settlement/bill.ts';
import { findPerson } from '../settlement/claim-bill.ts';
import { openTalk } from '../settlement/talk.ts';

const BUDGET_MS = 8_000;
const RETRY_SECONDS = 30;

/** The handler of the job `confirmReversal`; its subject is the settlement. */
export const confirmReversal: JobHandler = async (deps, job) => {
  const [row] = await deps.db.select().from(settlement).where(eq(settlement.id, job.subjectId));
  if (!row) return 'done';
  const messages = await messagesOfVisit(deps.db, deps.keyring, row.visitId);
  const reversed = messages.filter((m) => isSettle(m.infno) && m.fate === 'reversed');
  if (reversed.length === 0) return 'done';
  const bill = await readBill(deps, row.visitId, row.id);
  for (const message of reversed) {
    const payer = payerOf(message) ?? bill.person ?? (await findPerson(deps, bill));
    if (!payer) return { retryAfterSeconds: RETRY_SECONDS };
    const talk = await openTalk(deps, {
      held: { id: `${job.id}/${message.msgid}/${job.attempts}`, leaseToken: '' },
      bill,
      insuredRegion: payer.insuredRegion,
      isResumed: false,
      deadlineAt: deps.realNow().getTime() + BUDGET_MS,
      trialToken: null,
    });
    const told = await talk.change('2601', reverse2601(payer, message));
    if (talk.unsaved) {
      await storeAnswer(deps.db, deps.keyring, talk.unsaved.msgid, talk.unsaved.answer);
    }
    if (told.outcome === 'offline' || told.outcome === 'unknown') {
      return { retryAfterSeconds: RETRY_SECONDS };
    }
  }
  return 'done';
};
