// Law: outpatients and inpatients are claimed by trades of the same meaning under other numbers
// (nhsa.md §2.5–§2.11). This is the one place that pairs them; nobody else names one of a pair.
import type { Infno } from './insurer.ts';

/** The numbers of one claim's trades, by what they do. */
export interface ClaimTrades {
  register: Infno;
  cancelRegistration: Infno;
  upload: Infno;
  cancelUpload: Infno;
  preSettle: Infno;
  settle: Infno;
  cancelSettle: Infno;
}

export const outpatientTrades: ClaimTrades = {
  register: '2201',
  cancelRegistration: '2202',
  upload: '2204',
  cancelUpload: '2205',
  preSettle: '2206',
  settle: '2207',
  cancelSettle: '2208',
};

export const inpatientTrades: ClaimTrades = {
  register: '2401',
  cancelRegistration: '2404',
  upload: '2301',
  cancelUpload: '2302',
  preSettle: '2303',
  settle: '2304',
  cancelSettle: '2305',
};

const both = (of: keyof ClaimTrades): readonly Infno[] => [
  outpatientTrades[of],
  inpatientTrades[of],
];
const isOneOf = (infnos: readonly string[]) => (infno: string) => infnos.includes(infno);

/** Once one of these is stored a run only goes forward (domain.md, Messages). */
export const forwardTrades: readonly Infno[] = [...both('settle'), ...both('cancelSettle')];
export const settleTrades = both('settle');

export const isRegister = isOneOf(both('register'));
export const isUpload = isOneOf(both('upload'));
/** The trade that makes a claim: 2207, of inpatients 2304. */
export const isSettle = isOneOf(settleTrades);
/** The trade that takes a claim back: 2208, of inpatients 2305. */
export const isCancelSettle = isOneOf(both('cancelSettle'));
/** Trades that move the insurer's money, 2601 not among them. */
export const isMoneyTrade = isOneOf(forwardTrades);
/** Trades that undo what was not settled; "nothing to undo" is as good as done. */
export const isUndoing = isOneOf([...both('cancelRegistration'), ...both('cancelUpload'), '2405']);
/** The road of a claim from its registration to its settlement: its failures count for the breaker. */
export const isOnClaimRoad = isOneOf([
  ...both('register'),
  ...both('cancelRegistration'),
  '2203',
  ...both('upload'),
  ...both('cancelUpload'),
  ...both('preSettle'),
  ...both('settle'),
]);
