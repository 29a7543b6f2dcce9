// Rows of finance cases: differences that a person must decide. Law: a refused conversion is never
// forgotten silently; its case shows the insurer's reason and what a claim by hand needs, until when.
import { and, desc, eq, lt, sql } from 'drizzle-orm';
import { handClaimOf } from '../conversion/claim-by-hand.ts';
import { type Db, rows, type Tx } from '../db/db.ts';
import { financeCase } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';

export type CaseRow = typeof financeCase.$inferSelect;

/** A case that this person may see; 404 for another hospital's. */
export async function findCase(
  tx: Tx | Db,
  staff: CallerOf<'staff'>,
  id: string,
): Promise<CaseRow> {
  const [row] = await tx
    .select()
    .from(financeCase)
    .where(and(eq(financeCase.id, id), ownHospital(staff)));
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** Newest first, from before the cursor id on. */
export function listCases(
  db: Db,
  staff: CallerOf<'staff'>,
  filter: { status?: string | undefined; kind?: string | undefined },
  window: { before: string | null; count: number },
): Promise<CaseRow[]> {
  return db
    .select()
    .from(financeCase)
    .where(
      and(
        ownHospital(staff),
        filter.status ? eq(financeCase.status, filter.status) : undefined,
        filter.kind ? eq(financeCase.kind, filter.kind) : undefined,
        window.before ? lt(financeCase.id, window.before) : undefined,
      ),
    )
    .orderBy(desc(financeCase.id))
    .limit(window.count);
}

/** Closes a case with what was decided. 409 finance/case-closed if it is. */
export async function closeCase(tx: Tx, id: string, decision: string): Promise<void> {
  const closed = await close(tx, sql`id = ${id}`, decision);
  if (closed === 0) throw new Refusal('finance/case-closed');
}

/** Closes whatever is open about a subject (a conversion): it has been decided. */
export async function closeCasesAbout(tx: Tx, subjectId: string, decision: string): Promise<void> {
  await close(tx, sql`subject_id = ${subjectId}`, decision);
}

async function close(tx: Tx, which: ReturnType<typeof sql>, decision: string): Promise<number> {
  const closed = await rows(
    tx,
    sql`
    update finance_case set status = 'closed', closed_at = business_now(),
      detail = detail || jsonb_build_object('decision', ${decision}::text)
    where status = 'open' and ${which} returning 1`,
  );
  return closed.length;
}

interface Place {
  settlement_id: string;
  refundable: bigint;
  insurance_status: string;
  reason: string | null;
}

/** Insurance statuses of a bill that the insurer has not paid and does not pay any more. */
const UNPAID = new Set(['rejected', 'notInsured', 'skipped']);

/** The case as finance sees it. Its subject is a conversion, a refund or a settlement. */
export async function caseView(db: Db | Tx, row: CaseRow) {
  const place = await placeOf(db, row.subjectId);
  const detail = row.detail as Record<string, unknown>;
  const told = [detail.reason, detail.seen, place?.reason].find((text) => typeof text === 'string');
  const reason = typeof told === 'string' ? told : row.kind;
  const mayClaimByHand = place && place.refundable > 0n && UNPAID.has(place.insurance_status);
  return {
    id: row.id,
    kind: row.kind,
    status: row.status,
    subjectId: row.subjectId,
    settlementId: place?.settlement_id ?? null,
    hospitalCode: row.hospitalCode,
    reason,
    detail,
    ...(mayClaimByHand ? { handClaim: await handClaimOf(db, place.settlement_id, reason) } : {}),
    createdAt: row.createdAt.toISOString(),
    closedAt: row.closedAt?.toISOString() ?? null,
  };
}

async function placeOf(db: Db | Tx, subjectId: string): Promise<Place | null> {
  const [place] = await rows<Place>(
    db,
    sql`
    select s.id as settlement_id, s.refundable, s.insurance_status,
      coalesce(c.reason, s.insurance_reason) as reason
    from (select ${subjectId}::text as id) subject
    left join conversion c on c.id = subject.id
    left join refund r on r.id = subject.id
    join settlement s on s.id = coalesce(c.settlement_id, r.settlement_id, subject.id)`,
  );
  return place ?? null;
}

function ownHospital(staff: CallerOf<'staff'>) {
  return staff.hospitalCode ? eq(financeCase.hospitalCode, staff.hospitalCode) : undefined;
}
