// Rows of visits and their charges: locking, reading, and the view that callers see.
import { and, eq, sql } from 'drizzle-orm';
import type { HoldView } from '../credit/hold-sql.ts';
import { type Db, rows, type Tx } from '../db/db.ts';
import { chargeBatch, type hold, visit } from '../db/schema.ts';
import { readRows } from '../db/statements.ts';
import { assert, type ProblemCode, problems, Refusal } from '../errors.ts';
import { explained } from '../http/explanations.ts';
import { maskIdNumber, maskName } from '../identity/id-number.ts';
import type { Keyring } from '../identity/keyring.ts';
import type { Filing } from '../insurance/filing.ts';
import { formatYuan } from '../money.ts';
import { confirmationOfVisit } from './confirmation-store.ts';

export type VisitRow = typeof visit.$inferSelect;
export type BatchRow = typeof chargeBatch.$inferSelect;

/** Locks a visit of this hospital for the rest of the transaction; 404 for anybody else's. */
export async function lockVisit(tx: Tx, visitId: string, hospitalCode: string): Promise<VisitRow> {
  const [row] = await readRows(
    tx,
    visit,
    sql`where id = ${visitId} and hospital_code = ${hospitalCode} for update`,
  );
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** Refuses unless the visit can still be changed: settling is "not now", cancelled is final. */
export function refuseUnlessChangeable(row: VisitRow): void {
  if (row.status === 'settling') throw new Refusal('visit/settling', { retryAfterSeconds: 1 });
  if (row.status === 'cancelled') throw new Refusal('visit/wrong-state');
}

/** Reads a visit without locking it; null when it is not this hospital's. */
export async function findVisit(
  tx: Tx | Db,
  visitId: string,
  hospitalCode: string,
): Promise<VisitRow | null> {
  const [row] = await tx
    .select()
    .from(visit)
    .where(and(eq(visit.id, visitId), eq(visit.hospitalCode, hospitalCode)));
  return row ?? null;
}

export function batchesOf(tx: Tx | Db, visitId: string): Promise<BatchRow[]> {
  return readRows(tx, chargeBatch, sql`where visit_id = ${visitId} order by position`);
}

/** The visit as the contract shows it; personal data masked. */
export async function visitView(tx: Tx | Db, keyring: Keyring, row: VisitRow) {
  return showVisit(keyring, row, await readAround(tx, row));
}

/** What is shown of a visit and stands elsewhere. */
export interface AroundVisit {
  hold: { id: string; status: HoldView['status']; amount: string; expires_at: string } | null;
  settlement_ids: string[];
  name: Buffer | null;
  id_number: Buffer | null;
  proxy_name: Buffer | null;
  asked: Awaited<ReturnType<typeof confirmationOfVisit>>;
}

/** Reads it in one statement, or two where the payer may be asked for a word. */
export async function readAround(
  tx: Tx | Db,
  row: Pick<VisitRow, 'id' | 'citizenId' | 'proxyCitizenId' | 'holdDecline'>,
): Promise<AroundVisit> {
  const isAsked = row.holdDecline === 'credit/confirmation-needed';
  const [[around], asked] = await Promise.all([
    rows<Omit<AroundVisit, 'asked'>>(
      tx,
      sql`
      select (
          select jsonb_build_object('id', h.id, 'status', h.status, 'amount', h.amount::text,
            'expires_at', h.expires_at)
          from hold h where h.visit_id = ${row.id} order by h.placed_at desc, h.id desc limit 1
        ) as hold,
        (select coalesce(jsonb_agg(s.id order by s.recorded_at), '[]')
          from settlement s where s.visit_id = ${row.id}) as settlement_ids,
        c.name, c.id_number, p.name as proxy_name
      from (select 1) as once left join citizen c on c.id = ${row.citizenId}::text
        left join citizen p on p.id = ${row.proxyCitizenId}::text`,
    ),
    isAsked ? confirmationOfVisit(tx, row.id) : null,
  ]);
  assert(around, 'one row is one row');
  return { ...around, asked };
}

/** The visit as the contract shows it, of what was read. Pure but for the keys. */
export function showVisit(keyring: Keyring, row: VisitRow, around: AroundVisit) {
  const { hold: newest, name, id_number: idNumber, proxy_name: proxy, asked } = around;
  return {
    id: row.id,
    visitNumber: row.visitNumber,
    kind: row.kind,
    status: row.status,
    businessDate: row.businessDate,
    startedAt: row.startedAt.toISOString(),
    patient:
      name && idNumber
        ? { name: maskName(keyring.open(name)), idNumber: maskIdNumber(keyring.open(idNumber)) }
        : null,
    insured: row.insured,
    payer: row.payer,
    ...(proxy ? { proxy: { name: maskName(keyring.open(proxy)) } } : {}),
    ...(asked ? { holdConfirmation: asked } : {}),
    hold: newest
      ? holdView({
          ...newest,
          amount: BigInt(newest.amount),
          expiresAt: new Date(newest.expires_at),
        })
      : null,
    holdDecline: declineView(row.holdDecline),
    chargedTotal: formatYuan(row.chargedTotal),
    settlementIds: around.settlement_ids,
    ...(row.kind === 'inpatient' ? { admission: admissionView(row) } : {}),
    ...(row.filing ? { filing: row.filing as Filing } : {}),
  };
}

function admissionView(row: VisitRow) {
  return {
    admittedAt: row.startedAt.toISOString(),
    insurer: row.mdtrtId ? 'admitted' : 'waiting',
    dischargedAt: row.dischargedAt?.toISOString() ?? null,
  };
}

/** A hold as the contract shows it. */
export function holdView(
  row: Pick<typeof hold.$inferSelect, 'id' | 'status' | 'amount' | 'expiresAt'>,
) {
  return {
    id: row.id,
    status: row.status,
    amount: formatYuan(row.amount),
    expiresAt: row.expiresAt.toISOString(),
  };
}

function declineView(code: string | null) {
  if (!code) return null;
  const known = code as ProblemCode;
  return { code, title: problems[known].title, ...explained(known) };
}

/** Adds `amount` fen (may be negative) to what the visit was charged, and sets its status. */
export async function moveChargedTotal(
  tx: Tx,
  visitId: string,
  amount: bigint,
): Promise<VisitRow['chargedTotal']> {
  const [row] = await rows<{ charged_total: bigint }>(
    tx,
    sql`update visit set charged_total = charged_total + ${amount.toString()}::bigint,
          status = case when exists (select 1 from charge_batch b
              where b.visit_id = ${visitId} and b.settlement_id is null) then 'open'
            when exists (select 1 from charge_batch b where b.visit_id = ${visitId}) then 'settled'
            else 'open' end,
          version = version + 1
        where id = ${visitId} returning charged_total`,
  );
  return row?.charged_total ?? 0n;
}
