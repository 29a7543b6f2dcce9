// Role: the rows of a settled bill beside its own, as parts of larger statements: tenders, and the claim.
import { type SQL, sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import type { ClaimSplit } from '../insurance/insurer.ts';
import type { Tender } from './waterfall.ts';

/** A settlement's tenders in order, as part of a larger statement; null when there are none. */
export function tendersPart(
  settlementId: string,
  tenders: readonly Tender[],
  now: Date,
): SQL | null {
  if (tenders.length === 0) return null;
  const lines = tenders.map((t, index) => ({
    position: index + 1,
    kind: t.kind,
    amount: t.amount.toString(),
    reference: t.reference ?? null,
  }));
  return sql`
    insert into tender (settlement_id, position, kind, amount, reference, paid_at)
    select ${settlementId}::text, t.position, t.kind, t.amount, t.reference,
      ${now.toISOString()}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(lines)}::jsonb) as t(position int, kind text,
      amount bigint, reference text)`;
}

/** Books the insurer's settlement as the one live claim of ours. */
export async function saveClaim(tx: Tx, deps: Deps, order: NewClaim): Promise<void> {
  await rows(tx, claimPart(deps, order));
}

export interface NewClaim {
  claimId: string;
  settlementId: string;
  hospitalCode: string;
  split: ClaimSplit;
  msgid: string;
}

/** `saveClaim` as part of a larger statement. */
export function claimPart(deps: Deps, order: NewClaim): SQL {
  const { split } = order;
  const text = JSON.stringify(split, (_, value) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  const [total, fund, account, familyAccount, hospitalBorne, cash] = [
    ...[split.total, split.fund, split.account, split.familyAccount],
    ...[split.hospitalBorne, split.cash],
  ].map(String);
  return sql`
    insert into claim (id, settlement_id, setl_id, hospital_code, mdtrt_id, msgid, status, insutype,
      clr_type, clr_optins, setl_time, total, fund, account, family_account, hospital_borne, cash,
      split)
    values (${order.claimId}, ${order.settlementId}, ${split.setlId}, ${order.hospitalCode},
      ${split.mdtrtId}, ${order.msgid}, 'live', ${split.insutype}, ${split.clrType},
      ${split.clrOptins}, coalesce(${split.setlTime?.toISOString() ?? null}::timestamptz,
      business_now()), ${total}::bigint, ${fund}::bigint, ${account}::bigint,
      ${familyAccount}::bigint, ${hospitalBorne}::bigint, ${cash}::bigint,
      ${deps.keyring.seal(text)}::bytea)`;
}
