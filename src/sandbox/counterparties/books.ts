// Law: the sandbox banks keep their own books, apart from ours: an append-only file, replayed at start.
// People are kept under a hash only, so no name or ID number lies on the disk in plain text.
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface Transfer {
  kind: 'debit' | 'credit';
  lender: string;
  /** The payer's serial; makes the transfer idempotent. */
  serial: string;
  account: string;
  /** Yuan. */
  amount: string;
  status: 'paid' | 'declined';
  bankSerial: string;
  reason?: string;
  /** 2: the bank debited the account a second time for the same serial, by mistake. */
  copy?: 2;
  /** The bank took the confirmed debit back. */
  returnedAt?: string;
  at: string;
}

/** What the score provider was told of a person, as it stands. */
export interface ScoreReport {
  kind: 'scoreReport';
  serial: string;
  person: string;
  status: 'reported' | 'erased' | 'repaid';
  debts: { amount: string; dueAt: string }[];
  at: string;
}

type Relation = 'parent' | 'child';

export interface Kin {
  /** Hash of the other person. */
  person: string;
  /** What the other person is to this one. */
  relation: Relation;
}

interface PersonRecord {
  kind: 'person';
  person: string;
  score?: number;
  kin: Kin[];
  at: string;
}

interface Score {
  value: number;
  asOf: string;
}

/** A good score: the highest tier of the default policy. */
const DEFAULT_SCORE = 650;

/** Under what an ID number is kept. */
export function personHash(idNumber: string): string {
  return createHash('sha256').update(`egret sandbox ${idNumber.toUpperCase()}`).digest('hex');
}

function keyOf({ kind, lender, serial, copy }: Transfer): string {
  return `${kind} ${lender} ${serial}${copy ? ` ${copy}` : ''}`;
}

export class Books {
  /** Where these books lie; the payout desk keeps its own beside them. */
  readonly storeDir: string;
  readonly #file: string;
  readonly #scores = new Map<string, Score>();
  readonly #kin = new Map<string, Map<string, Relation>>();
  readonly #transfers = new Map<string, Transfer>();
  readonly #reports = new Map<string, ScoreReport>();

  constructor(storeDir: string) {
    mkdirSync(storeDir, { recursive: true });
    this.storeDir = storeDir;
    this.#file = path.join(storeDir, 'books.jsonl');
    if (!existsSync(this.#file)) return;
    const text = readFileSync(this.#file, 'utf8');
    for (const line of text.split('\n')) this.#replay(line);
    // A kill may have torn the last line: what was not written whole was never answered.
    if (text !== '' && !text.endsWith('\n')) appendFileSync(this.#file, '\n');
  }

  register(record: Omit<PersonRecord, 'kind' | 'at'>): void {
    this.#append({ kind: 'person', ...record, at: new Date().toISOString() });
  }

  scoreOf(person: string): Score | null {
    return this.#scores.get(person) ?? null;
  }

  /** What `other` is to `person`; null when the registry knows nothing. */
  relationOf(person: string, other: string): Relation | null {
    return this.#kin.get(person)?.get(other) ?? null;
  }

  /** The transfer of this serial: the one made before, or a new one. */
  transfer(wish: Omit<Transfer, 'at' | 'bankSerial'>): Transfer {
    const before = this.find(wish.kind, wish.lender, wish.serial);
    if (before) return before;
    const number = String(this.#transfers.size + 1).padStart(10, '0');
    const made = { ...wish, bankSerial: `${wish.lender}${number}`, at: new Date().toISOString() };
    this.#append(made);
    return made;
  }

  /** A mistake of the bank: the same debit once more, with a serial of the bank's own. */
  debitAgain(first: Transfer): Transfer {
    const known = this.#transfers.get(keyOf({ ...first, copy: 2 }));
    if (known) return known;
    const number = String(this.#transfers.size + 1).padStart(10, '0');
    const bankSerial = `${first.lender}${number}`;
    const second = { ...first, copy: 2 as const, bankSerial, at: new Date().toISOString() };
    this.#append(second);
    return second;
  }

  /** The bank takes a confirmed debit back; null when there is no such debit. */
  takeBack(lender: string, serial: string): Transfer | null {
    const paid = this.find('debit', lender, serial);
    if (paid?.status !== 'paid') return null;
    if (!paid.returnedAt) this.#append({ ...paid, returnedAt: new Date().toISOString() });
    return this.find('debit', lender, serial);
  }

  /** Notes a report, or its end; the same again changes nothing. */
  report(record: Omit<ScoreReport, 'kind' | 'at'>): ScoreReport {
    const known = this.#reports.get(record.serial);
    if (known?.status === record.status) return known;
    const made = { kind: 'scoreReport' as const, ...record, at: new Date().toISOString() };
    this.#append(made);
    return made;
  }

  findReport(serial: string): ScoreReport | null {
    return this.#reports.get(serial) ?? null;
  }

  reports(): ScoreReport[] {
    return [...this.#reports.values()];
  }

  find(kind: Transfer['kind'], lender: string, serial: string): Transfer | null {
    return this.#transfers.get(`${kind} ${lender} ${serial}`) ?? null;
  }

  transfersOf(lender: string): Transfer[] {
    return [...this.#transfers.values()].filter((transfer) => transfer.lender === lender);
  }

  #append(record: PersonRecord | Transfer | ScoreReport): void {
    appendFileSync(this.#file, `${JSON.stringify(record)}\n`);
    this.#apply(record);
  }

  #replay(line: string): void {
    try {
      if (line !== '') this.#apply(JSON.parse(line));
    } catch {
      // A torn line.
    }
  }

  #apply(record: PersonRecord | Transfer | ScoreReport): void {
    if (record.kind === 'scoreReport') {
      this.#reports.set(record.serial, record);
      return;
    }
    if (record.kind !== 'person') {
      this.#transfers.set(keyOf(record), record);
      return;
    }
    const value = record.score ?? this.#scores.get(record.person)?.value ?? DEFAULT_SCORE;
    this.#scores.set(record.person, { value, asOf: record.at });
    for (const kin of record.kin) {
      this.#kinOf(record.person).set(kin.person, kin.relation);
      const mirror = kin.relation === 'parent' ? 'child' : 'parent';
      this.#kinOf(kin.person).set(record.person, mirror);
    }
  }

  #kinOf(person: string): Map<string, Relation> {
    const kin = this.#kin.get(person) ?? new Map<string, Relation>();
    this.#kin.set(person, kin);
    return kin;
  }
}
