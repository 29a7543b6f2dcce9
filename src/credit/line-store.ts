// Rows of credit lines and receivables: finding, locking, and the views that citizens see.
import { and, eq, ne, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { creditLine } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { type Fen, formatYuan } from '../money.ts';
import { available } from './credit-line.ts';

export type LineRow = typeof creditLine.$inferSelect;

const openLineOf = (citizenId: string) =>
  and(eq(creditLine.citizenId, citizenId), ne(creditLine.status, 'closed'));

/** The citizen's open line; 404 when there is none. */
export async function readLine(tx: Tx | Db, citizenId: string): Promise<LineRow> {
  const [line] = await tx.select().from(creditLine).where(openLineOf(citizenId));
  if (!line) throw new Refusal('resource/not-found');
  return line;
}

/** Locks the citizen's open line for the rest of the transaction; 404 when there is none. */
export async function lockLine(tx: Tx, citizenId: string): Promise<LineRow> {
  const [line] = await tx.select().from(creditLine).where(openLineOf(citizenId)).for('update');
  if (!line) throw new Refusal('resource/not-found');
  return line;
}

/** The line as the contract shows it. */
export function creditLineView(line: LineRow) {
  return {
    id: line.id,
    lender: line.lender,
    status: line.status,
    limit: formatYuan(line.limit),
    inpatientExtra: formatYuan(line.inpatientExtra),
    held: formatYuan(line.held),
    outstanding: formatYuan(line.outstanding),
    available: formatYuan(available(line)),
    score: { value: line.scoreValue, tier: line.scoreTier, asOf: line.scoreAsOf.toISOString() },
  };
}

export interface ReceivableRow {
  id: string;
  settlement_id: string;
  hospital: string;
  amount: Fen;
  paid: Fen;
  owed: Fen;
  due_at: string;
  loan_number: string | null;
  late_charges: Fen;
  instalments: { amount: string; dueAt: string }[] | null;
  status: 'open' | 'overdue' | 'paid' | 'writtenOff' | 'waitingForInsurance';
}

/** A citizen's receivables in order of their due time, from after the cursor key on. */
export function listReceivables(
  db: Db,
  citizenId: string,
  after: readonly [dueAt: Date, id: string] | null,
  count: number,
): Promise<ReceivableRow[]> {
  const dueAt = after?.[0].toISOString() ?? null;
  return rows<ReceivableRow>(
    db,
    sql`
    select r.id, r.settlement_id, coalesce(h.name, '') as hospital, r.amount, r.paid,
      r.amount - r.paid - r.reduced - r.written_off as owed, r.due_at, r.loan_number,
      coalesce((select sum(n.amount) from lender_notice n
        where n.line_id = r.line_id and n.receivable_id = r.id and n.kind = 'lateCharge'), 0)::bigint as late_charges,
      (select jsonb_agg(jsonb_build_object('amount', i.amount::text, 'dueAt', i.due_at)
          order by i.number)
        from instalment i where i.receivable_id = r.id) as instalments,
      case when r.written_off > 0 and r.amount = r.paid + r.reduced + r.written_off
          then 'writtenOff'
        when r.amount = r.paid + r.reduced + r.written_off then 'paid'
        when r.awaits_insurance then 'waitingForInsurance'
        when r.due_at < business_now() then 'overdue' else 'open' end as status
    from receivable r left join settlement s on s.id = r.settlement_id
      left join hospital h on h.code = s.hospital_code
    where r.citizen_id = ${citizenId}
      and (${dueAt}::timestamptz is null
        or (r.due_at, r.id) > (${dueAt}::timestamptz, ${after?.[1] ?? null}::text))
    order by r.due_at, r.id limit ${count}::int`,
  );
}

/** A receivable as the contract shows it; `amount` stays what was captured. */
export function receivableView(row: ReceivableRow) {
  return {
    id: row.id,
    settlementId: row.settlement_id,
    hospital: row.hospital,
    amount: formatYuan(row.amount),
    paid: formatYuan(row.paid),
    outstanding: formatYuan(row.owed),
    dueAt: new Date(row.due_at).toISOString(),
    status: row.status,
    lateCharges: formatYuan(row.late_charges),
    ...(row.loan_number ? { loanNumber: row.loan_number } : {}),
    ...(row.instalments
      ? {
          instalments: row.instalments.map((part) => ({
            amount: formatYuan(BigInt(part.amount)),
            dueAt: new Date(part.dueAt).toISOString(),
          })),
        }
      : {}),
  };
}
