// TypeIDs: a prefix that names the kind, then a UUIDv7, so ids sort by time and explain themselves.
import { TypeID, typeid } from 'typeid-js';

export const idPrefixes = {
  citizen: 'cit',
  creditLine: 'lin',
  hold: 'hld',
  familyLink: 'lnk',
  visit: 'vis',
  settlement: 'set',
  intent: 'int',
  claim: 'clm',
  receivable: 'rcv',
  repayment: 'rep',
  refund: 'rfd',
  moneyBack: 'mbk',
  voucher: 'vch',
  conversion: 'cnv',
  entry: 'ent',
  terminal: 'trm',
  event: 'evt',
  identification: 'idn',
  proposal: 'prp',
  job: 'job',
  outage: 'out',
  webhookEndpoint: 'whk',
  financeCase: 'cas',
  accessLog: 'acc',
  holdConfirmation: 'cfm',
  terminalVendor: 'vnd',
  reconciliation: 'rec',
  reconciliationBreak: 'brk',
  payout: 'pay',
  counterShift: 'shf',
  lenderNotice: 'ntc',
  scoreReport: 'srp',
  disbursementFile: 'dsb',
} as const;

export type IdKind = keyof typeof idPrefixes;

/** A new id of a kind, e.g. newId('visit') → "vis_01jd…". */
export function newId(kind: IdKind): string {
  return typeid(idPrefixes[kind]).toString();
}

/** What sorts before every id of a kind that was made at this time or later (real time, to the ms). */
export function firstIdAt(kind: IdKind, at: Date): string {
  const time = at.getTime().toString(16).padStart(12, '0');
  const uuid = `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
  return TypeID.fromUUID(idPrefixes[kind], uuid).toString();
}

/** The shape of an id of one kind, for validation: prefix, underscore, 26 base32 characters. */
export function idPattern(kind: IdKind): RegExp {
  return new RegExp(`^${idPrefixes[kind]}_[0-7][0-9a-hjkmnp-tv-z]{25}$`);
}
