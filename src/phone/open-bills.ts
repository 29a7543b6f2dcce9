// The bills that a citizen can settle on the phone: visits with charges that no settlement has closed.
// Law: one's own, and those of one's minor children that nobody else's line carries.
import { and, desc, eq, or, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { type Db, rows, type Tx } from '../db/db.ts';
import { citizen, hospital, visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { type Ward, wardIn } from '../family/wards.ts';
import { olderThan } from '../http/paging.ts';
import { maskName } from '../identity/id-number.ts';
import { openCitizen } from '../identity/people.ts';
import { type Fen, formatYuan, sumFen } from '../money.ts';
import type { VisitRow } from '../visit/visit-store.ts';

/** Which visits are this citizen's to look after; with `wards`, the children's too. */
export function ownVisits(citizenId: string, wards: readonly Ward[]): SQL | undefined {
  const children = JSON.stringify(wards.map((ward) => ward.citizenId));
  return or(
    eq(visit.citizenId, citizenId),
    // What the other parent's line carries, the other parent settles, or the counter does.
    sql`${visit.citizenId} in (select jsonb_array_elements_text(${children}::jsonb))
      and coalesce(${visit.payerCitizenId}, ${citizenId}) in (${citizenId}, ${visit.citizenId})`,
  );
}

/** A batch that is in no settlement; one in a running settlement still counts. */
const isUnsettled = sql`not exists (select 1 from settlement s where s.id = b.settlement_id)`;

/** The citizen who stood there for the patient. */
const proxy = alias(citizen, 'proxy');

export interface OpenBill {
  visit: VisitRow;
  hospital: { code: string; name: string };
  patientName: string;
  /** Masked; null when the patient came alone. */
  proxyName: string | null;
}

/** Open bills, newest first, from after the cursor key on. */
export async function listOpenBills(
  deps: Pick<Deps, 'db' | 'keyring'>,
  citizenId: string,
  wards: readonly Ward[],
  page: { after: readonly [openedAt: string, id: string] | null; count: number },
): Promise<OpenBill[]> {
  const found = await deps.db
    .select({
      visit,
      citizen,
      hospital: { code: hospital.code, name: hospital.name },
      proxy: proxy.name,
    })
    .from(visit)
    .innerJoin(hospital, eq(hospital.code, visit.hospitalCode))
    .innerJoin(citizen, eq(citizen.id, visit.citizenId))
    .leftJoin(proxy, eq(proxy.id, visit.proxyCitizenId))
    .where(
      and(
        ownVisits(citizenId, wards),
        sql`${visit.status} in ('open', 'settling')`,
        sql`exists (select 1 from charge_batch b where b.visit_id = ${visit.id} and ${isUnsettled})`,
        olderThan({ at: visit.openedAt, id: visit.id }, page.after),
      ),
    )
    .orderBy(desc(visit.openedAt), desc(visit.id))
    .limit(page.count);
  return found.map(({ citizen: patient, proxy: name, ...bill }) => ({
    ...bill,
    proxyName: name && maskName(deps.keyring.open(name)),
    patientName: maskName(openCitizen(deps.keyring, patient).name),
  }));
}

interface LineRow {
  visit_id: string;
  batch: string;
  line_number: number;
  code: string;
  name: string;
  quantity: string;
  unit_price: string;
  amount: Fen;
}

/** The bills as citizens see them; items only of one's own and of a child under 14. */
export async function billViews(
  tx: Tx | Db,
  bills: readonly OpenBill[],
  citizenId: string,
  wards: readonly Ward[],
) {
  const ids = JSON.stringify(bills.map((bill) => bill.visit.id));
  const [lines, holds] = await Promise.all([unsettledLines(tx, ids), placedHolds(tx, ids)]);
  return bills.map((bill) => {
    const own = lines.filter((line) => line.visit_id === bill.visit.id);
    const held = holds.find((hold) => hold.visit_id === bill.visit.id);
    const isOwn = bill.visit.citizenId === citizenId;
    const showsItems = isOwn || wardIn(wards, bill.visit.citizenId)?.showsItems === true;
    return {
      id: bill.visit.id,
      visitId: bill.visit.id,
      status: bill.visit.status,
      hospital: bill.hospital,
      businessDate: bill.visit.businessDate,
      patient: { relation: isOwn ? 'self' : 'child', name: bill.patientName },
      payer: bill.visit.payer,
      held: held ? formatYuan(held.amount) : null,
      total: formatYuan(sumFen(own.map((line) => line.amount))),
      ...(isOwn && bill.proxyName ? { proxy: { name: bill.proxyName } } : {}),
      ...(showsItems ? detailsOf(bill.visit, own) : {}),
    };
  });
}

function detailsOf(row: VisitRow, lines: readonly LineRow[]) {
  return {
    visitNumber: row.visitNumber,
    kind: row.kind,
    startedAt: row.startedAt.toISOString(),
    batches: [...new Set(lines.map((line) => line.batch))],
    charges: lines.map((line) => ({
      batch: line.batch,
      lineNumber: line.line_number,
      code: line.code,
      name: line.name,
      quantity: line.quantity,
      unitPrice: line.unit_price,
      amount: formatYuan(line.amount),
    })),
  };
}

function unsettledLines(tx: Tx | Db, visitIds: string): Promise<LineRow[]> {
  return rows<LineRow>(
    tx,
    sql`
    select c.visit_id, c.batch, c.line_number, c.code, c.name, trim_scale(c.quantity) as quantity,
      trim_scale(c.unit_price) as unit_price, c.amount
    from charge c join charge_batch b on b.visit_id = c.visit_id and b.batch = c.batch
    where c.visit_id in (select jsonb_array_elements_text(${visitIds}::jsonb)) and ${isUnsettled}
    order by c.visit_id, b.position, c.line_number`,
  );
}

function placedHolds(tx: Tx | Db, visitIds: string) {
  return rows<{ visit_id: string; amount: Fen }>(
    tx,
    sql`
    select visit_id, amount from hold where status = 'placed'
      and visit_id in (select jsonb_array_elements_text(${visitIds}::jsonb))`,
  );
}
