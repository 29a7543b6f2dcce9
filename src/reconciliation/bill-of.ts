// Which bill a row of a counterparty's file is about (files.md, What joins what). Pure.
import { type Fen, fenFromWire, percentOf } from '../money.ts';
import type { Counterparty } from './break-catalogue.ts';
import type { StatementRow } from './statement.ts';

/** One line for the comparison. */
export interface StagedRow {
  bill: string;
  kind: string;
  amount: Fen;
  isPart: boolean;
  key2: string | null;
  /** Another key of ours that the row names: a settlement id. */
  alt: string | null;
  /** Of a refund: the key of its payment. */
  original: string | null;
  hasWrongFee: boolean;
  detail: string;
}

export type BillOf = (row: StatementRow) => StagedRow;

/** Whose account a bank's statement is of; `any`: the file does not say, so direction proves nothing. */
export type AccountSide = 'hospital' | 'lender' | 'any';

/** The way of reading a counterparty's rows; a lender's own account shows what it pays as negative. */
export function billOfCounterparty(counterparty: Counterparty, side: AccountSide): BillOf {
  switch (counterparty) {
    case 'hospital':
      return hospitalBill;
    case 'insurer':
      return insurerBill;
    case 'bank':
      return bankBills(side);
    case 'wechatPay':
    case 'alipay':
      return channelBill;
  }
  return counterparty satisfies never;
}

/** On the bill of an account: what the channel takes and the account's own transfers are outside our books. */
const OUTSIDE: ReadonlySet<string> = new Set(['fee', 'other']);

/** The row and, for an insurer, its parts as rows of their own. */
export function billRows(row: StatementRow, billOf: BillOf): readonly StagedRow[] {
  if (OUTSIDE.has(row.kind)) return [];
  const staged = billOf(row);
  return row.detail.fund_pay_sumamt === undefined ? [staged] : withParts(row, staged);
}

/** The insurer's own names of its two parts; no other counterparty has such columns. */
const PARTS = [
  ['fund_pay_sumamt', 'part:fund'],
  ['acct_pay', 'part:account'],
] as const;

function withParts(row: StatementRow, staged: StagedRow): StagedRow[] {
  const parts = PARTS.flatMap(([header, kind]) => {
    const text = row.detail[header];
    const amount = text === undefined || text === '' ? null : fenFromWire(text);
    return amount === null ? [] : [{ ...staged, kind, amount, isPart: true, hasWrongFee: false }];
  });
  return [staged, ...parts];
}

/** A refund is a negative row and a new receipt: it belongs to the receipt that it takes back. */
function hospitalBill(row: StatementRow): StagedRow {
  const { refundOf, settlementId } = row.detail;
  const visitNumber = row.key2 || null;
  // A literal without spreads: a million rows pass here.
  return {
    bill: refundOf || row.key || settlementId || `visit ${visitNumber ?? row.rowNumber}`,
    kind: row.kind,
    amount: row.amount,
    isPart: false,
    key2: visitNumber,
    alt: settlementId || null,
    original: refundOf || null,
    hasWrongFee: false,
    detail: slim(row.detail),
  };
}

/** What a hospital's row says beyond what is staged anyway: a million of these are copied. */
const SLIM = ['receiptNumber', 'setlId', 'invoiceNumber', 'occurredAt', 'shift'] as const;
const SLIM_MARK = '\u001f';

function slim(detail: StatementRow['detail']): string {
  const { receiptNumber, setlId, invoiceNumber, occurredAt, shift } = detail;
  return `${receiptNumber ?? ''}${SLIM_MARK}${setlId ?? ''}${SLIM_MARK}${invoiceNumber ?? ''}${SLIM_MARK}${occurredAt ?? ''}${SLIM_MARK}${shift ?? ''}`;
}

/** The evidence of a staged row, by the file's own header names. */
export function detailOf(
  staged: string,
  said: { visitNumber: string | null; settlementId: string | null; refundOf: string | null },
): Record<string, string> {
  if (!staged.includes(SLIM_MARK)) return JSON.parse(staged) as Record<string, string>;
  const values = staged.split(SLIM_MARK);
  const all = Object.entries(said).concat(SLIM.map((name, index) => [name, values[index] ?? '']));
  return Object.fromEntries(all.flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

/** A centre-only row has no setl_id, but the message that made it. */
function insurerBill(row: StatementRow): StagedRow {
  return {
    ...{ bill: row.key || `message ${row.key2 ?? row.rowNumber}`, kind: 'claim' },
    ...{ amount: row.amount, isPart: false, key2: row.key2 || null, alt: null, original: null },
    ...{ hasWrongFee: false, detail: JSON.stringify(row.detail) },
  };
}

/**
 * A movement without a key is called by the bank's own reference, which the next file of that day repeats;
 * movements of one booking, or of none, are counted: a file may be one line from end to end.
 */
function bankBills(side: AccountSide): BillOf {
  const seen = new Map<string, number>();
  return (row) => {
    const size = row.amount < 0n ? -row.amount : row.amount;
    const amount = side === 'hospital' ? row.amount : side === 'lender' ? -row.amount : size;
    let bill = row.key;
    if (!bill) {
      const own = `row ${row.occurredOn} ${bankReference(row.detail) ?? row.rowNumber}`;
      const nth = (seen.get(own) ?? 0) + 1;
      seen.set(own, nth);
      bill = nth === 1 ? own : `${own} ${nth}`;
    }
    return {
      ...{ bill, kind: 'transfer', amount, isPart: false, key2: row.key2 || null },
      ...{ alt: null, original: null, hasWrongFee: false, detail: JSON.stringify(row.detail) },
    };
  };
}

/** The bank's own reference of a movement by its usual names. */
export function bankReference(detail: Readonly<Record<string, string>>): string | null {
  const named = [detail.AcctSvcrRef, detail.bankReference, detail.NtryRef, detail.entryRef];
  return named.find((name) => name) ?? (detail.流水号 || null);
}

function channelBill(row: StatementRow): StagedRow {
  const isRefund = row.amount < 0n;
  // The bill of an account names the payment only: the refund is no part of it.
  const isUnnumbered = isRefund && row.key === row.detail.商户订单号;
  const bill = isUnnumbered ? `refund of ${row.key} ${row.rowNumber}` : row.key;
  return {
    ...{ bill: bill || `row ${row.rowNumber}`, kind: 'payment', amount: row.amount },
    ...{ isPart: false, key2: null, alt: null },
    original: isRefund ? row.detail.商户订单号 || null : null,
    hasWrongFee: isFeeWrong(row),
    detail: JSON.stringify(row.detail),
  };
}

/** A bill that states its rate ("0.60%") must have taken that; one without a rate is believed. */
function isFeeWrong({ amount, fee, detail }: StatementRow): boolean {
  const rate = /^(\d{1,2}(?:\.\d{1,4})?)%$/.exec(detail.费率 ?? '')?.[1];
  if (rate === undefined) return false;
  // Taken of what the merchant gets: an order's coupons are the channel's.
  const settled = detail[amount < 0n ? '退款金额' : '应结订单金额'];
  const size = (settled ? fenFromWire(settled) : null) ?? (amount < 0n ? -amount : amount);
  return (fee < 0n ? -fee : fee) !== percentOf(size, rate);
}
