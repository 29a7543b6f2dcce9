// Conversions whose process died are queued again. Law: a 2207 that was stored may have been
// executed, so its truth is learnt before anything else is claimed.
import { and, eq, lt, sql } from 'drizzle-orm';
import { transact } from '../db/db.ts';
import { conversion, intent } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { isSettle } from '../insurance/claim-trades.ts';
import { messagesOfIntent } from '../insurance/message-store.ts';
import { takeOverOrphan } from '../settlement/intent-store.ts';
import { requeue } from './end-try.ts';

const BATCH = 20;
const DEFINITE = new Set(['offline', 'rejected', 'notInsured']);

/** Returns how many runs were taken over. */
export async function resumeConversions(deps: Deps): Promise<number> {
  const orphans = await deps.db
    .select({ id: intent.id })
    .from(intent)
    .where(
      and(
        eq(intent.status, 'running'),
        eq(intent.kind, 'convert'),
        lt(intent.leaseUntil, sql`clock_timestamp()`),
      ),
    )
    .limit(BATCH);
  for (const orphan of orphans) await resume(deps, orphan.id);
  return orphans.length;
}

async function resume(deps: Deps, intentId: string): Promise<void> {
  const held = await transact(deps.db, (tx) => takeOverOrphan(tx, deps.keyring, intentId));
  if (!held) return;
  const { conversionId } = held.order as { conversionId: string };
  const [row] = await deps.db.select().from(conversion).where(eq(conversion.id, conversionId));
  if (!row) return;
  const messages = await messagesOfIntent(deps.db, deps.keyring, intentId);
  const claim = messages.filter((m) => isSettle(m.infno)).at(-1);
  const isDoubtful = claim && !DEFINITE.has(claim.answer?.outcome ?? 'unknown');
  const reason = 'the process that ran it died';
  const ending = { outcome: 'interrupted', reason, seconds: 0 };
  await transact(deps.db, (tx) =>
    requeue(
      tx,
      { row, intent: held },
      isDoubtful ? { ...ending, unknownMsgid: claim.msgid } : ending,
    ),
  );
}
