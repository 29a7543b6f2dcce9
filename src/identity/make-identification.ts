// Use case: a terminal identifies somebody and gets an id to go on with for ten minutes.
// The first credential is used up here; the identification itself by the opening of the visit.
import { eq } from 'drizzle-orm';
import { transact } from '../db/db.ts';
import { hospital } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import type { Fen } from '../money.ts';
import { logAccess } from './access-log.ts';
import type { Credential } from './credential-schema.ts';
import { isOwnAct } from './credential-strength.ts';
import { COUNTER_LOOKUP_MS, identify, proofOf, terminalOperator } from './credentials.ts';
import { maskIdNumber, maskName } from './id-number.ts';
import { insuredView } from './insured-view.ts';
import { makeIdentification } from './one-time-credentials.ts';
import { findOrCreateCitizen, readCitizen } from './people.ts';
import { creditAtCounter, pendingLinksOf } from './usable-credit.ts';

/** POST /v1/identifications; refuses as `identify` does. */
export async function identifyAtCounter(
  deps: Deps,
  terminal: CallerOf<'terminal'>,
  order: { credential: Credential; amount?: Fen | undefined },
) {
  const [place] = await deps.db
    .select()
    .from(hospital)
    .where(eq(hospital.code, terminal.hospitalCode));
  if (!place) throw new Refusal('visit/hospital-unknown');
  const identified = await identify(deps, {
    credential: order.credential,
    hospital: place,
    terminalId: terminal.terminalId,
    operator: terminalOperator(terminal.terminalId),
    deadlineMs: COUNTER_LOOKUP_MS,
  });
  return transact(deps.db, async (tx) => {
    const now = deps.realNow();
    await identified.spend(tx);
    const { citizenId } = await findOrCreateCitizen(tx, deps.keyring, identified.citizen);
    const made = await makeIdentification(tx, deps.keyring, {
      citizenId,
      terminalId: terminal.terminalId,
      proof: proofOf(identified),
      now,
    });
    await logAccess(tx, {
      citizenId,
      actor: terminal.client,
      hospitalCode: terminal.hospitalCode,
      action: 'identification.make',
      at: now,
    });
    const known = await readCitizen(tx, deps.keyring, citizenId);
    return {
      id: made.id,
      expiresAt: made.expiresAt.toISOString(),
      patient: { name: maskName(known.name), idNumber: maskIdNumber(known.idNumber) },
      insured: insuredView(identified.lookup, place.region),
      credit: await creditAtCounter(tx, deps.keyring, citizenId, {
        asked: order.amount ?? null,
        isOwnAct: isOwnAct(identified.credentialKind),
      }),
      pendingLinks: await pendingLinksOf(tx, deps.keyring, citizenId),
    };
  });
}
