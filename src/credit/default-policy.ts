// Role: the credit rules that a fresh city starts with (domain.md, Credit: Xiamen's scheme), as data.
// Amounts are yuan strings: policies are read and changed by people.
import { defaultStayPolicy } from '../inpatient/stay-policy.ts';
import { defaultFilingPolicy } from '../insurance/filing.ts';
import {
  type Agreement,
  type CreditPolicy,
  defaultCollection,
  type LenderProduct,
} from './policy.ts';

export interface PolicyRow {
  kind: string;
  name: string;
  version: number;
  validFrom: Date;
  data: unknown;
}

/** Long past, so that a sandbox clock set back still finds a policy. */
const ALWAYS = new Date('2000-01-01T00:00:00+08:00');

const HOURS_OUTPATIENT = 24;
const HOURS_INPATIENT = 30 * 24;

const credit: CreditPolicy = {
  tiers: [
    { upTo: 500, limit: '500.00' },
    { upTo: 600, limit: '1000.00' },
    { upTo: null, limit: '3000.00' },
  ],
  // A mean co-payment of a hospital stay in the city is about 5,000 yuan.
  inpatientExtra: '5000.00',
  // A mean line does not carry two uninsured visits in an outage without it (domain.md).
  outageExtra: '1000.00',
  hold: {
    registration: { amount: '50.00', hours: HOURS_OUTPATIENT },
    examination: { amount: '300.00', hours: HOURS_OUTPATIENT },
    online: { amount: '200.00', hours: HOURS_OUTPATIENT },
    outpatient: { amount: '300.00', hours: HOURS_OUTPATIENT },
    emergency: { amount: '500.00', hours: HOURS_OUTPATIENT },
    inpatient: { amount: '3000.00', hours: HOURS_INPATIENT },
  },
  suspendAfterDays: 3,
  // Above what any line of this policy carries (3,000 + 5,000 for a stay), so nobody is asked until a
  // city grants more or lowers it.
  stepUpAbove: '10000.00',
  collection: defaultCollection,
};

/** The hospitals' apps show the agreement; until the city lists its versions any is recorded. */
const agreement: Agreement = { versions: null };

/** Xiamen's scheme: the debit comes at 23:00 of the 42nd day. */
export const standardProduct: LenderProduct = {
  product: 'standard',
  due: { days: 42, at: '23:00' },
};

/** The pilot's product: 23:00 of the next day. */
export const pilotProduct: LenderProduct = { product: 'pilot', due: { days: 1, at: '23:00' } };

/** Late claims in a region that says nothing else (read by conversion/region-policy.ts). */
const region = {
  conversion: 'automatic',
  // The benefit year already ends it; the days are for regions that close their books sooner.
  lateClaimDays: 365,
  isSameCalendarYear: true,
  // Claims by hand are commonly taken for a year from the visit, also past the year's end.
  handClaimDays: 365,
};

/** The first version of every policy of the city, for the lenders given by code. */
export function defaultPolicies(lenderCodes: readonly string[]): PolicyRow[] {
  const first = { version: 1, validFrom: ALWAYS };
  return [
    { kind: 'credit', name: 'default', ...first, data: credit },
    { kind: 'agreement', name: 'enrolment', ...first, data: agreement },
    { kind: 'region', name: 'default', ...first, data: region },
    { kind: 'inpatient', name: 'default', ...first, data: defaultStayPolicy },
    { kind: 'filing', name: 'default', ...first, data: defaultFilingPolicy },
    ...lenderCodes.map((name) => ({
      kind: 'lenderProduct',
      name,
      ...first,
      data: standardProduct,
    })),
  ];
}
