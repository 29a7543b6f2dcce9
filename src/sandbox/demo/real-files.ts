// Role: reads the folder that EGRET_REAL_DATA names. Columns are found by header, never by place.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { type Fen, fenFromWire } from '../../money.ts';

export interface PricedService {
  code: string;
  name: string;
  /** Yuan, two decimals. */
  unitPrice: string;
}

export interface Encounter {
  id: string;
  patient: string;
  /** ambulatory, outpatient, wellness, urgentcare, emergency, inpatient */
  encounterClass: string;
  startedAt: Date;
  /** The payer's key; its name tells the kind of cover. */
  payer: string;
  reasonCode: string;
}

/** One charge of an encounter's claims, in its own currency's cents. */
export interface SourceCharge {
  encounter: string;
  procedure: string;
  amount: Fen;
}

export interface RealData {
  services: PricedService[];
  /** Names with their size; the folder's price column is random and is not read. */
  drugs: { code: string; name: string }[];
  diagnoses: { code: string; name: string }[];
  departments: { code: string; name: string }[];
  encounters: Encounter[];
  charges: SourceCharge[];
  /** Keys of the payers that are no insurance. */
  uninsured: Set<string>;
  /** Published mean of one outpatient visit, in fen. */
  meanOutpatient: Fen;
}

type CsvRow = Record<string, string>;

/** Reads everything the demo needs; throws naming file and column of what is missing. */
export async function readRealData(folder: string): Promise<RealData> {
  const [services, drugs, diagnoses, departments, encounters, transactions, payers, stats] =
    await Promise.all([
      csv(folder, 'charge_items_his/non_drug_items.csv', 'code name price'),
      csv(folder, 'charge_items_his/drugs.csv', 'id name spec'),
      csv(folder, 'charge_items_his/icd10_diagnoses.csv', 'ICD name'),
      csv(folder, 'charge_items_his/departments.csv', 'id name'),
      csv(
        folder,
        'synthea/encounters.csv',
        'Id PATIENT ENCOUNTERCLASS START PAYER REASONCODE CODE',
      ),
      csv(folder, 'synthea/claims_transactions.csv', 'TYPE AMOUNT APPOINTMENTID PROCEDURECODE'),
      csv(folder, 'synthea/payers.csv', 'Id NAME'),
      csv(folder, 'stats_cn/stats_cn.csv', 'metric value'),
    ]);
  return {
    services: services.map((row) => ({
      code: field(row, 'code'),
      name: field(row, 'name'),
      unitPrice: field(row, 'price'),
    })),
    drugs: drugs.map((row) => ({
      code: `DRUG-${field(row, 'id')}`,
      name: `${field(row, 'name')} ${field(row, 'spec')}`.trim(),
    })),
    diagnoses: diagnoses.map((row) => ({ code: field(row, 'ICD'), name: field(row, 'name') })),
    departments: departments.map((row) => ({ code: field(row, 'id'), name: field(row, 'name') })),
    encounters: encounters.map(encounterOf),
    charges: transactions.filter((row) => field(row, 'TYPE') === 'CHARGE').map(chargeOf),
    uninsured: new Set(
      payers.filter((row) => field(row, 'NAME') === 'NO_INSURANCE').map((row) => field(row, 'Id')),
    ),
    meanOutpatient: meanOf(stats),
  };
}

function encounterOf(row: CsvRow): Encounter {
  return {
    id: field(row, 'Id'),
    patient: field(row, 'PATIENT'),
    encounterClass: field(row, 'ENCOUNTERCLASS'),
    startedAt: new Date(field(row, 'START')),
    payer: field(row, 'PAYER'),
    reasonCode: field(row, 'REASONCODE') || field(row, 'CODE'),
  };
}

function chargeOf(row: CsvRow): SourceCharge {
  const amount = fenFromWire(field(row, 'AMOUNT'));
  if (amount === null || amount < 0n) throw new Error(`a charge's AMOUNT: ${field(row, 'AMOUNT')}`);
  return { encounter: field(row, 'APPOINTMENTID'), procedure: field(row, 'PROCEDURECODE'), amount };
}

function meanOf(stats: CsvRow[]): Fen {
  const row = stats.find((r) => field(r, 'metric') === 'hospital_avg_outpatient_cost_per_visit');
  const mean = row ? fenFromWire(field(row, 'value')) : null;
  if (!mean || mean <= 0n) throw new Error('stats_cn.csv has no mean of an outpatient visit');
  return mean;
}

/** The rows of a file that must have some, and these columns. */
async function csv(folder: string, file: string, needed: string): Promise<CsvRow[]> {
  const text = await readFile(join(folder, file), 'utf8');
  const parsed = parse(text, { columns: true, bom: true, skip_empty_lines: true, trim: true });
  const rows = parsed as CsvRow[];
  const missing = needed.split(' ').filter((column) => rows[0]?.[column] === undefined);
  if (missing.length > 0) throw new Error(`${file}: no rows, or no column ${missing.join(', ')}`);
  return rows;
}

function field(row: CsvRow, column: string): string {
  return row[column] ?? '';
}
