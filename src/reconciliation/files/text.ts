// Law: text comes in its own encoding or not at all; a byte that is no character is refused, never replaced.
// What leaves here is UTF-8 in pieces that end between characters.
import { isUtf8 } from 'node:buffer';
import { FileRefusal } from '../statement.ts';

export type Encoding = 'utf-8' | 'gb18030';

const NEWLINE = 0x0a;

/** The same bytes, proven to be UTF-8. Throws file/wrong-encoding with the row. */
async function* provenUtf8(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  let row = 1;
  for await (const chunk of bytes) {
    const all = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const whole = all.subarray(0, lastBoundary(all));
    refuseZero(whole, row);
    if (!isUtf8(whole)) throw wrongEncoding('UTF-8', row + newlinesBefore(whole));
    rest = Buffer.from(all.subarray(whole.length));
    row += countNewlines(whole);
    if (whole.length > 0) yield whole;
  }
  if (rest.length > 0) throw wrongEncoding('UTF-8', row);
}

/** Where the last character that may be cut begins: at most three bytes from the end. */
function lastBoundary(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) {
      const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needs > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

/** GB18030 (and GBK within it) as UTF-8. Throws file/wrong-encoding with the row. */
async function* fromGb18030(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder('gb18030', { fatal: true });
  let row = 1;
  const decode = (chunk?: Buffer) => {
    try {
      return Buffer.from(chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode());
    } catch {
      throw wrongEncoding('GBK', row);
    }
  };
  for await (const chunk of bytes) {
    const text = decode(chunk);
    refuseZero(text, row);
    row += countNewlines(text);
    if (text.length > 0) yield text;
  }
  const last = decode();
  if (last.length > 0) yield last;
}

/** UTF-8 bytes of a text in the given encoding. */
export function toUtf8(bytes: AsyncIterable<Buffer>, encoding: Encoding): AsyncGenerator<Buffer> {
  return encoding === 'utf-8' ? provenUtf8(bytes) : fromGb18030(bytes);
}

/** No text of people has a zero byte, and the database keeps none. */
function refuseZero(text: Buffer, row: number): void {
  const at = text.indexOf(0);
  if (at < 0) return;
  throw new FileRefusal('file/wrong-encoding', '含零字节 a zero byte', {
    row: row + countNewlines(text.subarray(0, at)),
  });
}

function wrongEncoding(expected: string, row: number): FileRefusal {
  return new FileRefusal(
    'file/wrong-encoding',
    `第 ${row} 行不是 ${expected} 编码 not ${expected}`,
    {
      row,
    },
  );
}

/** Rows before the first byte that is no UTF-8. */
function newlinesBefore(bytes: Buffer): number {
  let rows = 0;
  for (let from = 0; from < bytes.length; ) {
    const at = bytes.indexOf(NEWLINE, from);
    const to = at < 0 ? bytes.length : at + 1;
    if (!isUtf8(bytes.subarray(from, to))) return rows;
    rows += 1;
    from = to;
  }
  return rows;
}

function countNewlines(bytes: Buffer): number {
  let rows = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) rows += 1;
  return rows;
}
