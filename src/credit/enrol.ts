// Law: credit needs a real adult, a lender of the citizen's choice, every consent, and a score; one
// open line a citizen, whatever races (domain.md, Credit).
import { and, asc, eq, isNull, sql } from 'drizzle-orm';
import { businessNow, type Db, rows, type Tx } from '../db/db.ts';
import { citizen, consent, creditLine, lender } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { once, peekKey } from '../http/idempotency.ts';
import type { Call, Reply } from '../http/route.ts';
import { ageAt } from '../identity/id-number.ts';
import { readCitizen } from '../identity/people.ts';
import { newId } from '../ids.ts';
import { recordEvent } from '../outbox/events.ts';
import { explainLine } from './explain-line.ts';
import { creditLineView, type LineRow, lockLine } from './line-store.ts';
import { grantOf, readAgreement, readCreditPolicy, readLenderProduct } from './policy.ts';
import { type ConsentKind, consentKinds, type Enrolment } from './schemas.ts';
import type { Score } from './score-provider.ts';

const ADULT_YEARS = 18;

/** Opens the citizen's line. The score is asked before the transaction: it is a network call. */
export async function enrol(
  call: Pick<Call, 'deps' | 'key'> & { body: Enrolment },
  citizenId: string,
): Promise<Reply> {
  const { deps, body } = call;
  const replay = await peekKey(deps.db, call.key);
  if (replay) return replay;
  await refuseIfEnrolled(deps.db, citizenId);
  const score = await scoreOfAdult(deps, citizenId, body);
  return once(call, async (tx) => {
    const line = await openLine(tx, citizenId, body, score);
    await replaceConsents(tx, citizenId, body.consents, body.agreementVersion, line.openedAt);
    const { bankCode, token } = body.repaymentAccount;
    await tx
      .update(citizen)
      .set({ bankCode, bankAccount: deps.keyring.seal(token) })
      .where(eq(citizen.id, citizenId));
    await recordEvent(tx, {
      type: 'line.enrolled',
      citizenId,
      data: { lineId: line.id, lender: line.lender },
      occurredAt: line.openedAt,
    });
    const explanation = await explainLine(tx, line);
    return { status: 201, body: { ...creditLineView(line), explanation } };
  });
}

/** Closes the line while nothing is held or owed; the consents end with it. */
export async function closeLine(tx: Tx, citizenId: string): Promise<void> {
  const line = await lockLine(tx, citizenId);
  // What the lender wrote off it still claims: nobody leaves it behind and enrols anew.
  const claimed = await rows(
    tx,
    sql`select 1 from receivable where line_id = ${line.id} and written_off > 0 limit 1`,
  );
  const isFree = line.held === 0n && line.outstanding === 0n && claimed.length === 0;
  if (!isFree) throw new Refusal('credit/debt-open');
  const now = await businessNow(tx);
  await tx
    .update(creditLine)
    .set({ status: 'closed', closedAt: now })
    .where(eq(creditLine.id, line.id));
  await replaceConsents(tx, citizenId, [], line.agreementVersion, now);
  const data = { lineId: line.id };
  await recordEvent(tx, { type: 'line.closed', citizenId, data, occurredAt: now });
}

/**
 * Sets which consents hold from now on. Without all of them the line gives no more credit; holds,
 * debts and late claims that exist go on. 404 without a line.
 */
export async function setConsents(
  tx: Tx,
  citizenId: string,
  kinds: readonly ConsentKind[],
  agreementVersion?: string,
): Promise<void> {
  const line = await lockLine(tx, citizenId);
  const now = await businessNow(tx);
  await replaceConsents(tx, citizenId, kinds, agreementVersion ?? line.agreementVersion, now);
  const consented = isComplete(kinds);
  if (consented === line.consented) return;
  await tx.update(creditLine).set({ consented }).where(eq(creditLine.id, line.id));
  if (consented) return;
  const data = { lineId: line.id };
  await recordEvent(tx, { type: 'consent.withdrawn', citizenId, data, occurredAt: now });
}

async function refuseIfEnrolled(db: Db, citizenId: string): Promise<void> {
  const found = await rows(
    db,
    sql`
    select 1 from credit_line where citizen_id = ${citizenId} and status <> 'closed'`,
  );
  if (found.length > 0) throw new Refusal('credit/already-enrolled');
}

async function scoreOfAdult(deps: Deps, citizenId: string, body: Enrolment): Promise<Score> {
  const person = await readCitizen(deps.db, deps.keyring, citizenId);
  const [today] = await rows<{ date: string }>(
    deps.db,
    sql`
    select business_date(business_now())::text as date`,
  );
  if (!today || ageAt(person.birthDate, today.date) < ADULT_YEARS) {
    throw new Refusal('credit/under-age');
  }
  if (!isComplete(body.consents)) throw new Refusal('credit/consent-missing');
  const score = await deps.scores.scoreOf({ name: person.name, idNumber: person.idNumber });
  if (!score) throw new Refusal('credit/score-unavailable');
  return score;
}

async function openLine(
  tx: Tx,
  citizenId: string,
  body: Enrolment,
  score: Score,
): Promise<LineRow> {
  const { versions } = await readAgreement(tx);
  if (versions && !versions.includes(body.agreementVersion)) {
    throw new Refusal('credit/agreement-outdated');
  }
  const code = await chooseLender(tx, body.lender);
  const { product } = await readLenderProduct(tx, code);
  const policy = await readCreditPolicy(tx);
  const { tier, ...amounts } = grantOf(policy.data, score.value);
  const [line] = await tx
    .insert(creditLine)
    .values({
      id: newId('creditLine'),
      citizenId,
      lender: code,
      product,
      status: 'active',
      ...amounts,
      scoreValue: score.value,
      scoreTier: tier,
      scoreAsOf: score.asOf,
      policyVersion: policy.version,
      agreementVersion: body.agreementVersion,
      openedAt: await businessNow(tx),
    })
    .onConflictDoNothing()
    .returning();
  if (!line) throw new Refusal('credit/already-enrolled');
  return line;
}

/** The lender that was asked for, else the first. */
async function chooseLender(tx: Tx, asked: string | undefined): Promise<string> {
  const [found] = await tx
    .select({ code: lender.code })
    .from(lender)
    .where(asked === undefined ? undefined : eq(lender.code, asked))
    .orderBy(asc(lender.code))
    .limit(1);
  if (!found) throw new Refusal('credit/lender-unknown');
  return found.code;
}

async function replaceConsents(
  tx: Tx,
  citizenId: string,
  kinds: readonly ConsentKind[],
  agreementVersion: string,
  at: Date,
): Promise<void> {
  const live = and(eq(consent.citizenId, citizenId), isNull(consent.withdrawnAt));
  const given = await tx.select().from(consent).where(live);
  for (const row of given) {
    const isKept = kinds.some((kind) => kind === row.kind);
    if (isKept && row.agreementVersion === agreementVersion) continue;
    await tx
      .update(consent)
      .set({ withdrawnAt: at })
      .where(and(live, eq(consent.kind, row.kind)));
  }
  for (const kind of new Set(kinds)) {
    await tx
      .insert(consent)
      .values({ citizenId, kind, agreementVersion, grantedAt: at })
      .onConflictDoNothing();
  }
}

function isComplete(kinds: readonly ConsentKind[]): boolean {
  return consentKinds.every((kind) => kinds.includes(kind));
}
