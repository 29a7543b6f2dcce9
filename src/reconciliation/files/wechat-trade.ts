// Role: WeChat Pay's trade bill (ALL, SUCCESS, REFUND), by header name (files.md). A refund stands on the day
// it was asked for and is not updated later.
import { type Fen, formatYuan } from '../../money.ts';
import type { StatementRow, StatementTotals } from '../statement.ts';
import { BillRow, billColumns, checkTotal, cutBill, numberOf, Sums } from './bill.ts';
import { badValue, type Columns, dayOfTime } from './cells.ts';

const needed = [
  '交易时间',
  '商户号',
  '微信订单号',
  '商户订单号',
  '交易状态',
  '货币种类',
  '应结订单金额',
  '手续费',
  '订单金额',
];
const ofRefunds = ['退款申请时间', '退款成功时间', '微信退款单号', '商户退款单号', '退款金额'];
const optional = [...ofRefunds, '充值券退款金额', '申请退款金额', '代金券金额', '退款状态', '费率'];
/** Columns with a total in the summary; fees have five decimals and are summed apart. */
const summed = {
  应结订单总金额: '应结订单金额',
  退款总金额: '退款金额',
  充值券退款总金额: '充值券退款金额',
  订单总金额: '订单金额',
  申请退款总金额: '申请退款金额',
} as const;
const evidence = [...needed, ...optional].filter((column) => column !== '代金券金额');

/** 100,000ths of a yuan, as fees are written. */
const FEE = /^(-?)(\d{1,10})(?:\.(\d{1,5}))?$/;

export class WechatTrade {
  readonly sums = new Sums();
  readonly merchants = new Set<string>();
  readonly #columns: Columns<string>;
  readonly #businessDate: string;
  readonly #found = new Map<string, Fen>();
  #fees = 0n;

  constructor(header: readonly string[], line: number, businessDate: string) {
    this.#columns = billColumns(header, needed, optional, line);
    this.#businessDate = businessDate;
  }

  row(cells: readonly string[], line: number): StatementRow {
    const row = new BillRow(cells, this.#columns, line);
    this.#addUp(row);
    const isPayment = row.needed('交易状态') === 'SUCCESS';
    const read = {
      rowNumber: line,
      ...(isPayment ? paymentOf(row) : refundOf(row)),
      fee: feeInFen(this.#fee(row)),
      occurredOn: this.#day(row, isPayment),
      detail: row.detail(evidence),
    };
    this.sums.add(read);
    return read;
  }

  /** Checks the bill's own totals, by the names in their header. */
  end(header: readonly string[], cells: readonly string[], line: number): StatementTotals {
    const names = ['总交易单数', '应结订单总金额', '手续费总金额', '订单总金额'];
    const columns = billColumns(header, names, Object.keys(summed), line - 1);
    if (cells.length < header.length) throw cutBill(line);
    const said = new BillRow(cells, columns, line);
    checkTotal('总交易单数', numberOf(said, '总交易单数'), this.sums.count, line);
    for (const [total, column] of Object.entries(summed)) {
      if (said.has(total)) {
        checkTotal(total, said.amount(total), this.#found.get(column) ?? 0n, line);
      }
    }
    checkTotal('手续费总金额', feeOf(said, '手续费总金额'), this.#fees, line, feeText);
    return this.sums.totals();
  }

  #addUp(row: BillRow): void {
    for (const column of Object.values(summed)) {
      this.#found.set(column, (this.#found.get(column) ?? 0n) + row.amount(column));
    }
    this.merchants.add(row.needed('商户号'));
    const currency = row.needed('货币种类');
    if (currency !== 'CNY') throw badValue(row.line, '货币种类', `${currency} 不是 CNY not CNY`);
  }

  #fee(row: BillRow): bigint {
    const fee = feeOf(row, '手续费');
    this.#fees += fee;
    return fee;
  }

  #day(row: BillRow, isPayment: boolean): string {
    const asked = row.text('退款申请时间');
    // ALL tells of a refund only the day it stands on, which is the bill's.
    if (!isPayment && asked === '') return this.#businessDate;
    const column = isPayment ? '交易时间' : '退款申请时间';
    const day = dayOfTime(isPayment ? row.needed(column) : asked, row.line, column);
    if (day === this.#businessDate) return day;
    throw badValue(row.line, column, `应为 ${this.#businessDate} another day than the bill is for`);
  }
}

type Keys = Pick<StatementRow, 'kind' | 'key' | 'key2' | 'amount'>;

function paymentOf(row: BillRow): Keys {
  return {
    kind: 'payment',
    key: row.needed('商户订单号'),
    key2: row.needed('微信订单号'),
    amount: row.amount('订单金额'),
  };
}

/** REFUND, and REVOKED, which may have no refund number. */
function refundOf(row: BillRow): Keys {
  const number = row.text('商户退款单号');
  const amount = row.has('申请退款金额') ? row.amount('申请退款金额') : row.amount('退款金额');
  if (amount < 0n) throw badValue(row.line, '申请退款金额', `${formatYuan(amount)} < 0`);
  return {
    kind: 'refund',
    key: number === '' || number === '0' ? row.needed('商户订单号') : number,
    key2: row.needed('微信订单号'),
    amount: -amount,
  };
}

function feeOf(row: BillRow, column: string): bigint {
  const text = row.text(column);
  if (text === '') return 0n;
  const [, sign, yuan, rest = ''] = FEE.exec(text) ?? [];
  if (yuan === undefined) throw badValue(row.line, column, '手续费至多五位小数 not a fee');
  const fee = BigInt(yuan + rest.padEnd(5, '0'));
  return sign ? -fee : fee;
}

/** With five decimals, as it is written. */
function feeText(fee: bigint | number): string {
  const digits = String(fee).replace('-', '').padStart(6, '0');
  return `${fee < 0 ? '-' : ''}${digits.slice(0, -5)}.${digits.slice(-5)}`;
}

/** Half-up to the fen, away from zero on both sides. */
function feeInFen(fee: bigint): Fen {
  return fee < 0n ? -((-fee + 500n) / 1000n) : (fee + 500n) / 1000n;
}
