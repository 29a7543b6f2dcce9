// Undoes the insurer's registrations of a cancelled visit: what 2201 (2401) made or may have made is looked
// up, emptied (2205; nothing to cancel is fine) and undone (2202), again and again until it is; of
// inpatients by 2405 where they are out already, 2302 and 2404.
import { and, eq, ne } from 'drizzle-orm';
import { businessNow, transact } from '../db/db.ts';
import { visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { openCase } from '../finance/open-case.ts';
import { tradesOf } from '../insurance/claim-inputs.ts';
import { isRegister } from '../insurance/claim-trades.ts';
import { cancelDischarge2405 } from '../insurance/inpatient-trades.ts';
import { messagesOfVisit, type StoredMessage, storeAnswer } from '../insurance/message-store.ts';
import type { InsuredPerson } from '../insurance/person.ts';
import { findRegistrations, readRegistration } from '../insurance/registration.ts';
import { queryVisits5201 } from '../insurance/trades.ts';
import type { JobHandler } from '../outbox/jobs.ts';
import type { VisitRow } from '../visit/visit-store.ts';
import { type BilledVisit, readUnsettledBill } from './bill.ts';
import { findPerson } from './claim-bill.ts';
import { stayStateOf } from './stay-order.ts';
import { openTalk, type Talk } from './talk.ts';

const BUDGET_MS = 8_000;
const RETRY_SECONDS = 30;
/** An insurer that refuses for a day will not change its mind; the registration harms nobody. */
const MAX_ATTEMPTS = 300;

/** The handler of the job `releaseRegistration`; its subject is the visit. */
export const releaseRegistration: JobHandler = async (deps, job) => {
  const [row] = await deps.db.select().from(visit).where(eq(visit.id, job.subjectId));
  const sent = await messagesOfVisit(deps.db, deps.keyring, job.subjectId);
  const isRegistered = row?.mdtrtId || sent.some((m) => isRegister(m.infno));
  if (!isRegistered) return 'done';
  if (job.attempts > MAX_ATTEMPTS) return giveUp(deps, row);
  const bill = await readUnsettledBill(deps, job.subjectId, []);
  const person = bill.person ?? (await findPerson(deps, bill));
  if (!person) return { retryAfterSeconds: RETRY_SECONDS };
  const talkAbout = (what: string) =>
    openTalk(deps, {
      held: { id: `${job.id}/${job.attempts}/${what}`, leaseToken: '' },
      bill: { ...bill, person },
      isResumed: false,
      deadlineAt: deps.realNow().getTime() + BUDGET_MS,
      trialToken: null,
    });
  const found = await registrationsOf(deps, await talkAbout('find'), bill, person);
  let isDone = found !== null;
  for (const mdtrtId of found ?? []) {
    const talk = await talkAbout(mdtrtId);
    const isReleased = await release(deps, talk, person, { bill, mdtrtId, sent });
    isDone = isDone && isReleased;
  }
  return isDone ? 'done' : { retryAfterSeconds: RETRY_SECONDS };
};

/** A visit at the counter that stays registered harms nobody; a patient left in hospital does. */
async function giveUp(deps: Deps, row: VisitRow | undefined): Promise<{ gaveUp: string }> {
  const reason = 'the insurer does not undo the registration';
  if (row?.kind === 'inpatient') {
    await transact(deps.db, async (tx) =>
      openCase(tx, {
        kind: 'insurance/stay-not-closed',
        subjectId: row.id,
        hospitalCode: row.hospitalCode,
        reason,
        detail: { step: 'release' },
        now: await businessNow(tx),
      }),
    );
  }
  return { gaveUp: reason };
}

/** Registrations the insurer confirmed, and those of a doubtful 2201 or 2401 that 5201 knows; null = offline. */
async function registrationsOf(
  deps: Deps,
  talk: Talk,
  bill: BilledVisit,
  person: InsuredPerson,
): Promise<string[] | null> {
  const sent = await messagesOfVisit(deps.db, deps.keyring, bill.visit.id);
  const registering = sent.filter((m) => isRegister(m.infno));
  const known = registering.flatMap((m) =>
    m.answer?.outcome === 'ok' ? [readRegistration(m.answer.output)] : [],
  );
  const isDoubtful = registering.some((m) => !m.answer || m.answer.outcome === 'offline');
  if (!isDoubtful) return known.filter((id) => id !== null);
  const period = { from: bill.claimVisit.startedAt, to: deps.realNow() };
  const listed = await talk.ask('5201', queryVisits5201(person, bill.claimVisit, period));
  const taken = await registrationsOfNamesakes(deps, bill);
  if (listed.outcome !== 'ok' || taken === null) return null;
  return findRegistrations(listed.output, bill.visit.visitNumber).filter((id) => !taken.has(id));
}

/**
 * The number of a cancelled visit is free again: what 5201 lists may be the next visit's. Null while
 * such a visit does not know its own yet.
 */
async function registrationsOfNamesakes(
  deps: Deps,
  bill: BilledVisit,
): Promise<Set<string> | null> {
  const { id, hospitalCode, visitNumber } = bill.visit;
  const others = await deps.db
    .select({ id: visit.id, mdtrtId: visit.mdtrtId, status: visit.status })
    .from(visit)
    .where(
      and(
        eq(visit.hospitalCode, hospitalCode),
        eq(visit.visitNumber, visitNumber),
        ne(visit.id, id),
        ne(visit.status, 'cancelled'),
      ),
    );
  const taken = new Set<string>();
  for (const other of others) {
    if (other.mdtrtId) taken.add(other.mdtrtId);
    for (const { infno, answer } of await messagesOfVisit(deps.db, deps.keyring, other.id)) {
      if (!isRegister(infno)) continue;
      if (!answer || answer.outcome === 'offline') return null;
      const mdtrtId = answer.outcome === 'ok' ? readRegistration(answer.output) : null;
      if (mdtrtId) taken.add(mdtrtId);
    }
  }
  return taken;
}

async function release(
  deps: Deps,
  talk: Talk,
  person: InsuredPerson,
  what: { bill: BilledVisit; mdtrtId: string; sent: readonly StoredMessage[] },
): Promise<boolean> {
  const { claimVisit } = what.bill;
  const { cancelUpload, cancelRegistration, input } = tradesOf(claimVisit);
  const isBack = await isInHospital(talk, person, what);
  const emptied =
    isBack && (await talk.change(cancelUpload, input.cancelUpload(person, what.mdtrtId)));
  if (talk.unsaved) {
    await storeAnswer(deps.db, deps.keyring, talk.unsaved.msgid, talk.unsaved.answer);
  }
  if (!emptied || emptied.outcome === 'offline') return false;
  const order = input.cancelRegistration(person, claimVisit, what.mdtrtId);
  const released = await talk.ask(cancelRegistration, order);
  return released.outcome === 'ok' || released.outcome === 'alreadyDone';
}

/** An admission is undone only while the patient is in hospital: 2405, whose no means that they are. */
async function isInHospital(
  talk: Talk,
  person: InsuredPerson,
  what: { bill: BilledVisit; mdtrtId: string; sent: readonly StoredMessage[] },
): Promise<boolean> {
  if (!what.bill.claimVisit.stay) return true;
  const state = stayStateOf(what.sent, what.mdtrtId);
  if (state === 'admitted' || state === 'released') return true;
  const { outcome } = await talk.change('2405', cancelDischarge2405(person, what.mdtrtId));
  return outcome !== 'offline' && outcome !== 'unknown';
}
