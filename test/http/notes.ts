// The routes that the tests of http/ play with: notes in a table of their own.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { type Db, rows } from '../../src/db/db.ts';
import { Refusal } from '../../src/errors.ts';
import { once } from '../../src/http/idempotency.ts';
import { page, readCursor } from '../../src/http/paging.ts';
import { type Route, route } from '../../src/http/route.ts';
import {
  idOf,
  listReply,
  pageQuery,
  positiveYuan,
  shortText,
  timeText,
  yuanReply,
} from '../../src/http/schemas.ts';
import { tabularReply } from '../../src/http/tabular.ts';
import { formatYuan } from '../../src/money.ts';

/** Lets a test hold a request inside its transaction: await `entered`, then call `release`. */
export interface Gate {
  entered: Promise<void>;
  release: () => void;
  pass: () => Promise<void>;
}

export function makeGate(): Gate {
  let enter = () => {};
  let release = () => {};
  const entered = new Promise<void>((resolve) => {
    enter = resolve;
  });
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const pass = async () => {
    enter();
    await released;
  };
  return { entered, release: () => release(), pass };
}

/** What the next requests do, beside writing a note. */
export const plan: { gate: Gate | null; error: unknown } = { gate: null, error: null };

const noteReply = z.object({ number: z.int(), text: z.string(), amount: yuanReply });

const noteBody = z.strictObject({
  text: shortText(100),
  amount: positiveYuan,
  at: timeText.optional(),
  tags: z.array(shortText(10)).max(5).optional(),
  extra: z.record(z.string().max(20), z.unknown()).optional(),
});

const writeNote = route({
  method: 'post',
  path: '/v1/notes',
  operationId: 'writeNote',
  summary: '写一条 Write a note',
  tag: 'Counter',
  roles: ['terminal', 'citizen'],
  idempotency: 'required',
  body: noteBody,
  replies: { 201: noteReply },
  problems: ['credit/limit-exceeded', 'visit/number-taken', 'visit/settling', 'insurance/offline'],
  handler: (call) =>
    once(call, async (tx) => {
      const { text, amount } = call.body;
      const [row] = await rows<{ number: number }>(
        tx,
        sql`
        insert into note (text, amount, client) values (${text}, ${amount}, ${call.caller.client})
        returning number`,
      );
      await plan.gate?.pass();
      if (plan.error) throw plan.error;
      return { status: 201, body: { number: row?.number, text, amount: formatYuan(amount) } };
    }),
});

const writeOther = route({
  method: 'post',
  path: '/v1/others',
  operationId: 'writeOther',
  summary: '另一条路 Another path',
  tag: 'Counter',
  roles: ['terminal'],
  idempotency: 'required',
  body: noteBody,
  replies: { 201: null },
  problems: [],
  handler: (call) => once(call, async () => ({ status: 201, body: { other: true } })),
});

const changeNote = route({
  method: 'put',
  path: '/v1/notes',
  operationId: 'changeNote',
  summary: '改一条 Change a note',
  tag: 'Counter',
  roles: ['terminal'],
  idempotency: 'optional',
  body: noteBody,
  replies: { 204: null },
  problems: ['request/precondition-required'],
  handler: (call) => once(call, async () => ({ status: 204 })),
});

const readVisit = route({
  method: 'get',
  path: '/v1/visits/{visitId}',
  operationId: 'readVisit',
  summary: '查一次 Read a visit',
  tag: 'Counter',
  roles: ['terminal'],
  idempotency: 'none',
  params: z.object({ visitId: idOf('visit') }),
  replies: { 200: null },
  problems: [],
  handler: async () => {
    throw new Refusal('resource/not-found');
  },
});

const closeVisit = route({
  method: 'post',
  path: '/v1/visits/{visitId}/close',
  operationId: 'closeVisit',
  summary: '关一次 Close a visit',
  tag: 'Counter',
  roles: ['terminal'],
  idempotency: 'required',
  params: z.object({ visitId: idOf('visit') }),
  replies: { 204: null },
  problems: [],
  handler: async () => ({ status: 204 }),
});

const columns = [
  { key: 'number', cell: (row: NoteRow) => String(row.number) },
  { key: 'text', cell: (row: NoteRow) => row.text },
  { key: 'amount', cell: (row: NoteRow) => formatYuan(row.amount) },
];

interface NoteRow {
  number: number;
  text: string;
  amount: bigint;
}

const listNotes = route({
  method: 'get',
  path: '/v1/notes',
  operationId: 'listNotes',
  summary: '列表 List notes',
  tag: 'Finance',
  roles: ['auditor'],
  idempotency: 'none',
  isTabular: true,
  query: pageQuery.extend({ text: shortText(20).optional() }),
  replies: { 200: listReply(noteReply) },
  problems: [],
  handler: async (call) => {
    const { limit, cursor } = call.query;
    const [after] = readCursor(cursor, z.tuple([z.int().max(2_147_483_647)])) ?? [0];
    const found = await rows<NoteRow>(
      call.deps.db,
      sql`
      select number, text, amount from note where number > ${after} order by number
      limit ${limit + 1}`,
    );
    if (call.accept !== 'json') return tabularReply(call.accept, 'notes', columns, found);
    const { data, nextCursor } = page(found, limit, (row) => [row.number]);
    const view = data.map((row) => ({ ...row, amount: formatYuan(row.amount) }));
    return { status: 200, body: { data: view, nextCursor }, headers: { ETag: '"7"' } };
  },
});

const readOpenly = route({
  method: 'get',
  path: '/v1/open',
  operationId: 'readOpenly',
  summary: '公开 Public',
  tag: 'Operations',
  roles: 'public',
  idempotency: 'none',
  replies: { 200: z.object({ ok: z.boolean() }) },
  problems: [],
  handler: async () => {
    if (plan.error) throw plan.error;
    return { status: 200, body: { ok: true } };
  },
});

export const noteRoutes: Route[] = [
  writeNote,
  writeOther,
  changeNote,
  readVisit,
  closeVisit,
  listNotes,
  readOpenly,
];

export async function createNotes(db: Db): Promise<void> {
  await db.execute(sql`create table note (number int generated always as identity primary key,
    text text not null, amount bigint not null, client text not null)`);
}

export async function countNotes(db: Db): Promise<number> {
  const [row] = await rows<{ count: number }>(db, sql`select count(*)::int as count from note`);
  return row?.count ?? -1;
}
