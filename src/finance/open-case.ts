// A person must look: one open case of a kind for each subject. Written in the transaction of the fact.
import type { Tx } from '../db/db.ts';
import { financeCase } from '../db/schema.ts';
import { newId } from '../ids.ts';

/** Of an insurer's or a bank's own words, what a list can show. */
const MAX_REASON_CHARS = 300;

export interface NewCase {
  /** `area/reason`, e.g. "insurance/rest-refused". */
  kind: string;
  /** The conversion, refund, settlement, visit, link or money back that it is about. */
  subjectId: string;
  /** Null: the city's own matter. */
  hospitalCode: string | null;
  reason?: string;
  detail?: Record<string, unknown>;
  /** Business time. */
  now: Date;
}

/** Does nothing when such a case is open already. True when this one is new. */
export async function openCase(tx: Tx, about: NewCase): Promise<boolean> {
  const { kind, subjectId, hospitalCode, reason, now: createdAt } = about;
  const told = reason === undefined ? {} : { reason: reason.slice(0, MAX_REASON_CHARS) };
  const detail = { ...about.detail, ...told };
  const opened = await tx
    .insert(financeCase)
    .values({
      id: newId('financeCase'),
      ...{ kind, subjectId, hospitalCode, detail, status: 'open', createdAt },
    })
    .onConflictDoNothing()
    .returning({ id: financeCase.id });
  return opened.length > 0;
}
