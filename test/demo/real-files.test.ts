// Law: the real folder is read by header, amounts without floating point, and a wrong file is named.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRealData } from '../../src/sandbox/demo/real-files.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'egret-real-'));
  for (const [file, lines] of Object.entries(sample)) await write(file, lines);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const sample: Record<string, string[]> = {
  'charge_items_his/non_drug_items.csv': ['name,price,code', '小检查,5.00,S1'],
  'charge_items_his/drugs.csv': ['id,name,spec,price_random', '7,某药,1g,99.99'],
  'charge_items_his/icd10_diagnoses.csv': ['ICD,name', 'Z00,某病'],
  'charge_items_his/departments.csv': ['id,name', '1,某科'],
  'synthea/encounters.csv': [
    'PATIENT,Id,START,ENCOUNTERCLASS,PAYER,CODE,REASONCODE',
    'p,e,2019-03-04T05:06:07Z,wellness,none,11,',
  ],
  'synthea/claims_transactions.csv': [
    'TYPE,AMOUNT,APPOINTMENTID,PROCEDURECODE',
    'CHARGE,77.49,e,x',
    'PAYMENT,,e,x',
  ],
  'synthea/payers.csv': ['Id,NAME', 'none,NO_INSURANCE', 'plan,Some Plan'],
  'stats_cn/stats_cn.csv': ['metric,value', 'hospital_avg_outpatient_cost_per_visit,361.0'],
};

async function write(file: string, lines: string[]): Promise<void> {
  const target = path.join(folder, file);
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, `\ufeff${lines.join('\r\n')}\r\n`);
}

test('columns are found by header in any order, behind a BOM and with CRLF', async () => {
  const data = await readRealData(folder);
  expect(data.services).toEqual([{ code: 'S1', name: '小检查', unitPrice: '5.00' }]);
  expect(data.drugs).toEqual([{ code: 'DRUG-7', name: '某药 1g' }]);
  expect(data.charges).toEqual([{ encounter: 'e', procedure: 'x', amount: 7_749n }]);
  expect(data.encounters[0]).toMatchObject({ id: 'e', patient: 'p', reasonCode: '11' });
  expect(data.uninsured).toEqual(new Set(['none']));
  expect(data.meanOutpatient).toBe(36_100n);
});

test('the random price of a drug is never read', async () => {
  expect(JSON.stringify((await readRealData(folder)).drugs)).not.toContain('99.99');
});

test('a missing column or an empty file is named', async () => {
  await write('synthea/payers.csv', ['Id,LABEL', 'none,x']);
  await expect(readRealData(folder)).rejects.toThrow(
    'synthea/payers.csv: no rows, or no column NAME',
  );
  await write('synthea/payers.csv', ['Id,NAME']);
  await expect(readRealData(folder)).rejects.toThrow('synthea/payers.csv');
});

test('a charge whose amount is not an amount stops the reading', async () => {
  await write('synthea/claims_transactions.csv', [
    'TYPE,AMOUNT,APPOINTMENTID,PROCEDURECODE',
    'CHARGE,a lot,e,x',
  ]);
  await expect(readRealData(folder)).rejects.toThrow('a lot');
});
