// Role: a day of the demo month goes into the tables in a few statements, with the very entries that settling
// makes (settlement/entries.ts). Laws and triggers of the database watch as always.
import { randomBytes } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type { Db, Tx } from '../../db/db.ts';
import { newId } from '../../ids.ts';
import { balanced } from '../../ledger/journal.ts';
import { settledEntry } from '../../settlement/entries.ts';
import { lenderCodes } from '../city/lenders.ts';
import type { MonthBill, MonthPeople } from './month-plan.ts';

/** Citizens with a line that nothing of the month exhausts. */
export async function insertPeople(db: Db, count: number): Promise<MonthPeople[]> {
  const people = Array.from({ length: count }, (_, index) => ({
    citizenId: newId('citizen'),
    lineId: newId('creditLine'),
    lender: lenderCodes[index % lenderCodes.length] ?? '',
    mark: randomBytes(16).toString('hex'),
  }));
  await db.execute(sql`
    with p as (select * from jsonb_to_recordset(${JSON.stringify(people)}::jsonb)
      as p("citizenId" text, "lineId" text, lender text, mark text)),
    person as (
      insert into citizen (id, id_index, id_number, name)
      select "citizenId", decode(mark, 'hex'), decode(mark, 'hex'), decode(mark, 'hex') from p
      returning id
    )
    insert into credit_line (id, citizen_id, lender, product, status, "limit", inpatient_extra,
      outage_extra, score_value, score_tier, score_as_of, policy_version, agreement_version, opened_at)
    select "lineId", "citizenId", lender, 'standard', 'active', 100000000, 0, 0, 700, 3, at, 1, '1', at
    from p, (select timestamptz '2026-08-01' as at) t`);
  return people.map(({ citizenId, lender }) => ({ citizenId, lender }));
}

/** One transaction a day. */
export async function insertDay(db: Db, day: string, bills: readonly MonthBill[]): Promise<void> {
  await db.transaction(async (tx) => {
    await insertBills(tx, day, bills);
    await insertEntries(tx, day, bills);
  });
}

const asText = (_key: string, value: unknown) =>
  typeof value === 'bigint' ? value.toString() : value;

async function insertBills(tx: Tx, day: string, bills: readonly MonthBill[]): Promise<void> {
  const json = JSON.stringify(bills, asText);
  const bill = sql`jsonb_to_recordset(${json}::jsonb) as b("visitId" text, "visitNumber" text,
    "settlementId" text, "hospitalCode" text, "citizenId" text, lender text, at timestamptz,
    receipt text, total bigint, tenders jsonb, claim jsonb, mischief text, "isSecond" boolean)`;
  const batch = sql`case when b."isSecond" then 2 else 1 end`;
  await tx.execute(sql`
    insert into visit (id, hospital_code, visit_number, kind, status, citizen_id, business_date,
      started_at, insured, use_personal_account, use_family_account, opened_at, charged_total)
    select b."visitId", min(b."hospitalCode"), min(b."visitNumber"), 'outpatient', 'settled',
      min(b."citizenId"), ${day}::date, min(b.at), '{}', false, false, min(b.at), sum(b.total)
    from ${bill} group by b."visitId"`);
  await tx.execute(sql`
    insert into charge_batch (visit_id, batch, position, total, settlement_id, created_at)
    select b."visitId", (${batch})::text, ${batch}, b.total, b."settlementId", b.at from ${bill}`);
  await tx.execute(sql`
    insert into charge (visit_id, line_number, batch, code, name, quantity, unit_price, amount,
      occurred_at, detail)
    select b."visitId", ${batch}, (${batch})::text, 'X1', '诊疗', 1, b.total / 100.0, b.total, b.at, '{}'
    from ${bill}`);
  await tx.execute(sql`
    insert into settlement (id, visit_id, hospital_code, citizen_id, status, insurance_status, total,
      due_at_counter, unused, receipt_number, is_late_capture, refundable, settled_at, recorded_at,
      business_date, payer, payer_citizen_id, counter_ms)
    select b."settlementId", b."visitId", b."hospitalCode", b."citizenId", 'settled',
      case when b.claim <> 'null' then 'claimed' when b.mischief = 'conversionPending'
        then 'awaitingInsurance' else 'skipped' end,
      b.total, 0, '[]', b.receipt, coalesce(b.mischief = 'lateCapture', false), b.total, b.at, b.at,
      ${day}::date, c.payer, case when c.payer is not null then b."citizenId" end, 900
    from ${bill} left join lateral (select 'self' as payer from jsonb_array_elements(b.tenders) t
      where t ->> 'kind' = 'credit') c on true`);
  await tx.execute(sql`
    insert into tender (settlement_id, position, kind, amount, reference, paid_at)
    select b."settlementId", t.n, t.v ->> 'kind', (t.v ->> 'amount')::bigint, t.v ->> 'reference', b.at
    from ${bill} cross join jsonb_array_elements(b.tenders) with ordinality as t(v, n)`);
  await tx.execute(sql`
    insert into used_reference (hospital_code, kind, reference, settlement_id)
    select b."hospitalCode", t ->> 'kind', t ->> 'reference', b."settlementId"
    from ${bill} cross join jsonb_array_elements(b.tenders) t where t ? 'reference'
    union all
    select b."hospitalCode", 'receipt', b.receipt, b."settlementId" from ${bill}
    where b.receipt is not null`);
  await tx.execute(sql`
    insert into claim (id, settlement_id, setl_id, hospital_code, mdtrt_id, msgid, status,
      insutype, clr_type, clr_optins, setl_time, total, fund, account, family_account, hospital_borne,
      cash, split)
    select b.claim ->> 'id', b."settlementId", b.claim ->> 'setlId', b."hospitalCode", b."visitId",
      b.claim ->> 'msgid', 'live', '310', '11', '350200', b.at, b.total,
      (b.claim ->> 'fund')::bigint, (b.claim ->> 'account')::bigint, 0, 0,
      (b.claim ->> 'cash')::bigint, ''::bytea
    from ${bill} where b.claim <> 'null'`);
  await tx.execute(sql`
    insert into conversion (id, settlement_id, hospital_code, route, cause, status, attempts, before,
      next_attempt_at, created_at)
    select 'cnv' || substr(b."settlementId", 4), b."settlementId", b."hospitalCode", 'local', 'outage',
      'queued', '[]', '[]', b.at + interval '10 years', b.at
    from ${bill} where b.mischief = 'conversionPending'`);
  await insertDebts(tx, bill);
}

/** What credit paid is owed by its citizen. */
async function insertDebts(tx: Tx, bill: ReturnType<typeof sql>): Promise<void> {
  await tx.execute(sql`
    with debt as (
      insert into receivable (id, line_id, citizen_id, lender, settlement_id, amount, due_at, created_at)
      select 'rcv' || substr(b."settlementId", 4), l.id, b."citizenId", l.lender, b."settlementId",
        (t ->> 'amount')::bigint, b.at + interval '42 days', b.at
      from ${bill} cross join jsonb_array_elements(b.tenders) t
      join credit_line l on l.citizen_id = b."citizenId" where t ->> 'kind' = 'credit'
      returning line_id, amount
    )
    update credit_line l set outstanding = l.outstanding + d.amount
    from (select line_id, sum(amount) as amount from debt group by line_id) d where l.id = d.line_id`);
}

async function insertEntries(tx: Tx, day: string, bills: readonly MonthBill[]): Promise<void> {
  const entries = bills.map((bill) => ({ id: newId('entry'), ...balanced(entryOf(bill)) }));
  const json = JSON.stringify(
    entries.map((entry) => ({ ...entry, legCount: entry.legs.length })),
    asText,
  );
  const entry = sql`jsonb_to_recordset(${json}::jsonb) as e(id text, fact text, "subjectId" text,
    "settlementId" text, "occurredAt" timestamptz, "legCount" int, legs jsonb)`;
  await tx.execute(sql`
    insert into journal_entry (id, fact, subject_id, settlement_id, leg_count, occurred_at, recorded_at,
      business_date)
    select e.id, e.fact, e."subjectId", e."settlementId", e."legCount", e."occurredAt", e."occurredAt",
      ${day}::date from ${entry}`);
  await tx.execute(sql`
    insert into posting (entry_id, leg, leg_count, owner_kind, owner, account, amount, counterparty,
      citizen_id, settlement_id, claim_id, reference, occurred_at)
    select e.id, l.n, e."legCount", l.v ->> 'ownerKind', l.v ->> 'owner', l.v ->> 'account',
      (l.v ->> 'amount')::bigint, l.v ->> 'counterparty', l.v ->> 'citizenId', e."settlementId",
      l.v ->> 'claimId', l.v ->> 'reference', e."occurredAt"
    from ${entry} cross join jsonb_array_elements(e.legs) with ordinality as l(v, n)`);
}

function entryOf(bill: MonthBill) {
  const { settlementId, hospitalCode, total, tenders, claim, lender, citizenId } = bill;
  return settledEntry({
    ...{ settlementId, hospitalCode, occurredAt: bill.at, total, dueAtCounter: 0n, tenders },
    claim: claim ? { claimId: claim.id, setlId: claim.setlId } : null,
    credit: tenders.some((t) => t.kind === 'credit') ? { lender, citizenId } : null,
  });
}
