// Law: an approved payout is ordered from its lender's bank once. The file's id is kept before it is
// sent; a file of unknown fate is asked for before it is repeated, and the bank knows it by its id.
import { eq } from 'drizzle-orm';
import { businessNow, type Tx, transact } from '../db/db.ts';
import { payout } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { openCase } from '../finance/open-case.ts';
import type { JobHandler, JobOutcome } from '../outbox/jobs.ts';
import { bookSent, rejectPayout } from './move-payout.ts';
import type { PayoutFile, PayoutFileAnswer } from './payout-bank.ts';
import { lockPayout, type PayoutRow } from './payout-store.ts';

/** A bank that is down or of two minds is asked again. Real time. */
const AGAIN_SECONDS = 5;
/** After so many tries a person should look, too; the job goes on. */
const TRIES_BEFORE_CASE = 20;

/** Job: hands the file of one approved payout to its bank and books what the bank answers. */
export const sendPayoutFile: JobHandler = async (deps, job): Promise<JobOutcome> => {
  const prepared = await transact(deps.db, (tx) => prepareFile(tx, job.subjectId));
  if (!prepared) return 'done';
  const answer = await askOrSend(deps, prepared);
  return transact(deps.db, (tx) => keepAnswer(tx, job, answer));
};

interface PreparedFile {
  lender: string;
  file: PayoutFile;
  /** True when an earlier run may have sent it. */
  isMaybeSent: boolean;
}

/** Keeps the file's id before anything is sent; null when there is nothing to send any more. */
async function prepareFile(tx: Tx, payoutId: string): Promise<PreparedFile | null> {
  const row = await lockPayout(tx, { hospitalCode: null }, payoutId);
  if (row.status !== 'approved') return null;
  const fileId = row.fileId ?? `F${row.endToEndId}`;
  if (row.fileId === null) await tx.update(payout).set({ fileId }).where(eq(payout.id, row.id));
  const bookOn = shanghaiDate(await businessNow(tx));
  return {
    lender: row.lender,
    file: { fileId, bookOn, payments: [paymentOf(row)] },
    isMaybeSent: row.fileId !== null,
  };
}

function paymentOf(row: PayoutRow): PayoutFile['payments'][number] {
  const { endToEndId, hospitalCode, amount } = row;
  return { endToEndId, hospitalCode, amount, remark: endToEndId };
}

const shanghaiDate = (at: Date) =>
  new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(at);

async function askOrSend(deps: Deps, prepared: PreparedFile): Promise<PayoutFileAnswer> {
  const { lender, file, isMaybeSent } = prepared;
  if (isMaybeSent) {
    const found = await deps.payoutBank.findFile(lender, file.fileId);
    if (found.outcome !== 'absent') return found;
  }
  return deps.payoutBank.sendFile(lender, file);
}

async function keepAnswer(
  tx: Tx,
  job: { subjectId: string; attempts: number },
  answer: PayoutFileAnswer,
): Promise<JobOutcome> {
  const row = await lockPayout(tx, { hospitalCode: null }, job.subjectId);
  if (row.status !== 'approved') return 'done';
  switch (answer.outcome) {
    case 'accepted':
      await bookSent(tx, row);
      return 'done';
    case 'refused':
      await rejectPayout(tx, row, answer.reason);
      return { gaveUp: answer.reason };
    case 'offline':
    case 'unknown':
      if (job.attempts === TRIES_BEFORE_CASE) await askPerson(tx, row, answer.outcome);
      return { retryAfterSeconds: AGAIN_SECONDS, because: `bank ${answer.outcome}` };
  }
  return answer satisfies never;
}

async function askPerson(tx: Tx, row: PayoutRow, outcome: string): Promise<void> {
  await openCase(tx, {
    kind: 'payout/file-unanswered',
    subjectId: row.id,
    hospitalCode: row.hospitalCode,
    reason: `bank ${outcome}`,
    detail: { lender: row.lender, fileId: row.fileId },
    now: await businessNow(tx),
  });
}
