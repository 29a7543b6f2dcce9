// Law (pure): who may use whose line. A link gives credit only while it is active; a child's ends by
// itself on the 18th birthday, 00:00 in Shanghai; and never more than what both caps leave.
import { type Fen, maxFen, minFen } from '../money.ts';

export const linkKinds = ['minorChild', 'parentCare'] as const;
export type LinkKind = (typeof linkKinds)[number];

export const linkStatuses = ['pending', 'active', 'ended'] as const;
export type LinkStatus = (typeof linkStatuses)[number];

/** Why a link gives no credit; the hold statements decide the same in SQL (credit/family-sql.ts). */
export const familyDeclines = [
  'family/not-linked',
  'family/age-out',
  'family/cap-exceeded',
] as const;
export type FamilyDecline = (typeof familyDeclines)[number];

const ADULT_YEARS = 18;
/** "At most 5 active links a payer" (domain.md); a pending one may become active, so it counts. */
export const MAX_LINKS = 5;
/** `endReason` of a link that ended on the birthday. */
export const AGE_OUT = 'ageOut';

/** What decides whether a link gives credit. */
export interface LinkTerms {
  status: LinkStatus;
  endsAt: Date | null;
  endReason: string | null;
}

/** Caps in fen, and what they have used without the hold that is being decided. */
export interface CapsUsed {
  visitCap: Fen;
  visitUsed: Fen;
  monthlyCap: Fen;
  monthUsed: Fen;
}

/**
 * The 18th birthday of somebody born on `birthDate` (YYYY-MM-DD), 00:00 in Shanghai. A child of
 * 29 February comes of age on 1 March, as in identity/id-number.ts.
 */
export function comesOfAgeAt(birthDate: string): Date {
  const [year = 0, month = 0, day = 0] = birthDate.split('-').map(Number);
  // Shanghai is eight hours ahead and has had no summer time since 1991.
  return new Date(Date.UTC(year + ADULT_YEARS, month - 1, day, -8));
}

/** True from the birthday on, whether or not the worker has been there. */
export function hasAgedOut(link: LinkTerms, now: Date): boolean {
  if (link.status === 'ended') return link.endReason === AGE_OUT;
  return link.endsAt !== null && link.endsAt <= now;
}

/** What a link is at a moment: an open one whose time is over has ended. */
export function statusAt(link: LinkTerms, now: Date): LinkStatus {
  return hasAgedOut(link, now) ? 'ended' : link.status;
}

/** Why a link gives no credit at all, or null when only caps and limit decide. */
export function refusalOfLink(
  link: LinkTerms | null,
  now: Date,
): Exclude<FamilyDecline, 'family/cap-exceeded'> | null {
  if (!link) return 'family/not-linked';
  if (hasAgedOut(link, now)) return 'family/age-out';
  return link.status === 'active' ? null : 'family/not-linked';
}

/** What both caps still leave, fen; a cap lowered below what is used leaves nothing. */
export function leftOfCaps(caps: CapsUsed): Fen {
  const left = minFen(caps.visitCap - caps.visitUsed, caps.monthlyCap - caps.monthUsed);
  return maxFen(0n, left);
}

/** What the payer is to the beneficiary, in both languages. */
export function payerTitle(kind: LinkKind, gender: 'male' | 'female'): { zh: string; en: string } {
  if (kind === 'minorChild') {
    return gender === 'male' ? { zh: '父亲', en: 'Father' } : { zh: '母亲', en: 'Mother' };
  }
  return gender === 'male' ? { zh: '儿子', en: 'Son' } : { zh: '女儿', en: 'Daughter' };
}
