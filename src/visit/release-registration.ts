// Undoes the insurer's registration of a cancelled visit: 2205 (nothing to cancel is fine), then 2202.
import { eq } from 'drizzle-orm';
import { hospital, visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import type { Answer, Infno } from '../insurance/insurer.ts';
import { messagesOfVisit, newMessageId } from '../insurance/message-store.ts';
import { openPerson } from '../insurance/person.ts';
import { readRegistration } from '../insurance/registration.ts';
import { cancelRegistration2202, feeCancel2205 } from '../insurance/trades.ts';
import type { JobHandler } from '../outbox/jobs.ts';

const DEADLINE_MS = 5_000;
const RETRY_SECONDS = 30;

/** The handler of the job `releaseRegistration`; its subject is the visit. */
export const releaseRegistration: JobHandler = async (deps, job) => {
  const [found] = await deps.db
    .select({ visit, hospital })
    .from(visit)
    .innerJoin(hospital, eq(hospital.code, visit.hospitalCode))
    .where(eq(visit.id, job.subjectId));
  if (!found?.visit.insuredPerson) return 'done';
  const person = openPerson(deps.keyring, found.visit.insuredPerson);
  const ask = async (infno: Infno, input: Record<string, unknown>): Promise<Answer> =>
    deps.insurer.send(
      {
        infno,
        msgid: await newMessageId(deps.db, found.hospital.code, deps.realNow()),
        hospital: found.hospital,
        insuredRegion: person.insuredRegion,
        operator: { id: 'egret', name: '白鹭' },
        input,
      },
      DEADLINE_MS,
    );
  for (const mdtrtId of await registrationsOf(deps, found.visit)) {
    const emptied = await ask('2205', feeCancel2205(person, mdtrtId));
    if (emptied.outcome === 'offline') return { retryAfterSeconds: RETRY_SECONDS };
    const released = await ask('2202', cancelRegistration2202(person, found.visit, mdtrtId));
    if (released.outcome === 'offline') return { retryAfterSeconds: RETRY_SECONDS };
  }
  return 'done';
};

/** Every registration that the insurer confirmed for this visit. */
async function registrationsOf(
  deps: Deps,
  row: { id: string; mdtrtId: string | null },
): Promise<string[]> {
  const known = new Set(row.mdtrtId ? [row.mdtrtId] : []);
  for (const { infno, answer } of await messagesOfVisit(deps.db, deps.keyring, row.id)) {
    const mdtrtId = infno === '2201' && answer?.outcome === 'ok' && readRegistration(answer.output);
    if (mdtrtId) known.add(mdtrtId);
  }
  return [...known];
}
