// Role: the rows of the insurer's books on given days, and the differences that a test asked for.
import { type Fen, parseYuan } from '../../../money.ts';
import type { Settlement } from '../books.ts';
import type { StatementRules } from '../control-schemas.ts';
import type { TradeCall } from './trade.ts';

export interface BookRow {
  setlId: string;
  mdtrtId: string;
  psnNo: string;
  msgid: string;
  total: Fen;
  fund: Fen;
  account: Fen;
  isReversal: boolean;
}

export interface Asked {
  /** Days by setl_time, both included. */
  from: string;
  to: string;
  /** Absent in 3202. */
  insutype?: string;
  clrType: string;
  clrOptins: string;
}

/** Settlements and reversals of the calling institution. */
export function bookRows(call: TradeCall, asked: Asked): BookRow[] {
  const { books, envelope } = call;
  const isMeant = (one: { insutype: string; clrType: string; clrOptins: string }) =>
    (asked.insutype === undefined || one.insutype === asked.insutype) &&
    one.clrType === asked.clrType &&
    one.clrOptins === asked.clrOptins;
  const isIn = (time: string) => time.slice(0, 10) >= asked.from && time.slice(0, 10) <= asked.to;
  const rows = [...books.settlements.values()]
    .filter((one) => one.hospitalCode === envelope.hospitalCode && isMeant(one))
    .flatMap((one) => rowsOf(one, isIn));
  const extras = books.statements.faults.filter((fault) => fault.kind === 'extra');
  return [
    ...rows.flatMap((row) => withFaults(row, books.statements)),
    ...extras
      .filter((fault) => fault.hospitalCode === envelope.hospitalCode && isIn(fault.day))
      .filter(isMeant)
      .map(extraRow),
  ];
}

function rowsOf(settlement: Settlement, isIn: (time: string) => boolean): BookRow[] {
  const { status, reversal, split } = settlement;
  // 2601 undoes a message as if it had never come.
  if (status === 'reversed') return [];
  const amounts = {
    total: parseYuan(split.total),
    fund: parseYuan(split.fund),
    account: parseYuan(split.account),
  };
  const { setlId, mdtrtId, psnNo, msgid } = settlement;
  const rows: BookRow[] = [];
  if (isIn(settlement.setlTime)) {
    rows.push({ setlId, mdtrtId, psnNo, msgid, ...amounts, isReversal: false });
  }
  if (reversal && isIn(reversal.setlTime)) {
    const taken = { total: -amounts.total, fund: -amounts.fund, account: -amounts.account };
    const own = { setlId: reversal.setlId, msgid: reversal.msgid };
    rows.push({ ...own, mdtrtId, psnNo, ...taken, isReversal: true });
  }
  return rows;
}

function withFaults(row: BookRow, { faults }: StatementRules): BookRow[] {
  let shown = row;
  for (const fault of faults) {
    if (fault.kind === 'extra' || fault.setlId !== row.setlId) continue;
    if (fault.kind === 'missing') return [];
    const add = signedFen(fault.add);
    shown = { ...shown, total: shown.total + add, fund: shown.fund + add };
  }
  return [shown];
}

function extraRow(fault: Extract<StatementRules['faults'][number], { kind: 'extra' }>): BookRow {
  const [total, fund, account] = [fault.total, fault.fund, fault.account].map(parseYuan);
  return {
    ...{ setlId: `extra ${fault.msgid}`, mdtrtId: '', psnNo: '', msgid: fault.msgid },
    ...{ total: total ?? 0n, fund: fund ?? 0n, account: account ?? 0n, isReversal: false },
  };
}

const signedFen = (text: string): Fen =>
  text.startsWith('-') ? -parseYuan(text.slice(1)) : parseYuan(text);
