// Rows of family links: finding, locking, and the view that the two people of a link see.
import { and, desc, eq, lt, or, sql } from 'drizzle-orm';
import { monthOf } from '../credit/family-sql.ts';
import { type Db, rows, type Tx } from '../db/db.ts';
import { citizen, familyLink } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { maskIdNumber, maskName } from '../identity/id-number.ts';
import type { Keyring } from '../identity/keyring.ts';
import { type Citizen, openCitizen } from '../identity/people.ts';
import { formatYuan } from '../money.ts';
import { type NewEvent, recordEvents } from '../outbox/events.ts';
import { type LinkKind, type LinkStatus, statusAt } from './link.ts';

export type LinkRow = Omit<typeof familyLink.$inferSelect, 'kind' | 'status'> & {
  kind: LinkKind;
  status: LinkStatus;
};

/** Locks a link of which this citizen is payer or beneficiary; 404 for anybody else's. */
export async function lockLink(tx: Tx, linkId: string, citizenId: string): Promise<LinkRow> {
  const [row] = await tx
    .select()
    .from(familyLink)
    .where(and(eq(familyLink.id, linkId), isOf(citizenId)))
    .for('update');
  if (!row) throw new Refusal('resource/not-found');
  return row as LinkRow;
}

/** Reads a link of which this citizen is payer or beneficiary; 404 for anybody else's. */
export async function readLink(tx: Tx | Db, linkId: string, citizenId: string): Promise<LinkRow> {
  const [row] = await tx
    .select()
    .from(familyLink)
    .where(and(eq(familyLink.id, linkId), isOf(citizenId)));
  if (!row) throw new Refusal('resource/not-found');
  return row as LinkRow;
}

/** A citizen's links as payer and as beneficiary, newest first, from before the cursor id on. */
export async function listLinks(
  db: Db,
  citizenId: string,
  window: { before: string | null; count: number },
): Promise<LinkRow[]> {
  const found = await db
    .select()
    .from(familyLink)
    .where(and(isOf(citizenId), window.before ? lt(familyLink.id, window.before) : undefined))
    .orderBy(desc(familyLink.id))
    .limit(window.count);
  return found as LinkRow[];
}

function isOf(citizenId: string) {
  return or(
    eq(familyLink.payerCitizenId, citizenId),
    eq(familyLink.beneficiaryCitizenId, citizenId),
  );
}

/** Saves what changed of a locked link; its version, and so its ETag, moves on. */
export async function saveLink(
  tx: Tx,
  row: LinkRow,
  change: Partial<typeof familyLink.$inferInsert>,
): Promise<LinkRow> {
  const [saved] = await tx
    .update(familyLink)
    .set({ ...change, version: row.version + 1 })
    .where(eq(familyLink.id, row.id))
    .returning();
  return (saved ?? row) as LinkRow;
}

/** Tells both people of a link of a fact; no name and no amount goes with it. */
export function tellBoth(
  tx: Tx,
  row: LinkRow,
  type: Extract<NewEvent['type'], `familyLink.${string}`>,
  at: Date,
): Promise<void> {
  const reason = row.endReason ? { reason: row.endReason } : {};
  const data = { linkId: row.id, kind: row.kind, ...reason };
  const people = [row.payerCitizenId, row.beneficiaryCitizenId];
  return recordEvents(
    tx,
    people.map((citizenId) => ({ type, citizenId, data, occurredAt: at })),
  );
}

/** What a link keeps, encrypted, of a kinship that papers are to prove. */
export interface SealedPapers {
  kind: string;
  number: string;
  /** What the payer calls the beneficiary; it names nobody in the city. Absent on older links. */
  claimedName?: string;
}

/** The payer and the beneficiary of a link, decrypted; one we have no name of as the payer calls them. */
export async function peopleOf(
  tx: Tx | Db,
  keyring: Keyring,
  row: Pick<LinkRow, 'payerCitizenId' | 'beneficiaryCitizenId' | 'papers'>,
): Promise<{ payer: Citizen; beneficiary: Citizen }> {
  const found = await tx
    .select()
    .from(citizen)
    .where(or(eq(citizen.id, row.payerCitizenId), eq(citizen.id, row.beneficiaryCitizenId)));
  const known = found.map((each) => openCitizen(keyring, each));
  const payer = known.find((each) => each.id === row.payerCitizenId);
  const beneficiary = known.find((each) => each.id === row.beneficiaryCitizenId);
  if (!payer || !beneficiary) throw new Error('a link has two people');
  const name = beneficiary.name || (openPapers(keyring, row)?.claimedName ?? '');
  return { payer, beneficiary: { ...beneficiary, name } };
}

/** The papers of a link; null when it has none. */
export function openPapers(
  keyring: Keyring,
  { papers }: Pick<LinkRow, 'papers'>,
): SealedPapers | null {
  return papers ? (JSON.parse(keyring.open(papers)) as SealedPapers) : null;
}

/** Fen that the holds of this month (Shanghai) carry. */
async function usedThisMonth(tx: Tx | Db, row: LinkRow, now: Date): Promise<bigint> {
  const [month] = await rows<{ month: string }>(
    tx,
    sql`select ${monthOf(sql`${now.toISOString()}::timestamptz`)} as month`,
  );
  return BigInt(row.usedByMonth[month?.month ?? ''] ?? '0');
}

/** The strong validator of a link's terms; what is used of its caps is not part of it. */
export const etagOf = (row: Pick<LinkRow, 'version'>): string => `"${row.version}"`;

/** The link as its two people see it; names and numbers masked. */
export async function linkView(
  tx: Tx | Db,
  keyring: Keyring,
  row: LinkRow,
  of: { citizenId: string; now: Date },
) {
  const [{ payer, beneficiary }, used] = await Promise.all([
    peopleOf(tx, keyring, row),
    usedThisMonth(tx, row, of.now),
  ]);
  return {
    ...termsView(row, of.now),
    role: row.payerCitizenId === of.citizenId ? 'payer' : 'beneficiary',
    payer: masked(payer),
    beneficiary: masked(beneficiary),
    visitCap: formatYuan(row.visitCap),
    monthlyCap: formatYuan(row.monthlyCap),
    usedThisMonth: formatYuan(used),
  };
}

/** What a terminal may see of a link: that it is there, never its caps. */
export function termsView(row: LinkRow, now: Date) {
  const status = statusAt(row, now);
  const isOver = status === 'ended' && row.status !== 'ended';
  const endedAt = isOver ? row.endsAt : row.endedAt;
  return {
    id: row.id,
    kind: row.kind,
    status,
    kinship: row.proof ?? 'toBeChecked',
    createdAt: row.createdAt.toISOString(),
    acceptedAt: row.acceptedAt?.toISOString() ?? null,
    acceptedVia: row.acceptedVia,
    endsAt: row.endsAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
    endReason: isOver ? 'ageOut' : row.endReason,
    etag: etagOf(row),
  };
}

const masked = ({ name, idNumber }: Citizen) => ({
  name: maskName(name),
  idNumber: maskIdNumber(idNumber),
});
