// Role: the inputs of the reconciliation trades 3201, 3202, 9101, 9102 and the file of our claims (nhsa.md §5). Pure.
// Law: sums are net, because a reversal is a row of its own with negative amounts; a count is rows, reversals included.
import { type Fen, formatYuan } from '../money.ts';
import type { TradeInput } from './trades.ts';
import { writeZip } from './write-zip.ts';

/** What 3201 is asked by: one call each. */
export interface GroupKey {
  insutype: string;
  clrType: string;
  /** 结算经办机构: the settlement's clr_optins, sent as setl_optins. */
  clrOptins: string;
}

/** Our sums of a group on one day by setl_time, in fen, net. */
export interface ClaimGroup extends GroupKey {
  total: Fen;
  fund: Fen;
  account: Fen;
  /** psn_cash_pay, for 3202. */
  cash: Fen;
  /** Rows: settlements and reversals. */
  count: number;
}

/** One row of our claims; a reversal has its own setl_id and negative amounts. */
export interface ClaimRow {
  setlId: string;
  mdtrtId: string;
  msgid: string;
  total: Fen;
  fund: Fen;
  account: Fen;
  isReversal: boolean;
}

/** 3201: does the day agree? */
export function totals3201(day: string, group: ClaimGroup): TradeInput {
  return {
    data: {
      insutype: group.insutype,
      ...askedOf(day, group),
      acct_pay: formatYuan(group.account),
    },
  };
}

/** 3202: which rows do not? `fileNumber` is 9101's. */
export function detail3202(day: string, group: ClaimGroup, fileNumber: string): TradeInput {
  return {
    data: {
      ...askedOf(day, group),
      file_qury_no: fileNumber,
      cash_payamt: formatYuan(group.cash),
    },
  };
}

function askedOf(day: string, group: ClaimGroup) {
  return {
    clr_type: group.clrType,
    setl_optins: group.clrOptins,
    stmt_begndate: day,
    stmt_enddate: day,
    medfee_sumamt: formatYuan(group.total),
    fund_pay_sumamt: formatYuan(group.fund),
    fixmedins_setl_cnt: String(group.count),
    refd_setl_flag: '0',
    fixmedins_refd_setl_flag: '0',
  };
}

/** 9101: the file itself. */
export function upload9101(
  file: { name: string; bytes: Buffer },
  hospitalCode: string,
  form: 'signed' | 'base64',
): TradeInput {
  const signed = new Int8Array(file.bytes.buffer, file.bytes.byteOffset, file.bytes.length);
  return {
    fsUploadIn: {
      in: form === 'signed' ? [...signed] : file.bytes.toString('base64'),
      filename: file.name,
      fixmedins_code: hospitalCode,
    },
  };
}

/** 9102: the result. */
export function download9102(
  file: { number: string; name: string },
  hospitalCode: string,
): TradeInput {
  return {
    fsDownloadIn: {
      file_qury_no: file.number,
      filename: file.name,
      fixmedins_code: hospitalCode,
    },
  };
}

/** The zipped TXT: TAB between fields, LF between rows, `null` for nothing, no header, no person. */
export function claimsFile(name: string, claims: readonly ClaimRow[]): Buffer {
  const lines = claims.map((row) =>
    [
      // A reversal whose own setl_id we never learnt has none to tell.
      row.setlId.includes(' ') ? '' : row.setlId,
      row.mdtrtId,
      // psn_no stays sealed in our books; setl_id is what joins.
      '',
      formatYuan(row.total),
      formatYuan(row.fund),
      formatYuan(row.account),
      row.isReversal ? '1' : '0',
    ]
      .map((cell) => (cell === '' ? 'null' : cell))
      .join('\t'),
  );
  return writeZip([{ name: `${name}.txt`, data: Buffer.from(lines.join('\n')) }]);
}
