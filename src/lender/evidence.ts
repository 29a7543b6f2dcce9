// What proves a loan: agreement, consents, hold and capture. Law: a lender sees amount, hospital and time,
// never a department, a diagnosis or an item; the citizen sees that it looked.
import { sql } from 'drizzle-orm';
import { type Db, rows } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import { logLooks } from '../identity/access-log.ts';
import { type Fen, formatYuan } from '../money.ts';

interface EvidenceRow {
  id: string;
  citizen_id: string;
  loan_number: string | null;
  amount: Fen;
  created_at: string;
  hospital_code: string;
  hospital: string;
  line_id: string;
  product: string;
  opened_at: string;
  agreement_version: string;
  hold_id: string | null;
  hold_amount: Fen | null;
  placed_at: string | null;
  limit_then: Fen | null;
  outstanding_then: Fen | null;
  held_then: Fen | null;
}

interface ConsentRow {
  kind: string;
  agreement_version: string;
  granted_at: string;
  withdrawn_at: string | null;
}

/** 404 for another lender's receivable. */
export async function readEvidence(
  deps: Deps,
  operator: CallerOf<'lenderOperator'>,
  receivableId: string,
) {
  const row = await findLoan(deps.db, operator.lender, receivableId);
  const consents = await consentsOf(deps.db, row);
  await logLooks(deps.db, [row.citizen_id], {
    actor: operator.client,
    hospitalCode: null,
    action: 'loan.readByLender',
    at: deps.realNow(),
  });
  return {
    receivableId: row.id,
    loanNumber: row.loan_number,
    amount: formatYuan(row.amount),
    capturedAt: timeOf(row.created_at),
    hospital: { code: row.hospital_code, name: row.hospital },
    line: { id: row.line_id, product: row.product, openedAt: timeOf(row.opened_at) },
    agreementVersion: row.agreement_version,
    consents: consents.map((consent) => ({
      kind: consent.kind,
      agreementVersion: consent.agreement_version,
      grantedAt: timeOf(consent.granted_at),
      withdrawnAt: consent.withdrawn_at === null ? null : timeOf(consent.withdrawn_at),
    })),
    hold: holdOf(row),
  };
}

const timeOf = (text: string) => new Date(text).toISOString();

function holdOf(row: EvidenceRow) {
  if (row.hold_id === null || row.placed_at === null) return null;
  return {
    id: row.hold_id,
    amount: formatYuan(row.hold_amount ?? 0n),
    placedAt: timeOf(row.placed_at),
    limitThen: formatYuan(row.limit_then ?? 0n),
    outstandingThen: formatYuan(row.outstanding_then ?? 0n),
    heldThen: formatYuan(row.held_then ?? 0n),
  };
}

async function findLoan(db: Db, lender: string, id: string): Promise<EvidenceRow> {
  const [row] = await rows<EvidenceRow>(
    db,
    sql`
    select r.id, r.citizen_id, r.loan_number, r.amount, r.created_at,
      coalesce(s.hospital_code, '') as hospital_code, coalesce(p.name, '') as hospital,
      l.id as line_id, l.product, l.opened_at, l.agreement_version, h.id as hold_id,
      h.amount as hold_amount, h.placed_at, h.limit_then, h.outstanding_then, h.held_then
    from receivable r join credit_line l on l.id = r.line_id
      left join hold h on h.id = r.hold_id
      left join settlement s on s.id = r.settlement_id left join hospital p on p.code = s.hospital_code
    where r.id = ${id} and r.lender = ${lender}`,
  );
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** The consents that held when the credit was taken. */
function consentsOf(db: Db, row: EvidenceRow): Promise<ConsentRow[]> {
  return rows<ConsentRow>(
    db,
    sql`
    select kind, agreement_version, granted_at, withdrawn_at from consent
    where citizen_id = ${row.citizen_id} and granted_at <= ${row.created_at}::timestamptz
      and (withdrawn_at is null or withdrawn_at > ${row.created_at}::timestamptz)
    order by kind, granted_at`,
  );
}
