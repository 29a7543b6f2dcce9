// What must be true once everything has come to its end, whatever was killed on the way: told by our
// tables, the insurer's own books and the banks' own books, which must agree to the fen.
import { expect } from 'vitest';
import type { Case, CaseKind, Tokens } from './crash-cases.ts';
import type { CrashCity, Transfer } from './crash-city.ts';

/** One visit and its settlement, amounts in fen as text. */
interface End {
  visitNumber: string;
  visitStatus: string;
  id: string | null;
  status: string;
  insurance: string;
  total: string;
  /** Tenders and what is due, as settled or converted. */
  billed: string;
  refundable: string;
  /** What the citizen carries after all that was given back. */
  carried: string;
  setlId: string | null;
  cash: string | null;
  conversions: string | null;
  /** Finance cases about it. */
  cases: number;
}

const ENDS = `
  select v.visit_number as "visitNumber", v.status as "visitStatus", s.id, s.status,
    s.insurance_status as insurance, s.total::text, s.refundable::text,
    (s.due_at_counter + (select coalesce(sum(t.amount), 0) from tender t
      where t.settlement_id = s.id))::text as billed,
    (s.due_at_counter - s.due_reduced + s.arrears - s.arrears_reduced
      + (select coalesce(sum(t.amount - t.given_back), 0) from tender t
         where t.settlement_id = s.id and t.kind not in
           ('insuranceFund', 'hospitalBorne', 'personalAccount', 'familyAccount')))::text as carried,
    c.setl_id as "setlId", c.cash::text,
    (select string_agg(k.status, ',' order by k.id) from conversion k
      where k.settlement_id = s.id) as conversions,
    (select count(*) from finance_case f where f.detail ->> 'settlementId' = s.id
      or f.subject_id in (select k.id from conversion k where k.settlement_id = s.id
        union select r.id from refund r where r.settlement_id = s.id union select s.id))::int as cases
  from visit v
  left join settlement s on s.visit_id = v.id
  left join claim c on c.settlement_id = s.id and c.status = 'live'
  where v.visit_number = $1 and v.status <> 'cancelled'`;

export interface Lawful {
  /** The insurer refused some 2207 in words: those are rejected, with a finance case. */
  mayReject: boolean;
}

/** Every case, the channels' books, and every law of `npm run verify`. Returns how each bill ended. */
export async function expectEnds(
  city: CrashCity,
  tokens: Tokens,
  cases: readonly Case[],
  lawful: Lawful,
): Promise<string[]> {
  const ends: string[] = [];
  for (const one of cases) ends.push(await expectEnd(city, one, lawful));
  await expectChannelsAgree(city);
  const verdict = await city.service.call('GET', '/v1/ops/verify', { token: tokens.auditor });
  expect(verdict.laws.filter((law: { holds: boolean }) => !law.holds)).toEqual([]);
  return ends;
}

async function expectEnd(city: CrashCity, one: Case, lawful: Lawful): Promise<string> {
  const found = await city.ask<End>(ENDS, [one.visitNumber]);
  const { visitNumber } = one;
  const claims = await city.insurer.claims({ visitNumber });
  const live = claims.filter((claim) => claim.status === 'settled');
  if (one.settlementId === null) {
    expect(lawful.mayReject, `${visitNumber} was refused at the counter`).toBe(true);
    expect(found.map((end) => [end.visitStatus, end.id])).toEqual(
      one.kind === 'oneScan' ? [] : [['open', null]],
    );
    expect(live).toEqual([]);
    return 'refused';
  }
  const [end] = found;
  if (!end || found.length > 1) throw new Error(`${visitNumber} has ${found.length} bills`);
  const what = `${one.kind} ${JSON.stringify(end)}`;
  expect([end.id, end.visitStatus], what).toEqual([one.settlementId, 'settled']);
  expect(end.billed, what).toBe(end.total);
  expect(end.refundable, what).toBe(leftAfter[one.kind] ?? end.total);
  expect(endsOf(one.kind, end, lawful), what).toContain(end.insurance);
  const isClaimed = ['claimed', 'converted'].includes(end.insurance);
  expect(
    live.map((claim) => [claim.setlId, fen(claim.medfeeSumamt), fen(claim.psnCashPay)]),
    what,
  ).toEqual(isClaimed ? [[end.setlId, end.refundable, end.carried]] : []);
  expect([end.setlId === null, end.cash], what).toEqual([
    !isClaimed,
    isClaimed ? end.carried : null,
  ]);
  expectResolved(end, what);
  return end.insurance;
}

/** What is left of 300.00 after the case's refund. */
const leftAfter: Partial<Record<CaseKind, string>> = {
  refundLine: '20000',
  lateRefundLine: '20000',
  refundAll: '0',
  lateRefundAll: '0',
};

/** How the bill may stand with the insurer at the end. */
function endsOf(kind: CaseKind, end: End, { mayReject }: Lawful): string[] {
  // What was refused before it was refunded stays refused.
  if (end.refundable === '0') return mayReject ? ['reversed', 'rejected'] : ['reversed'];
  const isAsked = kind === 'ask' || end.conversions !== null;
  const ends = kind === 'ask' ? ['converted'] : isAsked ? ['converted', 'claimed'] : ['claimed'];
  if (mayReject) ends.push('rejected');
  if (kind === 'lateOptOut') ends.push('skipped');
  return ends;
}

/** No conversion is open, the last one says what the bill says, and no refusal is forgotten. */
function expectResolved(end: End, what: string): void {
  const last = end.conversions?.split(',').at(-1);
  if (end.insurance === 'converted') expect(last, what).toBe('converted');
  if (end.insurance === 'skipped') expect(last, what).toBe('cancelled');
  if (end.insurance === 'rejected') expect(end.cases, what).toBeGreaterThan(0);
  expect(end.conversions ?? '', what).not.toMatch(/queued|claiming|awaitingPatient/);
}

const fen = (yuan: string): string => BigInt(yuan.replace('.', '')).toString();

interface Movement {
  id: string;
  lender: string;
  amount: string;
  status: string;
}

/** What we say was paid is what each channel's own books say was paid: no more, no less. */
async function expectChannelsAgree(city: CrashCity): Promise<void> {
  const back = await city.ask<Movement>(`
    select m.id, m.amount::text, m.status, case when m.kind <> 'credit' then 'channel:' || m.kind
      else (select max(r.lender) from receivable r where r.settlement_id = m.settlement_id) end as lender
    from money_back m where not m.is_reduction`);
  const debits = await city.ask<Movement>('select id, lender, amount::text, status from repayment');
  expect(back.filter((row) => !['done', 'voucher', 'failed'].includes(row.status))).toEqual([]);
  expect(debits.filter((row) => !['paid', 'failed', 'declined'].includes(row.status))).toEqual([]);
  const lenders = new Set([...back, ...debits].map((row) => row.lender));
  const books = (await Promise.all([...lenders].map((lender) => city.transfers(lender)))).flat();
  const paidBy = (kind: Transfer['kind']) =>
    books
      .filter((transfer) => transfer.kind === kind && transfer.status === 'paid')
      .map((transfer) => `${transfer.serial} ${fen(transfer.amount)}`)
      .sort();
  const oursOf = (rows: Movement[], status: string) =>
    rows
      .filter((row) => row.status === status)
      .map((row) => `${row.id} ${row.amount}`)
      .sort();
  expect(paidBy('credit')).toEqual(oursOf(back, 'done'));
  expect(paidBy('debit')).toEqual(oursOf(debits, 'paid'));
}
