// Role: the parts of the API's replies that the demo reads. Money is a yuan string.

export const visitKinds = [
  'outpatient',
  'emergency',
  'online',
  'registration',
  'examination',
] as const;
/** The morning plays the kinds above; stays are played by the family demo. */
export type VisitKind = (typeof visitKinds)[number] | 'inpatient';

export interface Tender {
  kind: string;
  amount: string;
  reference?: string;
}

export interface Visit {
  id: string;
  visitNumber: string;
  status: string;
  hold: { id: string; status: string; amount: string } | null;
  holdDecline: { code: string; title: string } | null;
  chargedTotal: string;
}

export interface Split {
  total: string;
  dueAtCounter: string;
  tenders: Tender[];
  unused: Tender[];
  insurance: { status: string; claimId?: string; reason?: string };
}

export interface Settlement extends Split {
  id: string;
  visitId: string;
  status: string;
  receivableId?: string;
  conversionId?: string;
  refundable: string;
}

export interface Refund {
  id: string;
  status: string;
  amount: string;
  tenders: { kind: string; amount: string; status: string }[];
}

export interface CreditLine {
  id: string;
  lender: string | { code: string };
  limit: string;
  held: string;
  outstanding: string;
  available: string;
}

export interface Repayment {
  id: string;
  amount: string;
  status: string;
}

export interface LawReport {
  holds: boolean;
  laws: { law: string; holds: boolean; checked: number; detail?: unknown }[];
}

export interface RouteReport {
  data: { route: string; status: string; since: string; awaiting: number }[];
}

export interface TrialBalance {
  balanced: boolean;
  owners: {
    ownerKind: string;
    owner: string;
    accounts: { account: string; name: string; debit: string; credit: string; balance: string }[];
  }[];
}
