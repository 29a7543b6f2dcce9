// Finance reads the books: trial balance, entries, and the verdict on every law.
import { z } from 'zod';
import { page, readCursor } from '../http/paging.ts';
import { type Call, callerOf, type Reply, type Route, route, staffRoles } from '../http/route.ts';
import { listReply } from '../http/schemas.ts';
import { type Column, tabularReply } from '../http/tabular.ts';
import { idPattern } from '../ids.ts';
import { trialBalance } from './balances.ts';
import { type FoundEntry, findEntries } from './find-entries.ts';
import {
  type EntryView,
  entriesQuery,
  entryReply,
  entryView,
  trialBalanceQuery,
  trialBalanceReply,
  trialBalanceView,
  verdictReply,
} from './schemas.ts';
import { verifyBooks } from './verify.ts';

/** Entries of one download; a busy day of a hospital has a few thousand. */
const EXPORT_ENTRIES = 5_000;

const finance = {
  tag: 'Finance',
  method: 'get',
  roles: staffRoles,
  idempotency: 'none',
  problems: [],
} as const;

export const ledgerRoutes: Route[] = [
  route({
    ...finance,
    path: '/v1/ledger/trial-balance',
    operationId: 'getTrialBalance',
    summary: '试算平衡 Trial balance now or at a time',
    query: trialBalanceQuery,
    replies: { 200: trialBalanceReply },
    handler: async (call) => {
      const { at } = call.query;
      const trial = await trialBalance(call.deps.reportDb, {
        ...(at ? { at } : {}),
        ...ownHospital(call),
      });
      return { status: 200, body: trialBalanceView(trial) };
    },
  }),
  route({
    ...finance,
    path: '/v1/ledger/entries',
    operationId: 'listLedgerEntries',
    summary: '记账凭证 Journal entries with their legs, newest first; also CSV and XLSX',
    isTabular: true,
    query: entriesQuery,
    replies: { 200: listReply(entryReply) },
    handler: listEntries,
  }),
  route({
    ...finance,
    path: '/v1/ops/verify',
    operationId: 'verifyBooks',
    summary: '账目校验 Every law of the books and whether it holds',
    replies: { 200: verdictReply },
    handler: async (call) => {
      const verdict = await verifyBooks(call.deps.db);
      if (!ownHospital(call).hospitalCode) return { status: 200, body: verdict };
      // Offenders are named by id, and they may be another hospital's.
      const laws = verdict.laws.map(({ law, holds, checked }) => ({ law, holds, checked }));
      return { status: 200, body: { ...verdict, laws } };
    },
  }),
];

async function listEntries(call: Call<undefined, z.output<typeof entriesQuery>>): Promise<Reply> {
  const { limit, cursor, ...filter } = call.query;
  const [before] = readCursor(cursor, z.tuple([z.string().regex(idPattern('entry'))])) ?? [null];
  const size = call.accept === 'json' ? limit : EXPORT_ENTRIES;
  const found = await findEntries(
    call.deps.reportDb,
    { ...filter, ...ownHospital(call) },
    { limit: size + 1, before },
  );
  const { data, nextCursor } = page<FoundEntry>(found, size, (entry) => [entry.id]);
  const entries = data.map(entryView);
  if (call.accept === 'json') return { status: 200, body: { data: entries, nextCursor } };
  const reply = await tabularReply(call.accept, 'ledger-entries', columns, entries.flatMap(lines));
  const next: Record<string, string> = nextCursor ? { 'Next-Cursor': nextCursor } : {};
  return { ...reply, headers: { ...reply.headers, ...next } };
}

/** A finance role limited to one hospital sees that hospital's own legs only. */
function ownHospital(call: Pick<Call, 'caller'>): { hospitalCode?: string } {
  const { hospitalCode } = callerOf(call, 'staff');
  return hospitalCode ? { hospitalCode } : {};
}

interface Line {
  entry: Omit<EntryView, 'legs'>;
  leg: EntryView['legs'][number];
}

/** A download has one line a leg. */
function lines({ legs, ...entry }: EntryView): Line[] {
  return legs.map((leg) => ({ entry, leg }));
}

const columns: readonly Column<Line>[] = [
  { key: 'id', cell: ({ entry }) => entry.id },
  { key: 'fact', cell: ({ entry }) => entry.fact },
  { key: 'subjectId', cell: ({ entry }) => entry.subjectId },
  { key: 'occurredAt', cell: ({ entry }) => entry.occurredAt },
  { key: 'recordedAt', cell: ({ entry }) => entry.recordedAt },
  { key: 'businessDate', cell: ({ entry }) => entry.businessDate },
  { key: 'leg', cell: ({ leg }) => String(leg.leg) },
  { key: 'ownerKind', cell: ({ leg }) => leg.ownerKind },
  { key: 'owner', cell: ({ leg }) => leg.owner },
  { key: 'account', cell: ({ leg }) => leg.account },
  { key: 'name', cell: ({ leg }) => leg.name },
  { key: 'debit', cell: ({ leg }) => leg.debit },
  { key: 'credit', cell: ({ leg }) => leg.credit },
  { key: 'undone', cell: ({ leg }) => leg.undone },
  { key: 'counterparty', cell: ({ leg }) => leg.counterparty },
  { key: 'citizenId', cell: ({ leg }) => leg.citizenId },
  { key: 'settlementId', cell: ({ leg }) => leg.settlementId },
  { key: 'claimId', cell: ({ leg }) => leg.claimId },
  { key: 'reference', cell: ({ leg }) => leg.reference },
  {
    key: 'undoes',
    cell: ({ leg }) => (leg.undoes ? `${leg.undoes.entryId}/${leg.undoes.leg}` : ''),
  },
];
