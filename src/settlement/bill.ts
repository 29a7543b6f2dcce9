// The bill as the insurer must see it: patient, clinical fields, and what is left of each line.
import { eq, type SQL, sql } from 'drizzle-orm';
import type { VisitKind } from '../credit/policy.ts';
import { settlement, visit } from '../db/schema.ts';
import { readRowsBeside } from '../db/statements.ts';
import type { Deps } from '../deps.ts';
import { assert } from '../errors.ts';
import { terminalOperator } from '../identity/credentials.ts';
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

interface AroundBill {
  hospital: { code: string; name: string; level: number; region: string; left_at: string | null };
  /** Sealed, as hexadecimal text; null: nobody is named yet. */
  id_number: string | null;
  name: string | null;
  charges: LineRow[];
}

/** Visit, hospital, patient and lines in one statement: a counter waits for it. */
async function readBillOf(
  deps: Deps,
  visitId: string,
  which: ReturnType<typeof sql>,
): Promise<BilledVisit> {
  const [found] = await readRowsBeside<typeof visit, AroundBill>(
    deps.db,
    visit,
    sql`jsonb_build_object('hospital', to_jsonb(h), 'id_number', encode(c.id_number, 'hex'),
      'name', encode(c.name, 'hex'), 'charges', ${linesOf(visitId, which)})`,
    sql`join hospital h on h.code = visit.hospital_code
      left join citizen c on c.id = visit.citizen_id
    where visit.id = ${visitId}`,
  );
  assert(found, `visit ${visitId} exists`);
  const { row, beside } = found;
  const { left_at: leftAt, ...place } = beside.hospital;
  const kind = row.kind as VisitKind;
  const charges = beside.charges.map(chargeOf);
  return {
    visit: row,
    kind,
    hospital: { ...place, leftAt: leftAt === null ? null : new Date(leftAt) },
    operator: operatorOf(deps, row),
    patient: patientOf(deps, beside),
    person: row.insuredPerson ? openPerson(deps.keyring, row.insuredPerson) : null,
    claimVisit: claimVisitOf(deps, row, kind, place.region),
    acctUsedFlag: acctUsedFlagOf({
      personal: row.usePersonalAccount,
      family: row.useFamilyAccount,
    }),
    charges,
    total: sumFen(charges.map((line) => line.amount)),
  };
}

function patientOf(deps: Deps, { id_number, name }: AroundBill): BilledVisit['patient'] {
  if (id_number === null || name === null) return null;
  const open = (hex: string) => deps.keyring.open(Buffer.from(hex, 'hex'));
  return { name: open(name), idNumber: open(id_number) };
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
  /** Fen as text: a JSON number would be a float on the way. */
  amount: string;
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

/** What is left of each line of the batches meant, as a JSON array. */
function linesOf(visitId: string, which: SQL): SQL {
  return sql`(
    select coalesce(jsonb_agg(jsonb_build_object('line_number', c.line_number, 'code', c.code,
      'name', c.name, 'quantity', trim_scale(c.quantity - c.refunded_quantity)::text,
      'unit_price', trim_scale(c.unit_price)::text,
      'amount', (c.amount - c.refunded_amount)::text, 'occurred_at', c.occurred_at,
      'is_outside_insurance', c.is_outside_insurance, 'detail', c.detail)
      order by c.line_number), '[]')
    from charge c join charge_batch b on b.visit_id = c.visit_id and b.batch = c.batch
    where c.visit_id = ${visitId} and c.refunded_quantity < c.quantity and ${which})`;
}

function chargeOf(line: LineRow): ClaimCharge {
  return {
    lineNumber: line.line_number,
    code: line.code,
    name: line.name,
    quantity: line.quantity,
    unitPrice: line.unit_price,
    amount: BigInt(line.amount),
    occurredAt: new Date(line.occurred_at),
    isOutsideInsurance: line.is_outside_insurance,
    ...line.detail,
  };
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
