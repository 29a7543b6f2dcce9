// Role: how well the month's breaks were found: of each kind how many there were, were found, and were invented.
import { sql } from 'drizzle-orm';
import { type Db, rows } from '../../db/db.ts';
import { breakKinds } from '../../reconciliation/break-catalogue.ts';
import type { Expected } from './month-files.ts';
import { textTable } from './text-table.ts';

export interface Score {
  lines: string[];
  isPerfect: boolean;
  injected: number;
}

interface Found {
  counterparty: string;
  scope: string;
  subject: string;
  kind: string;
}

/** Compares every break that was ever opened with those that must be found. */
export async function scoreMonth(db: Db, expected: readonly Expected[]): Promise<Score> {
  const found = await rows<Found>(
    db,
    sql`select counterparty, scope, subject, kind from reconciliation_break`,
  );
  const keyOf = (each: Found | Expected) => `${each.counterparty} ${each.scope} ${each.subject}`;
  const kindOf = new Map(found.map((each) => [keyOf(each), each.kind]));
  const wanted = new Map<string, string>(expected.map((each) => [keyOf(each), each.kind]));
  const misses: string[] = [];
  const body = breakKinds.map((kind) => {
    const injected = expected.filter((each) => each.kind === kind);
    const named = found.filter((each) => each.kind === kind);
    const right = injected.filter((each) => kindOf.get(keyOf(each)) === kind).length;
    for (const each of injected) {
      const seen = kindOf.get(keyOf(each));
      if (seen !== kind) misses.push(`✗ ${kind} ${each.subject}: ${seen ?? '未发现 not found'}`);
    }
    for (const each of named) {
      if (!wanted.has(keyOf(each))) misses.push(`✗ ${kind} ${each.subject}: 凭空 invented`);
    }
    const share = (of: number) => (of === 0 ? '–' : `${((100 * right) / of).toFixed(1)} %`);
    return [
      kind,
      injected.length,
      right,
      named.length,
      share(named.length),
      share(injected.length),
    ];
  });
  const head = [
    '差错 break',
    '注入 injected',
    '找对 right',
    '报出 listed',
    '查准 precision',
    '查全 recall',
  ];
  const table = body.map((row) => row.map(String));
  return {
    lines: [...textTable(head, table), ...misses.slice(0, 20)],
    isPerfect: misses.length === 0 && body.every(([, injected]) => Number(injected) > 0),
    injected: expected.length,
  };
}
