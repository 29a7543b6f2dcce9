// The pure rules of a link: birthdays, what refuses, what caps leave, and the hold they decide.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideHold } from '../../src/credit/credit-line.ts';
import {
  comesOfAgeAt,
  hasAgedOut,
  type LinkTerms,
  leftOfCaps,
  payerTitle,
  refusalOfLink,
  statusAt,
} from '../../src/family/link.ts';
import { ageAt } from '../../src/identity/id-number.ts';

const active: LinkTerms = { status: 'active', endsAt: null, endReason: null };
const birthday = comesOfAgeAt('2010-06-15');
const justBefore = new Date(birthday.getTime() - 1);

describe('the 18th birthday', () => {
  it.each([
    ['2010-06-15', '2028-06-14T16:00:00.000Z'],
    ['2010-01-01', '2027-12-31T16:00:00.000Z'],
    ['2008-02-29', '2026-02-28T16:00:00.000Z'],
  ])('of a child born on %s is at %s, midnight in Shanghai', (born, at) => {
    expect(comesOfAgeAt(born).toISOString()).toBe(at);
  });

  it('is the first day on which the age is 18, whatever the date of birth', () => {
    const birth = fc.date({ min: new Date('2005-01-01'), max: new Date('2030-12-31') });
    fc.assert(
      fc.property(
        birth.filter((d) => !Number.isNaN(d.getTime())),
        (date) => {
          const born = date.toISOString().slice(0, 10);
          const shanghaiDay = (at: number) =>
            new Date(at + 8 * 3_600_000).toISOString().slice(0, 10);
          const at = comesOfAgeAt(born).getTime();
          expect(ageAt(born, shanghaiDay(at))).toBe(18);
          expect(ageAt(born, shanghaiDay(at - 1))).toBe(17);
        },
      ),
    );
  });

  it('ends a link to the millisecond, whether or not the worker wrote it down', () => {
    const child = { ...active, endsAt: birthday };
    expect([hasAgedOut(child, justBefore), hasAgedOut(child, birthday)]).toEqual([false, true]);
    expect([statusAt(child, justBefore), statusAt(child, birthday)]).toEqual(['active', 'ended']);
    const written: LinkTerms = { status: 'ended', endsAt: birthday, endReason: 'ageOut' };
    expect(hasAgedOut(written, birthday)).toBe(true);
    const revoked: LinkTerms = { status: 'ended', endsAt: birthday, endReason: 'endedByPayer' };
    expect(refusalOfLink(revoked, birthday)).toBe('family/not-linked');
  });
});

describe('a link', () => {
  it.each([
    ['is not there', null, 'family/not-linked'],
    ['waits for acceptance', { ...active, status: 'pending' }, 'family/not-linked'],
    ['was ended', { ...active, status: 'ended', endReason: 'endedByPayer' }, 'family/not-linked'],
    ['is active', active, null],
    ['is active until tomorrow', { ...active, endsAt: new Date(justBefore.getTime() + 2) }, null],
    ['is active until now', { ...active, endsAt: justBefore }, 'family/age-out'],
  ] as [string, LinkTerms | null, string | null][])('that %s', (_, link, refusal) => {
    expect(refusalOfLink(link, justBefore)).toBe(refusal);
  });

  it('names the payer by what he or she is to the beneficiary', () => {
    expect(payerTitle('minorChild', 'female')).toEqual({ zh: '母亲', en: 'Mother' });
    expect(payerTitle('minorChild', 'male')).toEqual({ zh: '父亲', en: 'Father' });
    expect(payerTitle('parentCare', 'female')).toEqual({ zh: '女儿', en: 'Daughter' });
    expect(payerTitle('parentCare', 'male')).toEqual({ zh: '儿子', en: 'Son' });
  });
});

describe('caps', () => {
  const caps = { visitCap: 300n, visitUsed: 100n, monthlyCap: 1000n, monthUsed: 950n };

  it('leave the lesser of both, and nothing once one is lowered below what is used', () => {
    expect(leftOfCaps(caps)).toBe(50n);
    expect(leftOfCaps({ ...caps, monthUsed: 0n })).toBe(200n);
    expect(leftOfCaps({ ...caps, monthlyCap: 900n })).toBe(0n);
  });

  it('and limit together decide a hold: never more than either leaves, never less than both do', () => {
    const fen = fc.bigInt({ min: 0n, max: 1_000n });
    const some = fc.bigInt({ min: 1n, max: 1_000n });
    const family = fc.record({ visitCap: some, visitUsed: fen, monthlyCap: some, monthUsed: fen });
    fc.assert(
      fc.property(family, fen, some, fc.boolean(), (used, limit, amount, isPartialAllowed) => {
        const decided = decideHold(
          {
            state: { status: 'active' },
            isConsented: true,
            isOverdue: false,
            limit,
            held: 0n,
            outstanding: 0n,
          },
          {
            amount,
            defaultAmount: 1n,
            isPartialAllowed,
            isEmergency: false,
            extra: 0n,
            family: { refusal: null, caps: used },
          },
        );
        const room = leftOfCaps(used);
        const most = room < limit ? room : limit;
        if ('amount' in decided) {
          expect(decided.amount).toBe(amount < most ? amount : isPartialAllowed ? most : amount);
          expect(decided.amount <= most).toBe(true);
          return;
        }
        expect(isPartialAllowed ? most === 0n : amount > most).toBe(true);
        const isCapped = isPartialAllowed ? room === 0n : room < amount;
        expect(decided.decline).toBe(isCapped ? 'family/cap-exceeded' : 'credit/limit-exceeded');
      }),
    );
  });
});
