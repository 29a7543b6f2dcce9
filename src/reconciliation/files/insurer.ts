// Role: the insurer's 3202 result: tabs, no header, `null` for nothing (nhsa.md §5.2). Two writers are known: a
// tab after every field and CRLF, or no trailing tab and LF; neither ends the last line.
import { type Fen, fenFromWire } from '../../money.ts';
import { FileRefusal, type Statement, type StatementRow } from '../statement.ts';
import { badValue } from './cells.ts';
import { csvRows, type RawRows } from './csv-rows.ts';
import { toUtf8 } from './text.ts';

const insurerColumns = [
  'psn_no',
  'mdtrt_id',
  'setl_id',
  'msgid',
  'stmt_rslt',
  'refd_setl_flag',
  'memo',
  'medfee_sumamt',
  'fund_pay_sumamt',
  'acct_pay',
] as const;
type Column = (typeof insurerColumns)[number];

/**
 * What the insurer has: `key` is the setl_id ("" on a row that we never learnt of), `key2` the msgid, `amount`
 * medfee_sumamt, negative on the row of a reversal; detail has all but the person. Rows of ours that the insurer
 * does not know are listed in a result, too; they are left out here and counted in `meta().onlyOurs`.
 */
export function insurerStatement(
  body: AsyncIterable<Buffer>,
  { businessDate }: { businessDate: string },
): Statement {
  let count = 0;
  let onlyOurs = 0;
  async function* read(raw: AsyncIterable<RawRows>): AsyncGenerator<StatementRow[]> {
    for await (const { rows, lines } of raw) {
      const all = rows.map((cells, at) => rowOf(cells, lines[at] ?? 0, businessDate));
      const theirs = all.filter((row) => !isOnlyOurs(row.detail));
      count += all.length;
      onlyOurs += all.length - theirs.length;
      if (theirs.length > 0) yield theirs;
    }
  }
  return {
    rows: read(csvRows(toUtf8(body, 'utf-8'), { delimiter: '\t', isQuoted: false })),
    meta: () => ({ rows: count, onlyOurs }),
    claimedTotals: () => null,
  };
}

/** 医药机构多 in the three known dictionaries (nhsa.md §5.3); where 1 is all that is said, the memo says it. */
function isOnlyOurs({ stmt_rslt, memo }: Record<string, string>): boolean {
  if (stmt_rslt === '2' || stmt_rslt === '000102') return true;
  return stmt_rslt === '1' && /医药机构多|(中心|平台)(端)?(无|没有|未找到|不存在)/.test(memo ?? '');
}

function rowOf(cells: readonly string[], line: number, businessDate: string): StatementRow {
  const detail = detailOf(cells, line);
  // Read for their form; whoever compares takes them from the detail.
  amountOf(detail.fund_pay_sumamt, line, 'fund_pay_sumamt');
  amountOf(detail.acct_pay, line, 'acct_pay');
  const total = amountOf(detail.medfee_sumamt, line, 'medfee_sumamt');
  if (detail.setl_id === '' && detail.msgid === '') {
    throw badValue(line, 'msgid', '没有结算号也没有报文号 neither setl_id nor msgid');
  }
  return {
    rowNumber: line,
    kind: detail.refd_setl_flag === '1' || total < 0n ? 'reversed' : 'settled',
    key: detail.setl_id,
    key2: detail.msgid === '' ? null : detail.msgid,
    amount: total,
    fee: 0n,
    occurredOn: businessDate,
    detail,
  };
}

type Detail = Record<Exclude<Column, 'psn_no'>, string>;

function detailOf(cells: readonly string[], line: number): Detail {
  const width = insurerColumns.length;
  const isTrailing = cells.length === width + 1 && cells[width] === '';
  if (cells.length !== width && !isTrailing) {
    const column = insurerColumns[Math.min(cells.length, width - 1)] ?? '';
    const code = cells.length < width ? 'file/truncated' : 'file/bad-value';
    throw new FileRefusal(code, `应有 ${width} 列 expects ${width} cells`, { row: line, column });
  }
  const texts = insurerColumns.map((_, at) =>
    cells[at] === 'null' ? '' : (cells[at] ?? '').trim(),
  );
  const { psn_no: _, ...rest } = Object.fromEntries(
    insurerColumns.map((column, at) => [column, texts[at] ?? '']),
  ) as Record<Column, string>;
  return rest;
}

function amountOf(text: string, line: number, column: Column): Fen {
  const fen = text === '' ? 0n : fenFromWire(text);
  if (fen === null) throw badValue(line, column, '不是金额 not an amount');
  return fen;
}
