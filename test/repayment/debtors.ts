// People who owe, made below the HTTP level: captured holds with their books, and business time at will.
import { eq, sql } from 'drizzle-orm';
import { captureCredit } from '../../src/credit/capture-hold.ts';
import { type Db, rows, transact } from '../../src/db/db.ts';
import { citizen, consent, receivable, settlement } from '../../src/db/schema.ts';
import { newId } from '../../src/ids.ts';
import { credit, debit, hospitalBooks, lenderBooks } from '../../src/ledger/journal.ts';
import { postEntry } from '../../src/ledger/post.ts';
import { formatYuan } from '../../src/money.ts';
import {
  type LineWish,
  lineOf,
  makeLine,
  makeVisit,
  moveClock,
  receivablesOf,
  yuan,
} from '../credit/support.ts';
import { uniquePerson } from '../support/people.ts';
import { keyring } from './support.ts';

export interface Debtor {
  citizenId: string;
  lineId: string;
  receivables: string[];
  settlements: string[];
}

/** A citizen who owes these amounts, each due a day after the one before; all consents given. */
export async function makeDebtor(
  db: Db,
  amounts: readonly string[],
  wish: LineWish & { dueAt?: readonly Date[]; awaits?: boolean } = {},
): Promise<Debtor> {
  const { citizenId, lineId } = await makeLine(db, wish);
  const person = uniquePerson();
  await db
    .update(citizen)
    .set({
      idNumber: keyring.seal(person.idNumber),
      name: keyring.seal(person.name),
      bankAccount: keyring.seal(`account of ${citizenId}`),
      bankCode: 'LWB',
    })
    .where(eq(citizen.id, citizenId));
  await db.insert(consent).values(
    ['creditEnquiry', 'healthPayment', 'autoDebit'].map((kind) => ({
      ...{ citizenId, kind, agreementVersion: '1', grantedAt: new Date() },
    })),
  );
  const debtor: Debtor = { citizenId, lineId, receivables: [], settlements: [] };
  for (const [day, owed] of amounts.entries()) {
    await moveClock(db, day * 24);
    const { receivableId, settlementId } = await owe(db, citizenId, owed, wish.awaits ?? false);
    debtor.receivables.push(receivableId);
    debtor.settlements.push(settlementId);
    const dueAt = wish.dueAt?.[day];
    if (dueAt) {
      const createdAt = new Date(dueAt.getTime() - 42 * 86_400_000);
      await db.update(receivable).set({ dueAt, createdAt }).where(eq(receivable.id, receivableId));
    }
  }
  await moveClock(db, 0);
  return debtor;
}

/** One more settled bill, wholly on credit, in the books as row 1 has it. */
async function owe(db: Db, citizenId: string, owed: string, awaitsInsurance = false) {
  const visitId = await makeVisit(db);
  const settlementId = newId('settlement');
  const visit = await db.query.visit.findFirst({ where: (v, { eq: is }) => is(v.id, visitId) });
  const hospitalCode = visit?.hospitalCode ?? '';
  const amount = yuan(owed);
  await db.insert(settlement).values({
    id: settlementId,
    visitId,
    hospitalCode,
    status: 'settled',
    insuranceStatus: 'skipped',
    total: amount,
    dueAtCounter: 0n,
    unused: [],
    refundable: amount,
    settledAt: new Date(),
    recordedAt: new Date(),
    businessDate: '2026-01-01',
  });
  const captured = await transact(db, async (tx) => {
    const made = await captureCredit(tx, {
      visitId,
      settlementId,
      payerCitizenId: citizenId,
      visitKind: 'outpatient',
      owed: amount,
      awaitsInsurance,
      isEmergency: false,
      mayUseMore: true,
    });
    const lender = made.lender ?? '';
    const [h, b] = [hospitalBooks(hospitalCode), lenderBooks(lender)];
    await postEntry(tx, {
      fact: 'settlement.settled',
      subjectId: settlementId,
      settlementId,
      occurredAt: new Date(),
      legs: [
        debit(h, '1203', amount, { counterparty: lender }),
        credit(h, '4101', amount),
        debit(b, '1301', amount, { citizenId }),
        credit(b, '2101', amount, { counterparty: hospitalCode }),
      ],
    });
    return made;
  });
  return { receivableId: captured.receivableId ?? '', settlementId };
}

/** Business time is this Shanghai time (or less than a second more) from now on, e.g. "2027-03-01T08:00". */
export async function setClock(db: Db, shanghai: string): Promise<void> {
  await db.execute(sql`
    update business_clock set offset_seconds =
      ceil(extract(epoch from ${`${shanghai}:00+08:00`}::timestamptz - clock_timestamp()))::int`);
}

/** A Shanghai time. */
export const at = (shanghai: string) => new Date(`${shanghai}:00+08:00`);

export async function stateOf(db: Db, lineId: string) {
  const { outstanding, status } = await lineOf(db, lineId);
  const debts = await receivablesOf(db, lineId);
  return {
    status,
    outstanding: formatYuan(outstanding),
    paid: debts.map((debt) => formatYuan(debt.paid)),
  };
}

/** What the citizen was told of, oldest first; without what every citizen is told at once. */
export async function toldTo(db: Db, citizenId: string): Promise<string[]> {
  const found = await rows<{ type: string }>(
    db,
    sql`select type from event where citizen_id = ${citizenId} order by occurred_at, id`,
  );
  return found.map((row) => row.type);
}

/** Legs about the citizen in the order of their entries: "B 1311 50.00". */
export async function legsAbout(db: Db, citizenId: string, fact?: string): Promise<string[]> {
  const found = await rows<{ text: string; amount: bigint }>(
    db,
    sql`
    select p.owner_kind || ' ' || p.account as text, p.amount
    from posting p join journal_entry e on e.id = p.entry_id
    where p.citizen_id = ${citizenId} and e.fact <> 'settlement.settled'
      and (${fact ?? null}::text is null or e.fact = ${fact ?? null}::text)
    order by p.entry_id, p.leg`,
  );
  return found.map((leg) => `${leg.text} ${formatYuan(leg.amount)}`);
}
