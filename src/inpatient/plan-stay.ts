// What the insurer's record of a stay still needs so that it agrees with ours. Pure. Law: a patient
// who left is in hospital nowhere: what carries a claim is discharged, what carries none is undone.
import type { StayState } from '../settlement/stay-order.ts';

export type StayStep =
  /** 2402. */
  | { do: 'discharge'; mdtrtId: string }
  /** 2405: the discharge was cancelled. */
  | { do: 'readmit'; mdtrtId: string }
  /** 2302 and 2404. */
  | { do: 'release'; mdtrtId: string };

export interface KnownStay {
  isDischarged: boolean;
  hasUnsettled: boolean;
  /** The registration that the visit goes on with. */
  current: string | null;
  registrations: readonly { mdtrtId: string; state: StayState; hasLiveClaim: boolean }[];
}

/** At most one step for each registration. */
export function planStay(stay: KnownStay): StayStep[] {
  return stay.registrations.flatMap(({ mdtrtId, state, hasLiveClaim }): StayStep[] => {
    if (!stay.isDischarged) {
      const isOut = state === 'discharged' || state === 'unknown';
      return isOut && mdtrtId === stay.current ? [{ do: 'readmit', mdtrtId }] : [];
    }
    if (stay.hasUnsettled || state === 'released') return [];
    if (hasLiveClaim) return state === 'discharged' ? [] : [{ do: 'discharge', mdtrtId }];
    return state === 'discharged' ? [] : [{ do: 'release', mdtrtId }];
  });
}
