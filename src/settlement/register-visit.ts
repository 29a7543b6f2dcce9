// The registration of a visit at the insurer (2201). Law: an unknown 2201 is looked up by 5201 before
// another is sent, and nobody uses a registration that another run or visit made for itself.
import { and, eq, ne, sql } from 'drizzle-orm';
import { rows } from '../db/db.ts';
import { visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { messagesOfVisit } from '../insurance/message-store.ts';
import type { InsuredPerson } from '../insurance/person.ts';
import { findRegistrations, readRegistration } from '../insurance/registration.ts';
import { queryVisits5201, register2201 } from '../insurance/trades.ts';
import { type ClaimRun, must, Stop } from './claim-run.ts';

/** 2201, unless the visit is registered already or an unknown 2201 turns up in 5201. */
export async function registerVisit(run: ClaimRun, person: InsuredPerson): Promise<string> {
  const { bill, isFresh, isNewVisit } = run.order;
  const earlier = isNewVisit ? [] : await messagesAtCounter(run.deps, bill.visit.id);
  const before = earlier.filter((m) => m.intentId !== run.order.held.id);
  const isDoubtful = hasDoubtful(earlier);
  if (!isFresh) {
    run.isUploaded = before.some((m) => m.infno === '2204');
    const known = bill.visit.mdtrtId ?? registrationIn(earlier);
    run.mdtrtId = known ?? (isDoubtful ? await findRegistration(run, person, earlier) : null);
    if (run.mdtrtId) return run.mdtrtId;
  }
  // Here 5201 has shown that a doubtful 2201 was not executed (or a fresh one is wanted anyway).
  const register = run.talk.change('2201', register2201(person, bill.claimVisit), 'inDoubt');
  const output = await must(register);
  run.mdtrtId = readRegistration(output);
  run.isUploaded = false;
  if (!run.mdtrtId) throw new Stop('offline', '2201 answered without mdtrt_id');
  return run.mdtrtId;
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

/** The newest registration that the insurer confirmed for this visit. */
function registrationIn(messages: Earlier): string | null {
  for (const { infno, answer } of [...messages].reverse()) {
    if (infno === '2201' && answer?.outcome === 'ok') return readRegistration(answer.output);
  }
  return null;
}

const hasDoubtful = (messages: Earlier) =>
  messages.some((m) => m.infno === '2201' && (!m.answer || m.answer.outcome === 'offline'));

/** An unknown 2201 is looked up by 5201 (ipt_otp_no = visitNumber) before another is sent. */
async function findRegistration(run: ClaimRun, person: InsuredPerson, earlier: Earlier) {
  const { claimVisit } = run.order.bill;
  const firstSent = earlier.find((m) => m.infno === '2201')?.sentAt ?? claimVisit.startedAt;
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
