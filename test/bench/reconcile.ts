// Bench: a hospital's day of `--count` rows read, matched against as many of ours and its 2,000 differences
// listed, next to what PostgreSQL alone needs: a bare COPY of the same file and one FULL JOIN. Memory is watched.
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { connect } from '../../src/db/connect.ts';
import { type Db, openDatabase } from '../../src/db/db.ts';
import { startEmbedded } from '../../src/db/embedded.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';
import { spool } from '../../src/http/spool.ts';
import { parseStatement } from '../../src/reconciliation/files/parse-statement.ts';
import { importStatement } from '../../src/reconciliation/import-statement.ts';
import type { Bench } from './bench.ts';
import type { Round } from './figure.ts';

const HOSPITAL = 'H35020099999';
const DAY = '2026-10-01';
/** Half of them missing at the hospital, half with another amount. */
const DIFFERENCES = 2_000;
/** What memory may grow by while a million rows pass. */
const MAX_GROWTH_MIB = 300;
const MIB = 2 ** 20;
const CHUNK = 256 * 1024;

export const reconcile: Bench = async (options, say) => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'egret-bench-'));
  const database = await startEmbedded({ dataDir, durable: false });
  const db = openDatabase({ url: database.url, schema: 'public', poolSize: 2, usePrepared: true });
  const file = path.join(dataDir, 'day.csv');
  const rounds: Round[] = [];
  try {
    await migrateDatabase(database.url, 'public');
    await seed(db, options.count);
    await writeFile(database.url, db, file);
    say(`${options.count} tenders and their file are there`);
    for (let round = 1; round <= options.rounds; round += 1) {
      const bare = await bareRound(db, file);
      const { seconds, growthMiB, breaks, matched } = await importRound(db, file, round);
      const isRight = breaks === DIFFERENCES && growthMiB < MAX_GROWTH_MIB;
      say(
        `${seconds.toFixed(1)} s, bare ${bare.toFixed(1)} s, RSS +${growthMiB.toFixed(0)} MiB, ` +
          `${matched} agree, ${breaks} differ`,
      );
      const process = { name: 'service', cpuSeconds: seconds, rssMiB: growthMiB };
      rounds.push({
        ...{ value: seconds, yardstick: bare, latenciesMs: [], errors: isRight ? 0 : 1 },
        processes: [process],
      });
    }
  } finally {
    await db.$client.end();
    await database.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
  return {
    figure: 'reconcile',
    unit: 's',
    yardstick: 'a bare COPY of the file and one FULL JOIN',
    reach: { below: 3 },
    rounds,
  };
};

/** Two tenders a bill. The triggers of a million inserts are not what is measured. */
async function seed(db: Db, count: number): Promise<void> {
  const bills = Math.ceil(count / 2);
  await db.$client.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`insert into hospital (code, name, level, region)
      values (${HOSPITAL}, '基准医院 Bench', 3, '350200')`;
    await sql`insert into visit (id, hospital_code, visit_number, kind, status, business_date,
        started_at, insured, use_personal_account, use_family_account, opened_at)
      select 'vis_' || i, ${HOSPITAL}, 'V' || i, 'outpatient', 'settled', ${DAY}::date,
        ${DAY}::date + interval '4 hours', '{}', false, false, ${DAY}::date + interval '4 hours'
      from generate_series(1, ${bills}::int) i`;
    await sql`insert into settlement (id, visit_id, hospital_code, status, insurance_status, total,
        due_at_counter, unused, refundable, settled_at, recorded_at, business_date, receipt_number)
      select 'set_' || i, 'vis_' || i, ${HOSPITAL}, 'settled', 'skipped', 3000 + i % 1000, 0, '[]',
        3000 + i % 1000, ${DAY}::date + interval '4 hours', ${DAY}::date + interval '4 hours',
        ${DAY}::date, 'R' || lpad(i::text, 10, '0')
      from generate_series(1, ${bills}::int) i`;
    await sql`insert into tender (settlement_id, position, kind, amount, reference, paid_at)
      select 'set_' || i, p, case p when 1 then 'cash' else 'wechatPay' end,
        case p when 1 then 1000 else 2000 + i % 1000 end, 'T' || i || '-' || p,
        ${DAY}::date + interval '4 hours'
      from generate_series(1, ${bills}::int) i, generate_series(1, 2) p`;
  });
  await db.$client`analyze`;
}

async function writeFile(url: string, db: Db, file: string): Promise<void> {
  const every = await db.$client`select (count(*) / ${DIFFERENCES}::int)::int as n from settlement`;
  const step = Number(every[0]?.n ?? 1);
  // postgres.js may leave a connection paused after COPY TO: this one is used for nothing else.
  const own = connect(url, { max: 1 });
  const source = await own
    .unsafe(
      `copy (
        select '${DAY}' as "businessDate", '${HOSPITAL}' as "fixmedinsCode",
          s.receipt_number as "receiptNumber", null as "refundOf", v.visit_number as "visitNumber",
          s.id as "settlementId", null as "setlId", null as "invoiceNumber", t.kind as kind,
          to_char((t.amount + case when n.i % (2 * ${step}) = ${step} and t.position = 1 then 100 else 0 end)
            / 100.0, 'FM9999990.00') as amount,
          '${DAY}T12:00:00+08:00' as "occurredAt", 'A' as shift, 'W01' as operator
        from settlement s join tender t on t.settlement_id = s.id join visit v on v.id = s.visit_id
        cross join lateral (select substr(s.id, 5)::int as i) n
        where n.i % (2 * ${step}) <> 0
      ) to stdout with (format csv, header)`,
    )
    .readable();
  await pipeline(source, createWriteStream(file));
  await own.end({ timeout: 0 });
}

async function bareRound(db: Db, file: string): Promise<number> {
  const began = performance.now();
  await db.$client.begin(async (sql) => {
    await sql`set local work_mem = '128MB'`;
    await sql`create temp table bare_file ("businessDate" text, "fixmedinsCode" text,
      "receiptNumber" text, "refundOf" text, "visitNumber" text, "settlementId" text, "setlId" text,
      "invoiceNumber" text, kind text, amount numeric, "occurredAt" text, shift text, operator text)
      on commit drop`;
    const into = await sql`copy bare_file from stdin with (format csv, header)`.writable();
    await pipeline(createReadStream(file, { highWaterMark: CHUNK }), into);
    await sql`select count(*) from bare_file f full join (
        select s.receipt_number, t.kind, t.amount from settlement s
        join tender t on t.settlement_id = s.id where s.business_date = ${DAY}::date
      ) o on o.receipt_number = f."receiptNumber" and o.kind = f.kind
      where o.amount is distinct from f.amount * 100`;
  });
  return (performance.now() - began) / 1000;
}

async function importRound(db: Db, file: string, round: number) {
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let highest = before;
  const watch = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage().rss);
  }, 50);
  const began = performance.now();
  const body = await spool(
    createReadStream(file, { highWaterMark: CHUNK }),
    Number.MAX_SAFE_INTEGER,
  );
  const place = { counterparty: 'hospital', businessDate: DAY, hospitalCode: HOSPITAL } as const;
  const run = await importStatement(
    { db },
    {
      ...{ ...place, lender: null, format: 'csv', createdBy: 'bench' },
      // Another hash each round, or the second would be the first one's run.
      fileHash: `${body.sha256.toString('hex')}${round}`,
    },
    () => parseStatement({ ...place, format: 'csv', body }),
  );
  await body.close();
  clearInterval(watch);
  const { byKind } = run.detail as { byKind: Record<string, number> };
  return {
    seconds: (performance.now() - began) / 1000,
    growthMiB: (highest - before) / MIB,
    breaks: Object.values(byKind).reduce((a, b) => a + b, 0),
    matched: run.matched ?? 0,
  };
}
