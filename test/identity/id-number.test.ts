import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ageAt,
  checkCharacter,
  maskIdNumber,
  maskName,
  maskPhone,
  parseIdNumber,
} from '../../src/identity/id-number.ts';
import { idNumberOf } from './support.ts';

const birth = fc
  .date({ min: new Date('1910-01-01'), max: new Date('2020-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10).replaceAll('-', ''));
const area = fc.constantFrom('350203', '110101', '440305', '810000', '820000', '830000');
const serial = fc.integer({ min: 0, max: 999 }).map((n) => String(n).padStart(3, '0'));
const valid = fc
  .tuple(area, birth, serial)
  .map(([place, day, number]) => idNumberOf(place, day, number));

test('reads birth date and gender of every number with a right check character', () => {
  fc.assert(
    fc.property(area, birth, serial, (place, day, number) => {
      const id = idNumberOf(place, day, number);
      const parsed = parseIdNumber(` ${id.toLowerCase()} `);
      expect(parsed?.number).toBe(id);
      expect(parsed?.birthDate.replaceAll('-', '')).toBe(day);
      expect(parsed?.gender).toBe(Number(number[2]) % 2 === 1 ? 'male' : 'female');
    }),
  );
});

test('refuses every number with one digit changed', () => {
  fc.assert(
    fc.property(valid, fc.nat(17), fc.integer({ min: 1, max: 9 }), (id, place, step) => {
      const digit = id[place] === 'X' ? 10 : Number(id[place]);
      const other = String((digit + step) % 10);
      fc.pre(other !== id[place]);
      const changed = id.slice(0, place) + other + id.slice(place + 1);
      expect(parseIdNumber(changed)).toBeNull();
    }),
  );
});

test.each([
  ['15 digits', '350203900101123'],
  ['30 February', idNumberOf('350203', '19900230', '123')],
  ['30 February of a Taiwan permit', idNumberOf('830000', '19900230', '123')],
  ['a birth in the future', idNumberOf('350203', '20990101', '123')],
  ['a province that does not exist', idNumberOf('990203', '19900101', '123')],
  ['letters', '35020319900101123A'],
  ['full-width digits', '３５０２０３１９９００１０１１２３４'],
  ['nothing', ''],
])('refuses %s', (_what, text) => {
  expect(parseIdNumber(text)).toBeNull();
});

test('knows the check character of the standard’s own example', () => {
  expect(checkCharacter('11010519491231002')).toBe('X');
});

test('counts a new year of age from the birthday on', () => {
  expect(ageAt('2008-03-15', '2026-03-14')).toBe(17);
  expect(ageAt('2008-03-15', '2026-03-15')).toBe(18);
  expect(ageAt('2008-02-29', '2026-02-28')).toBe(17);
  expect(ageAt('2008-02-29', '2026-03-01')).toBe(18);
  expect(ageAt('2026-01-01', '2026-01-01')).toBe(0);
});

test('masks names, numbers and phones', () => {
  expect(maskName('张三')).toBe('张*');
  expect(maskName('张小三')).toBe('张*三');
  expect(maskName('欧阳小三')).toBe('欧**三');
  expect(maskName('𠮷田')).toBe('𠮷*');
  expect(maskName('张')).toBe('*');
  expect(maskName('')).toBe('*');
  expect(maskIdNumber('350203199001011234')).toBe('3502**********1234');
  expect(maskPhone('13812345678')).toBe('138****5678');
});

test('never shows the birth date of a masked number', () => {
  fc.assert(
    fc.property(valid, (id) => {
      expect(maskIdNumber(id)).toHaveLength(18);
      expect(maskIdNumber(id)).not.toContain(id.slice(6, 14));
    }),
  );
});
