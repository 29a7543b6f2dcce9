// Law: parts of a line always sum to the line: a refund of q gives back what was left of it
// − half-up(amount × quantity left after ÷ quantity), and never more than is left.
import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import { compareDecimals, type Fen, refundOfLine, subtractDecimals, sumFen } from '../money.ts';
import type { RefundRequest } from './schemas.ts';

/** A line of the bill and what earlier refunds left of it. */
export interface LineLeft {
  lineNumber: number;
  /** Decimal strings. */
  quantity: string;
  leftQuantity: string;
  amount: Fen;
  leftAmount: Fen;
}

/** What a refund takes off one line and leaves of it. Amounts in fen as text, to be sealed as JSON. */
export interface RefundedLine {
  lineNumber: number;
  quantity: string;
  amount: string;
  leftQuantity: string;
  leftAmount: string;
}

/** The lines of a settlement with what is left of them. */
export async function linesLeft(
  tx: Tx,
  visitId: string,
  settlementId: string,
): Promise<LineLeft[]> {
  return rows<LineLeft>(
    tx,
    sql`
    select c.line_number as "lineNumber", trim_scale(c.quantity) as quantity,
      trim_scale(c.quantity - c.refunded_quantity) as "leftQuantity",
      c.amount, c.amount - c.refunded_amount as "leftAmount"
    from charge c join charge_batch b on b.visit_id = c.visit_id and b.batch = c.batch
    where c.visit_id = ${visitId} and b.settlement_id = ${settlementId} order by c.line_number`,
  );
}

/**
 * Decides what a refund takes off which line. Pure. Refuses with refund/line-unknown and
 * refund/exceeds-leg (more than is left of a line, or nothing is left at all).
 */
export function decideRefund(lines: readonly LineLeft[], request: RefundRequest): RefundedLine[] {
  const hasLeft = (line: LineLeft) => compareDecimals(line.leftQuantity, '0') > 0;
  if ('all' in request) {
    const left = lines.filter(hasLeft);
    if (left.length === 0)
      throw new Refusal('refund/exceeds-leg', { detail: '已全部退费 nothing is left' });
    return left.map((line) => takeOff(line, line.leftQuantity));
  }
  return request.lines.map((wanted, index) => {
    const pointer = `/lines/${index}`;
    const line = lines.find((candidate) => candidate.lineNumber === wanted.lineNumber);
    if (!line) {
      throw new Refusal('refund/line-unknown', { errors: [{ pointer, detail: 'no such line' }] });
    }
    const quantity = wanted.quantity ?? line.leftQuantity;
    if (!hasLeft(line) || compareDecimals(quantity, line.leftQuantity) > 0) {
      const detail = `${line.leftQuantity} is left of the line`;
      throw new Refusal('refund/exceeds-leg', { errors: [{ pointer, detail }] });
    }
    return takeOff(line, quantity);
  });
}

function takeOff(line: LineLeft, quantity: string): RefundedLine {
  const amount = refundOfLine({ ...line, refundQuantity: quantity });
  return {
    lineNumber: line.lineNumber,
    quantity,
    amount: amount.toString(),
    leftQuantity: subtractDecimals(line.leftQuantity, quantity),
    leftAmount: (line.leftAmount - amount).toString(),
  };
}

/** Charges taken off the bill, in fen. */
export function refundTotal(lines: readonly RefundedLine[]): Fen {
  return sumFen(lines.map((line) => BigInt(line.amount)));
}

/** Moves the counters of the refunded lines; the CHECKs keep them within their line. */
export async function markRefunded(tx: Tx, visitId: string, lines: readonly RefundedLine[]) {
  await rows(
    tx,
    sql`
    update charge c set refunded_quantity = c.refunded_quantity + l.quantity,
      refunded_amount = c.refunded_amount + l.amount
    from jsonb_to_recordset(${JSON.stringify(lines)}::jsonb)
      as l("lineNumber" int, quantity numeric, amount bigint)
    where c.visit_id = ${visitId} and c.line_number = l."lineNumber"`,
  );
}
