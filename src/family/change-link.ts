// The payer changes the caps of a link, seen or not at all (If-Match); payer and beneficiary end it.
// Law: an end is at once for new credit; holds that are placed and debts stay with the payer.
import { businessNow, type Tx } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import { closeCasesAbout } from '../finance/case-store.ts';
import { requireMatch } from '../http/if-match.ts';
import type { Fen } from '../money.ts';
import { AGE_OUT, hasAgedOut, statusAt } from './link.ts';
import { etagOf, type LinkRow, lockLink, saveLink, tellBoth } from './link-store.ts';

/** 404 for strangers, 403 for the beneficiary, 412 for another version, 409 family/link-ended. */
export async function changeCaps(
  tx: Tx,
  order: {
    linkId: string;
    citizenId: string;
    ifMatch: string | null;
    caps: { visitCap?: Fen | undefined; monthlyCap?: Fen | undefined };
  },
): Promise<{ row: LinkRow; now: Date }> {
  const row = await lockLink(tx, order.linkId, order.citizenId);
  if (row.payerCitizenId !== order.citizenId) throw new Refusal('access/forbidden');
  requireMatch(order.ifMatch, etagOf(row));
  const now = await businessNow(tx);
  if (statusAt(row, now) === 'ended') throw new Refusal('family/link-ended');
  const { visitCap = row.visitCap, monthlyCap = row.monthlyCap } = order.caps;
  const saved = await saveLink(tx, row, { visitCap, monthlyCap });
  await tellBoth(tx, saved, 'familyLink.changed', now);
  return { row: saved, now };
}

/** Ends the link; one that has ended already stays as it is. */
export async function endLink(
  tx: Tx,
  order: { linkId: string; citizenId: string },
): Promise<{ row: LinkRow; now: Date }> {
  const row = await lockLink(tx, order.linkId, order.citizenId);
  const now = await businessNow(tx);
  if (row.status === 'ended') return { row, now };
  const isPayer = row.payerCitizenId === order.citizenId;
  const saved = await saveLink(tx, row, {
    status: 'ended',
    // The birthday came first, only the worker did not.
    ...(hasAgedOut(row, now)
      ? { endedAt: row.endsAt, endReason: AGE_OUT }
      : { endedAt: now, endReason: isPayer ? 'endedByPayer' : 'endedByBeneficiary' }),
  });
  await closeCasesAbout(tx, row.id, '亲情付已结束 the link has ended');
  await tellBoth(tx, saved, 'familyLink.ended', now);
  return { row: saved, now };
}
