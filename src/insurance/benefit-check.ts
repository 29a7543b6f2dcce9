// Role: the input of 2001 (nhsa.md §2.4): may this person use insurance for such a visit here, now? Pure.
import { expContent } from './exp-content.ts';
import type { InsuredPerson } from './person.ts';
import type { ClaimVisit, TradeInput } from './trades.ts';
import { wireDateTime } from './wire-time.ts';

export function benefitCheck2001(
  person: InsuredPerson,
  visit: Pick<ClaimVisit, 'medType' | 'startedAt' | 'treatRegion' | 'isEmergency' | 'stay'>,
  hospitalCode: string,
): TradeInput {
  return {
    data: {
      psn_no: person.psnNo,
      insutype: person.insutype,
      fixmedins_code: hospitalCode,
      med_type: visit.medType,
      begntime: wireDateTime(visit.startedAt),
      ...expContent(person, visit),
    },
  };
}
