// Law: a sandbox lender's payout desk keeps books of its own, apart from ours: an append-only file a
// lender, replayed at start. A file of an id is taken once, whatever is asked again.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Books } from './books.ts';

export interface Payment {
  endToEndId: string;
  hospitalCode: string;
  /** Yuan. */
  amount: string;
  remark: string;
}

/** One line of the clearing account. */
export interface Booking {
  /** The bank's own reference. */
  reference: string;
  endToEndId: string;
  remark: string;
  /** Of the clearing account: a payout is a debit, its return a credit. */
  direction: 'debit' | 'credit';
  isReturn: boolean;
  amount: string;
  /** YYYY-MM-DD */
  bookedOn: string;
}

export interface FileRecord {
  fileId: string;
  bankFileId: string;
  status: 'accepted' | 'refused';
  reason?: string;
  bookOn: string;
  payments: Payment[];
  bookings: Booking[];
}

/** How the bank misbehaves with a file that it takes. */
export type Mishap = 'none' | 'declined' | 'paidTwice' | 'returned';

export class PayoutBooks {
  readonly #dir: string;
  readonly #files = new Map<string, Map<string, FileRecord>>();

  constructor(storeDir: string) {
    this.#dir = path.join(storeDir, 'payouts');
    mkdirSync(this.#dir, { recursive: true });
    for (const name of readdirSync(this.#dir)) this.#replay(name);
  }

  find(lender: string, fileId: string): FileRecord | null {
    return this.#files.get(lender)?.get(fileId) ?? null;
  }

  /** The file of this id: the one taken before, or this one, booked on the day it asks for. */
  take(
    lender: string,
    file: { fileId: string; bookOn: string; payments: Payment[] },
    mishap: Mishap,
  ): FileRecord {
    const before = this.find(lender, file.fileId);
    if (before) return before;
    const bankFileId = `${lender}PF${String(this.filesOf(lender).length + 1).padStart(8, '0')}`;
    const record: FileRecord =
      mishap === 'declined'
        ? { ...file, bankFileId, status: 'refused', reason: '账户状态异常 refused', bookings: [] }
        : {
            ...file,
            bankFileId,
            status: 'accepted',
            bookings: bookingsOf(file, bankFileId, mishap),
          };
    appendFileSync(this.#fileOf(lender), `${JSON.stringify(record)}\n`);
    this.#keep(lender, record);
    return record;
  }

  filesOf(lender: string): FileRecord[] {
    return [...(this.#files.get(lender)?.values() ?? [])];
  }

  #fileOf(lender: string): string {
    return path.join(this.#dir, `${encodeURIComponent(lender)}.jsonl`);
  }

  #keep(lender: string, record: FileRecord): void {
    const files = this.#files.get(lender) ?? new Map<string, FileRecord>();
    this.#files.set(lender, files.set(record.fileId, record));
  }

  #replay(name: string): void {
    const lender = decodeURIComponent(name.replace(/\.jsonl$/, ''));
    const file = path.join(this.#dir, name);
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    for (const line of text.split('\n')) {
      try {
        if (line !== '') this.#keep(lender, JSON.parse(line));
      } catch {
        // A torn line: what was not written whole was never answered.
      }
    }
    if (text !== '' && !text.endsWith('\n')) appendFileSync(file, '\n');
  }
}

function bookingsOf(
  file: { bookOn: string; payments: Payment[] },
  bankFileId: string,
  mishap: Mishap,
): Booking[] {
  const times = mishap === 'paidTwice' ? 2 : 1;
  const bookings: Booking[] = [];
  const book = (payment: Payment, direction: Booking['direction'], isReturn: boolean) => {
    const { endToEndId, remark, amount } = payment;
    const reference = `${bankFileId}-${bookings.length + 1}`;
    const bookedOn = file.bookOn;
    bookings.push({ reference, endToEndId, remark, direction, isReturn, amount, bookedOn });
  };
  for (const payment of file.payments) {
    for (let time = 1; time <= times; time += 1) book(payment, 'debit', false);
    if (mishap === 'returned') book(payment, 'credit', true);
  }
  return bookings;
}

const opened = new WeakMap<Books, PayoutBooks>();

/** The payout desk beside a bank's other books: in the same folder, opened once. */
export function payoutBooksOf(books: Books): PayoutBooks {
  const found = opened.get(books) ?? new PayoutBooks(books.storeDir);
  opened.set(books, found);
  return found;
}
