// Role: what the acts of the family demo share: a counter that opens, charges and settles, the steps
// told with their proof, and each bill held against the insurer's own books at the end.
import { setTimeout as pause } from 'node:timers/promises';
import { fenFromWire, formatYuan, lineAmount, parseYuan, sumFen } from '../../money.ts';
import { hospitals } from '../city/hospitals.ts';
import { StepError } from './client.ts';
import { FamilyTable } from './family-table.ts';
import { faultsOf, type InsurerClaim } from './outage-check.ts';
import type { DemoPerson } from './people.ts';
import type { CreditLine, Settlement, Visit, VisitKind } from './replies.ts';
import type { Stage } from './scenario.ts';
import { countSettlement, countVisit } from './tally.ts';

export interface FamilyVisit extends Visit {
  kind: VisitKind;
  payer: string | null;
  proxy?: { name: string };
  filing?: { status: string; reason?: string };
  admission?: { insurer: string; dischargedAt: string | null };
}

export interface Bill extends Settlement {
  interim?: boolean;
  unused: { kind: string; amount: string; refundBy?: string }[];
}

interface Booked {
  visit: FamilyVisit;
  settlementId: string;
  isInsured: boolean;
  wasWaiting: boolean;
  /** What a refund of a claimed bill brought back to the citizen, yuan. */
  cameBack?: string;
}

const RESOLVED_WITHIN_MS = 60_000;
const LOOK_MS = 200;

/** The counter at which all acts take place, and what was shown at it. */
export class FamilyCounter extends FamilyTable {
  readonly token: string;
  readonly hospitalCode: string;
  private readonly booked: Booked[] = [];
  private visits = 0;

  constructor(stage: Stage, place: { token: string; hospitalCode: string }) {
    super(stage);
    this.token = place.token;
    this.hospitalCode = place.hospitalCode;
  }

  static async at(stage: Stage): Promise<FamilyCounter> {
    const hospitalCode = hospitals[0]?.code ?? '';
    return new FamilyCounter(stage, {
      hospitalCode,
      token: await stage.client.terminal(hospitalCode),
    });
  }

  post<T>(path: string, body: unknown, expect: number[] = [200, 201, 202]): Promise<T> {
    return this.stage.client
      .post<T>(path, { token: this.token, body, expect })
      .then((got) => got.body);
  }

  /** A citizen's own look at something, on the phone. */
  async phone<T>(person: DemoPerson, path: string): Promise<T> {
    const token = await this.stage.client.citizen(person);
    return (await this.stage.client.get<T>(path, { token, expect: [200] })).body;
  }

  line(person: DemoPerson): Promise<CreditLine> {
    return this.phone<CreditLine>(person, '/v1/me/credit-line');
  }

  async face({ name, idNumber }: DemoPerson): Promise<Record<string, string>> {
    const body = { kind: 'face', citizen: { name, idNumber } };
    const { assertion } = await this.post<{ assertion: string }>('/sandbox/assertions', body);
    return { kind: 'face', assertion };
  }

  async open(kind: VisitKind, extra: Record<string, unknown>): Promise<FamilyVisit> {
    this.visits += 1;
    countVisit(this.stage.tally, kind);
    return this.post<FamilyVisit>('/v1/visits', {
      visitNumber: `${this.stage.run}-F${this.visits}`,
      kind,
      department: { code: 'A03', name: '内科' },
      doctor: { code: 'D350200000001', name: '沈观澜' },
      diagnoses: [{ code: 'J18.900', name: '肺炎' }],
      ...extra,
    });
  }

  async read(visit: FamilyVisit): Promise<FamilyVisit> {
    const sent = { token: this.token, expect: [200] };
    return (await this.stage.client.get<FamilyVisit>(`/v1/visits/${visit.id}`, sent)).body;
  }

  /** A batch of lines of one unit each; line numbers go on from `first`. */
  charge(visit: FamilyVisit, amounts: readonly string[], first = 1): Promise<unknown> {
    const items = amounts.map((unitPrice, i) => {
      const amount = formatYuan(lineAmount('1', unitPrice));
      const code = `F3502${first + i}`;
      return {
        ...{ lineNumber: first + i, code, name: '诊疗与用药 treatment' },
        ...{ quantity: '1', unitPrice, amount },
      };
    });
    return this.post(`/v1/visits/${visit.id}/charges`, { batch: `B${first}`, items });
  }

  async settle(visit: FamilyVisit, body: object = {}, isInsured = true): Promise<Bill> {
    const path = `/v1/visits/${visit.id}/settlement`;
    const sent = { token: this.token, body, expect: [200] };
    const { body: bill, elapsedMs } = await this.stage.client.post<Bill>(path, sent);
    this.stage.tally.counterMs.push(elapsedMs);
    const { status } = bill.insurance;
    const wasWaiting = status === 'awaitingInsurance' || status === 'skipped';
    this.booked.push({ visit, settlementId: bill.id, isInsured, wasWaiting });
    return bill;
  }

  /** Tells `judge` what came back: the claim of the rest is not the old one less the refunded lines. */
  gaveBack(settlementId: string, amount: string): void {
    for (const bill of this.booked) {
      if (bill.settlementId === settlementId) bill.cameBack = amount;
    }
  }

  async bill(id: string): Promise<Bill> {
    const sent = { token: this.token, expect: [200] };
    return (await this.stage.client.get<Bill>(`/v1/settlements/${id}`, sent)).body;
  }

  /** Every bill as it ended: live claims, split and what the citizen carries, by the insurer's books. */
  async judge(): Promise<void> {
    this.act('医保账册 The insurer’s own books');
    for (const { visit, settlementId, cameBack, ...patient } of this.booked) {
      const now = await this.bill(settlementId);
      const query = new URLSearchParams({
        hospitalCode: this.hospitalCode,
        visitNumber: visit.visitNumber,
      });
      const path = `/sandbox/insurer/claims?${query}`;
      const books = await this.stage.client.get<{ data: InsurerClaim[] }>(path, { expect: [200] });
      const live = books.body.data.filter((claim) => claim.status === 'settled');
      const ours = this.booked.filter((other) => other.visit.id === visit.id).length;
      // A stay has a claim for each of its settlements; each bill is held against its own.
      const own = live.filter((claim) => claim.setlId === now.insurance.claimId);
      const faults = faultsOf(now, ours === 1 ? live : own, {
        ...patient,
        ...(cameBack === undefined ? {} : { cameBack: parseYuan(cameBack) }),
      });
      if (live.length !== ours) faults.push(`${live.length} live claims of ${ours} settlements`);
      countSettlement(this.stage.tally, visit.kind, now);
      const said = `${now.insurance.status}: ${now.refundable} = ${own[0]?.medfeeSumamt}，自付 own part ${own[0]?.psnCashPay}`;
      this.show(
        `${visit.kind} ${visit.visitNumber}`,
        faults.join('; ') || said,
        faults.length === 0,
      );
    }
  }
}

/** What the tenders of a kind come to, yuan. */
export function tenderOf({ tenders }: Pick<Settlement, 'tenders'>, kind: string): string {
  const found = tenders.filter((tender) => tender.kind === kind);
  return formatYuan(sumFen(found.map(({ amount }) => parseYuan(amount))));
}

/** a − b in yuan. */
export const less = (a: string, b: string): string =>
  formatYuan((fenFromWire(a) ?? 0n) - (fenFromWire(b) ?? 0n));

/** Looks until something is so. */
export async function until<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + RESOLVED_WITHIN_MS;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > deadline) throw new StepError(`${what}: not within 60 s`);
    await pause(LOOK_MS);
  }
}

export const idCardOf = ({ idNumber, name }: DemoPerson) => ({
  kind: 'idCard',
  number: idNumber,
  name,
});
