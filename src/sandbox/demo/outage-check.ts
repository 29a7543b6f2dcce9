// Role: judges the outage demo by what the service and the insurer's own books say at its end.
// Law: exactly one live claim for each charged visit of an insured patient, none for any other, and
// what the citizen carries is the insurer's psn_cash_pay to the fen.
import { type Fen, fenFromWire, parseYuan, sumFen } from '../../money.ts';
import type { Settlement } from './replies.ts';

/** A settlement in the insurer's books, as GET /sandbox/insurer/claims shows it. */
export interface InsurerClaim {
  setlId: string;
  status: 'settled' | 'reversed' | 'cancelled';
  medfeeSumamt: string | number;
  psnCashPay: string | number;
}

const insurerKinds = ['insuranceFund', 'personalAccount', 'familyAccount', 'hospitalBorne'];

/** Everything that is wrong with a visit whose story is over, in words; nothing when all is well. */
export function faultsOf(
  settlement: Settlement,
  claims: readonly InsurerClaim[],
  patient: { isInsured: boolean; wasWaiting: boolean; cameBack?: Fen },
): string[] {
  const live = claims.filter((claim) => claim.status === 'settled');
  const { status, claimId } = settlement.insurance;
  const expected = expectedStatus(settlement, patient);
  const faults: string[] = [];
  if (!expected.includes(status)) faults.push(`insurance is ${status}, not ${expected}`);
  const claimsDue = status === 'claimed' || status === 'converted' ? 1 : 0;
  if (live.length !== claimsDue) {
    faults.push(`${live.length} live claims at the insurer, not ${claimsDue}`);
  }
  const total = parseYuan(settlement.total);
  const due = parseYuan(settlement.dueAtCounter);
  const sum = sumFen(settlement.tenders.map((tender) => parseYuan(tender.amount)));
  if (sum + due !== total) faults.push('tenders and what is due are not the total');
  const [claim] = live;
  if (!claim || claimsDue === 0) return faults;
  if (claim.setlId !== claimId) faults.push('the live claim is not the one that we booked');
  const refundable = parseYuan(settlement.refundable);
  if (fen(claim.medfeeSumamt) !== refundable) faults.push('the claim is not of what is left');
  // Tenders stay as settled; what a refund took off a bill that waited came back to the citizen whole,
  // of a claimed one as much as the new claim leaves: the caller knows it.
  const carried = carriedBy(settlement) - (patient.cameBack ?? total - refundable);
  if (carried !== fen(claim.psnCashPay)) {
    faults.push(`the citizen carries ${carried} fen, the insurer says ${fen(claim.psnCashPay)}`);
  }
  return faults;
}

function expectedStatus(
  settlement: Settlement,
  patient: { isInsured: boolean; wasWaiting: boolean },
): string[] {
  if (settlement.refundable === '0.00') return ['reversed'];
  if (patient.wasWaiting) return [patient.isInsured ? 'converted' : 'rejected'];
  return [patient.isInsured ? 'claimed' : 'notInsured'];
}

/** All that the insurer does not pay. */
function carriedBy({ tenders, dueAtCounter }: Settlement): Fen {
  const own = tenders.filter((tender) => !insurerKinds.includes(tender.kind));
  return sumFen(own.map((tender) => parseYuan(tender.amount))) + parseYuan(dueAtCounter);
}

function fen(amount: string | number): Fen {
  return fenFromWire(amount) ?? -1n;
}
