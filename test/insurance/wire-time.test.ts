// Law: what the wire writes of a time is Shanghai's, in all of its history, and what it reads is exact.
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import {
  readWireDateTime,
  wireDate,
  wireDateTime,
  wireStamp,
} from '../../src/insurance/wire-time.ts';

const moments = fc.date({
  min: new Date('1900-01-02T00:00:00Z'),
  max: new Date('2099-12-31T00:00:00Z'),
  noInvalidDate: true,
});
const shanghai = (at: Date, format: string) =>
  DateTime.fromJSDate(at, { zone: 'Asia/Shanghai' }).toFormat(format);

describe('a time on the wire', () => {
  it('is the Shanghai time of the zone database', () => {
    fc.assert(
      fc.property(moments, (at) => {
        expect(wireDateTime(at)).toBe(shanghai(at, 'yyyy-MM-dd HH:mm:ss'));
        expect(wireDate(at)).toBe(shanghai(at, 'yyyy-MM-dd'));
        expect(wireStamp(at)).toBe(shanghai(at, 'yyyyMMddHHmmss'));
      }),
    );
  });

  it('is read back to the second', () => {
    fc.assert(
      fc.property(moments, (at) => {
        const seconds = Math.floor(at.getTime() / 1000) * 1000;
        // Summer time (until 1991) says one hour of each autumn twice.
        fc.pre(seconds >= Date.UTC(1992, 0, 1));
        expect(readWireDateTime(wireDateTime(at))?.getTime()).toBe(seconds);
      }),
    );
  });

  it.each([
    '',
    '2026-02-30 10:00:00',
    '2026-01-01 24:00:01',
    '2026-01-01',
    '20260101100000',
    'null',
  ])('that is none (%j) is read as none', (text) => expect(readWireDateTime(text)).toBeNull());
});
