// The people, owners and visits of the tests' small city.
import type { Db, Tx } from '../../src/db/db.ts';
import * as t from '../../src/db/schema.ts';
import { hospitalBooks, lenderBooks } from '../../src/ledger/journal.ts';

export const HOSPITAL = 'H90000000001';
export const COUNTY = 'H90000000002';
export const LENDER = 'testLenderA';
export const OTHER_LENDER = 'testLenderB';
export const NOW = new Date('2026-11-20T02:00:00Z');
export const NOTHING = Buffer.from('00', 'hex');
export const yuan = (amount: number): bigint => BigInt(Math.round(amount * 100));
export const h = hospitalBooks(HOSPITAL);
export const bankOf = (lender: string) => lenderBooks(lender);

/** Hospitals and lenders of the tests' own, so that they do not lean on the demo city. */
export async function fillOwners(db: Db | Tx): Promise<void> {
  await db.insert(t.hospital).values([
    { code: HOSPITAL, name: '测试医院', level: 3, region: '350200' },
    { code: COUNTY, name: '测试县医院', level: 2, region: '350200' },
  ]);
  await db.insert(t.lender).values([
    { code: LENDER, name: '测试银行甲' },
    { code: OTHER_LENDER, name: '测试银行乙' },
  ]);
}

export async function fillPeople(tx: Tx): Promise<void> {
  for (const [n, lender, held, outstanding] of [
    [1, LENDER, 40, 50 + 34 + 50 - 20],
    [2, OTHER_LENDER, 0, 180],
  ] as const) {
    await tx.insert(t.citizen).values({
      id: `cit_${n}`,
      idIndex: Buffer.from(`index ${n}`),
      idNumber: NOTHING,
      name: NOTHING,
    });
    await tx.insert(t.creditLine).values({
      id: `lin_${n}`,
      citizenId: `cit_${n}`,
      lender,
      product: 'standard',
      status: 'active',
      limit: yuan(3000),
      inpatientExtra: 0n,
      outageExtra: yuan(1000),
      held: yuan(held),
      outstanding: yuan(outstanding),
      scoreValue: 650,
      scoreTier: 3,
      scoreAsOf: NOW,
      policyVersion: 1,
      agreementVersion: '1',
      openedAt: NOW,
    });
  }
}

/** Citizen 2 pays for citizen 1, a child until 2030; settlement 2 went that way. */
export async function fillFamily(tx: Tx): Promise<void> {
  await tx.insert(t.familyLink).values({
    id: 'lnk_1',
    kind: 'minorChild',
    payerCitizenId: 'cit_2',
    beneficiaryCitizenId: 'cit_1',
    status: 'active',
    proof: 'registry',
    visitCap: yuan(300),
    monthlyCap: yuan(500),
    usedByMonth: { '2026-11': '18000' },
    createdAt: NOW,
    acceptedAt: NOW,
    acceptedVia: 'guardian',
    endsAt: new Date('2030-05-31T16:00:00Z'),
  });
}

/** What a hold through that link keeps of its caps. */
export const throughLink = {
  familyLinkId: 'lnk_1',
  visitCapThen: yuan(300),
  visitUsedThen: 0n,
  monthlyCapThen: yuan(500),
  monthUsedThen: 0n,
};

/** A visit with one batch of two lines: 60.00 and the rest. */
export async function openVisit(
  tx: Tx,
  n: number,
  status: string,
  taken: string | null,
): Promise<void> {
  await tx.insert(t.visit).values({
    id: `vis_${n}`,
    hospitalCode: HOSPITAL,
    visitNumber: `N${n}`,
    kind: 'outpatient',
    status,
    citizenId: 'cit_1',
    businessDate: '2026-11-20',
    startedAt: NOW,
    insured: {},
    usePersonalAccount: true,
    useFamilyAccount: false,
    chargedTotal: yuan(300),
    openedAt: NOW,
  });
  await tx.insert(t.chargeBatch).values({
    visitId: `vis_${n}`,
    batch: '1',
    position: 1,
    total: yuan(300),
    settlementId: taken,
    createdAt: NOW,
  });
  for (const [lineNumber, amount] of [
    [1, 60],
    [2, 240],
  ] as const) {
    await tx.insert(t.charge).values({
      visitId: `vis_${n}`,
      lineNumber,
      batch: '1',
      code: `C${lineNumber}`,
      name: '项目',
      quantity: '1',
      unitPrice: `${amount}`,
      amount: yuan(amount),
      occurredAt: NOW,
      detail: {},
    });
  }
}
