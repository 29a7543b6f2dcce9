// Role: 3201 and 3202, the day's comparison from the insurer's own books. Sums are net: what 2208 took back is a row
// of its own with its own setl_id, time and negative amounts; what 2601 took back never was.

import { writeZip } from '../../../insurance/write-zip.ts';
import { type Fen, fenFromWire, formatYuan, sumFen } from '../../../money.ts';
import { need, nodeOf, textOf } from '../fields.ts';
import { Refusal, refusals } from '../refusals.ts';
import { fileOf, keepFile, unzipText } from './exchange-file.ts';
import { type BookRow, bookRows } from './statement-rows.ts';
import type { Trade, TradeCall } from './trade.ts';

type Verdict = 'flat' | 'onlyTheirs' | 'onlyOurs' | 'differs';

/** stmt_rslt by region (nhsa.md §5.3); "theirs" is the centre, "ours" the institution. */
const dictionaries: Record<'national' | 'guangdong' | 'hubei', Record<Verdict, string>> = {
  national: { flat: '0', onlyTheirs: '1', onlyOurs: '1', differs: '1' },
  guangdong: { flat: '0', onlyTheirs: '1', onlyOurs: '2', differs: '3' },
  hubei: { flat: '000000', onlyTheirs: '000101', onlyOurs: '000102', differs: '000103' },
};
const memos: Record<Verdict, string> = {
  flat: '',
  onlyTheirs: '医药机构无此结算',
  onlyOurs: '中心无此结算',
  differs: '金额不一致',
};

/** 3201 → stmtinfo{setl_optins, stmt_rslt, stmt_rslt_dscr}. */
export const compareTotals: Trade = (call) => {
  const data = nodeOf(call.envelope.input, 'data');
  need(data, ['insutype', 'clr_type', 'setl_optins', 'stmt_begndate', 'stmt_enddate']);
  need(data, ['medfee_sumamt', 'fund_pay_sumamt', 'acct_pay', 'fixmedins_setl_cnt']);
  const rows = bookRows(call, { ...periodOf(call), insutype: textOf(data, 'insutype') });
  const sum = (pick: (row: BookRow) => Fen) => sumFen(rows.map(pick));
  const isSame = (field: string, amount: Fen) => fenFromWire(data[field]) === amount;
  const isFlat =
    Number(textOf(data, 'fixmedins_setl_cnt')) === rows.length &&
    isSame(
      'medfee_sumamt',
      sum((row) => row.total),
    ) &&
    isSame(
      'fund_pay_sumamt',
      sum((row) => row.fund),
    ) &&
    isSame(
      'acct_pay',
      sum((row) => row.account),
    );
  const verdict = isFlat ? 'flat' : 'differs';
  const stmtinfo = {
    setl_optins: textOf(data, 'setl_optins'),
    stmt_rslt: dictionaries[call.books.statements.dictionary][verdict],
    stmt_rslt_dscr: isFlat ? '平' : `不平，中心${rows.length}笔`,
  };
  return { output: { stmtinfo } };
};

/** 3202 → fileinfo{file_qury_no, filename, dld_endtime}: the uploaded rows and the books' rows side by side. */
export const compareDetail: Trade = (call) => {
  const data = nodeOf(call.envelope.input, 'data');
  need(data, ['setl_optins', 'file_qury_no', 'stmt_begndate', 'stmt_enddate', 'clr_type']);
  const uploaded = fileOf(call, textOf(data, 'file_qury_no'));
  const sent = unzipText(uploaded.bytes)
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map(sentRow);
  const lines = resultLines(call, bookRows(call, periodOf(call)), sent);
  const name = uploaded.name.replace(/\.zip$/i, '_result');
  const { writer } = call.books.statements;
  const ending = writer === 'tabs' ? '\r\n' : '\n';
  const text = lines
    .map((cells) => cells.map((cell) => (cell === '' ? 'null' : cell)).join('\t'))
    .map((line) => (writer === 'tabs' ? `${line}\t` : line))
    .join(ending);
  const zip = writeZip([{ name: `${name}.txt`, data: Buffer.from(text) }]);
  return { output: { fileinfo: keepFile(call, `${name}.zip`, zip) } };
};

function periodOf(call: TradeCall) {
  const data = nodeOf(call.envelope.input, 'data');
  return {
    from: textOf(data, 'stmt_begndate').slice(0, 10),
    to: textOf(data, 'stmt_enddate').slice(0, 10),
    clrType: textOf(data, 'clr_type'),
    clrOptins: textOf(data, 'setl_optins'),
  };
}

interface SentRow {
  setlId: string;
  total: Fen;
  fund: Fen;
  account: Fen;
  cells: string[];
}

/** setl_id, mdtrt_id, psn_no, medfee_sumamt, fund_pay_sumamt, acct_pay, refd_setl_flag. */
function sentRow(line: string): SentRow {
  const cells = line.split('\t').map((cell) => (cell === 'null' ? '' : cell));
  const amounts = cells.slice(3, 6).map((cell) => fenFromWire(cell));
  const [total, fund, account] = amounts;
  const isAmount = (amount: Fen | null | undefined): amount is Fen => typeof amount === 'bigint';
  if (cells.length < 7 || !isAmount(total) || !isAmount(fund) || !isAmount(account)) {
    throw new Refusal(refusals.malformed('对账文件格式不正确'));
  }
  return { setlId: cells[0] ?? '', total, fund, account, cells };
}

function resultLines(call: TradeCall, rows: BookRow[], sent: SentRow[]): string[][] {
  const results = dictionaries[call.books.statements.dictionary];
  const sentById = new Map(sent.map((row) => [row.setlId, row]));
  const known = new Set(rows.map((row) => row.setlId));
  const ofBooks = rows.map((row) => {
    const ours = sentById.get(row.setlId);
    const isSame =
      ours?.total === row.total && ours.fund === row.fund && ours.account === row.account;
    const verdict: Verdict = !ours ? 'onlyTheirs' : isSame ? 'flat' : 'differs';
    // A row that only the centre has is told by its message alone.
    const [setlId, mdtrtId] = ours ? [row.setlId, row.mdtrtId] : ['', ''];
    const amounts = [row.total, row.fund, row.account].map(formatYuan);
    const flag = row.isReversal ? '1' : '0';
    return [
      row.psnNo,
      mdtrtId,
      setlId,
      row.msgid,
      results[verdict],
      flag,
      memos[verdict],
      ...amounts,
    ];
  });
  const onlyOurs = sent
    .filter((row) => !known.has(row.setlId))
    .map(({ cells }) => [
      ...[cells[2] ?? '', cells[1] ?? '', cells[0] ?? '', '', results.onlyOurs],
      ...[cells[6] ?? '', memos.onlyOurs, ...cells.slice(3, 6)],
    ]);
  return [...ofBooks, ...onlyOurs];
}
