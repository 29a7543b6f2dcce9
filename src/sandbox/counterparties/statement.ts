// Role: the day's statement of a sandbox lender's clearing account, in the two shapes that banks give:
// camt.053.001.02 and a fixed CSV. Law: opening + Σ entries = closing, sequence numbers without gaps.
import { formatYuan, parseYuan } from '../../money.ts';
import type { Books, Transfer } from './books.ts';
import { payoutBooksOf } from './payout-books.ts';

export interface StatementLine {
  reference: string;
  endToEndId: string;
  remark: string;
  direction: 'debit' | 'credit';
  isReturn: boolean;
  /** Fen, unsigned. */
  amount: bigint;
  bookedOn: string;
}

export interface BankStatement {
  lender: string;
  account: string;
  on: string;
  sequenceNumber: number;
  /** Fen. */
  opening: bigint;
  closing: bigint;
  lines: StatementLine[];
}

/** What lay on every clearing account before its first line: fifty million yuan. */
const OPENING_FEN = 5_000_000_000n;
/** One statement a day, numbered from this day on. */
const FIRST_DAY = Date.parse('2020-01-01T00:00:00Z');
const DAY_MS = 86_400_000;

export function statementOf(books: Books, lender: string, on: string): BankStatement {
  const all = linesOf(books, lender);
  const sum = (lines: StatementLine[]) =>
    lines.reduce((total, l) => total + (l.direction === 'credit' ? l.amount : -l.amount), 0n);
  const lines = all.filter((line) => line.bookedOn === on);
  const opening = OPENING_FEN + sum(all.filter((line) => line.bookedOn < on));
  return {
    lender,
    account: `${lender}-CLEARING`,
    on,
    sequenceNumber: Math.round((Date.parse(`${on}T00:00:00Z`) - FIRST_DAY) / DAY_MS) + 1,
    opening,
    closing: opening + sum(lines),
    lines,
  };
}

/** Payouts debited, returned ones credited; repayments credited, money paid back debited. */
function linesOf(books: Books, lender: string): StatementLine[] {
  const payouts = payoutBooksOf(books)
    .filesOf(lender)
    .flatMap((file) => file.bookings)
    .map((booking) => ({ ...booking, amount: parseYuan(booking.amount) }));
  const transfers = books
    .transfersOf(lender)
    .filter((transfer) => transfer.status === 'paid')
    .flatMap(transferLines);
  return [...payouts, ...transfers];
}

/** A repayment is money in; a debit that the bank took back goes out again. */
function transferLines(transfer: Transfer): StatementLine[] {
  const { serial, bankSerial, kind, returnedAt } = transfer;
  const line: StatementLine = {
    reference: bankSerial,
    endToEndId: serial,
    remark: serial,
    direction: kind === 'debit' ? 'credit' : 'debit',
    isReturn: false,
    amount: parseYuan(transfer.amount),
    bookedOn: shanghaiDate(transfer.at),
  };
  if (returnedAt === undefined) return [line];
  const back = {
    ...line,
    reference: `${bankSerial}R`,
    direction: line.direction === 'credit' ? ('debit' as const) : ('credit' as const),
    isReturn: true,
    bookedOn: shanghaiDate(returnedAt),
  };
  return [line, back];
}

const shanghaiDate = (at: string) =>
  new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(new Date(at));

const csvColumns = [
  ...['statementId', 'sequence', 'account', 'entryRef', 'endToEndId', 'remark', 'direction'],
  ...['amount', 'currency', 'bookedOn', 'valueOn', 'counterAccount', 'balance'],
];

/** One row a line; `balance` is the account's after it. A day without lines is the header alone. */
export function statementCsv(statement: BankStatement): string {
  const { account, sequenceNumber, lines } = statement;
  let balance = statement.opening;
  const rows = lines.map((line) => {
    balance += line.direction === 'credit' ? line.amount : -line.amount;
    const { bookedOn, reference, endToEndId, remark, direction, amount } = line;
    return [
      ...[statementIdOf(statement), String(sequenceNumber), account, reference, endToEndId, remark],
      ...[direction, formatYuan(amount), 'CNY', bookedOn, bookedOn, '', formatYuan(balance)],
    ].join(',');
  });
  return `${[csvColumns.join(','), ...rows].join('\r\n')}\r\n`;
}

const statementIdOf = ({ account, sequenceNumber }: BankStatement) =>
  `${account}-${sequenceNumber}`;

export function statementXml(statement: BankStatement): string {
  const { account, on, sequenceNumber, lines, lender } = statement;
  const sums = (direction: 'credit' | 'debit') => {
    const found = lines.filter((line) => line.direction === direction);
    const total = found.reduce((sum, line) => sum + line.amount, 0n);
    return `<NbOfNtries>${found.length}</NbOfNtries><Sum>${formatYuan(total)}</Sum>`;
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>',
    `<GrpHdr><MsgId>${lender}${on}</MsgId><CreDtTm>${on}T23:59:59+08:00</CreDtTm>`,
    '<MsgPgntn><PgNb>1</PgNb><LastPgInd>true</LastPgInd></MsgPgntn></GrpHdr>',
    `<Stmt><Id>${statementIdOf(statement)}</Id><ElctrncSeqNb>${sequenceNumber}</ElctrncSeqNb>`,
    `<CreDtTm>${on}T23:59:59+08:00</CreDtTm>`,
    `<FrToDt><FrDtTm>${on}T00:00:00+08:00</FrDtTm><ToDtTm>${on}T23:59:59+08:00</ToDtTm></FrToDt>`,
    `<Acct><Id><Othr><Id>${account}</Id></Othr></Id><Ccy>CNY</Ccy></Acct>`,
    balanceXml('OPBD', statement.opening, on),
    balanceXml('CLBD', statement.closing, on),
    `<TxsSummry><TtlCdtNtries>${sums('credit')}</TtlCdtNtries>`,
    `<TtlDbtNtries>${sums('debit')}</TtlDbtNtries></TxsSummry>`,
    ...lines.map(lineXml),
    '</Stmt></BkToCstmrStmt></Document>\n',
  ].join('\n');
}

function balanceXml(code: string, amount: bigint, on: string): string {
  const sign = amount < 0n ? 'DBIT' : 'CRDT';
  const text = formatYuan(amount < 0n ? -amount : amount);
  return `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">${text}</Amt><CdtDbtInd>${sign}</CdtDbtInd><Dt><Dt>${on}</Dt></Dt></Bal>`;
}

function lineXml(line: StatementLine): string {
  const family = line.isReturn ? 'RRTN' : 'ICDT';
  return [
    `<Ntry><NtryRef>${escaped(line.reference)}</NtryRef>`,
    `<Amt Ccy="CNY">${formatYuan(line.amount)}</Amt>`,
    `<CdtDbtInd>${line.direction === 'credit' ? 'CRDT' : 'DBIT'}</CdtDbtInd>`,
    ...(line.isReturn ? ['<RvslInd>true</RvslInd>'] : []),
    `<Sts>BOOK</Sts><BookgDt><Dt>${line.bookedOn}</Dt></BookgDt><ValDt><Dt>${line.bookedOn}</Dt></ValDt>`,
    `<AcctSvcrRef>${escaped(line.reference)}</AcctSvcrRef>`,
    `<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>${family}</Cd><SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn></BkTxCd>`,
    `<NtryDtls><TxDtls><Refs><EndToEndId>${escaped(line.endToEndId.slice(0, 35))}</EndToEndId></Refs>`,
    `<RmtInf><Ustrd>${escaped(line.remark)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>`,
  ].join('');
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
