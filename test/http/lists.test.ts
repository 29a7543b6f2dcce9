// Lists: pages by cursor that neither lose nor repeat a row, and the same rows as CSV and XLSX.
import { sql } from 'drizzle-orm';
import exceljs from 'exceljs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { page } from '../../src/http/paging.ts';
import { tabularReply } from '../../src/http/tabular.ts';
import { useDatabase } from '../support/database.ts';
import { createNotes, noteRoutes } from './notes.ts';
import { useServer } from './server.ts';

const { db } = useDatabase();
const { agent } = useServer(db, noteRoutes);

beforeAll(async () => {
  await createNotes(db);
  await db.execute(sql`insert into note (text, amount, client)
    select 'note ' || n, case when n = 3 then -1230 else n end, 'x' from generate_series(1, 45) n`);
});

const list = (query: string, accept = 'application/json') =>
  agent().get(`/v1/notes${query}`).set('Authorization', 'Bearer auditor:a').set('Accept', accept);

describe('a list', () => {
  it('is read page by page, each row once, until nextCursor is null', async () => {
    for (const limit of [1, 7, 45, 100]) {
      const seen: number[] = [];
      let query = `?limit=${limit}`;
      for (;;) {
        const { body } = await list(query);
        seen.push(...body.data.map((row: { number: number }) => row.number));
        if (body.nextCursor === null) break;
        expect(body.data).toHaveLength(limit);
        query = `?limit=${limit}&cursor=${body.nextCursor}`;
      }
      expect(seen).toEqual(Array.from({ length: 45 }, (_, i) => i + 1));
    }
  });

  it('has 20 rows unless asked otherwise, and names its version', async () => {
    const reply = await list('');
    expect(reply.body.data).toHaveLength(20);
    expect(reply.headers.etag).toBe('"7"');
  });

  it('cuts every length at every limit without loss', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.integer({ min: 1, max: 10 }), (length, limit) => {
        const all = Array.from({ length }, (_, i) => i);
        const { data, nextCursor } = page(all.slice(0, limit + 1), limit, (row) => [row]);
        expect(data).toEqual(all.slice(0, limit));
        expect(nextCursor === null).toBe(length <= limit);
      }),
    );
  });
});

describe('the same list', () => {
  it('is CSV for those who ask for it, exact to the fen', async () => {
    const reply = await list('?limit=5', 'text/csv');
    expect(reply.headers['content-type']).toContain('text/csv');
    expect(reply.headers['content-disposition']).toContain('notes.csv');
    const lines = reply.text.replace('\ufeff', '').trim().split('\r\n');
    expect(lines[0]).toBe('number,text,amount');
    expect(lines[3]).toBe('3,note 3,-12.30');
  });

  it('is XLSX for those who ask for it', async () => {
    const type = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
    const reply = await list('?limit=5', type)
      .buffer(true)
      .parse((res, done) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('end', () => done(null, Buffer.concat(chunks)));
      });
    const workbook = new exceljs.Workbook();
    await workbook.xlsx.load(reply.body);
    const sheet = workbook.getWorksheet('notes');
    expect(sheet?.getRow(1).values).toEqual([undefined, 'number', 'text', 'amount']);
    expect(sheet?.getRow(4).getCell(3).value).toBe('-12.30');
  });

  it('defuses cells that a spreadsheet would run', async () => {
    const evil = ['=1+1', '+1', '-1+cmd|x', '@sum(a1)', '\tx', '-12.30', '普通, "引号"'];
    const columns = [{ key: 'text', cell: (row: string) => row }];
    const reply = await tabularReply('csv', 'evil', columns, evil);
    const lines = String(reply.raw?.data).replace('\ufeff', '').trim().split('\r\n').slice(1);
    expect(lines).toEqual([
      "'=1+1",
      "'+1",
      "'-1+cmd|x",
      "'@sum(a1)",
      "'\tx",
      '-12.30',
      '"普通, ""引号"""',
    ]);
  });
});
