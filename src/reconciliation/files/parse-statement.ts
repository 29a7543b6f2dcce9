// Role: the one door to all file formats: which reader reads which counterparty's file.
import { FileRefusal, type Statement } from '../statement.ts';
import { alipayStatement } from './alipay.ts';
import { bankCsvStatement } from './bank-csv.ts';
import { camt053Statement } from './camt053.ts';
import { csvRows, type RawRows } from './csv-rows.ts';
import { hospitalStatement } from './hospital.ts';
import { insurerStatement } from './insurer.ts';
import { peek } from './peek.ts';
import { toUtf8 } from './text.ts';
import { wechatStatement } from './wechat.ts';
import { xlsxRows } from './xlsx-rows.ts';
import { isZip, withZip } from './zip.ts';

export const counterparties = ['hospital', 'insurer', 'bank', 'wechatPay', 'alipay'] as const;
export type Counterparty = (typeof counterparties)[number];

/** `format` of the API, by counterparty. */
const statementFormats = {
  hospital: ['csv', 'xlsx'],
  insurer: ['3202'],
  bank: ['camt053', 'csv'],
  wechatPay: ['trade', 'fundflow'],
  alipay: ['trade', 'signcustomer'],
} as const satisfies Record<Counterparty, readonly string[]>;

/** Names that say only what kind of file it is, or say it otherwise. */
const otherNames: Readonly<Record<Counterparty, Readonly<Record<string, string | null>>>> = {
  hospital: { auto: null },
  insurer: { auto: null, txt: null, zip: null },
  bank: { auto: null, xml: 'camt053', camt: 'camt053' },
  wechatPay: { auto: null, csv: null, zip: null, tradebill: 'trade', fundflowbill: 'fundflow' },
  alipay: { auto: null, csv: null, zip: null },
};

export interface StatementFile {
  counterparty: Counterparty;
  /** One of statementFormats[counterparty]; null: found out from the content where that is certain. */
  format: string | null;
  /** The day that the file is for; rows of another day are refused where the format knows its day. */
  businessDate: string;
  hospitalCode: string | null;
  body: AsyncIterable<Buffer>;
}

/** Opens a statement. Nothing is read before its rows are asked for; every refusal comes from there. */
export function parseStatement(file: StatementFile): Statement {
  const said = { ...file, format: formatOf(file) };
  return opened(file.body, (head, body) => readerOf(said, head, body));
}

function formatOf({ counterparty, format }: StatementFile): string | null {
  if (format === null) return null;
  const known: readonly string[] = statementFormats[counterparty];
  // "camt.053" and "CSV" are the same as camt053 and csv.
  const plain = format.toLowerCase().replace(/[^a-z0-9]/g, '');
  if (known.includes(plain)) return plain;
  const others = otherNames[counterparty];
  if (Object.hasOwn(others, plain)) return others[plain] ?? null;
  const detail = `${counterparty}: ${known.join(', ')}`;
  throw new FileRefusal('file/unknown-format', `未知格式 unknown format. ${detail}`);
}

/** A statement whose reader is chosen by the first bytes. */
function opened(
  body: AsyncIterable<Buffer>,
  choose: (head: Buffer, body: AsyncIterable<Buffer>) => Statement,
): Statement {
  let chosen: Statement | null = null;
  async function* read() {
    const { head, body: whole } = await peek(body);
    if (head.length === 0) throw new FileRefusal('file/truncated', '文件为空 the file is empty');
    chosen = choose(head, whole);
    yield* chosen.rows;
  }
  return {
    rows: read(),
    meta: () => chosen?.meta() ?? {},
    claimedTotals: () => chosen?.claimedTotals() ?? null,
  };
}

function readerOf(file: StatementFile, head: Buffer, body: AsyncIterable<Buffer>): Statement {
  switch (file.counterparty) {
    case 'hospital':
      return hospitalStatement(hospitalRows(file, head, body), file);
    case 'bank':
      return isCamt(file, head) ? camt053Statement(body) : bankCsvStatement(body);
    case 'wechatPay':
      return wechatStatement(unpacked(head, body, isBill), file);
    case 'alipay':
      return alipayStatement(unpacked(head, body, isBill), file);
    case 'insurer':
      return insurerStatement(unpacked(head, body, isText), file);
    default:
      return file.counterparty satisfies never;
  }
}

function hospitalRows(
  { format }: StatementFile,
  head: Buffer,
  body: AsyncIterable<Buffer>,
): AsyncGenerator<RawRows> {
  if (format === 'xlsx' || (format === null && isZip(head))) return xlsxRows(body);
  return csvRows(toUtf8(body, 'utf-8'));
}

function isCamt({ format }: StatementFile, head: Buffer): boolean {
  if (format !== null) return format === 'camt053';
  return /^(\ufeff|\s)*</.test(head.subarray(0, 64).toString('utf8'));
}

/** The one entry of a zip that is wanted, or the body as it came. */
function unpacked(
  head: Buffer,
  body: AsyncIterable<Buffer>,
  isWanted: (name: string) => boolean,
): AsyncIterable<Buffer> {
  if (!isZip(head)) return body;
  return withZip(body, (zip) => {
    const wanted = zip.names.filter(isWanted);
    const [name, ...others] = wanted;
    if (name !== undefined && others.length === 0) return zip.read(name);
    const detail = `压缩包内应有一个文件 expects one file in the zip, found ${wanted.length}`;
    throw new FileRefusal('file/unknown-format', detail);
  });
}

/** Alipay puts a summary of its own (汇总) beside the bill. */
const isBill = (name: string) => /\.(csv|txt)$/i.test(name) && !name.includes('汇总');
const isText = (name: string) => /\.(txt|csv)$/i.test(name);
