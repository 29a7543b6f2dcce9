// Everything that we hold about one citizen, as one JSON document, read and sent piece by piece. Law: only
// the owner's things; relatives are masked, and who stood at a terminal is left out.
import { asc, eq } from 'drizzle-orm';
import {
  creditLineView,
  listReceivables,
  type ReceivableRow,
  receivableView,
} from '../credit/line-store.ts';
import { businessNow, transact } from '../db/db.ts';
import { consent, creditLine, hold, oneTimeCredential } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { type LinkRow, linkView, listLinks } from '../family/link-store.ts';
import { logAccess } from '../identity/access-log.ts';
import { readCitizen } from '../identity/people.ts';
import { listAccesses } from '../identity/reads.ts';
import { formatYuan } from '../money.ts';
import { listRepayments, type RepaymentRow, repaymentViews } from '../repayment/repayment-store.ts';
import { exportVisits } from './export-visits.ts';
import { listMySettlements, type MySettlement, mySettlementView } from './my-settlements.ts';
import { listNotices, type NoticeRow, noticeView } from './notices.ts';
import { paged } from './paged.ts';

/** One list of the document. */
type Section = AsyncIterable<unknown>;

type AccessRow = Awaited<ReturnType<typeof listAccesses>>[number];

/** Notes the export in the access log and begins it; the pieces are read as they are sent. */
export async function exportMine(
  deps: Deps,
  caller: { client: string; citizenId: string },
): Promise<AsyncIterable<string>> {
  const { citizenId, client: actor } = caller;
  const at = deps.realNow();
  await transact(deps.db, (tx) => logAccess(tx, { citizenId, actor, action: 'export.read', at }));
  return pieces(deps, citizenId);
}

async function* pieces(deps: Deps, citizenId: string): AsyncGenerator<string> {
  const [person, now] = await Promise.all([
    readCitizen(deps.db, deps.keyring, citizenId),
    businessNow(deps.db),
  ]);
  yield `{"exportedAt":${JSON.stringify(now)},"person":${JSON.stringify(person)}`;
  for (const [name, rows] of Object.entries(sectionsOf(deps, citizenId, now))) {
    yield `,${JSON.stringify(name)}:[`;
    let isFirst = true;
    for await (const row of rows) {
      yield `${isFirst ? '' : ','}${JSON.stringify(row)}`;
      isFirst = false;
    }
    yield ']';
  }
  yield '}';
}

/** By name, in the order of the document. */
function sectionsOf(deps: Deps, me: string, now: Date): Record<string, Section> {
  const { db, keyring } = deps;
  return {
    consents: all(db.select().from(consent).where(eq(consent.citizenId, me))),
    creditLines: all(linesOf(deps, me)),
    holds: all(holdsOf(deps, me)),
    familyLinks: paged(
      (last: LinkRow | null, count) => listLinks(db, me, { before: last?.id ?? null, count }),
      (row) => linkView(db, keyring, row, { citizenId: me, now }),
    ),
    visits: exportVisits(deps, me),
    settlements: paged(
      (last: MySettlement | null, count) => {
        const bill = last?.settlement;
        const after = bill ? ([bill.settledAt.toISOString(), bill.id] as const) : null;
        return listMySettlements(deps, me, [], { after, count });
      },
      (row) => mySettlementView(db, row, me, []),
    ),
    receivables: paged(
      (last: ReceivableRow | null, count) => {
        const after = last ? ([new Date(last.due_at), last.id] as const) : null;
        return listReceivables(db, me, after, count);
      },
      async (row) => receivableView(row),
    ),
    repayments: paged(
      (last: RepaymentRow | null, count) => listRepayments(db, me, last?.id ?? null, count),
      async (row) => (await repaymentViews(db, [row]))[0],
    ),
    credentials: all(credentialsOf(deps, me)),
    accessLog: paged(
      (last: AccessRow | null, count) =>
        listAccesses(deps, me, last ? [last.at, last.id] : null, count),
      async (row) => row,
    ),
    notices: paged(
      (last: NoticeRow | null, count) => {
        const after = last ? ([new Date(last.at).toISOString(), last.id] as const) : null;
        return listNotices(db, me, { after, count });
      },
      async (row) => noticeView(row),
    ),
  };
}

async function* all(read: PromiseLike<unknown[]>): Section {
  yield* await read;
}

/** Closed lines too: what was granted, on which score, under which agreement. */
async function linesOf({ db }: Deps, me: string) {
  const found = await db.select().from(creditLine).where(eq(creditLine.citizenId, me));
  return found.map((line) => ({
    ...creditLineView(line),
    product: line.product,
    policyVersion: line.policyVersion,
    agreementVersion: line.agreementVersion,
    suspendedFor: line.suspendedFor,
    openedAt: line.openedAt,
    closedAt: line.closedAt,
  }));
}

async function holdsOf({ db }: Deps, me: string) {
  const found = await db
    .select({ hold })
    .from(hold)
    .innerJoin(creditLine, eq(creditLine.id, hold.lineId))
    .where(eq(creditLine.citizenId, me))
    .orderBy(asc(hold.id));
  return found.map(({ hold: row }) => ({
    id: row.id,
    lineId: row.lineId,
    familyLinkId: row.familyLinkId,
    status: row.status,
    amount: formatYuan(row.amount),
    captured: formatYuan(row.captured),
    placedAt: row.placedAt,
    expiresAt: row.expiresAt,
    resolvedAt: row.resolvedAt,
  }));
}

/** That there were codes and identifications, and when; the codes themselves are kept as hashes only. */
function credentialsOf({ db }: Deps, me: string) {
  const { kind, expiresAt, usedAt } = oneTimeCredential;
  return db
    .select({ kind, expiresAt, usedAt })
    .from(oneTimeCredential)
    .where(eq(oneTimeCredential.citizenId, me))
    .orderBy(asc(expiresAt));
}
