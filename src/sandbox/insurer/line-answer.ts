// Role: one row of 2204's result: a charge line as the catalogue split it, money as JSON numbers.
import { parseYuan } from '../../money.ts';
import type { ChargeClass } from './catalogue.ts';
import type { LineRecord } from './events.ts';
import { toWireNumber } from './wire-number.ts';

const levels: Record<ChargeClass, '01' | '02' | '03'> = { 甲: '01', 乙: '02', 丙: '03' };

/** What the platform writes where a code has no price ceiling. */
const NO_PRICE_LIMIT = 999_999;

export function lineAnswerOf(line: LineRecord) {
  const isOutside = line.fullyOwn === line.amount && line.amount !== '0.00';
  return {
    feedetl_sn: line.sn,
    det_item_fee_sumamt: number(line.amount),
    cnt: Number(line.quantity),
    pric: Number(line.unitPrice),
    pric_uplmt_amt: line.priceLimit === null ? NO_PRICE_LIMIT : Number(line.priceLimit),
    selfpay_prop: isOutside ? 1 : Number(line.selfPayRatio),
    fulamt_ownpay_amt: number(line.fullyOwn),
    overlmt_amt: number(line.overLimit),
    preselfpay_amt: number(line.firstOwn),
    inscp_scp_amt: number(line.inScope),
    chrgitm_lv: isOutside ? '03' : levels[line.cls],
    med_chrgitm_type: '14',
    lmt_used_flag: line.isLimitedUse ? '1' : '0',
    bas_medn_flag: null,
    memo: null,
  };
}

function number(yuan: string): number {
  return toWireNumber(parseYuan(yuan));
}
