// What a lender sees of its lines and receivables, and of no other lender's.
import { sql } from 'drizzle-orm';
import { dueOf } from '../credit/instalments.ts';
import { type Db, rows } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import { maskIdNumber, maskName } from '../identity/id-number.ts';
import type { Keyring } from '../identity/keyring.ts';
import { type Fen, formatYuan } from '../money.ts';

interface LineRow {
  id: string;
  name: Buffer;
  id_number: Buffer;
  product: string;
  status: string;
  suspended_for: string | null;
  frozen_for: string | null;
  limit: Fen;
  inpatient_extra: Fen;
  outage_extra: Fen;
  held: Fen;
  outstanding: Fen;
  overdue: Fen;
  opened_at: string;
  closed_at: string | null;
}

/** Newest first, from before the cursor id on. */
export function listLines(
  db: Db,
  lender: string,
  wish: { id?: string; status?: string | undefined; before: string | null; count: number },
): Promise<LineRow[]> {
  return rows<LineRow>(
    db,
    sql`
    select l.*, c.name, c.id_number, coalesce((
      select sum(${dueOf(sql`business_now()`)}) from receivable r
      where r.line_id = l.id and r.amount > r.paid + r.reduced + r.written_off
        and not r.awaits_insurance and r.due_at < business_now()
    ), 0)::bigint as overdue
    from credit_line l join citizen c on c.id = l.citizen_id
    where l.lender = ${lender}
      and (${wish.id ?? null}::text is null or l.id = ${wish.id ?? null}::text)
      and (${wish.status ?? null}::text is null or l.status = ${wish.status ?? null}::text)
      and (${wish.before}::text is null or l.id < ${wish.before}::text)
    order by l.id desc limit ${wish.count}::int`,
  );
}

export async function findLine(db: Db, lender: string, id: string): Promise<LineRow> {
  const [row] = await listLines(db, lender, { id, before: null, count: 1 });
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

const timeOf = (text: string | null) => (text === null ? null : new Date(text).toISOString());

export function lineView(keyring: Keyring, row: LineRow) {
  return {
    id: row.id,
    borrower: {
      name: maskName(keyring.open(row.name)),
      idNumber: maskIdNumber(keyring.open(row.id_number)),
    },
    product: row.product,
    status: row.status,
    suspendedFor: row.suspended_for,
    frozenFor: row.frozen_for,
    limit: formatYuan(row.limit),
    inpatientExtra: formatYuan(row.inpatient_extra),
    outageExtra: formatYuan(row.outage_extra),
    held: formatYuan(row.held),
    outstanding: formatYuan(row.outstanding),
    overdue: formatYuan(row.overdue),
    openedAt: timeOf(row.opened_at),
    closedAt: timeOf(row.closed_at),
  };
}

export interface LoanRow {
  id: string;
  line_id: string;
  hold_id: string | null;
  loan_number: string | null;
  hospital_code: string;
  hospital: string;
  amount: Fen;
  paid: Fen;
  reduced: Fen;
  written_off: Fen;
  owed: Fen;
  late_charges: Fen;
  created_at: string;
  due_at: string;
  overdue_at: string | null;
  disbursed_on: string | null;
  status: string;
}

/** In order of id from after the cursor on. */
export function listLoans(
  db: Db,
  lender: string,
  wish: {
    lineId?: string | undefined;
    status?: string | undefined;
    disbursedOn?: string;
    after: string | null;
    count: number;
  },
): Promise<LoanRow[]> {
  return rows<LoanRow>(
    db,
    sql`
    select * from (
      select r.id, r.line_id, r.hold_id, r.loan_number, r.amount, r.paid, r.reduced, r.written_off,
        r.created_at, r.due_at, r.overdue_at, r.disbursed_on::text as disbursed_on,
        coalesce(s.hospital_code, '') as hospital_code, coalesce(h.name, '') as hospital,
        r.amount - r.paid - r.reduced - r.written_off as owed,
        coalesce((select sum(n.amount) from lender_notice n
          where n.line_id = r.line_id and n.receivable_id = r.id and n.kind = 'lateCharge'), 0)::bigint as late_charges,
        ${statusOf} as status
      from receivable r left join settlement s on s.id = r.settlement_id
        left join hospital h on h.code = s.hospital_code
      where r.lender = ${lender} and (${wish.after}::text is null or r.id > ${wish.after}::text)
        and (${wish.lineId ?? null}::text is null or r.line_id = ${wish.lineId ?? null}::text)
        and (${wish.disbursedOn ?? null}::date is null
          or r.disbursed_on = ${wish.disbursedOn ?? null}::date)
    ) loan
    where ${wish.status ?? null}::text is null or status = ${wish.status ?? null}::text
    order by id limit ${wish.count}::int`,
  );
}

/** The same words as citizens see. */
const statusOf = sql`case
  when r.written_off > 0 and r.amount = r.paid + r.reduced + r.written_off then 'writtenOff'
  when r.amount = r.paid + r.reduced + r.written_off then 'paid'
  when r.awaits_insurance then 'waitingForInsurance'
  when r.due_at < business_now() then 'overdue' else 'open' end`;

export function loanView(row: LoanRow) {
  return {
    id: row.id,
    lineId: row.line_id,
    holdId: row.hold_id,
    loanNumber: row.loan_number,
    hospitalCode: row.hospital_code,
    hospital: row.hospital,
    amount: formatYuan(row.amount),
    paid: formatYuan(row.paid),
    reduced: formatYuan(row.reduced),
    writtenOff: formatYuan(row.written_off),
    outstanding: formatYuan(row.owed),
    lateCharges: formatYuan(row.late_charges),
    capturedAt: timeOf(row.created_at),
    dueAt: timeOf(row.due_at),
    overdueAt: timeOf(row.overdue_at),
    disbursedOn: row.disbursed_on,
    status: row.status,
  };
}
