// How far back the insurer takes a claim: days and years are Shanghai's, and the last day counts whole.
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import {
  conversionModeOf,
  handClaimDeadline,
  lateClaimDecision,
  readRegionPolicy,
} from '../../src/conversion/region-policy.ts';
import { policy } from '../../src/db/schema.ts';
import { useDatabase } from '../support/database.ts';

const at = (shanghai: string) => new Date(`${shanghai}+08:00`);
const anyYear = { lateClaimDays: 30, isSameCalendarYear: false };
const sameYear = { lateClaimDays: 365, isSameCalendarYear: true };

describe('a late claim', () => {
  it.each([
    ['the same minute', '2026-03-10T09:00:00', '2026-03-10T09:00:00', anyYear, 'ok'],
    [
      'the last minute of the last day',
      '2026-03-10T09:00',
      '2026-04-09T23:59:59.999',
      anyYear,
      'ok',
    ],
    [
      'midnight after the last day',
      '2026-03-10T09:00:00',
      '2026-04-10T00:00:00',
      anyYear,
      'tooLate',
    ],
    [
      'a visit just before midnight',
      '2026-03-10T23:59:59',
      '2026-04-10T00:00:00',
      anyYear,
      'tooLate',
    ],
    ['a visit just after midnight', '2026-03-11T00:00:00', '2026-04-10T23:59:59', anyYear, 'ok'],
    ['the year’s last second', '2026-01-01T00:00:00', '2026-12-31T23:59:59', sameYear, 'ok'],
    [
      'the new year’s first second',
      '2026-12-31T23:59:59',
      '2027-01-01T00:00:00',
      sameYear,
      'tooLate',
    ],
    ['a new year that does not matter', '2026-12-31T23:59:59', '2027-01-01T00:00', anyYear, 'ok'],
    [
      'the days within one year',
      '2026-01-01T10:00',
      '2026-02-01T10:00',
      {
        lateClaimDays: 30,
        isSameCalendarYear: true,
      },
      'tooLate',
    ],
    [
      'no days at all, same day',
      '2026-05-05T00:00',
      '2026-05-05T23:59',
      {
        lateClaimDays: 0,
        isSameCalendarYear: false,
      },
      'ok',
    ],
  ] as const)('at %s', (_, visit, now, rules, outcome) => {
    expect(lateClaimDecision(at(visit), at(now), rules).outcome).toBe(outcome);
  });

  it('counts Shanghai’s day and year, not Greenwich’s', () => {
    // 2026-12-31T16:30Z is already 2027 in Shanghai.
    const visit = new Date('2026-12-31T16:30:00Z');
    const now = new Date('2027-12-31T15:59:59Z');
    expect(lateClaimDecision(visit, now, sameYear)).toEqual({ outcome: 'ok' });
    const next = new Date('2027-12-31T16:00:00Z');
    expect(lateClaimDecision(visit, next, sameYear).outcome).toBe('tooLate');
  });

  it('that is too late says why, in Chinese and English', () => {
    const visit = at('2026-12-31T10:00:00');
    const year = lateClaimDecision(visit, at('2027-01-02T10:00:00'), sameYear);
    expect(year).toMatchObject({ reason: expect.stringMatching(/超过年度.*benefit year 2026/) });
    const days = lateClaimDecision(visit, at('2027-03-01T10:00:00'), anyYear);
    expect(days).toMatchObject({ reason: expect.stringMatching(/期限.*2027-01-30/) });
  });

  it('by hand may come later, until the end of a day that is told', () => {
    expect(handClaimDeadline(at('2026-12-31T23:59:59'), { handClaimDays: 90 })).toBe('2027-03-31');
  });
});

describe('a region’s policy', () => {
  const { db } = useDatabase();
  const rules = { lateClaimDays: 10, isSameCalendarYear: false, handClaimDays: 20 };
  const add = (name: string, version: number, validFrom: Date, conversion: string) =>
    db.insert(policy).values({
      kind: 'region',
      name,
      version,
      validFrom,
      data: { ...rules, conversion },
    });

  it('is the default’s where nothing else is said: automatic, within the calendar year', async () => {
    expect(await readRegionPolicy(db, '350200')).toMatchObject({
      conversion: 'automatic',
      isSameCalendarYear: true,
    });
  });

  it('is its own, else its city’s, in the version that is valid now', async () => {
    const past = new Date('2020-01-01T00:00:00Z');
    await add('3502', 1, past, 'patientConfirms');
    await add('350203', 1, past, 'automatic');
    await add('350203', 2, new Date('2199-01-01T00:00:00Z'), 'patientConfirms');
    expect(await conversionModeOf(db, '350299')).toBe('patientConfirms');
    expect(await conversionModeOf(db, '350203')).toBe('automatic');
    expect(await conversionModeOf(db, '350100')).toBe('automatic');
    await add('350203', 3, past, 'patientConfirms');
    expect(await conversionModeOf(db, '350203')).toBe('patientConfirms');
  });

  it('that nobody could read is a bug, never a guess', async () => {
    await db.execute(sql`
      insert into policy (kind, name, version, valid_from, data)
      values ('region', '4401', 1, '2020-01-01', '{"conversion": "sometimes"}')`);
    await expect(readRegionPolicy(db, '440100')).rejects.toThrow();
  });
});
