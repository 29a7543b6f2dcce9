// Role: 9101 and 9102, files in and out. The platform keeps a file for a while under a path-like number.
import { inflateRawSync } from 'node:zlib';
import type { ExchangedFile } from '../books.ts';
import { type Node, need, nodeOf, textOf } from '../fields.ts';
import { Refusal, refusals } from '../refusals.ts';
import { shanghaiText } from '../shanghai-time.ts';
import type { Trade, TradeCall } from './trade.ts';

const LIFE_MS = 30 * 60_000;
/** The sandbox holds files in memory. */
const MAX_FILES = 200;
const MAX_UNZIPPED = 64 * 1024 * 1024;

/** 9101 → file_qury_no, filename, fixmedins_code, dld_endtime. */
export const uploadFile: Trade = (call) => {
  const input = nodeOf(call.envelope.input, 'fsUploadIn');
  need(input, ['filename', 'fixmedins_code']);
  const kept = keepFile(call, textOf(input, 'filename'), bytesOf(input));
  return { output: { ...kept, fixmedins_code: call.envelope.hospitalCode } };
};

/** 9102 → the bytes, without an envelope. */
export const downloadFile: Trade = (call) => {
  const input = nodeOf(call.envelope.input, 'fsDownloadIn');
  need(input, ['file_qury_no', 'filename', 'fixmedins_code']);
  const file = fileOf(call, textOf(input, 'file_qury_no'));
  if (file.name !== textOf(input, 'filename')) throw new Refusal(refusals.noSuchFile);
  return { output: file.bytes };
};

/** Keeps a file for its institution; the oldest makes room. */
export function keepFile(call: TradeCall, name: string, bytes: Buffer) {
  const { books, envelope, nowMs } = call;
  const [oldest] = books.files.keys();
  if (books.files.size >= MAX_FILES && oldest !== undefined) books.files.delete(oldest);
  const serial = String(books.files.size).padStart(4, '0');
  const number = `M00/00/00/${envelope.msgid.slice(-18)}${serial}`.slice(0, 30);
  const endsAtMs = nowMs + LIFE_MS;
  books.files.set(number, { hospitalCode: envelope.hospitalCode, name, bytes, endsAtMs });
  return { file_qury_no: number, filename: name, dld_endtime: shanghaiText(endsAtMs) };
}

/** A file of the calling institution that has not ended. */
export function fileOf(call: TradeCall, number: string): ExchangedFile {
  const file = call.books.files.get(number);
  const isTheirs = file?.hospitalCode === call.envelope.hospitalCode;
  if (!file || !isTheirs || file.endsAtMs < call.nowMs) throw new Refusal(refusals.noSuchFile);
  return file;
}

/** Signed or unsigned numbers, or base64: institutions' libraries differ. */
function bytesOf(input: Node): Buffer {
  const { in: given } = input;
  if (typeof given === 'string') return Buffer.from(given, 'base64');
  const isBytes = (value: unknown) =>
    typeof value === 'number' && Number.isInteger(value) && value >= -128 && value <= 255;
  if (!Array.isArray(given) || !given.every(isBytes)) {
    throw new Refusal(refusals.fieldEmpty('in'));
  }
  return Buffer.from(given as number[]);
}

/** The text of the one file in a zip, by its central directory. */
export function unzipText(zip: Buffer): string {
  try {
    const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
    const entry = zip.readUInt32LE(end + 16);
    const method = zip.readUInt16LE(entry + 10);
    const length = zip.readUInt32LE(entry + 20);
    const local = zip.readUInt32LE(entry + 42);
    const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const packed = zip.subarray(from, from + length);
    const options = { maxOutputLength: MAX_UNZIPPED };
    return (method === 0 ? packed : inflateRawSync(packed, options)).toString('utf8');
  } catch {
    throw new Refusal(refusals.malformed('对账文件不是ZIP'));
  }
}
