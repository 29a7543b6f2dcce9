// Law: a fresh sandbox has the promised city, and seeding again changes nothing.
import { eq } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { hospital, lender, policy } from '../../src/db/schema.ts';
import { parseYuan } from '../../src/money.ts';
import { chargeItemNamed, chargeItems } from '../../src/sandbox/city/charge-items.ts';
import { communityCentres, hospitals, institutions } from '../../src/sandbox/city/hospitals.ts';
import { lenderCodes } from '../../src/sandbox/city/lenders.ts';
import { seedCity } from '../../src/sandbox/city/seed.ts';
import { useDatabase } from '../support/database.ts';

const { db } = useDatabase();

test('the city has 23 hospitals of three levels and 39 community centres', () => {
  expect(hospitals).toHaveLength(23);
  expect(new Set(hospitals.map((h) => h.level))).toEqual(new Set([1, 2, 3]));
  expect(communityCentres).toHaveLength(39);
  expect(new Set(communityCentres.map((c) => c.level))).toEqual(new Set([1]));
});

test('every institution has its own name and a code of H and 11 digits in region 350200', () => {
  for (const { code, region } of institutions) {
    expect(code).toMatch(/^H350200\d{5}$/);
    expect(region).toBe('350200');
  }
  expect(new Set(institutions.map((i) => i.code)).size).toBe(62);
  expect(new Set(institutions.map((i) => i.name)).size).toBe(62);
});

test('at least 150 charge items with unique codes and names', () => {
  expect(chargeItems.length).toBeGreaterThanOrEqual(150);
  expect(new Set(chargeItems.map((item) => item.code)).size).toBe(chargeItems.length);
  expect(new Set(chargeItems.map((item) => item.name)).size).toBe(chargeItems.length);
});

test('every charge item has a price above zero and a share that fits its class', () => {
  for (const item of chargeItems) {
    expect(parseYuan(item.unitPrice), item.name).toBeGreaterThan(0n);
    if (item.class === '甲') expect(item.selfPayRatio, item.name).toBe('0');
    if (item.class === '丙') expect(item.selfPayRatio, item.name).toBe('1');
    if (item.class === '乙') expect(item.selfPayRatio, item.name).toMatch(/^0\.\d{1,2}$/);
  }
});

test('codes have the shape of their kind', () => {
  const shapes = {
    drug: /^(X[A-Z]90[A-Z]{3}\d{3}[A-Z]\d{12}|ZA90[A-Z]{3}\d{13})$/,
    service: /^009\d{12}-\d{9}$/,
    material: /^C90\d{24}$/,
  };
  for (const item of chargeItems) expect(item.code).toMatch(shapes[item.kind]);
});

test('a name that is not in the catalogue is a bug, not a free item', () => {
  expect(() => chargeItemNamed('不存在的项目')).toThrow('不存在的项目');
});

test('a seeded database has every institution, both lenders and a policy for each kind', async () => {
  const codes = (await db.select({ code: hospital.code }).from(hospital)).map((row) => row.code);
  expect(codes.sort()).toEqual(institutions.map((i) => i.code).sort());
  const banks = (await db.select({ code: lender.code }).from(lender)).map((row) => row.code);
  expect(banks.sort()).toEqual([...lenderCodes].sort());
  expect(lenderCodes).toHaveLength(2);
  const kinds = (await db.select({ kind: policy.kind }).from(policy)).map((row) => row.kind);
  expect(kinds).toContain('credit');
});

test('seeding again keeps the counts and what an administrator changed', async () => {
  const changed = institutions[0]?.code ?? '';
  await db.update(hospital).set({ name: '改过的名字' }).where(eq(hospital.code, changed));
  const before = await everything();
  await seedCity(db);
  expect(await everything()).toEqual(before);
  expect(before.hospitals.find((row) => row.code === changed)?.name).toBe('改过的名字');
});

async function everything() {
  return {
    hospitals: await db.select().from(hospital).orderBy(hospital.code),
    lenders: await db.select().from(lender).orderBy(lender.code),
    policies: await db.select().from(policy).orderBy(policy.kind, policy.name, policy.version),
  };
}
