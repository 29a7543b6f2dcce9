// Takes a lender's disbursement answer, all of it or nothing. Law: a bank that books the rest a day later
// answers again, but what was answered once is never answered otherwise; a refused loan is a case, because
// the hospital is owed all the same.
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

const LOAN_REFUSED = 'lender/loan-refused';

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
  const listed = await lockListed(tx, file);
  const answers = await readAnswer(body, listed);
  if (answers.some((answer) => isOtherwise(answer, listed))) {
    throw new Refusal('disbursement/answered');
  }
  const booked = answers.filter((answer) => answer.loanNumber !== null);
  const refused = answers.filter((answer) => answer.loanNumber === null);
  const counts = {
    booked: booked.length,
    refused: refused.length,
    missing: missingFrom(listed, answers),
  };
  if (file.answerHash?.equals(body.sha256)) return { file, ...counts };
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

/** A loan that has its number has no other one, and was not refused. */
function isOtherwise(answer: AnswerRow, listed: ReadonlyMap<string, Listed>): boolean {
  const known = listed.get(answer.receivableId)?.loan_number ?? null;
  return known !== null && known !== answer.loanNumber;
}

function missingFrom(listed: ReadonlyMap<string, Listed>, answers: readonly AnswerRow[]): number {
  const told = new Set(answers.map((answer) => answer.receivableId));
  const open = [...listed.values()].filter((loan) => loan.loan_number === null);
  return open.filter((loan) => !told.has(loan.id)).length;
}

/** A loan that was refused at first and is booked after all needs nobody any more. */
async function bookLoans(tx: Tx, lender: string, booked: readonly AnswerRow[]): Promise<void> {
  const ids = JSON.stringify(booked.map((answer) => answer.receivableId));
  await rows(
    tx,
    sql`
    update finance_case set status = 'closed', closed_at = business_now(),
      detail = detail || '{"decision": "已放款 booked after all"}'
    where status = 'open' and kind = ${LOAN_REFUSED}
      and subject_id in (select jsonb_array_elements_text(${ids}::jsonb))`,
  );
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
    kind: LOAN_REFUSED,
    subjectId: receivableId,
    hospitalCode: loan?.hospital_code ?? null,
    reason,
    detail: { lender, amount: formatYuan(loan?.amount ?? 0n) },
    now,
  });
}
