// Sets or voids what is held for a visit. Law: above the step-up the payer is asked, and the question is
// kept although the request that raised it is refused; any other total asked for takes it back.
import { eq, type SQL } from 'drizzle-orm';
import type { HoldView } from '../credit/hold-sql.ts';
import type { VisitKind } from '../credit/policy.ts';
import { voidHold } from '../credit/set-hold.ts';
import {
  ceilingOf,
  confirmationNeeded,
  readStepUp,
  STEP_UP_NEEDED,
  setHoldWithin,
} from '../credit/step-up.ts';
import { type Db, type Tx, transact } from '../db/db.ts';
import { visit } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { isOwnAct } from '../identity/credential-strength.ts';
import type { Fen } from '../money.ts';
import { choosePayerAgain } from './choose-payer.ts';
import { askConfirmation, dropConfirmation } from './confirmation-store.ts';
import { lockVisit, refuseUnlessChangeable, type VisitRow } from './visit-store.ts';

export interface ChangeHold {
  visitId: string;
  hospitalCode: string;
  /** The total to be held, fen. */
  amount: Fen;
  allowPartial?: boolean | undefined;
}

/**
 * Sets the total held. Refuses with resource/not-found, visit/settling, visit/wrong-state, the decline
 * codes, and credit/confirmation-needed, which leaves a question to the payer behind.
 */
export async function changeHold(db: Db, order: ChangeHold): Promise<HoldView> {
  const { held, askedId } = await transact(db, (tx) => holdOrAsk(tx, order));
  if (held) return held;
  throw confirmationNeeded(askedId ?? '');
}

async function holdOrAsk(
  tx: Tx,
  order: ChangeHold,
): Promise<{ held: HoldView | null; askedId: string | null }> {
  const locked = await lockVisit(tx, order.visitId, order.hospitalCode);
  refuseUnlessChangeable(locked);
  if (locked.status !== 'open') throw new Refusal('visit/wrong-state');
  const row = await choosePayerAgain(tx, locked);
  if (!row.payer && row.holdDecline === 'family/not-linked') throw new Refusal('family/not-linked');
  const wish = {
    visitId: row.id,
    payerCitizenId: row.payerCitizenId,
    amount: order.amount,
    isPartialAllowed: order.allowPartial ?? false,
    visitKind: row.kind as VisitKind,
    isEmergency: row.kind === 'emergency',
  };
  const stepUp = isPayersAct(row) ? null : await readStepUp(tx, row);
  const { result, toConfirm } = await setHoldWithin(tx, wish, stepUp);
  const asked = toConfirm === null ? null : await askConfirmation(tx, row, toConfirm);
  if (!asked) await dropConfirmation(tx, row.id);
  const holdDecline = asked ? STEP_UP_NEEDED : null;
  if (holdDecline !== row.holdDecline) {
    await tx.update(visit).set({ holdDecline }).where(eq(visit.id, row.id));
  }
  return { held: result, askedId: asked?.id ?? null };
}

/**
 * The most that a settlement may take of the payer's line, as an expression in fen; null: the payer acted,
 * at the counter or by settling on the phone (`settledBy`).
 */
export function captureCeiling(row: VisitRow, settledBy: string | null): SQL | null {
  if (isPayersAct(row) || (settledBy !== null && settledBy === row.payerCitizenId)) return null;
  return ceilingOf(row);
}

/** The patient pays and has shown more than a card; a relative who pays has shown nothing here. */
function isPayersAct(row: VisitRow): boolean {
  return row.payerCitizenId === row.citizenId && isOwnAct(row.credentialKind);
}

/**
 * Voids what is held, and takes the question to the payer back. Null: nothing was held; the caller says
 * so (hold/none) after the commit, for a refusal in here would leave the question standing. Refuses with
 * resource/not-found, visit/settling, visit/wrong-state.
 */
export async function dropHold(
  tx: Tx,
  { visitId, hospitalCode }: { visitId: string; hospitalCode: string },
): Promise<HoldView | null> {
  const row = await lockVisit(tx, visitId, hospitalCode);
  refuseUnlessChangeable(row);
  await dropConfirmation(tx, row.id);
  return voidHold(tx, row.id);
}
