// The words of the wire: the few zod pieces that every feature's request and reply schemas are made
// of. Law: money is a yuan string with two decimals, and no text that PostgreSQL cannot hold gets in.
import { z } from 'zod';
import { problems } from '../errors.ts';
import { type IdKind, idPattern, idPrefixes } from '../ids.ts';
import { parseYuan } from '../money.ts';

const yuan = z.string().regex(/^(0|[1-9]\d{0,7})\.\d{2}$/, 'expects yuan with two decimals');
const moreThanNothing = z
  .string()
  .regex(/^(?!0\.00$)(0|[1-9]\d{0,7})\.\d{2}$/, 'expects more than 0.00 yuan, with two decimals');

/** Yuan in a request, 0.00 to 99999999.99; parsed to fen. */
export const yuanText = yuan
  .transform(parseYuan)
  .meta({ example: '12.30', description: '元 yuan' });

/** Yuan in a request, more than 0.00; parsed to fen. */
export const positiveYuan = moreThanNothing
  .transform(parseYuan)
  .meta({ example: '12.30', description: '元 yuan' });

/** Yuan in a reply; sums may be negative and longer than a single amount. */
export const yuanReply = z
  .string()
  .regex(/^-?(0|[1-9]\d{0,17})\.\d{2}$/)
  .meta({ example: '12.30', description: '元 yuan' });

/** Quantity of a charge line: more than 0, at most 4 decimals; stays a string. */
export const quantityText = z
  .string()
  .regex(
    /^(?!0(\.0+)?$)(0|[1-9]\d{0,7})(\.\d{1,4})?$/,
    'expects a positive decimal, 4 places at most',
  )
  .meta({ example: '2' });

/** Unit price in yuan: 0 or more, at most 6 decimals; stays a string. */
export const unitPriceText = z
  .string()
  .regex(/^(0|[1-9]\d{0,7})(\.\d{1,6})?$/, 'expects a decimal, 6 places at most')
  .meta({ example: '12.3000' });

/** An id of one kind, e.g. idOf('visit') takes "vis_01jd…". */
export function idOf(kind: IdKind) {
  return z
    .string()
    .regex(idPattern(kind), `expects an id ${idPrefixes[kind]}_…`)
    .meta({ example: `${idPrefixes[kind]}_01jd5z8m2cf0v9k3q7w4x6y8ab` });
}

/** Four-digit years that both JavaScript and PostgreSQL agree on, and that a visit can have. */
const sensibleYear = (text: string) => text >= '1900' && text < '2200';

/** RFC 3339 with offset in a request; parsed to a Date. */
export const timeText = z.iso
  .datetime({ offset: true, error: 'expects RFC 3339 with offset' })
  .refine(sensibleYear, 'expects a year from 1900 to 2199')
  .transform((text) => new Date(text))
  .meta({ example: '2026-11-22T08:30:00+08:00' });

/** RFC 3339 in a reply. */
export const timeReply = z.iso.datetime({ offset: true }).meta({ example: '2026-11-22T00:30:00Z' });

/** A business day, YYYY-MM-DD in Asia/Shanghai; stays a string. */
export const businessDateText = z.iso
  .date('expects YYYY-MM-DD')
  .refine(sensibleYear, 'expects a year from 1900 to 2199')
  .meta({ example: '2026-11-22' });

export const businessDateReply = z.iso.date().meta({ example: '2026-11-22' });

/** No control characters and no lone surrogates; a class without quantifier games, so linear. */
const PRINTABLE = /^[^\p{Cc}\p{Cs}]*$/u;

/** Trimmed text of 1 to `max` UTF-16 units that PostgreSQL can hold and a page can show. */
export function shortText(max: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(PRINTABLE, 'expects text without control characters');
}

/** The query of a list: {limit, cursor?}. Extend it with `.extend({…})`; see http/paging.ts. */
export const pageQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, 'expects 1 to 100')
    .default('20')
    .transform(Number)
    .meta({ example: '20', description: '1 to 100' }),
  cursor: z
    .string()
    .min(1)
    .max(1000)
    .optional()
    .meta({ description: 'nextCursor of the page before; opaque' }),
});

/** The reply of a list. */
export function listReply<S extends z.ZodType>(item: S) {
  return z.object({
    data: z.array(item),
    nextCursor: z.string().nullable().meta({ description: 'null on the last page' }),
  });
}

const problemCodes = Object.keys(problems) as [keyof typeof problems, ...(keyof typeof problems)[]];

/** RFC 9457; `code` is one of the closed catalogue at GET /problems. */
export const problemReply = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.enum(problemCodes),
    why: z.string().optional().meta({ description: '原因 why, of declines' }),
    next: z.string().optional().meta({ description: '下一步 what to do next' }),
    errors: z
      .array(z.object({ pointer: z.string(), detail: z.string() }))
      .optional()
      .meta({ description: 'what is wrong where, for invalid input' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem' });
