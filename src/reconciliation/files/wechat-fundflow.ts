// Role: WeChat Pay's fund-flow bill: what really moved on the merchant's account (files.md).
import type { Fen } from '../../money.ts';
import type { StatementRow, StatementTotals } from '../statement.ts';
import { BillRow, billColumns, checkTotal, cutBill, numberOf, Sums } from './bill.ts';
import { badValue, type Columns, dayOfTime } from './cells.ts';

const needed = [
  '记账时间',
  '微信支付业务单号',
  '资金流水单号',
  '业务名称',
  '业务类型',
  '收支类型',
  '收支金额(元)',
  '账户结余(元)',
  '业务凭证号',
];
const optional = ['备注'];

export class WechatFundflow {
  readonly sums = new Sums();
  readonly merchants = new Set<string>();
  readonly #columns: Columns<string>;
  readonly #businessDate: string;
  readonly #ways = { 收入: { count: 0, amount: 0n }, 支出: { count: 0, amount: 0n } };

  constructor(header: readonly string[], line: number, businessDate: string) {
    this.#columns = billColumns(header, needed, optional, line);
    this.#businessDate = businessDate;
  }

  row(cells: readonly string[], line: number): StatementRow {
    const row = new BillRow(cells, this.#columns, line);
    const day = dayOfTime(row.needed('记账时间'), line, '记账时间');
    if (day !== this.#businessDate) {
      throw badValue(
        line,
        '记账时间',
        `应为 ${this.#businessDate} another day than the bill is for`,
      );
    }
    const read = {
      rowNumber: line,
      kind: kindOf(row),
      // Transfers of the account itself have no merchant's number.
      key: row.text('业务凭证号'),
      key2: row.needed('微信支付业务单号'),
      amount: this.#signed(row),
      fee: 0n,
      occurredOn: day,
      detail: row.detail([...needed, ...optional]),
    };
    this.sums.add(read);
    return read;
  }

  end(header: readonly string[], cells: readonly string[], line: number): StatementTotals {
    const names = ['资金流水总笔数', '收入笔数', '收入金额', '支出笔数', '支出金额'];
    const columns = billColumns(header, names, [], line - 1);
    if (cells.length < header.length) throw cutBill(line);
    const said = new BillRow(cells, columns, line);
    checkTotal('资金流水总笔数', numberOf(said, '资金流水总笔数'), this.sums.count, line);
    for (const way of ['收入', '支出'] as const) {
      checkTotal(`${way}笔数`, numberOf(said, `${way}笔数`), this.#ways[way].count, line);
      checkTotal(`${way}金额`, said.amount(`${way}金额`), this.#ways[way].amount, line);
    }
    return this.sums.totals();
  }

  #signed(row: BillRow): Fen {
    const way = row.needed('收支类型');
    if (way !== '收入' && way !== '支出') throw badValue(row.line, '收支类型', '应为收入或支出');
    const amount = row.amount('收支金额(元)');
    this.#ways[way].count += 1;
    this.#ways[way].amount += amount;
    return way === '收入' ? amount : -amount;
  }
}

function kindOf(row: BillRow): string {
  const type = row.needed('业务类型');
  if (type.includes('手续费')) return 'fee';
  if (type.includes('退款')) return 'refund';
  return type.includes('交易') ? 'payment' : 'other';
}
