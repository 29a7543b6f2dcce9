// The payer's own word on a large hold: in the app, or by a second credential at the counter. Law: it
// raises the hold to the total that was asked, by the ordinary verb and under its guards, once and
// within ten minutes. Lock order: visit, then what hangs on it.
import { eq } from 'drizzle-orm';
import type { VisitKind } from '../credit/policy.ts';
import { setHold } from '../credit/set-hold.ts';
import { businessNow, type Tx } from '../db/db.ts';
import { visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import { logAccess } from '../identity/access-log.ts';
import type { Credential } from '../identity/credential-schema.ts';
import { isOwnAct } from '../identity/credential-strength.ts';
import {
  COUNTER_LOOKUP_MS,
  type Identified,
  identify,
  terminalOperator,
} from '../identity/credentials.ts';
import { findOrCreateCitizen } from '../identity/people.ts';
import {
  type ConfirmationRow,
  findOwnConfirmation,
  lockPending,
  resolve,
} from './confirmation-store.ts';
import { readHospital } from './open-visit.ts';
import { findVisit, lockVisit, refuseUnlessChangeable, type VisitRow } from './visit-store.ts';

/**
 * The payer answers in the app. Confirming refuses as setHold does (402) and then stays open. Refuses
 * with resource/not-found, hold/confirmation-closed, visit/settling, visit/wrong-state.
 */
export async function answerInApp(
  tx: Tx,
  answer: { confirmationId: string; payerCitizenId: string; status: 'confirmed' | 'declined' },
): Promise<void> {
  const found = await findOwnConfirmation(tx, answer.confirmationId, answer.payerCitizenId);
  const row = await lockVisitOf(tx, found);
  const pending = await lockPending(tx, row.id);
  if (pending?.id !== found.id) throw new Refusal('hold/confirmation-closed');
  if (answer.status === 'confirmed') await raiseHold(tx, { row, pending, by: 'app' });
  else await resolve(tx, pending.id, { status: 'declined', at: await businessNow(tx) });
}

/** Whose second credential it is; talks to the insurer (1101), changes nothing. */
export async function identifySecond(
  deps: Deps,
  terminal: CallerOf<'terminal'>,
  order: { visitId: string; credential: Credential },
): Promise<Identified> {
  if (!(await findVisit(deps.db, order.visitId, terminal.hospitalCode))) {
    throw new Refusal('resource/not-found');
  }
  const shown = await identify(deps, {
    credential: order.credential,
    hospital: await readHospital(deps.db, terminal.hospitalCode),
    terminalId: terminal.terminalId,
    operator: terminalOperator(terminal.terminalId),
    deadlineMs: COUNTER_LOOKUP_MS,
  });
  if (!isOwnAct(shown.credentialKind)) throw new Refusal('identity/stronger-needed');
  return shown;
}

/**
 * The payer's second credential at the counter; uses it up. Refuses with identity/unknown (not the
 * payer's), identity/already-used, and as `answerInApp`.
 */
export async function confirmAtCounter(
  tx: Tx,
  deps: Deps,
  order: { visitId: string; terminal: CallerOf<'terminal'>; shown: Identified },
): Promise<VisitRow> {
  const { terminal, shown } = order;
  const row = await lockVisit(tx, order.visitId, terminal.hospitalCode);
  const pending = await lockPending(tx, row.id);
  if (!pending) throw new Refusal('hold/confirmation-closed');
  await shown.spend(tx);
  const { citizenId } = await findOrCreateCitizen(tx, deps.keyring, shown.citizen);
  if (citizenId !== pending.payerCitizenId) {
    throw new Refusal('identity/unknown', {
      detail: '不是付款人的凭证 Not the payer’s credential',
    });
  }
  const { client: actor, hospitalCode } = terminal;
  const at = deps.realNow();
  await logAccess(tx, { citizenId, actor, hospitalCode, action: 'hold.confirm', at });
  return raiseHold(tx, { row, pending, by: shown.credentialKind });
}

/** Raises the hold to what was confirmed; the visit is locked. */
async function raiseHold(
  tx: Tx,
  confirmed: { row: VisitRow; pending: ConfirmationRow; by: string },
): Promise<VisitRow> {
  const { row, pending, by } = confirmed;
  const now = await businessNow(tx);
  const isPayer = row.payerCitizenId === pending.payerCitizenId;
  if (pending.expiresAt <= now || !isPayer) throw new Refusal('hold/confirmation-closed');
  refuseUnlessChangeable(row);
  if (row.status !== 'open') throw new Refusal('visit/wrong-state');
  await resolve(tx, pending.id, { status: 'confirmed', at: now, by });
  await setHold(tx, {
    visitId: row.id,
    payerCitizenId: row.payerCitizenId,
    amount: pending.amount,
    isPartialAllowed: false,
    visitKind: row.kind as VisitKind,
    isEmergency: row.kind === 'emergency',
  });
  await tx.update(visit).set({ holdDecline: null }).where(eq(visit.id, row.id));
  return { ...row, holdDecline: null };
}

async function lockVisitOf(tx: Tx, found: ConfirmationRow): Promise<VisitRow> {
  const [row] = await tx.select().from(visit).where(eq(visit.id, found.visitId)).for('update');
  if (!row) throw new Error(`confirmation ${found.id} has no visit`);
  return row;
}
