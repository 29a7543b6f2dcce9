// Rows of payouts and their legs. Law: legs of a payout that is declined or returned are free again.
import { and, eq, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { payout } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import type { OpenLeg } from '../ledger/undo.ts';
import type { Fen } from '../money.ts';
import type { LegKind } from './payout.ts';

export type PayoutRow = typeof payout.$inferSelect;

/** Who asks: a finance role may be limited to one hospital. */
export interface Scope {
  hospitalCode: string | null;
}

export interface LegRow {
  position: number;
  kind: LegKind;
  entryId: string | null;
  settlementId: string | null;
  receiptNumber: string | null;
  carriedFrom: string | null;
  /** Fen, signed. */
  amount: Fen;
}

export interface GrossRow {
  payoutId: string;
  kind: LegKind;
  count: number;
  amount: Fen;
}

/** A payout that this person may see; 404 for another hospital's. */
export async function findPayout(db: Db | Tx, scope: Scope, id: string): Promise<PayoutRow> {
  const [row] = await db
    .select()
    .from(payout)
    .where(and(eq(payout.id, id), ownHospital(scope)));
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** The same, locked for the rest of the transaction. */
export async function lockPayout(tx: Tx, scope: Scope, id: string): Promise<PayoutRow> {
  const [row] = await tx
    .select()
    .from(payout)
    .where(and(eq(payout.id, id), ownHospital(scope)))
    .for('update');
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

function ownHospital({ hospitalCode }: Scope) {
  return hospitalCode ? eq(payout.hospitalCode, hospitalCode) : undefined;
}

/** Newest first, from before the cursor id on. */
export async function listPayouts(
  db: Db,
  scope: Scope,
  filter: {
    businessDate?: string | undefined;
    status?: string | undefined;
    lender?: string | undefined;
    hospitalCode?: string | undefined;
  },
  window: { before: string | null; count: number },
): Promise<PayoutRow[]> {
  const { businessDate, status, lender, hospitalCode } = filter;
  return db
    .select()
    .from(payout)
    .where(
      and(
        ownHospital(scope),
        businessDate ? eq(payout.businessDate, businessDate) : undefined,
        status ? eq(payout.status, status) : undefined,
        lender ? eq(payout.lender, lender) : undefined,
        hospitalCode ? eq(payout.hospitalCode, hospitalCode) : undefined,
        window.before ? sql`${payout.id} < ${window.before}` : undefined,
      ),
    )
    .orderBy(sql`${payout.id} desc`)
    .limit(window.count);
}

/** What each payout lists, gross, summed by kind. */
export function grossOf(db: Db | Tx, payoutIds: readonly string[]): Promise<GrossRow[]> {
  return rows<GrossRow>(
    db,
    sql`
    select l.payout_id as "payoutId", l.kind, count(*)::int as count, sum(l.amount)::bigint as amount
    from payout_leg l
    where l.payout_id in (select jsonb_array_elements_text(${JSON.stringify(payoutIds)}::jsonb))
    group by l.payout_id, l.kind order by l.payout_id, l.kind`,
  );
}

/** Legs in their order, from after position `after` on. */
export function legsOf(
  db: Db | Tx,
  payoutId: string,
  window: { after: number; count: number | null },
): Promise<LegRow[]> {
  return rows<LegRow>(
    db,
    sql`
    select l.position, l.kind, l.entry_id as "entryId", l.settlement_id as "settlementId",
      s.receipt_number as "receiptNumber", l.carried_from as "carriedFrom", l.amount
    from payout_leg l left join settlement s on s.id = l.settlement_id
    where l.payout_id = ${payoutId} and l.position > ${window.after}::int
    order by l.position limit ${window.count}::int`,
  );
}

/** What a payout has in the books, and how much of each leg is left to undo; newest first. */
export function postedLegs(tx: Tx, payoutId: string): Promise<OpenLeg[]> {
  return rows<OpenLeg>(
    tx,
    sql`
    select p.entry_id as "entryId", p.leg, e.fact, p.owner_kind as "ownerKind", p.owner, p.account,
      p.amount, p.undone, p.counterparty, p.citizen_id as "citizenId",
      p.settlement_id as "settlementId", p.claim_id as "claimId", p.reference
    from journal_entry e join posting p on p.entry_id = e.id
    where e.fact in ('payout.sent', 'payout.confirmed') and e.subject_id = ${payoutId}
      and p.undone < abs(p.amount)
    order by e.recorded_at desc, p.entry_id desc, p.leg desc`,
  );
}

/** Its legs wait for another payout; what it had carried is to be carried again. */
export async function freeLegs(tx: Tx, payoutId: string): Promise<void> {
  await rows(
    tx,
    sql`
    with freed as (
      update payout_leg set is_live = false where payout_id = ${payoutId} and is_live
    )
    update payout set carried_into = null where carried_into = ${payoutId}`,
  );
}
