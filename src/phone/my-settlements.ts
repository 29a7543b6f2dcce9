// What became of a citizen's bills. Law (domain.md, Family): the patient sees all of it with its proof; a
// payer of somebody else's visit sees amount, hospital and date, never department or diagnosis, and the
// items only as guardian of a child under 14.
import { and, desc, eq, or, sql } from 'drizzle-orm';
import { feesOf } from '../conversion/claim-by-hand.ts';
import { conversionsOf, conversionView } from '../conversion/conversion-store.ts';
import type { Db } from '../db/db.ts';
import { citizen, hospital, receivable, refund, settlement, visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { type Ward, wardIn } from '../family/wards.ts';
import { olderThan } from '../http/paging.ts';
import { maskName } from '../identity/id-number.ts';
import { formatYuan, sumFen } from '../money.ts';
import { refundView } from '../settlement/refund-store.ts';
import { type SettlementRow, settlementView } from '../settlement/settlement-store.ts';
import { cameBackOf } from './came-back.ts';

export interface MySettlement {
  settlement: SettlementRow;
  hospital: { code: string; name: string };
  /** Masked; null when the patient came alone. */
  proxyName: string | null;
}

/** As patient, as payer, or as guardian of what nobody else's line carried; newest first. */
export async function listMySettlements(
  { db, keyring }: Pick<Deps, 'db' | 'keyring'>,
  citizenId: string,
  wards: readonly Ward[],
  page: { after: readonly [settledAt: string, id: string] | null; count: number },
): Promise<MySettlement[]> {
  const children = JSON.stringify(wards.map((ward) => ward.citizenId));
  const found = await db
    .select({
      settlement,
      hospital: { code: hospital.code, name: hospital.name },
      proxy: citizen.name,
    })
    .from(settlement)
    .innerJoin(hospital, eq(hospital.code, settlement.hospitalCode))
    .innerJoin(visit, eq(visit.id, settlement.visitId))
    .leftJoin(citizen, eq(citizen.id, visit.proxyCitizenId))
    .where(
      and(
        or(
          eq(settlement.citizenId, citizenId),
          eq(settlement.payerCitizenId, citizenId),
          sql`${settlement.payerCitizenId} is null and ${settlement.citizenId} in
            (select jsonb_array_elements_text(${children}::jsonb))`,
        ),
        olderThan({ at: settlement.settledAt, id: settlement.id }, page.after),
      ),
    )
    .orderBy(desc(settlement.settledAt), desc(settlement.id))
    .limit(page.count);
  return found.map(({ proxy, ...mine }) => ({
    ...mine,
    proxyName: proxy && maskName(keyring.open(proxy)),
  }));
}

/** The settlement as this citizen may see it. */
export async function mySettlementView(
  db: Db,
  mine: MySettlement,
  citizenId: string,
  wards: readonly Ward[],
) {
  const isPatient = mine.settlement.citizenId === citizenId;
  return isPatient
    ? patientView(db, mine)
    : payerView(db, mine, citizenId, wardIn(wards, mine.settlement.citizenId));
}

async function patientView(db: Db, mine: MySettlement) {
  const { settlement: bill, hospital: place, proxyName } = mine;
  const [view, refunds, conversions, cameBack] = await Promise.all([
    settlementView(db, bill),
    db.select().from(refund).where(eq(refund.settlementId, bill.id)).orderBy(refund.id),
    conversionsOf(db, bill.id),
    cameBackOf(db, bill, null),
  ]);
  const newest = conversions.at(-1);
  const [back, conversion] = await Promise.all([
    Promise.all(refunds.map((row) => refundView(db, row))),
    newest ? conversionView(db, newest) : null,
  ]);
  return {
    ...view,
    role: 'patient',
    hospital: place,
    ...(proxyName ? { proxy: { name: proxyName } } : {}),
    refunds: back,
    cameBack,
    conversion,
  };
}

async function payerView(
  db: Db,
  { settlement: bill, hospital: place }: MySettlement,
  payerId: string,
  ward: Ward | null,
) {
  const [owed, cameBack, items] = await Promise.all([
    db
      .select({ id: receivable.id, amount: receivable.amount })
      .from(receivable)
      .where(and(eq(receivable.settlementId, bill.id), eq(receivable.citizenId, payerId))),
    cameBackOf(db, bill, payerId),
    ward?.showsItems ? feesOf(db, bill.id) : null,
  ]);
  return {
    id: bill.id,
    role: ward ? 'guardian' : 'payer',
    hospital: place,
    amount: formatYuan(sumFen(owed.map((row) => row.amount))),
    settledAt: bill.settledAt.toISOString(),
    businessDate: bill.businessDate,
    ...(owed[0] ? { receivableId: owed[0].id } : {}),
    ...(ward ? { total: formatYuan(bill.total) } : {}),
    ...(items ? { items } : {}),
    cameBack,
  };
}
