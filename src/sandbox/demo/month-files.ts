// Role: what the counterparties wrote down of a day: the truth, and the mistakes that the plan put into it. Beside
// each mistake stands the break that must be found.
import { formatYuan, percentOf } from '../../money.ts';
import type { BreakKind } from '../../reconciliation/break-catalogue.ts';
import { hospitalColumns } from '../../reconciliation/files/hospital.ts';
import type { StatementRow } from '../../reconciliation/statement.ts';
import type { MonthBill } from './month-plan.ts';

/** A break that must be found, and nothing else. */
export interface Expected {
  counterparty: 'hospital' | 'wechatPay' | 'insurer';
  scope: string;
  subject: string;
  kind: BreakKind;
}

type HisRow = Partial<Record<(typeof hospitalColumns)[number], string>>;

/** A hospital's day file; `late` are the bills of the evening before that it writes today. */
export function hospitalFile(
  hospitalCode: string,
  day: string,
  bills: readonly MonthBill[],
  late: readonly MonthBill[],
): { csv: string; expected: Expected[] } {
  const expected: Expected[] = [];
  const lines = [hospitalColumns.join(',')];
  const write = (row: HisRow) => {
    const whole: HisRow = { businessDate: day, fixmedinsCode: hospitalCode, shift: 'A', ...row };
    lines.push(hospitalColumns.map((name) => whole[name] ?? '').join(','));
  };
  const expect = (kind: BreakKind, ...keys: string[]) => {
    for (const key of keys) {
      expected.push({
        ...{ counterparty: 'hospital', scope: hospitalCode, subject: `${day} ${key}`, kind },
      });
    }
  };
  for (const bill of late) for (const row of rowsOf(bill)) write(row);
  for (const bill of bills) writeBill(bill, write, expect);
  return { csv: `${lines.join('\r\n')}\r\n`, expected };
}

function rowsOf(bill: MonthBill): HisRow[] {
  return bill.tenders.map((tender) => ({
    receiptNumber: bill.receipt ?? '',
    visitNumber: bill.visitNumber,
    settlementId: bill.settlementId,
    setlId: bill.claim?.setlId ?? '',
    kind: tender.kind,
    amount: formatYuan(tender.amount),
    occurredAt: bill.at.toISOString(),
    operator: 'W01',
  }));
}

/** The mistakes of files, one kind each; what is no hospital's mistake is written as it was. */
function writeBill(
  bill: MonthBill,
  write: (row: HisRow) => void,
  expect: (kind: BreakKind, ...keys: string[]) => void,
): void {
  const rows = rowsOf(bill);
  const receipt = bill.receipt ?? '';
  const { mischief } = bill;
  const writeAll = (change: HisRow = {}) => {
    for (const row of rows) write({ ...row, ...change });
  };
  switch (mischief) {
    case 'missingAtHospital':
    case 'lateCapture':
    case 'dateCutoff':
      expect(mischief, receipt);
      return;
    case 'missingAtPlatform':
      writeAll();
      writeAll({
        receiptNumber: `${receipt}X`,
        visitNumber: `${bill.visitNumber}X`,
        settlementId: '',
      });
      expect(mischief, `${receipt}X`);
      return;
    case 'amountOver':
    case 'amountUnder': {
      const off = mischief === 'amountOver' ? 100n : -100n;
      writeAll({ amount: formatYuan(bill.total + off) });
      expect(mischief, receipt);
      return;
    }
    case 'splitMismatch':
      for (const row of rows) write({ ...row, kind: row.kind === 'cash' ? 'wechatPay' : 'cash' });
      expect(mischief, receipt);
      return;
    case 'statusMismatch':
      writeAll();
      writeAll({
        receiptNumber: `${receipt}T`,
        refundOf: receipt,
        amount: `-${formatYuan(bill.total)}`,
      });
      expect(mischief, receipt);
      return;
    case 'orphanRefund':
      writeAll();
      write({
        ...{ receiptNumber: `${receipt}T`, refundOf: `${receipt}Q`, kind: 'cash' },
        ...{ amount: `-${formatYuan(bill.total)}`, occurredAt: bill.at.toISOString() },
      });
      expect(mischief, `${receipt}Q`);
      return;
    case 'duplicateExternal':
      writeAll();
      writeAll({ occurredAt: new Date(bill.at.getTime() + 5_000).toISOString() });
      expect(mischief, receipt);
      return;
    case 'duplicateInternal':
      if (bill.isSecond) expect(mischief, receipt);
      else writeAll();
      return;
    case 'dataMismatch':
      writeAll({ visitNumber: `${bill.visitNumber}9` });
      expect(mischief, receipt);
      return;
    case 'ambiguous': {
      const numbers = [`${bill.visitNumber}-1`, `${bill.visitNumber}-2`];
      for (const receiptNumber of numbers) writeAll({ receiptNumber, settlementId: '' });
      expect(mischief, bill.settlementId, ...numbers);
      return;
    }
    case 'conversionPending':
      writeAll({ kind: 'insuranceFund' });
      expect(mischief, receipt);
      return;
    default:
      writeAll();
  }
}

/** What every reader of statements yields, here made by hand. */
type Rows = { rows: StatementRow[]; expected: Expected[] };

/** The rate that the city's hospitals have agreed on with the channel, in percent. */
const RATE = '0.60';

/** WeChat Pay's bill of a hospital's merchant. */
export function wechatRows(scope: string, day: string, bills: readonly MonthBill[]): Rows {
  const found: Rows = { rows: [], expected: [] };
  for (const { tenders, mischief } of bills) {
    for (const { kind, amount, reference = '' } of tenders) {
      if (kind !== 'wechatPay') continue;
      const isMistaken = mischief === 'fee' || mischief === 'missingAtBank';
      if (isMistaken) {
        const subject = `${day} ${reference}`;
        found.expected.push({ counterparty: 'wechatPay', scope, subject, kind: mischief });
      }
      if (mischief === 'missingAtBank') continue;
      found.rows.push({
        ...{
          rowNumber: found.rows.length + 2,
          kind: 'payment',
          key: reference,
          key2: null,
          amount,
        },
        fee: percentOf(amount, RATE) + (mischief === 'fee' ? 1n : 0n),
        occurredOn: day,
        detail: { 商户订单号: reference, 费率: `${RATE}%` },
      });
    }
  }
  return found;
}

/** The insurer's rows of a hospital's day. */
export function insurerRows(scope: string, day: string, bills: readonly MonthBill[]): Rows {
  const found: Rows = { rows: [], expected: [] };
  for (const { claim, mischief, total } of bills) {
    if (!claim) continue;
    if (mischief === 'missingAtInsurer') {
      const subject = `${day} ${claim.setlId}`;
      found.expected.push({ counterparty: 'insurer', scope, subject, kind: mischief });
      continue;
    }
    found.rows.push({
      ...{
        rowNumber: found.rows.length + 1,
        kind: 'settled',
        key: claim.setlId,
        key2: claim.msgid,
      },
      ...{ amount: total, fee: 0n, occurredOn: day },
      detail: {
        fund_pay_sumamt: formatYuan(claim.fund),
        acct_pay: formatYuan(claim.account),
      },
    });
  }
  return found;
}
