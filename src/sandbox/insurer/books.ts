// Law: the insurer's books are the replay of its journal and nothing else. A trade decides, records
// one event, and only then answers; the same `#apply` runs live and at the start.
import { type Fen, formatYuan, parseYuan } from '../../money.ts';
import {
  type CatalogueItem,
  defaultStatementRules,
  type HospitalItem,
  type Rules,
  type StatementRules,
} from './control-schemas.ts';
import type {
  InsurerEvent,
  LineRecord,
  Person,
  ReversalRecord,
  SettlementRecord,
  VisitRecord,
} from './events.ts';
import { Journal } from './journal.ts';

export interface Line extends LineRecord {
  /** setl_id of the live settlement that holds this line; null: unsettled. */
  settledBy: string | null;
}

export interface Visit extends VisitRecord {
  isCancelled: boolean;
  /** From 2203 or 2401; null before it. */
  medType: string | null;
  /** endtime of 2402; null: in hospital, or no stay. */
  dischargedAt: string | null;
  /** By feedetl_sn. */
  lines: Map<string, Line>;
  settlements: Settlement[];
}

export interface Settlement extends SettlementRecord {
  status: 'settled' | 'cancelled' | 'reversed';
  reversal: ReversalRecord | null;
}

/** A file that one institution may fetch until its end. */
export interface ExchangedFile {
  hospitalCode: string;
  name: string;
  bytes: Buffer;
  endsAtMs: number;
}

export class Books {
  readonly #journal: Journal<InsurerEvent>;
  #serial = 0;
  readonly people = new Map<string, Person>();
  readonly peopleByNo = new Map<string, Person>();
  /** Card number → ID number. */
  readonly cards = new Map<string, string>();
  readonly #balances = new Map<string, Fen>();
  readonly #kin = new Map<string, Set<string>>();
  readonly visits = new Map<string, Visit>();
  readonly #visitsOfPerson = new Map<string, Visit[]>();
  readonly settlements = new Map<string, Settlement>();
  readonly settlementsByMsgid = new Map<string, Settlement>();
  /** By the setl_id and by the msgid of the reversal record. */
  readonly reversals = new Map<string, Settlement>();
  readonly #deductibleUsed = new Map<string, Fen>();
  /** Operator (hospital/opter) → sign-in. */
  readonly signIns = new Map<string, { day: string; signNo: string }>();
  readonly catalogue = new Map<string, CatalogueItem>();
  readonly hospitals = new Map<string, HospitalItem>();
  rules: Rules = {};
  /** How statements are written and what is wrong with them; forgotten by a restart. */
  statements: StatementRules = defaultStatementRules;
  /** Files of 9101 and 3202 by file_qury_no; forgotten by a restart. */
  readonly files = new Map<string, ExchangedFile>();
  offsetSeconds = 0;

  constructor(folder: string) {
    this.#journal = new Journal<InsurerEvent>(folder, (event) => this.#apply(event));
  }

  /** Writes the fact, then makes it true. */
  record(event: InsurerEvent): void {
    this.#journal.append(event);
    this.#apply(event);
  }

  nextSerial(): number {
    return this.#serial + 1;
  }

  /** The insurer's own time in epoch milliseconds: real time plus the sandbox offset. */
  nowMs(): number {
    return Date.now() + this.offsetSeconds * 1000;
  }

  balanceOf(idNumber: string): Fen {
    return this.#balances.get(idNumber) ?? 0n;
  }

  /** Relatives whose accounts are bound for 共济, in the order they were made known. */
  kinOf(idNumber: string): string[] {
    return [...(this.#kin.get(idNumber) ?? [])];
  }

  visitsOf(psnNo: string): readonly Visit[] {
    return this.#visitsOfPerson.get(psnNo) ?? [];
  }

  deductibleUsed(psnNo: string, year: string): Fen {
    return this.#deductibleUsed.get(`${psnNo}/${year}`) ?? 0n;
  }

  /** Forgets everything, on disk too. */
  reset(): void {
    this.#journal.clear();
    const maps = [
      this.people,
      this.peopleByNo,
      this.cards,
      this.#balances,
      this.#kin,
      this.visits,
      this.#visitsOfPerson,
      this.settlements,
      this.settlementsByMsgid,
      this.reversals,
      this.#deductibleUsed,
      this.signIns,
      this.catalogue,
      this.hospitals,
      this.files,
    ];
    for (const map of maps) map.clear();
    this.rules = {};
    this.statements = defaultStatementRules;
    this.offsetSeconds = 0;
  }

  close(): void {
    this.#journal.close();
  }

  #apply(event: InsurerEvent): void {
    if ('serial' in event) this.#serial = Math.max(this.#serial, event.serial);
    switch (event.type) {
      case 'personKnown':
        this.#knowPerson(event.person, event.balance, event.kin);
        break;
      case 'signedIn':
        this.signIns.set(event.operator, { day: event.day, signNo: event.signNo });
        break;
      case 'signedOut':
        this.signIns.delete(event.operator);
        break;
      case 'visitRegistered':
        this.#registerVisit(event.visit);
        break;
      case 'visitCancelled':
        this.visits.get(event.mdtrtId)!.isCancelled = true;
        break;
      case 'visitDescribed':
        this.visits.get(event.mdtrtId)!.medType = event.medType;
        break;
      case 'visitDischarged':
        this.visits.get(event.mdtrtId)!.dischargedAt = event.endtime;
        break;
      case 'dischargeCancelled':
        this.visits.get(event.mdtrtId)!.dischargedAt = null;
        break;
      case 'filingSet':
        this.peopleByNo.get(event.psnNo)!.isFiled = event.isFiled;
        break;
      case 'feesUploaded': {
        const { lines } = this.visits.get(event.mdtrtId)!;
        for (const line of event.lines) lines.set(line.sn, { ...line, settledBy: null });
        break;
      }
      case 'feesCancelled': {
        const { lines } = this.visits.get(event.mdtrtId)!;
        for (const sn of event.lineNumbers) lines.delete(sn);
        break;
      }
      case 'settled':
        this.#settle(event.settlement);
        break;
      case 'settlementCancelled': {
        const settlement = this.settlements.get(event.setlId)!;
        settlement.status = 'cancelled';
        settlement.reversal = event.reversal;
        this.reversals.set(event.reversal.setlId, settlement);
        this.reversals.set(event.reversal.msgid, settlement);
        this.#moveMoney(settlement, -1n);
        break;
      }
      case 'settlementReversed': {
        const settlement = this.settlements.get(event.setlId)!;
        settlement.status = 'reversed';
        this.#moveMoney(settlement, -1n);
        break;
      }
      case 'cancellationReversed': {
        const settlement = this.settlements.get(event.setlId)!;
        settlement.status = 'settled';
        settlement.reversal = null;
        this.#moveMoney(settlement, 1n);
        break;
      }
      case 'clockSet':
        this.offsetSeconds = event.offsetSeconds;
        break;
      case 'catalogueLoaded':
        for (const item of event.items) this.catalogue.set(item.code, item);
        break;
      case 'rulesSet':
        this.rules = event.rules;
        break;
      case 'hospitalsLoaded':
        for (const item of event.items) this.hospitals.set(item.code, item);
        break;
      default:
        event satisfies never;
    }
  }

  #knowPerson(person: Person, balance: string, kin: readonly string[]): void {
    this.people.set(person.idNumber, person);
    this.peopleByNo.set(person.psnNo, person);
    for (const card of person.cardNumbers) this.cards.set(card, person.idNumber);
    this.#balances.set(person.idNumber, parseYuan(balance));
    for (const relative of kin) {
      this.#bindKin(person.idNumber, relative);
      this.#bindKin(relative, person.idNumber);
    }
  }

  #bindKin(idNumber: string, relative: string): void {
    const known = this.#kin.get(idNumber) ?? new Set();
    this.#kin.set(idNumber, known.add(relative));
  }

  #registerVisit(record: VisitRecord): void {
    const visit: Visit = {
      ...record,
      isCancelled: false,
      medType: record.stay?.medType ?? null,
      dischargedAt: null,
      lines: new Map(),
      settlements: [],
    };
    this.visits.set(visit.mdtrtId, visit);
    const visits = this.#visitsOfPerson.get(visit.psnNo);
    if (visits === undefined) this.#visitsOfPerson.set(visit.psnNo, [visit]);
    else visits.push(visit);
  }

  #settle(record: SettlementRecord): void {
    const settlement: Settlement = { ...record, status: 'settled', reversal: null };
    this.settlements.set(settlement.setlId, settlement);
    this.settlementsByMsgid.set(settlement.msgid, settlement);
    this.visits.get(settlement.mdtrtId)!.settlements.push(settlement);
    this.#moveMoney(settlement, 1n);
  }

  /** Takes (1) or gives back (−1) account money, deductible and the lines of a settlement. */
  #moveMoney(settlement: Settlement, direction: 1n | -1n): void {
    for (const { idNumber, amount } of settlement.draws) {
      const moved = parseYuan(amount) * direction;
      this.#balances.set(idNumber, this.balanceOf(idNumber) - moved);
    }
    const key = `${settlement.psnNo}/${settlement.setlTime.slice(0, 4)}`;
    const used = parseYuan(settlement.split.deductible) * direction;
    this.#deductibleUsed.set(key, (this.#deductibleUsed.get(key) ?? 0n) + used);
    const { lines } = this.visits.get(settlement.mdtrtId)!;
    for (const sn of settlement.lineNumbers) {
      const line = lines.get(sn);
      if (line !== undefined) line.settledBy = direction === 1n ? settlement.setlId : null;
    }
  }
}

/** Fen amounts of a record as yuan strings, for the journal. */
export function toYuanRecord<K extends string>(amounts: Record<K, Fen>): Record<K, string> {
  const entries = Object.entries<Fen>(amounts).map(([key, fen]) => [key, formatYuan(fen)]);
  return Object.fromEntries(entries) as Record<K, string>;
}
