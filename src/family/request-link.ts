// A payer opens a link to a child or a parent: kinship first, by the registry (before the transaction)
// or by papers that a person checks. Law: at most 5 active or pending links a payer, whatever races.
import { eq, sql } from 'drizzle-orm';
import { businessNow, rows, type Tx } from '../db/db.ts';
import { citizen, familyLink } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { once, peekKey } from '../http/idempotency.ts';
import type { Call, Reply } from '../http/route.ts';
import { parseIdNumber } from '../identity/id-number.ts';
import { type Citizen, findOrCreateCitizen, readCitizen } from '../identity/people.ts';
import { newId } from '../ids.ts';
import { endAgedLinksOf } from './end-aged-links.ts';
import { comesOfAgeAt, type LinkKind, MAX_LINKS } from './link.ts';
import { etagOf, type LinkRow, linkView, type SealedPapers, tellBoth } from './link-store.ts';
import { openPapersCase } from './papers.ts';
import type { LinkRequest } from './schemas.ts';

/** What the other one must be to the payer. */
const neededRelation = { minorChild: 'child', parentCare: 'parent' } as const satisfies Record<
  LinkKind,
  string
>;

/** The registry may be back in a moment; nobody should hammer it. */
const RETRY_SECONDS = 5;

/**
 * POST /v1/me/family-links. 422 credit/under-age, family/not-a-minor, family/kinship-not-proven,
 * family/too-many; 409 family/already-linked; 503 while the registry does not answer.
 */
export async function requestLink(
  call: Pick<Call, 'deps' | 'key'> & { body: LinkRequest },
  payerId: string,
): Promise<Reply> {
  const { deps, body } = call;
  const replay = await peekKey(deps.db, call.key);
  if (replay) return replay;
  const payer = await readCitizen(deps.db, deps.keyring, payerId);
  refuseByAge(body, payer, await businessNow(deps.db));
  const isProven = await askRegistry(deps, payer, body);
  return once(call, async (tx) => {
    const now = await businessNow(tx);
    refuseByAge(body, payer, now);
    await lockPayer(tx, payerId);
    await refuseSixth(tx, payerId);
    const row = await insertLink(tx, deps, { body, payerId, isProven, now });
    if (!isProven) await openPapersCase(tx, row, now);
    await tellBoth(
      tx,
      row,
      row.status === 'active' ? 'familyLink.active' : 'familyLink.requested',
      now,
    );
    const view = await linkView(tx, deps.keyring, row, { citizenId: payerId, now });
    return { status: 201, body: view, headers: { etag: etagOf(row) } };
  });
}

/** The payer is an adult, and the child of a minorChild link is none. */
function refuseByAge({ kind, beneficiary }: LinkRequest, payer: Citizen, now: Date): void {
  if (comesOfAgeAt(payer.birthDate) > now) throw new Refusal('credit/under-age');
  if (kind === 'minorChild' && comesOfAgeAt(birthDateOf(beneficiary.idNumber)) <= now) {
    throw new Refusal('family/not-a-minor');
  }
}

function birthDateOf(idNumber: string): string {
  const parsed = parseIdNumber(idNumber);
  if (!parsed) throw new Error('the schema lets valid ID numbers in only');
  return parsed.birthDate;
}

/** True: proven by the registry. False: to be proven by the papers that were named. */
async function askRegistry(deps: Deps, payer: Citizen, body: LinkRequest): Promise<boolean> {
  const { kind, beneficiary, papers } = body;
  if (payer.idNumber === beneficiary.idNumber) throw new Refusal('family/kinship-not-proven');
  const relation = await deps.kinship.relationOf(payer.idNumber, beneficiary.idNumber);
  if (relation === 'away') {
    const detail = '亲属关系登记暂不可用 The kinship registry does not answer';
    throw new Refusal('service/unavailable', { detail, retryAfterSeconds: RETRY_SECONDS });
  }
  const isProven = relation === neededRelation[kind];
  if (!isProven && !papers) throw new Refusal('family/kinship-not-proven');
  return isProven;
}

/** Requests of one payer queue up here, so that none overlooks another's link. */
async function lockPayer(tx: Tx, payerId: string): Promise<void> {
  await tx
    .select({ id: citizen.id })
    .from(citizen)
    .where(eq(citizen.id, payerId))
    .for('no key update');
}

async function refuseSixth(tx: Tx, payerId: string): Promise<void> {
  await endAgedLinksOf(tx, payerId);
  const [open] = await rows<{ count: number }>(
    tx,
    sql`
    select count(*)::int as count from family_link
    where payer_citizen_id = ${payerId} and status <> 'ended'`,
  );
  if (open && open.count >= MAX_LINKS) throw new Refusal('family/too-many');
}

/** A child does not accept: asking for the link is the guardian's recorded consent. */
async function insertLink(
  tx: Tx,
  deps: Deps,
  order: { body: LinkRequest; payerId: string; isProven: boolean; now: Date },
): Promise<LinkRow> {
  const { body, payerId, isProven, now } = order;
  // What a citizen says of a stranger names nobody: only a proven relative's word on a name counts.
  const named = isProven ? body.beneficiary : { ...body.beneficiary, name: '' };
  const { citizenId } = await findOrCreateCitizen(tx, deps.keyring, named);
  const known = await readCitizen(tx, deps.keyring, citizenId);
  if (known.name !== '' && known.name !== body.beneficiary.name) {
    const detail = '姓名与身份证号不符 The name does not belong to this ID number';
    throw new Refusal('family/kinship-not-proven', { detail });
  }
  const isChild = body.kind === 'minorChild';
  const [row] = await tx
    .insert(familyLink)
    .values({
      id: newId('familyLink'),
      kind: body.kind,
      payerCitizenId: payerId,
      beneficiaryCitizenId: citizenId,
      status: isChild && isProven ? 'active' : 'pending',
      proof: isProven ? 'registry' : null,
      papers: isProven ? null : sealPapers(deps.keyring, body),
      visitCap: body.visitCap,
      monthlyCap: body.monthlyCap,
      createdAt: now,
      acceptedAt: isChild ? now : null,
      acceptedVia: isChild ? 'guardian' : null,
      endsAt: isChild ? comesOfAgeAt(known.birthDate) : null,
    })
    .onConflictDoNothing()
    .returning();
  if (!row) throw new Refusal('family/already-linked');
  return row as LinkRow;
}

/** The papers, and the name that the payer claims, for whoever checks them. */
function sealPapers(keyring: Deps['keyring'], { papers, beneficiary }: LinkRequest): Buffer | null {
  if (!papers) return null;
  const sealed: SealedPapers = { ...papers, claimedName: beneficiary.name };
  return keyring.seal(JSON.stringify(sealed));
}
