// Pure: what a terminal may see of a person's insurance (api.md, Counter: `insured`).
import type { PersonAnswer } from '../insurance/person.ts';
import { routeOf } from '../insurance/regions.ts';

export interface InsuredView {
  status: 'active' | 'paused' | 'none' | 'unknown';
  insuranceType?: 'employee' | 'resident';
  region?: string;
  crossRegion?: boolean;
  reason?: string;
}

/** Insurance types (insutype) that people call resident insurance; all other basic ones are employee. */
const RESIDENT = new Set(['390', '391', '380']);

/** 1101's answer as the contract shows it, seen from a hospital of `hospitalRegion`. */
export function insuredView(lookup: PersonAnswer, hospitalRegion: string): InsuredView {
  switch (lookup.outcome) {
    case 'found':
      return { status: 'active', ...insurance(lookup.person, hospitalRegion) };
    case 'notInsured': {
      const { person, reason } = lookup;
      if (person?.status !== 'paused') return { status: 'none', reason };
      return { status: 'paused', ...insurance(person, hospitalRegion), reason };
    }
    case 'unknownPerson':
      return { status: 'none', reason: lookup.reason };
    case 'offline':
      return { status: 'unknown', reason: '医保平台离线 Insurer offline' };
  }
  return lookup satisfies never;
}

function insurance(person: { insutype: string; insuredRegion: string }, hospitalRegion: string) {
  return {
    ...(person.insutype
      ? {
          insuranceType: RESIDENT.has(person.insutype)
            ? ('resident' as const)
            : ('employee' as const),
        }
      : {}),
    ...(person.insuredRegion
      ? {
          region: person.insuredRegion,
          crossRegion: routeOf(hospitalRegion, person.insuredRegion) === 'crossRegion',
        }
      : {}),
  };
}
