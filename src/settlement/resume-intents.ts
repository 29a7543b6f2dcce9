// Takes over runs whose process died. Before 2207 (or 2208) was stored an orphan is undone after two
// minutes; from then on it only goes forward (domain.md, Messages).
import { sql } from 'drizzle-orm';
import { businessNow, rows, type Tx, transact } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { assert, Refusal } from '../errors.ts';
import { openCase } from '../finance/open-case.ts';
import { forwardTrades, isMoneyTrade, isSettle } from '../insurance/claim-trades.ts';
import { messagesOfIntent, type StoredMessage } from '../insurance/message-store.ts';
import { readBill } from './bill.ts';
import { bookSettlement } from './book-settlement.ts';
import type { ClaimResult } from './claim-run.ts';
import { endIntent, type Intent, parkIntent, takeOverOrphan } from './intent-store.ts';
import { learnTruth } from './learn-truth.ts';
import { failRefund, runRefund } from './refund-settlement.ts';
import { runSettlement } from './settle-visit.ts';
import type { SettlementOrder } from './settlement-order.ts';
import { undoSettlement } from './undo-settlement.ts';
import { HOURLY_SECONDS, isUnknownTooLong, UNKNOWN_TOO_LONG } from './unknown-too-long.ts';

const BATCH = 20;
/** From the moment one of these is stored there is no way back. */
const FORWARD = JSON.stringify(forwardTrades);
/** An orphan that moved no money is given up after this long; until then its own key may go on. */
const ORPHAN_SECONDS = 120;
/** A claim whose truth cannot be learnt yet is asked for again after this long. */
const ASK_AGAIN_SECONDS = 30;

/** Takes over what is due; returns how many runs it looked after. */
export async function resumeIntents(deps: Deps): Promise<number> {
  const orphans = await rows<{ id: string }>(
    deps.db,
    sql`
    select id from (
      select i.id, i.kind, i.lease_until,
        i.created_at < clock_timestamp() - make_interval(secs => ${ORPHAN_SECONDS}) as is_old,
        exists (select 1 from insurance_message m where m.intent_id = i.id
          and m.infno in (select jsonb_array_elements_text(${FORWARD}::jsonb))) as is_forward
      from intent i where i.status = 'running' and i.kind <> 'convert'
        and i.lease_until < clock_timestamp()) o
    where is_forward or is_old or kind = 'preview'
    order by lease_until limit ${BATCH}`,
  );
  await Promise.all(
    orphans.map(async (orphan) => {
      const intent = await transact(deps.db, (tx) => takeOverOrphan(tx, deps.keyring, orphan.id));
      if (intent) await resume(deps, intent);
    }),
  );
  return orphans.length;
}

async function resume(deps: Deps, intent: Intent): Promise<void> {
  // Looked at only now: before the take-over its former holder could still store a message.
  const messages = await messagesOfIntent(deps.db, deps.keyring, intent.id);
  const isForward = messages.some((m) => isMoneyTrade(m.infno));
  try {
    if (intent.kind === 'preview') {
      await transact(deps.db, (tx) => endIntent(tx, intent, 'undone'));
    } else if (!isForward) await undo(deps, intent);
    else if (intent.kind === 'refund') await runRefund(deps, intent);
    else await goForward(deps, intent, messages);
  } catch (error) {
    // A refusal is a lawful end (the insurer said no, the lease was lost); anything else is a bug.
    if (!(error instanceof Refusal)) throw error;
    deps.log.info(
      { intentId: intent.id, kind: intent.kind, code: error.code },
      'resumed run ended',
    );
  }
}

async function undo(deps: Deps, intent: Intent): Promise<void> {
  await transact(deps.db, (tx) =>
    intent.kind === 'refund'
      ? failRefund(tx, intent, null)
      : undoSettlement(tx, deps, intent, { claim: null, refusal: null }),
  );
}

async function goForward(deps: Deps, intent: Intent, messages: StoredMessage[]): Promise<void> {
  const { whenInsuranceOffline } = intent.order as SettlementOrder;
  if (whenInsuranceOffline === 'selfPay') await runSettlement(deps, intent);
  else await resolveWaiting(deps, intent, messages);
}

/** Nobody knows yet: the visit goes on waiting, and after hours a person is told. */
async function askLater(tx: Tx, deps: Deps, intent: Intent, reason: string): Promise<void> {
  const { settlementId, hospitalCode } = intent.order as SettlementOrder;
  const isCase = isUnknownTooLong(deps, intent.createdAt);
  if (isCase) {
    await openCase(tx, {
      kind: UNKNOWN_TOO_LONG,
      subjectId: intent.visitId,
      hospitalCode,
      reason,
      detail: { settlementId },
      now: await businessNow(tx),
    });
  }
  await parkIntent(tx, intent, isCase ? HOURLY_SECONDS : ASK_AGAIN_SECONDS);
}

/** The caller chose to wait: the truth decides whether the visit is settled or open again. */
async function resolveWaiting(
  deps: Deps,
  intent: Intent,
  messages: StoredMessage[],
): Promise<void> {
  const order = intent.order as SettlementOrder;
  const bill = await readBill(deps, intent.visitId, order.settlementId);
  const message = messages.filter((m) => isSettle(m.infno)).at(-1);
  assert(message, `intent ${intent.id} is forward by its claim`);
  const truth = await learnTruth(deps, { held: intent, bill, message });
  switch (truth.fate) {
    case 'unknown':
      return transact(deps.db, (tx) => askLater(tx, deps, intent, truth.reason));
    case 'gone':
      return transact(deps.db, (tx) =>
        undoSettlement(tx, deps, intent, { claim: null, refusal: null }),
      );
    case 'live': {
      const { split, msgid } = truth;
      const claim: ClaimResult = {
        outcome: 'settled',
        split,
        msgid,
        route: message.route,
        person: bill.person,
        mdtrtId: split.mdtrtId,
        preview: null,
        unsaved: null,
      };
      const decision = { do: 'book', insurance: 'claimed' } as const;
      const booking = { claim, decision, visit: bill.visit };
      await transact(deps.db, (tx) => bookSettlement(tx, deps, intent, booking));
      return;
    }
  }
  return truth satisfies never;
}
