// Role: the insurer's own books of settlements, as a judge reads them. Reversal records are not
// listed; what they did shows in `status`.
import type { Books, Settlement } from './books.ts';
import type { ClaimView } from './control-schemas.ts';
import { toRfc3339 } from './shanghai-time.ts';

/** Oldest first; the visit number is the hospital's ipt_otp_no. */
export function claimsOf(
  books: Books,
  filter: { hospitalCode?: string | undefined; visitNumber?: string | undefined },
): ClaimView[] {
  const { hospitalCode, visitNumber } = filter;
  const isMeant = (settlement: Settlement) =>
    (hospitalCode === undefined || settlement.hospitalCode === hospitalCode) &&
    (visitNumber === undefined ||
      books.visits.get(settlement.mdtrtId)?.visitNumber === visitNumber);
  return [...books.settlements.values()].filter(isMeant).map(viewOf);
}

function viewOf(settlement: Settlement): ClaimView {
  const { split } = settlement;
  return {
    setlId: settlement.setlId,
    mdtrtId: settlement.mdtrtId,
    msgid: settlement.msgid,
    fixmedinsCode: settlement.hospitalCode,
    status: settlement.status,
    medfeeSumamt: split.total,
    fundPaySumamt: split.fund,
    acctPay: split.account,
    psnCashPay: split.cash,
    setlTime: toRfc3339(settlement.setlTime),
  };
}
