// Law: a hold above the policy's `stepUpAbove` is placed only on the payer's own act. Without it the
// hold gets that far and no further (partial) or nothing, with credit/confirmation-needed; what else is
// wrong with it is said first, so nobody is asked for a word that changes nothing.
import { type SQL, sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import { type Fen, maxFen } from '../money.ts';
import { clockCte, type HoldView, ruleCte } from './hold-sql.ts';
import { type PlaceHold, placeHold } from './place-hold.ts';
import { type SetHold, setHold } from './set-hold.ts';

export interface StepUp {
  /** The most that may be held without the payer's own act, fen. */
  ceiling: Fen;
  /** The policy's default hold of this kind of visit, fen. */
  defaultHold: Fen;
}

/** A hold as far as it went, and the total that the payer is asked to confirm, if that is more. */
export interface SteppedUp<T> {
  result: T;
  toConfirm: Fen | null;
}

const stepUpAbove = sql`
  select round((data ->> 'stepUpAbove')::numeric * 100)::bigint as above
  from policy, clock
  where kind = 'credit' and name = 'default' and valid_from <= clock.now
  order by valid_from desc, version desc limit 1`;

/** CTE `step_up` (above in fen; null: the policy asks for nothing). Needs CTE clock. */
export const stepUpCte = sql`step_up as materialized (${stepUpAbove})`;

/**
 * What the policy lets this visit hold without the payer's own act: `stepUpAbove`, or what the payer
 * has confirmed for it, or what is held already. Null: the policy asks for nothing.
 */
export async function readStepUp(
  tx: Tx,
  visit: {
    /** Null: it is being opened. */ id: string | null;
    kind: string;
    payerCitizenId: string | null;
  },
): Promise<StepUp | null> {
  const { id, kind, payerCitizenId } = visit;
  const reached = id === null ? sql`0::bigint` : reachedBy({ id, payerCitizenId });
  const [row] = await rows<{ above: Fen | null; default_hold: Fen; reached: Fen }>(
    tx,
    sql`
    with ${clockCte}, ${ruleCte(kind)}, ${stepUpCte}
    select step_up.above, rule.amount as default_hold, ${reached} as reached from step_up, rule`,
  );
  if (!row || row.above === null) return null;
  return { ceiling: maxFen(row.above, row.reached), defaultHold: row.default_hold };
}

/** The ceiling of `readStepUp` as an expression, null where the policy asks for nothing. Needs CTE clock. */
export const ceilingOf = (visit: { id: string; payerCitizenId: string | null }): SQL => sql`(
  select case when above is not null then greatest(above, ${reachedBy(visit)}) end
  from (${stepUpAbove}) as step_up)`;

/**
 * What is held for a visit, or what its payer has confirmed for it, whichever is more. A word is good for
 * one debt: once a hold of the visit was captured since, more is asked for anew.
 */
function reachedBy(visit: { id: string; payerCitizenId: string | null }): SQL {
  return sql`greatest(
    coalesce((select amount from hold where visit_id = ${visit.id} and status = 'placed'), 0),
    coalesce((select max(amount) from hold_confirmation
      where visit_id = ${visit.id} and status = 'confirmed'
        and payer_citizen_id = ${visit.payerCitizenId}::text
        and not exists (select from hold h
          where h.visit_id = hold_confirmation.visit_id and h.status = 'captured'
            and h.resolved_at >= hold_confirmation.resolved_at)), 0))`;
}

/** placeHold within the step-up; `stepUp` null: the payer acted, or the policy asks for nothing. */
export async function placeHoldWithin(
  tx: Tx,
  wish: PlaceHold,
  stepUp: StepUp | null,
): Promise<SteppedUp<Awaited<ReturnType<typeof placeHold>> | { decline: typeof STEP_UP_NEEDED }>> {
  const asked = wish.amount ?? stepUp?.defaultHold ?? 0n;
  if (!stepUp || asked <= stepUp.ceiling) {
    return { result: await placeHold(tx, wish), toConfirm: null };
  }
  const tried = await tryBeyond(tx, stepUp.ceiling, async (inner) => {
    const placed = await placeHold(inner, wish);
    return { placed, amount: 'hold' in placed ? placed.hold.amount : 0n };
  });
  if ('done' in tried) return { result: tried.done.placed, toConfirm: null };
  const isPartial = wish.isPartialAllowed || wish.isEmergency || wish.amount === null;
  const { ceiling } = stepUp;
  const result =
    isPartial && ceiling > 0n
      ? await placeHold(tx, { ...wish, amount: ceiling, isPartialAllowed: true })
      : ({ decline: STEP_UP_NEEDED } as const);
  return { result, toConfirm: tried.beyond };
}

/**
 * setHold within the step-up. Refuses as setHold does; null when the whole of it waits for the payer,
 * because less was not asked for.
 */
export async function setHoldWithin(
  tx: Tx,
  wish: SetHold,
  stepUp: StepUp | null,
): Promise<SteppedUp<HoldView | null>> {
  if (!stepUp || wish.amount <= stepUp.ceiling) {
    return { result: await setHold(tx, wish), toConfirm: null };
  }
  const tried = await tryBeyond(tx, stepUp.ceiling, async (inner) => {
    const held = await setHold(inner, wish);
    return { held, amount: held.amount };
  });
  if ('done' in tried) return { result: tried.done.held, toConfirm: null };
  const { ceiling } = stepUp;
  const isPartial = (wish.isPartialAllowed || wish.isEmergency) && ceiling > 0n;
  const most = { ...wish, amount: ceiling, isPartialAllowed: true };
  const result = isPartial ? await setHold(tx, most) : null;
  return { result, toConfirm: tried.beyond };
}

/** Why a hold went no further. */
export const STEP_UP_NEEDED = 'credit/confirmation-needed';

/** The refusal for whoever asked, once what the payer is asked has been committed. */
export function confirmationNeeded(confirmationId: string): Refusal {
  return new Refusal(STEP_UP_NEEDED, { extra: { confirmationId } });
}

class Beyond extends Error {
  readonly amount: Fen;

  constructor(amount: Fen) {
    super('more than the payer has confirmed');
    this.amount = amount;
  }
}

/** Does `work` in a savepoint and undoes it when it holds more than `ceiling`. */
async function tryBeyond<T extends { amount: Fen }>(
  tx: Tx,
  ceiling: Fen,
  work: (inner: Tx) => Promise<T>,
): Promise<{ done: T } | { beyond: Fen }> {
  try {
    const done = await tx.transaction(async (inner) => {
      const result = await work(inner);
      if (result.amount > ceiling) throw new Beyond(result.amount);
      return result;
    });
    return { done };
  } catch (error) {
    if (error instanceof Beyond) return { beyond: error.amount };
    throw error;
  }
}
