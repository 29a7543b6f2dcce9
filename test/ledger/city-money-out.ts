// What leaves the tests' small city: payouts in every state, a counter shift, closed business days.
import { eq, sql } from 'drizzle-orm';
import { closeDay } from '../../src/business-day/close-day.ts';
import { rows, type Tx } from '../../src/db/db.ts';
import * as t from '../../src/db/schema.ts';
import { postEntry } from '../../src/ledger/post.ts';
import { sentLegs } from '../../src/payout/payout.ts';
import { HOSPITAL, LENDER, NOW, yuan } from './city-people.ts';

const PAIR = { lender: LENDER, hospitalCode: HOSPITAL };

/**
 * Row 12: pay_1 is on its way, 50.00 of settlement 1 less the 16.00 that pay_0 carried; pay_2 of
 * settlement 3 awaits its checker, pay_3 was declined.
 */
export async function fillPayouts(tx: Tx): Promise<void> {
  await payout(tx, 'pay_0', 'carried', -16, [['rfd_3', 'refund', -16]]);
  await payout(tx, 'pay_1', 'sent', 34, [['set_1', 'capture', 50]]);
  await tx.insert(t.payoutLeg).values({
    payoutId: 'pay_1',
    position: 2,
    kind: 'carried',
    carriedFrom: 'pay_0',
    amount: yuan(-16),
  });
  await tx.update(t.payout).set({ carriedInto: 'pay_1' }).where(eq(t.payout.id, 'pay_0'));
  await payout(tx, 'pay_2', 'proposed', 50, [['set_3', 'capture', 50]]);
  await payout(tx, 'pay_3', 'declined', 50, [['set_3', 'capture', 50]]);
  const about = { fact: 'payout.sent', subjectId: 'pay_1', occurredAt: NOW } as const;
  await postEntry(tx, { ...about, legs: sentLegs(PAIR, yuan(34)) });
}

async function payout(
  tx: Tx,
  id: string,
  status: string,
  amount: number,
  legs: [subject: string, kind: string, amount: number][],
): Promise<void> {
  await tx.insert(t.payout).values({
    id,
    ...PAIR,
    businessDate: sql`business_date(business_now())`,
    run: Number(id.slice(4)) + 1,
    amount: yuan(amount),
    status,
    maker: 'staff:a',
    checker: status === 'sent' ? 'staff:b' : null,
    endToEndId: id,
    createdAt: NOW,
  });
  for (const [index, [subject, kind, part]] of legs.entries()) {
    await tx.execute(sql`
      insert into payout_leg (payout_id, position, kind, entry_id, leg, settlement_id, amount, is_live)
      select ${id}, ${index + 1}::int, ${kind}, p.entry_id, p.leg, p.settlement_id, p.amount,
        ${status !== 'declined'}
      from posting p join journal_entry e on e.id = p.entry_id
      where e.subject_id = ${subject} and p.account = '1203' and p.amount = ${yuan(part).toString()}::bigint`);
  }
}

/** The shift that took the 30.00 in cash of settlement 1; it was counted 1.00 short. */
export async function fillShift(tx: Tx): Promise<void> {
  await tx.insert(t.terminal).values({
    id: 'trm_9',
    hospitalCode: HOSPITAL,
    name: '窗口',
    clientId: 'trm_9',
    jwk: {},
    createdAt: NOW,
  });
  await tx.insert(t.counterShift).values({
    id: 'shf_1',
    hospitalCode: HOSPITAL,
    terminalId: 'trm_9',
    shift: '早班',
    businessDate: '2026-11-20',
    openingFloat: yuan(100),
    expected: yuan(130),
    counted: yuan(129),
    openedAt: NOW,
    closedAt: NOW,
    unpaid: [],
  });
  await tx.insert(t.reconciliationBreak).values({
    id: 'brk_1',
    counterparty: 'counter',
    scope: HOSPITAL,
    subject: 'shf_1',
    kind: 'amountUnder',
    businessDate: '2026-11-20',
    hospitalCode: HOSPITAL,
    ourAmount: yuan(130),
    theirAmount: yuan(129),
    status: 'open',
    owner: 'staff:a',
    isSelfClearing: false,
    remedy: 'cashOverShort',
    evidence: {},
    openedAt: NOW,
  });
}

/** The two days before the first entry are closed, and list the break of the shift. */
export async function closeDays(tx: Tx): Promise<void> {
  const days = await rows<{ date: string }>(
    tx,
    sql`
    select (min(business_date) - n)::text as date
    from journal_entry, generate_series(1, 2) n group by n order by n desc`,
  );
  for (const { date } of days) await closeDay(tx, 'staff:b', date);
}
