// Whose line a visit uses: the payer that was named, else the patient with a line of their own, else the
// only active family link, else nobody (domain.md, Family). Whether a link gives credit is decided by the
// hold's own statement, again each time; here only a link that is not this patient's is turned away.
import { and, eq, type SQL, sql } from 'drizzle-orm';
import { businessNow, rows, type Tx } from '../db/db.ts';
import { familyLink, visit } from '../db/schema.ts';
import type { ProblemCode } from '../errors.ts';
import { type LinkTerms, refusalOfLink } from '../family/link.ts';
import type { VisitRow } from './visit-store.ts';

export interface Payer {
  /** "self", a link's id, or null: nobody. */
  payer: string | null;
  citizenId: string | null;
  /** Why no hold need be tried. */
  decline: ProblemCode | null;
}

/** Who could pay for a citizen: columns of a row, for `payerAmong`. */
export const payersOf = (citizenId: SQL | string): SQL => sql`
  exists (
    select from credit_line where citizen_id = ${citizenId} and status <> 'closed') as has_line,
  coalesce((
    select jsonb_agg(jsonb_build_object('id', f.id, 'payer', f.payer_citizen_id))
    from family_link f
    where f.beneficiary_citizen_id = ${citizenId} and f.status = 'active'
      and (f.ends_at is null or f.ends_at > business_now())), '[]') as links`;

export interface Payers {
  has_line: boolean;
  links: { id: string; payer: string }[];
}

const nobody = { payer: null, citizenId: null };

/** The payer of a patient (null: unnamed) for what a terminal asked, "self", a link's id or nothing. */
export async function choosePayer(
  tx: Tx,
  citizenId: string | null,
  asked: string | undefined,
  payers: Payers,
): Promise<Payer> {
  if (!citizenId) return { ...nobody, decline: 'credit/not-enrolled' };
  if (asked === 'self') return { payer: 'self', citizenId, decline: null };
  if (asked !== undefined) return namedLink(tx, citizenId, asked);
  return payerAmong(citizenId, payers);
}

/** The patient's own line, else the only link, else nobody. Pure. */
function payerAmong(citizenId: string, { has_line, links }: Payers): Payer {
  if (has_line) return { payer: 'self', citizenId, decline: null };
  const [only, ...others] = links;
  if (!only || others.length > 0) return { ...nobody, decline: 'credit/not-enrolled' };
  return { payer: only.id, citizenId: only.payer, decline: null };
}

/** The payer of a patient for whom nobody named one. */
export async function usualPayer(tx: Tx, citizenId: string): Promise<Payer> {
  const [payers] = await rows<Payers>(tx, sql`select ${payersOf(citizenId)}`);
  return payers ? payerAmong(citizenId, payers) : { ...nobody, decline: 'credit/not-enrolled' };
}

/** A link of this patient that gives no credit now may give it later: it stays the visit's payer. */
async function namedLink(tx: Tx, citizenId: string, linkId: string): Promise<Payer> {
  const [link] = await tx
    .select()
    .from(familyLink)
    .where(and(eq(familyLink.id, linkId), eq(familyLink.beneficiaryCitizenId, citizenId)));
  if (!link) return { payer: null, citizenId: null, decline: 'family/not-linked' };
  const decline = refusalOfLink(link as LinkTerms, await businessNow(tx));
  return { payer: link.id, citizenId: link.payerCitizenId, decline };
}

/**
 * Nobody could pay when the visit was opened: somebody may since have enrolled, or accepted a link. The
 * caller holds the visit's lock.
 */
export async function choosePayerAgain(tx: Tx, row: VisitRow): Promise<VisitRow> {
  const isOpen = row.payer === null && row.holdDecline !== 'family/not-linked';
  if (!isOpen || !row.citizenId) return row;
  const { payer, citizenId } = await usualPayer(tx, row.citizenId);
  if (!payer) return row;
  const change = { payer, payerCitizenId: citizenId };
  await tx.update(visit).set(change).where(eq(visit.id, row.id));
  return { ...row, ...change };
}
