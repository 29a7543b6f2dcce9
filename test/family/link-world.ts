// A model of two links on one line, and the world of the database beside it.
import { eq } from 'drizzle-orm';
import { businessNow, type Db } from '../../src/db/db.ts';
import { citizen, familyLink, settlement, tender, visit } from '../../src/db/schema.ts';
import { type CapsUsed, leftOfCaps } from '../../src/family/link.ts';
import { newId } from '../../src/ids.ts';
import { type Fen, maxFen, minFen, sumFen } from '../../src/money.ts';
import { makeLine, makeVisit } from '../credit/support.ts';

export const LIMIT = 10_000n;
/** Visits 0 and 1 go by link 0, visits 2 and 3 by link 1. */
export const VISITS = 4;
export const linkAt = (at: number) => Math.floor(at / 2);

export interface Held {
  amount: Fen;
  month: string;
}
export interface Debt extends Held {
  settlementId: string;
  at: number;
}
export interface Model {
  month: string;
  links: { id: string; visitCap: Fen; monthlyCap: Fen; isEnded: boolean }[];
  holds: (Held | null)[];
  debts: Debt[];
}

export interface World {
  model: Model;
  payer: string;
  lineId: string;
  visits: string[];
}

export const heldIn = (model: Model) => sumFen(model.holds.map((held) => held?.amount ?? 0n));
export const owedIn = (model: Model) => sumFen(model.debts.map((debt) => debt.amount));
export const monthNow = async (db: Db) =>
  new Date((await businessNow(db)).getTime() + 8 * 3_600_000).toISOString().slice(0, 7);

/** What the holds of a link placed in a month carry, but for the hold of one visit. */
export function carried(model: Model, link: number, month: string, but = -1): Fen {
  const placed = model.holds.map((held, at) =>
    held && at !== but && linkAt(at) === link && held.month === month ? held.amount : 0n,
  );
  const owed = model.debts.map((d) => (linkAt(d.at) === link && d.month === month ? d.amount : 0n));
  return sumFen([...placed, ...owed]);
}

/** The caps as they stand for a visit's hold, without it. */
export function capsOf(model: Model, at: number): CapsUsed {
  const { visitCap, monthlyCap } = model.links[linkAt(at)]!;
  const visitUsed = sumFen(model.debts.filter((d) => d.at === at).map((d) => d.amount));
  const month = model.holds[at]?.month ?? model.month;
  return { visitCap, visitUsed, monthlyCap, monthUsed: carried(model, linkAt(at), month, at) };
}

/** What may be taken above a visit's hold. */
export function more(model: Model, at: number): Fen {
  if (model.links[linkAt(at)]?.isEnded) return 0n;
  const base = model.holds[at]?.amount ?? 0n;
  const free = maxFen(0n, LIMIT - heldIn(model) - owedIn(model));
  return minFen(free, maxFen(0n, leftOfCaps(capsOf(model, at)) - base));
}

export async function makeWorld(db: Db): Promise<World> {
  const { citizenId: payer, lineId } = await makeLine(db, { limit: '100.00' });
  const nothing = Buffer.from('x');
  const links: Model['links'] = [];
  const visits: string[] = [];
  for (let n = 0; n < 2; n += 1) {
    const beneficiary = newId('citizen');
    const id = newId('familyLink');
    const person = { idNumber: nothing, name: nothing, idIndex: Buffer.from(beneficiary) };
    await db.insert(citizen).values({ id: beneficiary, ...person });
    await db.insert(familyLink).values({
      id,
      kind: 'parentCare',
      payerCitizenId: payer,
      beneficiaryCitizenId: beneficiary,
      status: 'active',
      proof: 'registry',
      visitCap: 4_000n,
      monthlyCap: 7_000n,
      createdAt: new Date(),
      acceptedAt: new Date(),
    });
    links.push({ id, visitCap: 4_000n, monthlyCap: 7_000n, isEnded: false });
    for (let v = 0; v < 2; v += 1) {
      const visitId = await makeVisit(db);
      const change = { payer: id, payerCitizenId: payer, citizenId: beneficiary };
      await db.update(visit).set(change).where(eq(visit.id, visitId));
      visits.push(visitId);
    }
  }
  const holds = visits.map(() => null);
  return { payer, lineId, visits, model: { month: await monthNow(db), links, holds, debts: [] } };
}

/** The settlement's credit tender, as book-settlement.ts writes it in the same transaction. */
export async function saveTender(
  db: Db,
  visitId: string,
  settlementId: string,
  amount: Fen,
): Promise<void> {
  const [seen] = await db.select().from(visit).where(eq(visit.id, visitId));
  const at = new Date();
  await db.insert(settlement).values({
    id: settlementId,
    visitId,
    hospitalCode: seen!.hospitalCode,
    status: 'settled',
    insuranceStatus: 'skipped',
    total: amount,
    dueAtCounter: 0n,
    unused: [],
    refundable: amount,
    settledAt: at,
    recordedAt: at,
    businessDate: '2026-01-01',
  });
  const position = 1;
  await db.insert(tender).values({ settlementId, position, kind: 'credit', amount, paidAt: at });
}
