// Role: the insurer's day as one statement, asked for instead of sent: totals of each group first, rows only of those
// that are not flat (domain.md, Payout and reconciliation). A flat group agrees row by row by what 3201 says of its sums.

import type { Deps } from '../deps.ts';
import { assert } from '../errors.ts';
import type { ClaimGroup, ClaimRow } from '../insurance/statement-inputs.ts';
import { findClaimGroups, findClaimRows } from '../insurance/statement-store.ts';
import {
  insurerDetail,
  insurerTotals,
  type NoStatement,
  type TotalsAnswer,
} from '../insurance/statement-trades.ts';
import { formatYuan, sumFen } from '../money.ts';
import { fileLimits } from './files/limits.ts';
import { parseStatement } from './files/parse-statement.ts';
import type { Statement, StatementRow } from './statement.ts';

/** What was asked of one group and what was said. */
export interface AskedGroup
  extends Pick<ClaimGroup, 'insutype' | 'clrType' | 'clrOptins' | 'count'> {
  isFlat: boolean;
  text: string;
}

export type InsurerDay =
  | { outcome: 'statement'; open: () => Statement; groups: AskedGroup[] }
  | NoStatement;

type Asking = Pick<Deps, 'db' | 'insurer' | 'realNow'>;

/**
 * Asks for a hospital's day. Network: call it outside of any transaction. One group that cannot be asked ends it:
 * a day is compared whole or not at all. `open` gives the statement, as often as a transaction is tried.
 */
export async function askInsurerDay(
  deps: Asking,
  hospitalCode: string,
  day: string,
): Promise<InsurerDay> {
  const groups: AskedGroup[] = [];
  const parts: (() => AsyncIterable<StatementRow[]>)[] = [];
  for (const together of byFile(await findClaimGroups(deps.db, hospitalCode, day))) {
    const claims: ClaimRow[] = [];
    let isFlat = true;
    for (const group of together) {
      const totals = await insurerTotals(deps, hospitalCode, day, group);
      if (totals.outcome !== 'flat' && totals.outcome !== 'notFlat') return totals;
      isFlat &&= totals.outcome === 'flat';
      groups.push(askedOf(group, totals));
      claims.push(...(await findClaimRows(deps.db, hospitalCode, day, group)));
    }
    if (isFlat) {
      parts.push(() => flatRows(claims, day));
      continue;
    }
    const detail = await insurerDetail(deps, hospitalCode, day, sumOf(together), claims);
    if (detail.outcome !== 'file') return detail;
    parts.push(() => fileRows(detail.file, day, hospitalCode));
  }
  async function* read() {
    for (const part of parts) yield* part();
  }
  const meta = () => ({ format: '3201', groups });
  const open = () => ({ rows: read(), meta, claimedTotals: () => null });
  return { outcome: 'statement', groups, open };
}

/** 3202 is not asked by insutype: its file has the rows of all groups that differ in that alone. */
function byFile(groups: readonly ClaimGroup[]): ClaimGroup[][] {
  const files = new Map<string, ClaimGroup[]>();
  for (const group of groups) {
    const key = `${group.clrType} ${group.clrOptins}`;
    files.set(key, [...(files.get(key) ?? []), group]);
  }
  return [...files.values()];
}

/** The groups of one file as one; the first lends its name. */
function sumOf(groups: readonly ClaimGroup[]): ClaimGroup {
  const [first] = groups;
  assert(first, 'a file has a group');
  const sum = (of: (group: ClaimGroup) => bigint) => sumFen(groups.map(of));
  return {
    ...first,
    total: sum((group) => group.total),
    fund: sum((group) => group.fund),
    account: sum((group) => group.account),
    cash: sum((group) => group.cash),
    count: groups.reduce((count, group) => count + group.count, 0),
  };
}

function askedOf(group: ClaimGroup, totals: TotalsAnswer): AskedGroup {
  const { insutype, clrType, clrOptins, count } = group;
  const text = totals.outcome === 'notFlat' ? totals.text : '';
  return { insutype, clrType, clrOptins, count, isFlat: totals.outcome === 'flat', text };
}

/** Rows of a group whose sums the insurer confirmed. */
async function* flatRows(claims: readonly ClaimRow[], day: string): AsyncGenerator<StatementRow[]> {
  for (let from = 0; from < claims.length; from += fileLimits.batch) {
    const some = claims.slice(from, from + fileLimits.batch);
    yield some.map((claim, at) => flatRow(claim, from + at + 1, day));
  }
}

function flatRow(claim: ClaimRow, rowNumber: number, day: string): StatementRow {
  return {
    rowNumber,
    kind: claim.isReversal ? 'reversed' : 'settled',
    key: claim.setlId,
    key2: claim.msgid,
    amount: claim.total,
    fee: 0n,
    occurredOn: day,
    detail: {
      setl_id: claim.setlId,
      mdtrt_id: claim.mdtrtId,
      medfee_sumamt: formatYuan(claim.total),
      fund_pay_sumamt: formatYuan(claim.fund),
      acct_pay: formatYuan(claim.account),
      stmt_rslt: '0',
    },
  };
}

async function* fileRows(
  file: Buffer,
  businessDate: string,
  hospitalCode: string,
): AsyncGenerator<StatementRow[]> {
  async function* body() {
    yield file;
  }
  const asked = { counterparty: 'insurer', format: '3202', businessDate, hospitalCode } as const;
  yield* parseStatement({ ...asked, body: body() }).rows;
}
