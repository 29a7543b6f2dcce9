// The registration of a visit at the insurer (2201, of an inpatient 2401). Law: an unknown one is looked
// up by 5201 before another is sent, and nobody uses a registration that another run or visit made for itself.
import { and, eq, ne, sql } from 'drizzle-orm';
import { rows } from '../db/db.ts';
import { visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { tradesOf } from '../insurance/claim-inputs.ts';
import { isRegister, isUpload } from '../insurance/claim-trades.ts';
import { messagesOfVisit } from '../insurance/message-store.ts';
import type { InsuredPerson } from '../insurance/person.ts';
import { findRegistrations, readRegistration } from '../insurance/registration.ts';
import { queryVisits5201 } from '../insurance/trades.ts';
import { type ClaimRun, must, Stop } from './claim-run.ts';
import { readmit, stayStateOf } from './stay-order.ts';

/** 2201 (2401), unless the visit is registered already or an unknown one turns up in 5201. */
export async function registerVisit(run: ClaimRun, person: InsuredPerson): Promise<string> {
  const { bill, isFresh, isNewVisit } = run.order;
  const earlier = isNewVisit ? [] : await messagesAtCounter(run.deps, bill.visit.id);
  const before = earlier.filter((m) => m.intentId !== run.order.held.id);
  const isDoubtful = hasDoubtful(earlier);
  if (!isFresh) {
    run.isUploaded = before.some((m) => isUpload(m.infno));
    const known = bill.visit.mdtrtId ?? registrationIn(earlier);
    const found = known ?? (isDoubtful ? await findRegistration(run, person, earlier) : null);
    if (found && !(await isClosedStay(run, found))) {
      run.mdtrtId = found;
      await readmit(run, person, { mdtrtId: found, earlier: before });
      return found;
    }
  }
  // Here 5201 has shown that a doubtful one was not executed (or a fresh one is wanted anyway).
  const { register, input } = tradesOf(bill.claimVisit);
  const registering = run.talk.change(register, input.register(person, bill.claimVisit), 'inDoubt');
  const output = await must(registering);
  run.mdtrtId = readRegistration(output);
  run.isUploaded = false;
  if (!run.mdtrtId) throw new Stop('offline', `${register} answered without mdtrt_id`);
  return run.mdtrtId;
}

/** A stay that its last settlement closed is not opened again: what came later is a record of its own. */
async function isClosedStay(run: ClaimRun, mdtrtId: string): Promise<boolean> {
  if (!run.order.bill.claimVisit.stay) return false;
  const closed = await rows(
    run.deps.db,
    sql`
    select 1 from claim c join settlement s on s.id = c.settlement_id
    where s.visit_id = ${run.order.bill.visit.id} and c.mdtrt_id = ${mdtrtId}
      and c.status = 'live' and not s.is_interim limit 1`,
  );
  return closed.length > 0;
}

type Earlier = Awaited<ReturnType<typeof messagesOfVisit>>;

/** Refunds and conversions register anew for themselves: their registrations are nobody else's. */
async function messagesAtCounter(deps: Deps, visitId: string): Promise<Earlier> {
  const all = await messagesOfVisit(deps.db, deps.keyring, visitId);
  if (all.length === 0) return all;
  const foreign = await rows<{ id: string }>(
    deps.db,
    sql`
    select id from intent where visit_id = ${visitId} and kind in ('refund', 'convert')`,
  );
  const ids = new Set(foreign.map((row) => row.id));
  return all.filter((message) => !ids.has(message.intentId));
}

/** The newest registration that the insurer confirmed for this visit and that was not undone since. */
function registrationIn(messages: Earlier): string | null {
  for (const { infno, answer } of [...messages].reverse()) {
    if (!isRegister(infno) || answer?.outcome !== 'ok') continue;
    const mdtrtId = readRegistration(answer.output);
    if (mdtrtId && stayStateOf(messages, mdtrtId) !== 'released') return mdtrtId;
  }
  return null;
}

const hasDoubtful = (messages: Earlier) =>
  messages.some((m) => isRegister(m.infno) && (!m.answer || m.answer.outcome === 'offline'));

/** An unknown 2201 or 2401 is looked up by 5201 (ipt_otp_no = visitNumber) before another is sent. */
async function findRegistration(run: ClaimRun, person: InsuredPerson, earlier: Earlier) {
  const { claimVisit } = run.order.bill;
  const firstSent = earlier.find((m) => isRegister(m.infno))?.sentAt ?? claimVisit.startedAt;
  const period = {
    from: new Date(Math.min(firstSent.getTime(), claimVisit.startedAt.getTime())),
    to: run.deps.realNow(),
  };
  const listed = await must(run.talk.ask('5201', queryVisits5201(person, claimVisit, period)));
  const taken = await registrationsOfNamesakes(run);
  return findRegistrations(listed, claimVisit.visitNumber).findLast((id) => !taken.has(id)) ?? null;
}

/** The number of a cancelled visit is free again: its registration is not the next visit's. */
async function registrationsOfNamesakes(run: ClaimRun): Promise<Set<string>> {
  const { id, hospitalCode, visitNumber } = run.order.bill.visit;
  const others = await run.deps.db
    .select({ mdtrtId: visit.mdtrtId })
    .from(visit)
    .where(
      and(
        eq(visit.hospitalCode, hospitalCode),
        eq(visit.visitNumber, visitNumber),
        ne(visit.id, id),
      ),
    );
  return new Set(others.flatMap((other) => other.mdtrtId ?? []));
}
