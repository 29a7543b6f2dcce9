// Pure: turns real-shaped encounters into visits of this city. Amounts keep their proportions and are
// scaled so that the mean outpatient visit is the published one; every encounter keeps its lines.
import { type Fen, formatYuan, parseYuan, splitByWeights, sumFen } from '../../money.ts';
import type { Encounter, PricedService, RealData, SourceCharge } from './real-files.ts';
import type { VisitKind } from './replies.ts';
import type { Line } from './visit-plan.ts';

export interface RealVisit {
  encounter: Encounter;
  kind: VisitKind;
  /** True for a stay, which is played as an outpatient visit of several batches. */
  isStay: boolean;
  /** Who comes: encounters of one source patient, at most `VISITS_A_CITIZEN` of them a citizen. */
  citizen: number;
  isInsured: boolean;
  startedAt: string;
  total: Fen;
  batches: Line[][];
  department: { code: string; name: string };
  diagnosis: { code: string; name: string };
}

/** Source patients have decades of visits; one credit line does not carry them in one morning. */
const VISITS_A_CITIZEN = 5;
/** A service is not billed more often than this on one line; the rest goes to the drugs. */
const MOST_OF_A_SERVICE = 5n;
const BATCHES_OF_A_STAY = 3;

/** All visits, in the order of the encounters' times. `now` bounds the times of this year. */
export function mapEncounters(data: RealData, now: Date): RealVisit[] {
  const charges = chargesByEncounter(data.charges);
  const scale = scaleOf(data, charges);
  const citizens = citizenNumbers(data.encounters);
  const inOrder = [...data.encounters].sort((a, b) => +a.startedAt - +b.startedAt);
  return inOrder.map((encounter) => {
    const startedAt = intoThisYear(encounter.startedAt, now).toISOString();
    const own = charges.get(encounter.id) ?? [];
    const total = scaled(sumFen(own.map((charge) => charge.amount)), scale);
    const lines = linesOf(total, own, data).map((line) => ({ ...line, occurredAt: startedAt }));
    const isStay = encounter.encounterClass === 'inpatient';
    return {
      encounter,
      kind: kindOf(encounter.encounterClass, own.length),
      isStay,
      citizen: citizens.get(encounter.id) ?? 0,
      isInsured: !data.uninsured.has(encounter.payer),
      startedAt,
      total,
      batches: inBatches(lines, isStay ? BATCHES_OF_A_STAY : 1),
      department: pick(data.departments, encounter.reasonCode),
      diagnosis: pick(data.diagnoses, encounter.reasonCode),
    };
  });
}

/** ambulatory, outpatient, wellness, urgentcare: outpatient, or an examination when it is one line. */
export function kindOf(encounterClass: string, charges: number): VisitKind {
  if (encounterClass === 'emergency') return 'emergency';
  if (encounterClass === 'wellness' && charges === 1) return 'examination';
  return 'outpatient';
}

/** The same share of the year's part that is over as the original had of its whole year. */
export function intoThisYear(original: Date, now: Date): Date {
  const year = original.getUTCFullYear();
  const share =
    (+original - Date.UTC(year, 0, 1)) / (Date.UTC(year + 1, 0, 1) - Date.UTC(year, 0, 1));
  const newYear = Date.UTC(now.getUTCFullYear(), 0, 1);
  return new Date(newYear + Math.floor(share * (+now - newYear)));
}

interface Scale {
  numerator: Fen;
  denominator: Fen;
}

/** published mean ÷ mean of the source's outpatient encounters. */
function scaleOf(data: RealData, charges: Map<string, SourceCharge[]>): Scale {
  const outpatients = data.encounters.filter((encounter) => isOutpatient(encounter.encounterClass));
  const sum = sumFen(
    outpatients.flatMap((encounter) => charges.get(encounter.id) ?? []).map((c) => c.amount),
  );
  if (sum <= 0n) throw new Error('the encounters have no outpatient charges to scale by');
  return { numerator: data.meanOutpatient * BigInt(outpatients.length), denominator: sum };
}

export function isOutpatient(encounterClass: string): boolean {
  return encounterClass !== 'emergency' && encounterClass !== 'inpatient';
}

/** Half-up to the fen, and never less than one fen: each encounter is a bill. */
function scaled(amount: Fen, { numerator, denominator }: Scale): Fen {
  const fen = (2n * amount * numerator + denominator) / (2n * denominator);
  return fen > 0n ? fen : 1n;
}

/**
 * Lines whose amounts sum to `total`: each charge is filled with whole units of a real service at its
 * real price, and what does not fit becomes one drug line at the charge's own scaled amount.
 */
function linesOf(total: Fen, charges: readonly SourceCharge[], data: RealData): Line[] {
  const billed = charges.filter((charge) => charge.amount > 0n);
  const parts =
    billed.length > 0
      ? splitByWeights(
          total,
          billed.map((c) => c.amount),
        )
      : [total];
  const lines: Line[] = [];
  let rest = 0n;
  for (const [i, part] of parts.entries()) {
    const affordable = data.services.filter((service) => timesWithin(part, service) > 0n);
    rest += part;
    if (affordable.length === 0) continue;
    const service = pick(affordable, billed[i]?.procedure ?? '');
    const times = timesWithin(part, service);
    lines.push({ ...service, quantity: String(times) });
    rest -= times * parseYuan(service.unitPrice);
  }
  if (rest === 0n) return lines;
  const drug = pick(data.drugs, billed.map((charge) => charge.procedure).join('+'));
  return [...lines, { ...drug, quantity: '1', unitPrice: formatYuan(rest) }];
}

function timesWithin(part: Fen, service: PricedService): bigint {
  const price = parseYuan(service.unitPrice);
  if (price <= 0n) return 0n;
  const times = part / price;
  return times < MOST_OF_A_SERVICE ? times : MOST_OF_A_SERVICE;
}

function inBatches(lines: readonly Line[], most: number): Line[][] {
  const size = Math.ceil(lines.length / most);
  const batches: Line[][] = [];
  for (let at = 0; at < lines.length; at += size) batches.push(lines.slice(at, at + size));
  return batches;
}

function chargesByEncounter(charges: readonly SourceCharge[]): Map<string, SourceCharge[]> {
  const byEncounter = new Map<string, SourceCharge[]>();
  for (const charge of charges) {
    const own = byEncounter.get(charge.encounter);
    if (own) own.push(charge);
    else byEncounter.set(charge.encounter, [charge]);
  }
  return byEncounter;
}

/** Encounter → citizen's number; a citizen has up to VISITS_A_CITIZEN of one source patient's. */
function citizenNumbers(encounters: readonly Encounter[]): Map<string, number> {
  const seen = new Map<string, { citizen: number; visits: number }>();
  const numbers = new Map<string, number>();
  let citizens = 0;
  for (const { id, patient } of encounters) {
    let current = seen.get(patient);
    if (!current || current.visits === VISITS_A_CITIZEN) {
      current = { citizen: citizens, visits: 0 };
      citizens += 1;
      seen.set(patient, current);
    }
    current.visits += 1;
    numbers.set(id, current.citizen);
  }
  return numbers;
}

/** Always the same element for the same key. */
function pick<T>(list: readonly T[], key: string): T {
  let hash = 7;
  for (const char of key) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) % 1_000_003;
  const element = list[hash % list.length];
  if (element === undefined) throw new Error('nothing to pick from');
  return element;
}
