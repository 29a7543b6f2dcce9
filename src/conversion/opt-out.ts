// "I claim by hand": the patient gives the conversion up, in the app or at the counter. The bill stays
// as it was paid, and what is owed of it falls due (domain.md, Not only outages).
import type { Tx } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import { logAccess } from '../identity/access-log.ts';
import { endConversion } from './close-conversion.ts';
import {
  type ConversionRow,
  findSettlementToConvert,
  isOpen,
  lockConversions,
} from './conversion-store.ts';

/** Why such a conversion was cancelled; request-conversion.ts knows it again by this. */
export const CLAIMS_BY_HAND = '患者自行手工报销 The patient claims by hand';

/**
 * Cancels the open conversion; repeated, it is the same. Refuses with resource/not-found (never
 * asked for), conversion/wrong-state (resolved), settlement/busy, conversion/fate-unknown.
 */
export async function optOut(
  tx: Tx,
  deps: Deps,
  caller: CallerOf<'terminal'> | CallerOf<'citizen'>,
  settlementId: string,
): Promise<ConversionRow> {
  const found = await findSettlementToConvert(tx, settlementId, caller);
  const locked = await lockConversions(tx, found);
  const newest = locked.conversions.at(-1);
  if (!newest) throw new Refusal('resource/not-found');
  if (newest.status === 'cancelled') return newest;
  if (!isOpen(newest)) throw new Refusal('conversion/wrong-state');
  const { citizenId } = locked.settlement;
  if (caller.kind === 'terminal' && citizenId) {
    const { client: actor, hospitalCode } = caller;
    const at = deps.realNow();
    await logAccess(tx, { citizenId, actor, hospitalCode, action: 'conversion.optOut', at });
  }
  const ending = { insurance: 'skipped', reason: CLAIMS_BY_HAND, by: caller.kind } as const;
  return endConversion(tx, locked, newest, ending);
}
