// Role: the demo city's charge catalogue. Names are everyday words of the trade; prices, classes,
// ratios and codes are the project's own. Codes have the insurer's shapes (drugs X/Z, services
// 15 digits, materials C) with a 9 block that no official code uses.
import { drugRows, patentRows } from './drugs.ts';
import { materialRows, serviceRows } from './services.ts';

/** Catalogue class: 甲 wholly in scope, 乙 after a self-paid share, 丙 not in scope. */
export type ItemClass = '甲' | '乙' | '丙';

export interface ChargeItem {
  code: string;
  name: string;
  unit: string;
  /** Yuan, a decimal string with two places. */
  unitPrice: string;
  class: ItemClass;
  /** Share that the patient pays before the fund: "0" for 甲, "1" for 丙. */
  selfPayRatio: string;
  kind: 'drug' | 'service' | 'material';
}

/** Group, name, unit, price in yuan, class with the self-paid share of 乙 (e.g. "乙0.1"). */
export type ItemRow = readonly [
  group: string,
  name: string,
  unit: string,
  unitPrice: string,
  scope: string,
];

/** Every item of the city; at least 150, codes unique. Rows are only ever added at the end. */
export const chargeItems: readonly ChargeItem[] = [
  ...serviceRows.map((row, i) => item(row, 'service', serviceCode(row[0], i + 1))),
  ...drugRows.map((row, i) => item(row, 'drug', drugCode(row[0], i + 1))),
  ...patentRows.map((row, i) => item(row, 'drug', patentCode(row[0], i + 1))),
  ...materialRows.map((row, i) => item(row, 'material', materialCode(row[0], i + 1))),
];

const byName = new Map(chargeItems.map((entry) => [entry.name, entry]));

/** The item of that name; a name that is not in the catalogue is a bug of the caller. */
export function chargeItemNamed(name: string): ChargeItem {
  const found = byName.get(name);
  if (!found) throw new Error(`no charge item is called ${name}`);
  return found;
}

function item(row: ItemRow, kind: ChargeItem['kind'], code: string): ChargeItem {
  const [, name, unit, unitPrice, scope] = row;
  const itemClass = scope.slice(0, 1) as ItemClass;
  const selfPayRatio = itemClass === '甲' ? '0' : itemClass === '丙' ? '1' : scope.slice(1);
  return { code, name, unit, unitPrice, class: itemClass, selfPayRatio, kind };
}

/** 23 characters: X, class letter, 90, three letters, ingredient, form, pack, maker. */
function drugCode(group: string, number: number): string {
  const ingredient = String(number).padStart(3, '0');
  return `X${group}90ZZA${ingredient}A00101019${String(number).padStart(4, '0')}`;
}

/** 20 characters: Z and the class of a Chinese patent medicine. */
function patentCode(group: string, number: number): string {
  return `ZA90${group}${String(number).padStart(4, '0')}010109${String(number).padStart(3, '0')}`;
}

/** 15 digits, a dash, and the 9 digits of the local price list. */
function serviceCode(group: string, number: number): string {
  const local = `${group}0${String(number).padStart(4, '0')}`;
  return `009${group}${String(number).padStart(4, '0')}0000-${local}`;
}

/** 27 characters: C, the kind of material, maker and pack. */
function materialCode(group: string, number: number): string {
  return `C90${group}${'0'.repeat(11)}${String(number).padStart(9, '0')}`;
}
