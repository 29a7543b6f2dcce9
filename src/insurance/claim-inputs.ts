// Role: chooses, by the visit, the trades of its claim and how their inputs are made: outpatient
// numbers (trades.ts) or, of a stay, inpatient ones (inpatient-trades.ts). Pure.
import { type ClaimTrades, inpatientTrades, outpatientTrades } from './claim-trades.ts';
import {
  admit2401,
  cancelAdmission2404,
  cancelSettle2305,
  feeCancel2302,
  feeUpload2301,
  preSettle2303,
  settle2304,
} from './inpatient-trades.ts';
import {
  type ClaimVisit,
  cancelRegistration2202,
  cancelSettle2208,
  feeCancel2205,
  feeUpload2204,
  preSettle2206,
  register2201,
  settle2207,
} from './trades.ts';

const outpatientInputs = {
  register: register2201,
  cancelRegistration: cancelRegistration2202,
  upload: feeUpload2204,
  cancelUpload: feeCancel2205,
  preSettle: preSettle2206,
  settle: settle2207,
  cancelSettle: cancelSettle2208,
};

type ClaimInputs = typeof outpatientInputs;

const inpatientInputs: ClaimInputs = {
  register: admit2401,
  cancelRegistration: cancelAdmission2404,
  upload: feeUpload2301,
  cancelUpload: feeCancel2302,
  preSettle: preSettle2303,
  settle: settle2304,
  cancelSettle: cancelSettle2305,
};

/** The trades of a visit's claim: their numbers and their inputs. */
export function tradesOf(visit: Pick<ClaimVisit, 'stay'>): ClaimTrades & { input: ClaimInputs } {
  return visit.stay
    ? { ...inpatientTrades, input: inpatientInputs }
    : { ...outpatientTrades, input: outpatientInputs };
}
