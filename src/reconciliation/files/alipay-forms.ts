// Role: the two tables that Alipay writes, by header name (files.md): what a row means and which totals follow.
import type { Fen } from '../../money.ts';
import type { StatementRow } from '../statement.ts';
import type { BillRow, Sums } from './bill.ts';
import { dayOfTime } from './cells.ts';

export interface Form {
  needed: readonly string[];
  evidence: readonly string[];
  row(row: BillRow): Omit<StatementRow, 'rowNumber' | 'detail'>;
  /** Groups of kinds that a total line speaks of. */
  total: RegExp;
  kindsOf(word: string, sums: Sums): { count: number; amount: Fen };
}

const trade: Form = {
  needed: [
    '支付宝交易号',
    '商户订单号',
    '业务类型',
    '创建时间',
    '完成时间',
    '订单金额(元)',
    '商家实收(元)',
    '退款批次号/请求号',
    '服务费(元)',
  ],
  evidence: [
    '支付宝交易号',
    '商户订单号',
    '业务类型',
    '创建时间',
    '完成时间',
    '订单金额(元)',
    '商家实收(元)',
    '退款批次号/请求号',
    '服务费(元)',
    '门店编号',
  ],
  row: tradeRow,
  total: /(交易|退款)合计[:：]\s*(\d+)\s*笔[，,]\s*商家实收(?:退款)?共\s*(-?[\d.]+)\s*元/,
  kindsOf: (word, sums) => sums.groups[word === '交易' ? 'payment' : 'refund'] ?? nothing,
};

const signcustomer: Form = {
  needed: [
    '账务流水号',
    '业务流水号',
    '商户订单号',
    '发生时间',
    '收入金额(+元)',
    '支出金额(-元)',
    '账户余额(元)',
    '业务类型',
  ],
  evidence: [
    '账务流水号',
    '业务流水号',
    '商户订单号',
    '发生时间',
    '收入金额(+元)',
    '支出金额(-元)',
    '账户余额(元)',
    '交易渠道',
    '业务类型',
  ],
  row: accountRow,
  total: /(收入|支出)合计[:：]\s*(\d+)\s*笔[，,]\s*共\s*(-?[\d.]+)\s*元/,
  kindsOf: (word, sums) => sums.groups[word === '收入' ? 'in' : 'out'] ?? nothing,
};

export const forms = { trade, signcustomer } as const;
const nothing = { count: 0, amount: 0n };

function tradeRow(row: BillRow): Omit<StatementRow, 'rowNumber' | 'detail'> {
  const isRefund = row.needed('业务类型').includes('退款');
  const amount = size(row.amount('订单金额(元)'));
  const fee = size(row.amount('服务费(元)'));
  const time = row.text('完成时间') === '' ? '创建时间' : '完成时间';
  return {
    kind: isRefund ? 'refund' : 'payment',
    key: isRefund ? row.needed('退款批次号/请求号') : row.needed('商户订单号'),
    key2: row.needed('支付宝交易号'),
    amount: isRefund ? -amount : amount,
    fee: isRefund ? -fee : fee,
    occurredOn: dayOfTime(row.needed(time), row.line, time),
  };
}

function accountRow(row: BillRow): Omit<StatementRow, 'rowNumber' | 'detail'> {
  return {
    kind: accountKind(row.needed('业务类型')),
    key: row.text('商户订单号'),
    key2: row.needed('业务流水号'),
    amount: row.amount('收入金额(+元)') - size(row.amount('支出金额(-元)')),
    fee: 0n,
    occurredOn: dayOfTime(row.needed('发生时间'), row.line, '发生时间'),
  };
}

function accountKind(type: string): string {
  if (/退款/.test(type)) return 'refund';
  if (/收费|服务费|手续费/.test(type)) return 'fee';
  return /支付|付款|交易/.test(type) ? 'payment' : 'other';
}

const size = (amount: Fen): Fen => (amount < 0n ? -amount : amount);
