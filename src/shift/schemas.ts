// What a terminal says and hears of its shifts, on the wire.
import { z } from 'zod';
import {
  businessDateReply,
  idOf,
  shortText,
  timeReply,
  yuanReply,
  yuanText,
} from '../http/schemas.ts';
import { type Fen, formatYuan } from '../money.ts';
import type { ShiftRow } from './shift-store.ts';
import { unpaidAtShiftEnd } from './unpaid-policy.ts';

export const shiftParams = z.object({ shiftId: idOf('counterShift') });

export const openBody = z.strictObject({
  shift: shortText(30).meta({ example: '早班' }),
  operator: z.strictObject({ id: shortText(30), name: shortText(50) }).optional(),
  openingFloat: yuanText,
});

export const closeBody = z.strictObject({ counted: yuanText });

export const shiftReply = z.object({
  id: idOf('counterShift'),
  shift: z.string(),
  status: z.enum(['open', 'closed']),
  operator: z.object({ id: z.string(), name: z.string() }).optional(),
  businessDate: businessDateReply,
  openingFloat: yuanReply,
  expected: yuanReply.meta({ description: '应有现金 opening float, cash taken, vouchers paid' }),
  openedAt: timeReply,
  closedAt: timeReply.nullable(),
});

export const closedReply = shiftReply.extend({
  counted: yuanReply,
  difference: yuanReply.meta({ description: 'counted less expected' }),
  unpaid: z.array(
    z.object({
      settlementId: idOf('settlement'),
      amount: yuanReply,
      becomes: z
        .enum(unpaidAtShiftEnd)
        .meta({ description: 'arrears stay collectable; undo refunds the settlement whole' }),
    }),
  ),
});

type Closed = z.output<typeof closedReply>;

/** `expected` in fen; the operator's name is opened for the terminal that gave it. */
export function shiftView(
  row: ShiftRow,
  expected: Fen,
  openOperator: (sealed: Buffer) => string,
): z.output<typeof shiftReply> {
  return {
    id: row.id,
    shift: row.shift,
    status: row.closedAt ? 'closed' : 'open',
    ...(row.operator ? { operator: JSON.parse(openOperator(row.operator)) } : {}),
    businessDate: row.businessDate,
    openingFloat: formatYuan(row.openingFloat),
    expected: formatYuan(expected),
    openedAt: row.openedAt.toISOString(),
    closedAt: row.closedAt?.toISOString() ?? null,
  };
}

/** A closed shift: counted, and what it holds more or less than expected. */
export function closedView(row: ShiftRow, openOperator: (sealed: Buffer) => string): Closed {
  const expected = row.expected ?? 0n;
  const counted = row.counted ?? 0n;
  return {
    ...shiftView(row, expected, openOperator),
    counted: formatYuan(counted),
    difference: formatYuan(counted - expected),
    unpaid: row.unpaid as Closed['unpaid'],
  };
}
