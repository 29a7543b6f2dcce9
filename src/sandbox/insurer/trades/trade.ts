// Role: what every trade of the insurer gets and gives. A trade reads, decides, records at most one
// event, answers; it throws Refusal to answer infcode −1 with nothing changed.
import type { Books, Visit } from '../books.ts';
import type { Envelope } from '../envelope.ts';
import type { Person } from '../events.ts';
import { type Node, textOf } from '../fields.ts';
import { Refusal, refusals } from '../refusals.ts';

export interface TradeCall {
  books: Books;
  envelope: Envelope;
  /** The insurer's own time: real time plus the sandbox offset. */
  nowMs: number;
}

export interface TradeAnswer {
  output: unknown;
  warning?: string | null;
}

export type Trade = (call: TradeCall) => TradeAnswer;

/** Outpatients (22xx) and stays (23xx, 24xx) have trades of their own. */
export type VisitKind = 'outpatient' | 'stay';

/** The visit of mdtrt_id and psn_no, of the calling hospital and not cancelled. */
export function openVisitOf(call: TradeCall, node: Node, kind: VisitKind = 'outpatient'): Visit {
  const visit = visitOf(call, node);
  const isStay = visit.stay !== undefined;
  if (visit.isCancelled || isStay !== (kind === 'stay')) throw new Refusal(refusals.nothingFound);
  return visit;
}

/** As openVisitOf, but a cancelled registration is found too. */
export function visitOf(call: TradeCall, node: Node): Visit {
  const visit = call.books.visits.get(textOf(node, 'mdtrt_id'));
  const isTheirs =
    visit !== undefined &&
    visit.hospitalCode === call.envelope.hospitalCode &&
    visit.psnNo === textOf(node, 'psn_no');
  if (!isTheirs) throw new Refusal(refusals.nothingFound);
  return visit;
}

/** The person of psn_no, insured now under the given insutype. */
export function insuredPersonOf(call: TradeCall, node: Node, insutype: string): Person {
  const person = call.books.peopleByNo.get(textOf(node, 'psn_no'));
  if (person === undefined) throw new Refusal(refusals.unknownPerson);
  if (person.status === 'none') throw new Refusal(refusals.noInsurance);
  if (person.status === 'paused') throw new Refusal(refusals.paused);
  if (insutype !== insutypeCodes[person.type]) throw new Refusal(refusals.wrongInsutype);
  const certno = textOf(node, 'certno').toUpperCase();
  if (certno !== '' && certno !== person.idNumber) throw new Refusal(refusals.wrongPerson);
  return person;
}

const insutypeCodes: Record<Person['type'], string> = { employee: '310', resident: '390' };

/** The person behind an electronic certificate, an ID number or a card; null: nobody. */
export function personByCertificate(books: Books, certType: string, certNo: string): Person | null {
  const number = certNo.toUpperCase();
  switch (certType) {
    case '01':
      return number.startsWith('EC-') ? (books.people.get(number.slice(3)) ?? null) : null;
    case '02':
      return books.people.get(number) ?? null;
    case '03':
      return books.people.get(books.cards.get(certNo) ?? number) ?? null;
    default:
      return null;
  }
}
