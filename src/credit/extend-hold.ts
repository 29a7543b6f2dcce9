// Law: a hold lives by policy, and its expiry is moved on by changes and charges, never back.
import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { clockCte, lineOfHold, ruleCte } from './hold-sql.ts';

/** Moves the expiry of a visit's placed hold on by the policy's life, e.g. after a charge. */
export async function extendHold(tx: Tx, visitId: string): Promise<void> {
  await rows(
    tx,
    sql`
    with ${clockCte}, ${ruleCte(sql`(select kind from visit where id = ${visitId})`)},
    ${lineOfHold(visitId)}
    update hold set expires_at = greatest(hold.expires_at, clock.now + rule.life)
    from line, rule, clock
    where hold.line_id = line.id and hold.visit_id = ${visitId} and hold.status = 'placed'`,
  );
}
