// Pure: resident identity numbers (GB 11643), ages, and the masks under which people are shown.
// Law: no reply and no log line carries a whole name, ID number or phone number.
import validator from 'validator';

export interface IdNumber {
  /** Normalised: 18 characters, the check character X in upper case. */
  number: string;
  /** YYYY-MM-DD */
  birthDate: string;
  gender: 'male' | 'female';
}

const SHAPE = /^\d{17}[\dX]$/;
/** 83 is the residence permit of people from Taiwan, which `validator` does not know. */
const TAIWAN_PERMIT = /^83/;
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_CHARACTERS = '10X98765432';

/** Reads an 18-digit ID number; spaces around it and a small x are forgiven. Null when invalid. */
export function parseIdNumber(text: string): IdNumber | null {
  const number = text.trim().toUpperCase();
  if (!SHAPE.test(number)) return null;
  const birthDate = `${number.slice(6, 10)}-${number.slice(10, 12)}-${number.slice(12, 14)}`;
  const isValid = TAIWAN_PERMIT.test(number)
    ? isRealDate(birthDate) && checkCharacter(number) === number[17]
    : validator.isIdentityCard(number, 'zh-CN');
  if (!isValid) return null;
  return { number, birthDate, gender: Number(number[16]) % 2 === 1 ? 'male' : 'female' };
}

/** The check character of the first 17 digits (ISO 7064, MOD 11-2). */
export function checkCharacter(digits: string): string {
  const sum = WEIGHTS.reduce((total, weight, i) => total + weight * Number(digits[i]), 0);
  return CHECK_CHARACTERS[sum % 11] as string;
}

/**
 * Whole years of age on a business date; a new year begins on the birthday itself (for a child of
 * 29 February: on 1 March of other years). Both dates YYYY-MM-DD.
 */
export function ageAt(birthDate: string, businessDate: string): number {
  const years = Number(businessDate.slice(0, 4)) - Number(birthDate.slice(0, 4));
  return businessDate.slice(5) < birthDate.slice(5) ? years - 1 : years;
}

/** "350203199001011234" → "3502**********1234". */
export function maskIdNumber(number: string): string {
  if (number.length < 12) return '*'.repeat(number.length);
  return `${number.slice(0, 4)}${'*'.repeat(number.length - 8)}${number.slice(-4)}`;
}

/** "张三" → "张*", "张小三" → "张*三"; an unknown name is "*". */
export function maskName(name: string): string {
  const characters = Array.from(name);
  const first = characters[0];
  const last = characters.at(-1);
  if (first === undefined || last === undefined || characters.length === 1) return '*';
  if (characters.length === 2) return `${first}*`;
  return `${first}${'*'.repeat(characters.length - 2)}${last}`;
}

/** "13812345678" → "138****5678". */
export function maskPhone(phone: string): string {
  if (phone.length < 8) return '*'.repeat(phone.length);
  return `${phone.slice(0, 3)}${'*'.repeat(phone.length - 7)}${phone.slice(-4)}`;
}

function isRealDate(date: string): boolean {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  const at = new Date(Date.UTC(year, month - 1, day));
  return year >= 1900 && at.toISOString().startsWith(date);
}
