// The bill as the insurer must see it: patient, clinical fields, and what is left of each line.
import { eq, sql } from 'drizzle-orm';
import type { VisitKind } from '../credit/policy.ts';
import { type Db, rows, type Tx } from '../db/db.ts';
import { citizen, hospital, settlement, visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { assert } from '../errors.ts';
import { terminalOperator } from '../identity/credentials.ts';
import { openCitizen } from '../identity/people.ts';
import type { Coded, Diagnosis } from '../insurance/claim-defaults.ts';
import { type InsuredPerson, openPerson } from '../insurance/person.ts';
import {
  type AcctUsedFlag,
  acctUsedFlagOf,
  type ClaimCharge,
  type ClaimVisit,
  medTypeOf,
  type Stay,
} from '../insurance/trades.ts';
import { type Fen, sumFen } from '../money.ts';
import { readClinical } from '../visit/change-visit.ts';
import type { Clinical, HospitalRow } from '../visit/open-visit.ts';
import type { VisitRow } from '../visit/visit-store.ts';

export interface BilledVisit {
  visit: VisitRow;
  kind: VisitKind;
  hospital: HospitalRow;
  operator: { id: string; name: string };
  /** Null for an unnamed emergency: nobody to claim for. */
  patient: { name: string; idNumber: string } | null;
  /** What 1101 said at the opening; null when it was not asked or did not answer. */
  person: InsuredPerson | null;
  claimVisit: ClaimVisit;
  acctUsedFlag: AcctUsedFlag;
  /** What is left of each line after earlier refunds. */
  charges: ClaimCharge[];
  total: Fen;
}

/** The bill of a settlement (or of its running intent). */
export async function readBill(
  deps: Deps,
  visitId: string,
  settlementId: string,
): Promise<BilledVisit> {
  const bill = await readBillOf(deps, visitId, sql`b.settlement_id = ${settlementId}`);
  if (!bill.claimVisit.stay) return bill;
  const [row] = await deps.db
    .select({ isInterim: settlement.isInterim })
    .from(settlement)
    .where(eq(settlement.id, settlementId));
  return row ? withStay(bill, row) : bill;
}

/** The same bill, of a stay that is (or is not) closed by it. */
export function withStay(
  bill: BilledVisit,
  known: Partial<Pick<Stay, 'isInterim' | 'dischargedAt'>>,
): BilledVisit {
  const { claimVisit } = bill;
  if (!claimVisit.stay) return bill;
  return { ...bill, claimVisit: { ...claimVisit, stay: { ...claimVisit.stay, ...known } } };
}

/** The bill of batches that are not settled yet, for a preview. */
export function readUnsettledBill(
  deps: Deps,
  visitId: string,
  batches: readonly string[],
): Promise<BilledVisit> {
  return readBillOf(
    deps,
    visitId,
    sql`b.settlement_id is null and b.batch in
    (select jsonb_array_elements_text(${JSON.stringify(batches)}::jsonb))`,
  );
}

async function readBillOf(
  deps: Deps,
  visitId: string,
  which: ReturnType<typeof sql>,
): Promise<BilledVisit> {
  const [[found], charges] = await Promise.all([
    deps.db
      .select({ visit, hospital, citizen })
      .from(visit)
      .innerJoin(hospital, eq(hospital.code, visit.hospitalCode))
      .leftJoin(citizen, eq(citizen.id, visit.citizenId))
      .where(eq(visit.id, visitId)),
    readCharges(deps.db, visitId, which),
  ]);
  assert(found, `visit ${visitId} exists`);
  const row = found.visit;
  const patient = found.citizen && openCitizen(deps.keyring, found.citizen);
  const kind = row.kind as VisitKind;
  return {
    visit: row,
    kind,
    hospital: found.hospital,
    operator: operatorOf(deps, row),
    patient,
    person: row.insuredPerson ? openPerson(deps.keyring, row.insuredPerson) : null,
    claimVisit: claimVisitOf(deps, row, kind, found.hospital.region),
    acctUsedFlag: acctUsedFlagOf({
      personal: row.usePersonalAccount,
      family: row.useFamilyAccount,
    }),
    charges,
    total: sumFen(charges.map((line) => line.amount)),
  };
}

function claimVisitOf(deps: Deps, row: VisitRow, kind: VisitKind, treatRegion: string): ClaimVisit {
  const clinical = readClinical(deps, row);
  const { medType, diseaseCode, department, doctor, admission } = clinical;
  return {
    visitNumber: row.visitNumber,
    startedAt: row.startedAt,
    medType: medTypeOf(kind, medType, treatRegion),
    treatRegion,
    isEmergency: kind === 'emergency' || admission?.type === 'emergency',
    ...(diseaseCode ? { diseaseCode } : {}),
    ...(department ? { department } : {}),
    ...(doctor ? { doctor } : {}),
    diagnoses: diagnosesOf(clinical.diagnoses),
    ...(kind === 'inpatient' ? { stay: stayOf(row, clinical) } : {}),
  };
}

/** Goes on until a settlement says otherwise. */
function stayOf(row: VisitRow, { admission, dischargeDiagnoses }: Clinical): Stay {
  const { number, bed, ward, contactName, contactPhone, type } = admission ?? {};
  return {
    admission: {
      ...(number ? { number } : {}),
      ...(bed ? { bed } : {}),
      ...(ward ? { ward } : {}),
      ...(contactName ? { contactName } : {}),
      ...(contactPhone ? { contactPhone } : {}),
      ...(type ? { type } : {}),
    },
    dischargedAt: row.dischargedAt,
    isInterim: row.dischargedAt === null,
    dischargeDiagnoses: diagnosesOf(dischargeDiagnoses),
  };
}

/** As sealed: times are texts again. */
function diagnosesOf(sealed: Clinical['diagnoses']): Diagnosis[] {
  return (sealed ?? []).map(({ code, name, type, at }) => ({
    code,
    name,
    ...(type ? { type } : {}),
    ...(at ? { at: new Date(at) } : {}),
  }));
}

function operatorOf(deps: Deps, row: VisitRow): { id: string; name: string } {
  if (row.operator) return JSON.parse(deps.keyring.open(row.operator));
  return terminalOperator(row.terminalId ?? 'egret');
}

interface LineRow {
  line_number: number;
  code: string;
  name: string;
  quantity: string;
  unit_price: string;
  amount: Fen;
  occurred_at: string;
  is_outside_insurance: boolean;
  detail: {
    hospitalItemCode?: string;
    doctor?: Coded;
    department?: Coded;
    prescriptionNumber?: string;
    traceCodes?: string[];
  };
}

async function readCharges(
  tx: Tx | Db,
  visitId: string,
  which: ReturnType<typeof sql>,
): Promise<ClaimCharge[]> {
  const found = await rows<LineRow>(
    tx,
    sql`
    select c.line_number, c.code, c.name, trim_scale(c.quantity - c.refunded_quantity) as quantity,
      trim_scale(c.unit_price) as unit_price, c.amount - c.refunded_amount as amount,
      c.occurred_at, c.is_outside_insurance, c.detail
    from charge c join charge_batch b on b.visit_id = c.visit_id and b.batch = c.batch
    where c.visit_id = ${visitId} and c.refunded_quantity < c.quantity and ${which}
    order by c.line_number`,
  );
  return found.map((line) => ({
    lineNumber: line.line_number,
    code: line.code,
    name: line.name,
    quantity: line.quantity,
    unitPrice: line.unit_price,
    amount: line.amount,
    occurredAt: new Date(line.occurred_at),
    isOutsideInsurance: line.is_outside_insurance,
    ...line.detail,
  }));
}

/** The bill without what a refund takes off: whole lines, or a part of their quantity. */
export function billWithout(
  bill: BilledVisit,
  refunded: ReadonlyMap<number, { leftQuantity: string; leftAmount: Fen }>,
): BilledVisit {
  const charges = bill.charges.flatMap((line) => {
    const left = refunded.get(line.lineNumber);
    if (!left) return [line];
    if (/^0(\.0+)?$/.test(left.leftQuantity)) return [];
    return [{ ...line, quantity: left.leftQuantity, amount: left.leftAmount }];
  });
  return { ...bill, charges, total: sumFen(charges.map((line) => line.amount)) };
}
