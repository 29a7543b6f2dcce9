// Takes a lender's disbursement answer, all of it or nothing. Law: the same file again is the same answer,
// another one is refused; a refused loan is a case, because the hospital is owed all the same.
import { eq, sql } from 'drizzle-orm';
import { businessNow, rows, type Tx, violatedConstraint } from '../db/db.ts';
import { disbursementFile } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { openCase } from '../finance/open-case.ts';
import type { SpooledFile } from '../http/spool.ts';
import { formatYuan } from '../money.ts';
import { FileRefusal } from '../reconciliation/statement.ts';
import { type DisbursementRow, type Listed, lockListed } from './disbursement-store.ts';
import { type AnswerRow, readAnswer } from './read-answer.ts';

export interface Taken {
  file: DisbursementRow;
  booked: number;
  refused: number;
  missing: number;
}

/** Throws FileRefusal with row and column; refuses with resource/not-found, disbursement/answered. */
export async function takeAnswer(
  tx: Tx,
  of: { lender: string; businessDate: string },
  body: SpooledFile,
): Promise<Taken> {
  const [file] = await tx
    .select()
    .from(disbursementFile)
    .where(sql`lender = ${of.lender} and business_date = ${of.businessDate}::date`)
    .for('update');
  if (!file) throw new Refusal('resource/not-found');
  const isSame = file.answerHash?.equals(body.sha256) ?? false;
  if (file.answeredAt && !isSame) throw new Refusal('disbursement/answered');
  const listed = await lockListed(tx, file);
  const answers = await readAnswer(body, listed);
  const booked = answers.filter((answer) => answer.loanNumber !== null);
  const refused = answers.filter((answer) => answer.loanNumber === null);
  const counts = {
    booked: booked.length,
    refused: refused.length,
    missing: listed.size - answers.length,
  };
  if (file.answeredAt) return { file, ...counts };
  await bookLoans(tx, of.lender, booked);
  const now = await businessNow(tx);
  for (const answer of refused) await openRefusal(tx, of.lender, answer, listed, now);
  const [saved] = await tx
    .update(disbursementFile)
    .set({ answeredAt: now, answerHash: body.sha256 })
    .where(eq(disbursementFile.id, file.id))
    .returning();
  return { file: saved ?? file, ...counts };
}

async function bookLoans(tx: Tx, lender: string, booked: readonly AnswerRow[]): Promise<void> {
  try {
    await rows(
      tx,
      sql`
      update receivable set loan_number = a."loanNumber"
      from jsonb_to_recordset(${JSON.stringify(booked)}::jsonb)
        as a("receivableId" text, "loanNumber" text)
      where receivable.id = a."receivableId" and receivable.lender = ${lender}`,
    );
  } catch (error) {
    if (violatedConstraint(error) !== 'receivable_loan') throw error;
    throw new FileRefusal('file/duplicate-row', '借据号已用于以前的放款 used by an earlier loan', {
      column: 'loanNumber',
    });
  }
}

async function openRefusal(
  tx: Tx,
  lender: string,
  { receivableId, reason }: AnswerRow,
  listed: ReadonlyMap<string, Listed>,
  now: Date,
): Promise<void> {
  const loan = listed.get(receivableId);
  await openCase(tx, {
    kind: 'lender/loan-refused',
    subjectId: receivableId,
    hospitalCode: loan?.hospital_code ?? null,
    reason,
    detail: { lender, amount: formatYuan(loan?.amount ?? 0n) },
    now,
  });
}
