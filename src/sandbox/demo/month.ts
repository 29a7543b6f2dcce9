// Role: `npm run demo -- month`: a synthetic month of the city in a database of its own. Every day is billed, every
// counterparty's file of it is compared, payouts are made and proved, and the day is closed; at the end every break
// that was put in must have been found, of its kind, and nothing else. EGRET_REAL_DATA: amounts and hours from there.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { closeDay } from '../../business-day/close-day.ts';
import { type Db, openDatabase, rows, transact } from '../../db/db.ts';
import { startEmbedded } from '../../db/embedded.ts';
import { migrateDatabase } from '../../db/migrate.ts';
import { verifyBooks } from '../../ledger/verify.ts';
import type { BreakKind } from '../../reconciliation/break-catalogue.ts';
import { parseStatement } from '../../reconciliation/files/parse-statement.ts';
import { importStatement } from '../../reconciliation/import-statement.ts';
import type { Statement, StatementRow } from '../../reconciliation/statement.ts';
import { hospitals } from '../city/hospitals.ts';
import { seedCity } from '../city/seed.ts';
import { insertDay, insertPeople } from './month-books.ts';
import { type Expected, hospitalFile, insurerRows, wechatRows } from './month-files.ts';
import { payDay } from './month-payouts.ts';
import { inventedShapes, type MonthBill, planDay, randomOf, type Shapes } from './month-plan.ts';
import { scoreMonth } from './month-score.ts';
import { realShapes } from './real-shapes.ts';

/** A whole month; `npm run demo -- month 3` plays three days of it. */
const DAYS = 30;
const VISITS_OF_DAY = 2_005;
const HOSPITALS = 8;
const PEOPLE = 600;
const DAY_MS = 86_400_000;

/** Of a day; with three breaks for each `ambiguous` a month has 2,010. */
const MISCHIEF: Partial<Record<BreakKind, number>> = {
  ...{ missingAtHospital: 4, missingAtPlatform: 4, amountOver: 4, amountUnder: 4 },
  ...{ splitMismatch: 4, statusMismatch: 4, dateCutoff: 4, duplicateExternal: 4 },
  ...{ duplicateInternal: 4, dataMismatch: 4, lateCapture: 4, conversionPending: 4 },
  ...{ orphanRefund: 4, ambiguous: 1, fee: 4, missingAtBank: 4, missingAtInsurer: 4 },
};

/** Plays the month; 0 when every break was found, none invented, and every law holds. */
export async function playMonth(days = DAYS): Promise<number> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'egret-month-'));
  const database = await startEmbedded({ dataDir, durable: false });
  const db = openDatabase({ url: database.url, schema: 'public', poolSize: 4, usePrepared: true });
  try {
    await migrateDatabase(database.url, 'public');
    await seedCity(db);
    const folder = process.env.EGRET_REAL_DATA;
    return await playDays(db, folder ? await realShapes(folder) : inventedShapes, days);
  } finally {
    await db.$client.end();
    await database.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function playDays(db: Db, shapes: Shapes, days: number): Promise<number> {
  const people = await insertPeople(db, PEOPLE);
  const codes = hospitals.slice(0, HOSPITALS).map(({ code }) => code);
  const random = randomOf(20_261_122);
  const mischief = Object.entries(MISCHIEF).flatMap(([kind, count]) =>
    Array.from({ length: count }, () => kind as BreakKind),
  );
  const expected: Expected[] = [];
  const first = new Date(Date.now() - (days + 3) * DAY_MS);
  let late: MonthBill[] = [];
  let visits = 0;
  for (let index = 0; index < days; index += 1) {
    const day = dayOf(first, index);
    await setClock(db, dayOf(first, index + 1), 10);
    const order = {
      day,
      visits: VISITS_OF_DAY,
      hospitals: codes,
      people,
      mischief,
      shapes,
      random,
    };
    const bills = planDay(order);
    await insertDay(db, day, bills);
    for (const code of codes) expected.push(...(await compareDay(db, code, day, bills, late)));
    late = bills.filter((bill) => bill.mischief === 'dateCutoff');
    const payouts = await payDay(db, day);
    await ownBreaks(db);
    await transact(db, (tx) => closeDay(tx, 'demo-checker', day));
    visits += new Set(bills.map((bill) => bill.visitId)).size;
    console.log(`${day}: ${bills.length} 笔 bills, ${payouts} 笔拨付 payouts, 已关账 closed`);
  }
  // The evening of the last day is written by the files of the next morning.
  const next = dayOf(first, days);
  await setClock(db, dayOf(first, days + 1), 10);
  for (const code of codes) expected.push(...(await compareDay(db, code, next, [], late)));
  return report(db, expected, visits);
}

async function report(db: Db, expected: Expected[], visits: number): Promise<number> {
  const score = await scoreMonth(db, expected);
  const { laws, holds } = await verifyBooks(db);
  const held = laws.filter((law) => law.holds).length;
  console.log(['', ...score.lines, ''].join('\n'));
  for (const law of laws.filter((each) => !each.holds)) console.log(`✗ ${law.law}: ${law.detail}`);
  const isGood = holds && score.isPerfect;
  console.log(
    `demo month: ${visits} 次就诊 visits, ${score.injected} 个差错 breaks, ` +
      `${held}/${laws.length} 条规则成立 laws held${isGood ? '' : ' ✗'}`,
  );
  return isGood ? 0 : 1;
}

/** The three files of one hospital and day. */
async function compareDay(
  db: Db,
  hospitalCode: string,
  businessDate: string,
  all: readonly MonthBill[],
  evening: readonly MonthBill[],
): Promise<Expected[]> {
  const here = (bill: MonthBill) => bill.hospitalCode === hospitalCode;
  const bills = all.filter(here);
  const place = { businessDate, hospitalCode } as const;
  const his = hospitalFile(hospitalCode, businessDate, bills, evening.filter(here));
  const order = { ...place, lender: null, createdBy: 'demo' };
  await importStatement(
    { db },
    { ...order, counterparty: 'hospital', format: 'csv', fileHash: hashOf(his.csv) },
    () =>
      parseStatement({
        ...{ ...place, counterparty: 'hospital', format: 'csv' },
        body: again(Buffer.from(his.csv)),
      }),
  );
  const expected = [...his.expected];
  for (const [counterparty, found] of [
    ['wechatPay', wechatRows(hospitalCode, businessDate, bills)],
    ['insurer', insurerRows(hospitalCode, businessDate, bills)],
  ] as const) {
    const fileHash = hashOf(`${counterparty} ${hospitalCode} ${businessDate}`);
    await importStatement({ db }, { ...order, counterparty, format: 'demo', fileHash }, () =>
      statementOf(found.rows),
    );
    expected.push(...found.expected);
  }
  return expected;
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** Readable as often as wanted, as a file on disk is. */
function again(bytes: Buffer): AsyncIterable<Buffer> {
  return {
    async *[Symbol.asyncIterator]() {
      yield bytes;
    },
  };
}

function statementOf(found: StatementRow[]): Statement {
  return {
    rows: (async function* () {
      yield found;
    })(),
    meta: () => ({}),
    claimedTotals: () => null,
  };
}

/** Somebody looks after what does not clear itself: else the day does not close. */
async function ownBreaks(db: Db): Promise<void> {
  await rows(
    db,
    sql`update reconciliation_break set owner = 'demo', version = version + 1
    where status = 'open' and owner is null and not is_self_clearing`,
  );
}

/** Business time at this hour of that day in Shanghai. */
async function setClock(db: Db, day: string, hour: number): Promise<void> {
  await db.execute(sql`update business_clock set offset_seconds = extract(epoch from
    ((${day}::date + make_interval(hours => ${hour}::int)) at time zone 'Asia/Shanghai')
      - clock_timestamp())::int`);
}

function dayOf(first: Date, index: number): string {
  return new Date(first.getTime() + index * DAY_MS + 8 * 3_600_000).toISOString().slice(0, 10);
}
