// Role: exp_content of patients insured elsewhere: what tells the insured place that an emergency
// counts as filed (nhsa.md §6, 异地就医 2.1). Pure.
import type { InsuredPerson } from './person.ts';
import { routeOf } from './regions.ts';
import type { AdmissionType, ClaimVisit } from './trades.ts';

const IPT_TYPE: Record<AdmissionType, string> = { ordinary: '1', emergency: '2', transfer: '3' };

/** The field as part of a node; nothing inside the region, and nothing where nothing is to be said. */
export function expContent(
  person: Pick<InsuredPerson, 'insuredRegion'>,
  visit: Pick<ClaimVisit, 'treatRegion' | 'isEmergency' | 'stay'>,
): { exp_content?: string } {
  const { treatRegion, stay } = visit;
  if (!treatRegion || routeOf(treatRegion, person.insuredRegion) === 'local') return {};
  if (stay) {
    const type = visit.isEmergency ? 'emergency' : (stay.admission.type ?? 'ordinary');
    return { exp_content: JSON.stringify({ IPT_TYPE: IPT_TYPE[type] }) };
  }
  return visit.isEmergency ? { exp_content: JSON.stringify({ OTP_ER_REFL_FLAG: '1' }) } : {};
}
