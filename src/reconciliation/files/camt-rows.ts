// Role: booked entries of a camt.053 statement to rows, with the keys that join (files.md); names stay out.
import type { Fen } from '../../money.ts';
import type { StatementRow } from '../statement.ts';
import type { Fields, Part } from './camt-xml.ts';
import { amountOf, dayOf, dayOfTime } from './cells.ts';

/** One row an entry; a booked batch whose transactions add up to it is a row each. */
export function rowsOf(
  { fields, line, transactions }: Extract<Part, { type: 'entry' }>,
  amount: Fen,
  currency: string,
): StatementRow[] {
  const occurredOn = bookingDay(fields, line);
  const amounts = transactions.map((one) => transactionAmount(one, line, currency));
  const whole = amount < 0n ? -amount : amount;
  const sum = amounts.reduce<Fen>((a, b) => a + (b ?? 0n), 0n);
  const isBatch = transactions.length > 1 && !amounts.includes(null) && sum === whole;
  const sign = amount < 0n ? -1n : 1n;
  const sources = isBatch
    ? transactions.map((one, at) => ({ one, amount: sign * (amounts[at] ?? 0n) }))
    : [{ one: transactions.length === 1 ? transactions[0] : undefined, amount }];
  return sources.map(({ one, amount: part }) => ({
    rowNumber: line,
    kind: amount < 0n ? 'debit' : 'credit',
    ...keysOf(fields, one ?? new Map()),
    amount: part,
    fee: 0n,
    occurredOn,
  }));
}

function bookingDay(fields: Fields, line: number): string {
  const day = fields.get('BookgDt/Dt');
  if (day !== undefined) return dayOf(day.slice(0, 10), line, 'BookgDt/Dt');
  return dayOfTime(fields.get('BookgDt/DtTm') ?? '', line, 'BookgDt/DtTm');
}

/** Null where the bank gives no amount of the single transaction in the account's currency. */
function transactionAmount(one: Fields, line: number, currency: string): Fen | null {
  const path = one.has('Amt') ? 'Amt' : 'AmtDtls/TxAmt/Amt';
  const text = one.get(path);
  if (text === undefined || one.get(`${path}@Ccy`) !== currency) return null;
  return amountOf(text, line, `TxDtls/${path}`);
}

function keysOf(entry: Fields, one: Fields): Pick<StatementRow, 'key' | 'key2' | 'detail'> {
  const endToEnd = one.get('Refs/EndToEndId') ?? '';
  const remark = one.get('RmtInf/Ustrd') ?? one.get('RmtInf/Strd/CdtrRefInf/Ref') ?? '';
  const isGiven = endToEnd !== '' && endToEnd !== 'NOTPROVIDED';
  const detail = {
    NtryRef: entry.get('NtryRef'),
    AcctSvcrRef: entry.get('AcctSvcrRef'),
    EndToEndId: endToEnd,
    RvslInd: entry.get('RvslInd'),
    BkTxCd: entry.get('BkTxCd/Domn/Fmly/SubFmlyCd') ?? entry.get('BkTxCd/Prtry/Cd'),
    ValDt: entry.get('ValDt/Dt') ?? entry.get('ValDt/DtTm'),
    DbtrAcct: accountIn(one, 'DbtrAcct'),
    CdtrAcct: accountIn(one, 'CdtrAcct'),
    Ustrd: remark,
  };
  const said = Object.entries(detail).filter((pair): pair is [string, string] => !!pair[1]);
  return {
    key: isGiven ? endToEnd : '',
    key2: remark === '' ? null : remark,
    detail: Object.fromEntries(said),
  };
}

function accountIn(one: Fields, role: string): string | undefined {
  return one.get(`RltdPties/${role}/Id/IBAN`) ?? one.get(`RltdPties/${role}/Id/Othr/Id`);
}
