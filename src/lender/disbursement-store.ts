// The day's file of what a lender is asked to disburse. Law: a capture is in one file, the first that is
// made after it; a file that was made never changes (files.md: the disbursement file of 08:00).
import { and, eq, sql } from 'drizzle-orm';
import { businessNow, rows, type Tx } from '../db/db.ts';
import { disbursementFile } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Fen } from '../money.ts';

export type DisbursementRow = typeof disbursementFile.$inferSelect;

/** The file of a business day that is over, made when it is first asked for. 409 disbursement/day-not-over. */
export async function disbursementOf(
  tx: Tx,
  lender: string,
  businessDate: string,
): Promise<DisbursementRow> {
  const known = await readDisbursement(tx, lender, businessDate);
  if (known) return known;
  const now = await businessNow(tx);
  const [day] = await rows<{ is_over: boolean }>(
    tx,
    sql`select ${businessDate}::date < business_date(business_now()) as is_over`,
  );
  if (!day?.is_over) throw new Refusal('disbursement/day-not-over');
  const id = newId('disbursementFile');
  await tx
    .insert(disbursementFile)
    .values({ id, lender, businessDate, count: 0, total: 0n, createdAt: now })
    .onConflictDoNothing();
  await fill(tx, id);
  const made = await readDisbursement(tx, lender, businessDate);
  if (!made) throw new Error(`disbursement file ${lender} ${businessDate} was not made`);
  return made;
}

/** Does nothing for a file that somebody else made meanwhile. */
async function fill(tx: Tx, id: string): Promise<void> {
  await tx.execute(sql`
    with file as (select * from disbursement_file where id = ${id}),
    listed as (
      update receivable r set disbursed_on = file.business_date from file
      where r.lender = file.lender and r.disbursed_on is null
        and business_date(r.created_at) <= file.business_date
      returning r.amount
    )
    update disbursement_file set count = t.count, total = t.total
    from (select count(*)::int as count, coalesce(sum(amount), 0)::bigint as total from listed) t
    where disbursement_file.id = ${id}`);
}

async function readDisbursement(
  tx: Tx,
  lender: string,
  businessDate: string,
): Promise<DisbursementRow | null> {
  const [row] = await tx
    .select()
    .from(disbursementFile)
    .where(
      and(eq(disbursementFile.lender, lender), eq(disbursementFile.businessDate, businessDate)),
    );
  return row ?? null;
}

/** A capture of the file, as an answer is compared with it. */
export interface Listed {
  id: string;
  hold_id: string | null;
  amount: Fen;
  hospital_code: string | null;
  /** Once it was booked. */
  loan_number: string | null;
}

/** All captures of a file by id, locked. */
export async function lockListed(tx: Tx, file: DisbursementRow): Promise<Map<string, Listed>> {
  const found = await rows<Listed>(
    tx,
    sql`
    select r.id, r.hold_id, r.amount, s.hospital_code, r.loan_number
    from receivable r left join settlement s on s.id = r.settlement_id
    where r.lender = ${file.lender} and r.disbursed_on = ${file.businessDate}::date
    order by r.id for update of r`,
  );
  return new Map(found.map((row) => [row.id, row]));
}
