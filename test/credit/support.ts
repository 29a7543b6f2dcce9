// Makes people with credit lines and visits directly in the database, for tests below the HTTP level.
import { sql } from 'drizzle-orm';
import type { Db } from '../../src/db/db.ts';
import { citizen, creditLine, visit } from '../../src/db/schema.ts';
import { newId } from '../../src/ids.ts';
import { parseYuan } from '../../src/money.ts';

export const yuan = parseYuan;

let made = 0;

export interface LineWish {
  limit?: string;
  inpatientExtra?: string;
  outageExtra?: string;
  status?: 'active' | 'suspended';
  consented?: boolean;
  lender?: string;
}

/** A citizen with a credit line; no real name behind it. */
export async function makeLine(db: Db, wish: LineWish = {}) {
  made += 1;
  const citizenId = newId('citizen');
  const lineId = newId('creditLine');
  const nothing = Buffer.from('x');
  const idIndex = Buffer.from(`person ${made}`);
  await db.insert(citizen).values({ id: citizenId, idIndex, idNumber: nothing, name: nothing });
  await db.insert(creditLine).values({
    id: lineId,
    citizenId,
    lender: wish.lender ?? 'LWB',
    product: 'standard',
    status: wish.status ?? 'active',
    suspendedFor: wish.status === 'suspended' ? 'lenderNotice' : null,
    consented: wish.consented ?? true,
    limit: yuan(wish.limit ?? '3000.00'),
    inpatientExtra: yuan(wish.inpatientExtra ?? '5000.00'),
    outageExtra: yuan(wish.outageExtra ?? '1000.00'),
    scoreValue: 650,
    scoreTier: 3,
    scoreAsOf: new Date(),
    policyVersion: 1,
    agreementVersion: '1',
    openedAt: new Date(),
  });
  return { citizenId, lineId };
}

/** A visit row; enough for holds, which only ask for its kind, hospital and status. */
export async function makeVisit(
  db: Db,
  wish: { kind?: string; status?: string } = {},
): Promise<string> {
  const id = newId('visit');
  const [hospital] = await db.query.hospital.findMany({ limit: 1 });
  await db.insert(visit).values({
    id,
    hospitalCode: hospital?.code ?? '',
    visitNumber: id,
    kind: wish.kind ?? 'outpatient',
    status: wish.status ?? 'open',
    businessDate: '2026-01-01',
    startedAt: new Date(),
    insured: {},
    usePersonalAccount: false,
    useFamilyAccount: false,
    openedAt: new Date(),
  });
  return id;
}

/** Moves business time; everybody in this database sees it. */
export async function moveClock(db: Db, hours: number): Promise<void> {
  await db.execute(sql`update business_clock set offset_seconds = ${hours * 3600}::int`);
}

export async function lineOf(db: Db, lineId: string) {
  const line = await db.query.creditLine.findFirst({ where: (l, { eq }) => eq(l.id, lineId) });
  if (!line) throw new Error('no such line');
  return line;
}

export async function holdsOf(db: Db, visitId: string) {
  return db.query.hold.findMany({
    where: (h, { eq }) => eq(h.visitId, visitId),
    orderBy: (h, { asc }) => asc(h.id),
  });
}

export async function receivablesOf(db: Db, lineId: string) {
  return db.query.receivable.findMany({
    where: (r, { eq }) => eq(r.lineId, lineId),
    orderBy: (r, { asc }) => asc(r.id),
  });
}
