// The parent accepts that a child pays: in the app, or at any counter with the parent's own credential.
import { eq } from 'drizzle-orm';
import { businessNow, type Tx } from '../db/db.ts';
import { hospital } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { once, peekKey } from '../http/idempotency.ts';
import type { Call, CallerOf, Reply } from '../http/route.ts';
import { logAccess } from '../identity/access-log.ts';
import type { Credential } from '../identity/credential-schema.ts';
import { COUNTER_LOOKUP_MS, identify, terminalOperator } from '../identity/credentials.ts';
import { findOrCreateCitizen } from '../identity/people.ts';
import { statusAt } from './link.ts';
import {
  etagOf,
  type LinkRow,
  linkView,
  lockLink,
  saveLink,
  tellBoth,
  termsView,
} from './link-store.ts';

/** By the beneficiary's own token. 404 for anybody else's link, 409 family/link-ended. */
export function acceptInApp(
  call: Pick<Call, 'deps' | 'key'>,
  citizenId: string,
  linkId: string,
): Promise<Reply> {
  return once(call, async (tx) => {
    const now = await businessNow(tx);
    const row = await accept(tx, { linkId, citizenId, via: 'app', now });
    const view = await linkView(tx, call.deps.keyring, row, { citizenId, now });
    return { status: 200, body: view, headers: { etag: etagOf(row) } };
  });
}

/** By whom the credential identifies: 404 if that is not the beneficiary. Refuses as `identify` does. */
export async function acceptAtCounter(
  call: Pick<Call, 'deps' | 'key'>,
  terminal: CallerOf<'terminal'>,
  order: { linkId: string; credential: Credential },
): Promise<Reply> {
  const { deps } = call;
  const replay = await peekKey(deps.db, call.key);
  if (replay) return replay;
  const shown = await identify(deps, {
    credential: order.credential,
    hospital: await placeOf(deps, terminal.hospitalCode),
    terminalId: terminal.terminalId,
    operator: terminalOperator(terminal.terminalId),
    deadlineMs: COUNTER_LOOKUP_MS,
  });
  return once(call, async (tx) => {
    const now = await businessNow(tx);
    await shown.spend(tx);
    const { citizenId } = await findOrCreateCitizen(tx, deps.keyring, shown.citizen);
    const row = await accept(tx, { linkId: order.linkId, citizenId, via: 'counter', now });
    await logAccess(tx, {
      citizenId,
      actor: terminal.client,
      hospitalCode: terminal.hospitalCode,
      action: 'familyLink.accept',
      at: deps.realNow(),
    });
    return { status: 200, body: termsView(row, now) };
  });
}

async function placeOf(deps: Deps, code: string) {
  const [place] = await deps.db.select().from(hospital).where(eq(hospital.code, code));
  if (!place) throw new Refusal('visit/hospital-unknown');
  return place;
}

/** Accepting again changes nothing. Papers that are still being checked keep the link pending. */
async function accept(
  tx: Tx,
  by: { linkId: string; citizenId: string; via: 'app' | 'counter'; now: Date },
): Promise<LinkRow> {
  const row = await lockLink(tx, by.linkId, by.citizenId);
  if (row.beneficiaryCitizenId !== by.citizenId) throw new Refusal('resource/not-found');
  if (statusAt(row, by.now) === 'ended') throw new Refusal('family/link-ended');
  if (row.acceptedAt) return row;
  const status = row.proof ? 'active' : 'pending';
  const saved = await saveLink(tx, row, { acceptedAt: by.now, acceptedVia: by.via, status });
  if (status === 'active') await tellBoth(tx, saved, 'familyLink.active', by.now);
  return saved;
}
