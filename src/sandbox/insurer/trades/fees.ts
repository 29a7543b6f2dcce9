// Law: 2204 (2301) takes a batch whole or not at all; each line is quantity × price and has its own number
// in the visit. 2205 (2302) takes back what no settlement holds.
import { compareDecimals, type Fen, formatYuan, lineAmount } from '../../../money.ts';
import type { Line, Visit } from '../books.ts';
import { termsOf } from '../catalogue.ts';
import type { LineRecord } from '../events.ts';
import {
  amountOf,
  decimalOf,
  type Node,
  need,
  nodeOf,
  nodesOf,
  textOf,
  warnAbout,
} from '../fields.ts';
import { lineAnswerOf } from '../line-answer.ts';
import { Refusal, refusals } from '../refusals.ts';
import { type ApprovalFlag, splitLine } from '../split.ts';
import {
  openVisitOf,
  type Trade,
  type TradeAnswer,
  type TradeCall,
  type VisitKind,
} from './trade.ts';

const starred = [
  'feedetl_sn',
  'mdtrt_id',
  'psn_no',
  'chrg_bchno',
  'fee_ocur_time',
  'med_list_codg',
  'det_item_fee_sumamt',
  'cnt',
  'pric',
] as const;
const clinical = [
  'medins_list_codg',
  'bilg_dept_codg',
  'bilg_dept_name',
  'bilg_dr_codg',
  'bilg_dr_name',
  'hosp_appr_flag',
] as const;

/** Rows of another rounding are accepted up to one fen (nhsa.md §2.7). */
const ROUNDING_FEN: Fen = 1n;

/** 2204 → result[]: how each line is split. */
export const uploadFees: Trade = (call) => upload(call, 'outpatient');

/** 2301: the same for a patient in hospital. */
export const uploadStayFees: Trade = (call) => upload(call, 'stay');

function upload(call: TradeCall, kind: VisitKind): TradeAnswer {
  const rows = nodesOf(call.envelope.input, 'feedetail');
  if (rows.length === 0) throw new Refusal(refusals.feeListEmpty);
  for (const row of rows) need(row, starred);
  const visit = openVisitOf(call, rows[0]!, kind);
  if (visit.dischargedAt !== null) throw new Refusal(refusals.feesAfterDischarge);
  if (rows.some((row) => textOf(row, 'mdtrt_id') !== visit.mdtrtId)) {
    throw new Refusal(refusals.feesOfTwoVisits);
  }
  if (rows.some((row) => textOf(row, 'psn_no') !== visit.psnNo)) {
    throw new Refusal(refusals.nothingFound);
  }
  refuseTakenBatches(visit, rows);
  refuseTakenNumbers(visit, rows);
  const lines = rows.map((row) => readLine(call, row));
  call.books.record({ type: 'feesUploaded', mdtrtId: visit.mdtrtId, lines });
  const warnings = rows.map((row) => warnAbout(row, clinical));
  return {
    output: { result: lines.map(lineAnswerOf) },
    warning: warnings.find((text) => text !== null) ?? null,
  };
}

function refuseTakenBatches(visit: Visit, rows: readonly Node[]): void {
  const uploaded = new Set([...visit.lines.values()].map(({ batch }) => batch));
  const diseases = new Map<string, string>();
  for (const row of rows) {
    const batch = textOf(row, 'chrg_bchno');
    if (uploaded.has(batch)) throw new Refusal(refusals.feeBatchTaken(batch));
    const disease = textOf(row, 'dise_codg');
    if ((diseases.get(batch) ?? disease) !== disease) {
      throw new Refusal(refusals.feeBatchDiseases(batch));
    }
    diseases.set(batch, disease);
  }
}

function refuseTakenNumbers(visit: Visit, rows: readonly Node[]): void {
  const numbers = new Set(visit.lines.keys());
  for (const row of rows) {
    const sn = textOf(row, 'feedetl_sn');
    if (numbers.has(sn)) throw new Refusal(refusals.feeNumberTaken(sn));
    numbers.add(sn);
  }
}

function readLine(call: TradeCall, row: Node): LineRecord {
  const sn = textOf(row, 'feedetl_sn');
  const amount = amountOf(row, 'det_item_fee_sumamt');
  const quantity = decimalOf(row, 'cnt', 4);
  const unitPrice = decimalOf(row, 'pric', 6);
  const difference = lineAmount(quantity, unitPrice) - amount;
  if (
    compareDecimals(quantity, '0') === 0 ||
    difference > ROUNDING_FEN ||
    -difference > ROUNDING_FEN
  ) {
    throw new Refusal(refusals.feeAmountWrong(sn));
  }
  const code = textOf(row, 'med_list_codg');
  const terms = termsOf(code, call.books.catalogue);
  const parts = splitLine({ amount, quantity, unitPrice, approval: approvalOf(row) }, terms);
  return {
    sn,
    batch: textOf(row, 'chrg_bchno'),
    code,
    ...terms,
    quantity,
    unitPrice,
    amount: formatYuan(amount),
    fullyOwn: formatYuan(parts.fullyOwn),
    overLimit: formatYuan(parts.overLimit),
    firstOwn: formatYuan(parts.firstOwn),
    inScope: formatYuan(parts.inScope),
  };
}

function approvalOf(row: Node): ApprovalFlag {
  const flag = textOf(row, 'hosp_appr_flag');
  if (flag === '') return '0';
  if (flag === '0' || flag === '1' || flag === '2') return flag;
  throw new Refusal(refusals.malformed('hosp_appr_flag不在字典范围内'));
}

/** 2205: chrg_bchno "0000" means all unsettled lines of the visit. */
export const cancelFees: Trade = (call) => {
  const node = nodeOf(call.envelope.input, 'data');
  need(node, ['mdtrt_id', 'chrg_bchno', 'psn_no']);
  const visit = openVisitOf(call, node);
  const batch = textOf(node, 'chrg_bchno');
  const isMeant = (line: Line) => batch === '0000' || line.batch === batch;
  const meant = [...visit.lines.values()].filter(isMeant);
  const unsettled = meant.filter(({ settledBy }) => settledBy === null);
  if (unsettled.length === 0) {
    const isSettled = batch !== '0000' && meant.length > 0;
    throw new Refusal(isSettled ? refusals.feesSettled : refusals.nothingFound);
  }
  const lineNumbers = unsettled.map(({ sn }) => sn);
  call.books.record({ type: 'feesCancelled', mdtrtId: visit.mdtrtId, lineNumbers });
  return { output: null };
};

/** 2302 data[]: feedetl_sn "0000" means all unsettled lines of the stay. */
export const cancelStayFees: Trade = (call) => {
  const rows = nodesOf(call.envelope.input, 'data');
  if (rows.length === 0) throw new Refusal(refusals.fieldEmpty('data'));
  for (const row of rows) need(row, ['feedetl_sn', 'mdtrt_id', 'psn_no']);
  const visit = openVisitOf(call, rows[0]!, 'stay');
  const named = new Set(rows.map((row) => textOf(row, 'feedetl_sn')));
  const meant = [...visit.lines.values()].filter(({ sn }) => named.has('0000') || named.has(sn));
  const unsettled = meant.filter(({ settledBy }) => settledBy === null);
  if (unsettled.length === 0) {
    const isSettled = !named.has('0000') && meant.length > 0;
    throw new Refusal(isSettled ? refusals.feesSettled : refusals.nothingFound);
  }
  const lineNumbers = unsettled.map(({ sn }) => sn);
  call.books.record({ type: 'feesCancelled', mdtrtId: visit.mdtrtId, lineNumbers });
  return { output: null };
};
