// Law: 2207 (2304) settles each uploaded line once; a repeated message (same msgid too) is refused as
// already settled and never paid twice. 2206 (2303) answers the same split and changes nothing.
import { type Fen, fenFromWire, formatYuan } from '../../../money.ts';
import { toYuanRecord } from '../books.ts';
import type { SettlementRecord } from '../events.ts';
import { type Node, nodeOf, textOf } from '../fields.ts';
import { Refusal, refusals } from '../refusals.ts';
import { setldetailOf, setlinfoOf } from '../setlinfo.ts';
import { shanghaiDigits, shanghaiText } from '../shanghai-time.ts';
import type { BillSplit } from '../split.ts';
import { type Quote, quote } from './quote.ts';
import type { Trade, TradeAnswer, TradeCall, VisitKind } from './trade.ts';

/** 2206 → setlinfo without setl_id and setl_time, setldetail. */
export const previewSettlement: Trade = (call) => preview(call, 'outpatient');

/** 2303: the same of a stay. */
export const previewStay: Trade = (call) => preview(call, 'stay');

/** 2207 → setlinfo, setldetail. */
export const settle: Trade = (call) => close(call, 'outpatient');

/** 2304: the same of a stay; mid_setl_flag 1 leaves the patient in hospital. */
export const settleStay: Trade = (call) => close(call, 'stay');

function preview(call: TradeCall, kind: VisitKind): TradeAnswer {
  const bill = quote(call, nodeOf(call.envelope.input, 'data'), kind);
  return answerOf(call, bill, null, null);
}

function close(call: TradeCall, kind: VisitKind): TradeAnswer {
  const { books, envelope } = call;
  if (books.settlementsByMsgid.has(envelope.msgid)) throw new Refusal(refusals.alreadySettled);
  const node = nodeOf(envelope.input, 'data');
  const bill = quote(call, node, kind);
  refuseOtherPreview(node, bill.split);
  const serial = books.nextSerial();
  const settlement = settlementOf(call, bill, newSettlementId(bill, call.nowMs, serial), node);
  books.record({ type: 'settled', serial, settlement });
  return answerOf(call, bill, settlement.setlId, settlement.setlTime);
}

/** 2207 echoes the four scope sums of 2206; a client that echoes others previewed another bill. */
function refuseOtherPreview(node: Node, split: BillSplit): void {
  const echoes: Record<string, Fen> = {
    fulamt_ownpay_amt: split.fullyOwn,
    overlmt_selfpay: split.overLimit,
    preselfpay_amt: split.firstOwn,
    inscp_scp_amt: split.inScope,
  };
  for (const [field, expected] of Object.entries(echoes)) {
    if (textOf(node, field) !== '' && fenFromWire(node[field]) !== expected) {
      throw new Refusal(refusals.previewDiffers);
    }
  }
}

function settlementOf(call: TradeCall, bill: Quote, setlId: string, node: Node): SettlementRecord {
  return {
    setlId,
    msgid: call.envelope.msgid,
    mdtrtId: bill.visit.mdtrtId,
    psnNo: bill.person.psnNo,
    hospitalCode: bill.visit.hospitalCode,
    setlTime: shanghaiText(call.nowMs),
    insutype: bill.visit.insutype,
    medType: bill.medType,
    clrType: bill.clrType,
    clrOptins: bill.clrOptins,
    ratio: bill.terms.ratio,
    invoiceNumber: textOf(node, 'invono') || null,
    certType: bill.certType,
    split: toYuanRecord({ ...bill.split }),
    draws: bill.draws.map(({ idNumber, amount }) => ({ idNumber, amount: formatYuan(amount) })),
    lineNumbers: bill.lines.map(({ sn }) => sn),
    ...(textOf(node, 'mid_setl_flag') === '1' ? { isInterim: true } : {}),
  };
}

/** 30 digits, never to be read as a number: region, second, serial. */
export function newSettlementId(bill: Pick<Quote, 'visit'>, nowMs: number, serial: number): string {
  const region = bill.visit.treatRegion.slice(0, 6).padEnd(6, '0');
  return `${region}${shanghaiDigits(nowMs).slice(0, 14)}${String(serial).padStart(10, '0')}`;
}

function answerOf(
  call: TradeCall,
  bill: Quote,
  setlId: string | null,
  setlTime: string | null,
): TradeAnswer {
  const split = toYuanRecord({ ...bill.split });
  const setlinfo = setlinfoOf({
    visit: bill.visit,
    person: bill.person,
    split,
    setlId,
    setlTime,
    msgid: call.envelope.msgid,
    certType: bill.certType,
    medType: bill.medType,
    ratio: bill.terms.ratio,
    clrType: bill.clrType,
    clrOptins: setlId === null ? null : bill.clrOptins,
    balance: split.balanceAfter,
    today: shanghaiText(call.nowMs).slice(0, 10),
  });
  const setldetail = setldetailOf(split, bill.visit.insutype);
  return { output: { setlinfo, setldetail, expContent: null } };
}
