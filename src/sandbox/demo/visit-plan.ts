// Role: what the demo means to do with one visit, and the charge lines it sends.
import { formatYuan, lineAmount } from '../../money.ts';
import type { DemoPerson } from './people.ts';
import type { VisitKind } from './replies.ts';

export interface Line {
  code: string;
  name: string;
  /** Decimal string with at most 4 places. */
  quantity: string;
  /** Yuan, decimal string with at most 6 places. */
  unitPrice: string;
  occurredAt?: string;
}

/** How the patient is known: "late" is an unnamed emergency that is bound before it is settled. */
export type CredentialRoad = 'idCard' | 'paymentCode' | 'identification' | 'late' | 'none';

export type AfterAct = 'payDue' | 'replay' | 'refundAll' | 'refundLine';

export interface VisitPlan {
  title: string;
  kind: VisitKind;
  patient: DemoPerson;
  hospitalCode: string;
  batches: Line[][];
  road: 'steps' | 'oneScan' | 'cancelled';
  credential: CredentialRoad;
  /** True: one settlement a batch instead of one for all. */
  isSettledByBatch: boolean;
  hasPreview: boolean;
  after: readonly AfterAct[];
  holdAmount?: string;
  usePersonalAccount?: boolean;
  counterTenders?: readonly { kind: string; amount: string }[];
  insurance?: 'skip';
  startedAt?: string;
  department?: { code: string; name: string };
  diagnosis?: { code: string; name: string };
  expect: Expectation;
}

/** What the story promises about the settlement; checked on each reply. */
export interface Expectation {
  insurance?: string;
  decline?: string;
  tender?: string;
  hasUnused?: boolean;
  isDue?: boolean;
}

/** Body of a charge item; numbers are unique in the visit, so they go on from batch to batch. */
export function chargeBodies(batches: readonly Line[][]): Record<string, unknown>[][] {
  let lineNumber = 0;
  return batches.map((lines) =>
    lines.map((line) => {
      lineNumber += 1;
      const amount = formatYuan(lineAmount(line.quantity, line.unitPrice));
      return { lineNumber, ...line, amount };
    }),
  );
}
