// 亲情代办: somebody else stands at the counter for the patient, with both credentials. Law: both are
// used by the opening or neither is; the proxy is recorded where both can see it, learns nothing of the
// treatment, and gets no right to anybody's credit line.
import type { Tx } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { type Access, otherCitizen } from '../identity/access-log.ts';
import { type Identified, type Identify, identify } from '../identity/credentials.ts';
import { findOrCreateCitizen } from '../identity/people.ts';

/** Who the proxy is; null when there is none. Refuses as identify() does and says whose it was. */
export async function identifyProxy(
  deps: Deps,
  order: Omit<Identify, 'credential'> & { credential: Identify['credential'] | undefined },
): Promise<Identified | null> {
  const { credential } = order;
  if (!credential) return null;
  try {
    return await identify(deps, { ...order, credential });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const detail = `代办人凭证 The proxy’s credential: ${error.options.detail ?? error.code}`;
    const errors = [{ pointer: '/proxy', detail }];
    throw new Refusal(error.code, { ...error.options, detail, errors });
  }
}

/**
 * The proxy's citizen id; uses the credential up in the opening's transaction. Refuses with
 * visit/proxy-is-patient, identity/already-used.
 */
export async function admitProxy(
  tx: Tx,
  deps: Deps,
  { proxy, citizenId }: { proxy: Identified | null; citizenId: string | null },
): Promise<string | null> {
  if (!proxy) return null;
  await proxy.spend(tx);
  const found = await findOrCreateCitizen(tx, deps.keyring, proxy.citizen);
  if (found.citizenId === citizenId) throw new Refusal('visit/proxy-is-patient');
  return found.citizenId;
}

/** What both read in their access logs; the patient of an unnamed emergency reads nothing yet. */
export function proxyAccesses(seen: {
  citizenId: string | null;
  proxyCitizenId: string;
  /** The terminal's client. */
  actor: string;
  hospitalCode: string;
  at: Date;
}): Access[] {
  const { citizenId, proxyCitizenId, actor, hospitalCode, at } = seen;
  const ofProxy = { citizenId: proxyCitizenId, action: 'visit.asProxy', hospitalCode, at } as const;
  if (citizenId === null) return [{ ...ofProxy, actor }];
  return [
    { ...ofProxy, actor: otherCitizen(citizenId) },
    {
      citizenId,
      actor: otherCitizen(proxyCitizenId),
      action: 'visit.openByProxy',
      hospitalCode,
      at,
    },
  ];
}
