// Role: the small parts of a workbook that its rows need: which sheet is first, shared texts, which styles are dates.
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { FileRefusal } from '../statement.ts';
import { fileLimits } from './limits.ts';
import { XmlLimits } from './xml-limits.ts';
import type { ZipContent } from './zip.ts';

/** Shared texts are held in memory; 2 M rows share far less than this many characters. */
const MAX_SHARED_CHARS = 32 * 1024 * 1024;
/** What an empty text costs all the same. */
const CHARS_OF_A_TEXT = 16;
/** Excel itself has 64,000 at most. */
const MAX_STYLES = 100_000;
/** Built-in number formats that show a date or time (ECMA-376 §18.8.30, with the Chinese ones). */
const DATE_FORMATS = [
  [14, 22],
  [27, 36],
  [45, 47],
  [50, 58],
] as const;

export interface XmlHandlers {
  open(name: string, tag: SaxesTagNS): void;
  close(name: string, text: string): void;
}

/** Runs one XML part of a workbook through handlers; `onPiece` after each piece of it. */
export async function* readXml<T>(
  bytes: AsyncIterable<Buffer>,
  handlers: XmlHandlers,
  onPiece: () => Iterable<T>,
): AsyncGenerator<T> {
  const parser = new SaxesParser({ xmlns: true });
  const limits = new XmlLimits();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  const refuse = (why: string) =>
    new FileRefusal('file/truncated', `工作簿有误 a broken workbook: ${why}`);
  parser.on('error', (error) => {
    throw refuse(error.message);
  });
  parser.on('doctype', () => {
    throw new FileRefusal('file/bad-value', '不允许 DOCTYPE a DOCTYPE is not allowed');
  });
  parser.on('opentag', (tag) => {
    text = '';
    limits.opened(parser.line);
    handlers.open(tag.local, tag);
  });
  parser.on('closetag', (tag) => {
    limits.closed();
    handlers.close(tag.local, text);
    text = '';
  });
  const collect = (more: string) => {
    text += more;
    if (text.length > fileLimits.rowBytes)
      throw new FileRefusal('file/too-large', '单元格过长 a cell is too long');
  };
  parser.on('text', collect);
  parser.on('cdata', collect);
  const write = (piece: string) =>
    limits.feed(
      piece,
      (some) => void parser.write(some),
      () => parser.line,
    );
  for await (const chunk of bytes) {
    write(decodeOr(() => decoder.decode(chunk, { stream: true })));
    yield* onPiece();
  }
  write(decodeOr(() => decoder.decode()));
  parser.close();
  yield* onPiece();
}

function decodeOr(decode: () => string): string {
  try {
    return decode();
  } catch {
    throw new FileRefusal('file/wrong-encoding', '工作簿不是 UTF-8 the workbook is not UTF-8');
  }
}

/** Reads a part to its end for what its handlers keep. */
async function runThrough(zip: ZipContent, name: string, handlers: XmlHandlers): Promise<void> {
  for await (const _ of readXml(zip.read(name), handlers, () => []));
}

/** The part of the first sheet, and whether days count from 1904. */
export async function firstSheet(zip: ZipContent): Promise<{ name: string; is1904: boolean }> {
  let relation: string | null = null;
  let is1904 = false;
  await runThrough(zip, 'xl/workbook.xml', {
    open(name, { attributes }) {
      if (name === 'workbookPr') is1904 = /^(1|true)$/.test(attributes.date1904?.value ?? '');
      if (name === 'sheet') relation ??= attributes['r:id']?.value ?? null;
    },
    close() {},
  });
  let target: string | null = null;
  await runThrough(zip, 'xl/_rels/workbook.xml.rels', {
    open(name, { attributes }) {
      if (name === 'Relationship' && attributes.Id?.value === relation) {
        target = attributes.Target?.value ?? null;
      }
    },
    close() {},
  });
  if (target === null) throw new FileRefusal('file/unknown-format', '没有工作表 there is no sheet');
  const path = (target as string).replace(/^\//, '');
  return { name: path.startsWith('xl/') ? path : `xl/${path}`, is1904 };
}

/** Texts by index; rich texts without their looks, readings (rPh) left out. */
export async function sharedTexts(zip: ZipContent): Promise<string[]> {
  const texts: string[] = [];
  if (!zip.names.includes('xl/sharedStrings.xml')) return texts;
  let chars = 0;
  let text = '';
  let isReading = false;
  await runThrough(zip, 'xl/sharedStrings.xml', {
    open(name) {
      if (name === 'si') text = '';
      if (name === 'rPh') isReading = true;
    },
    close(name, own) {
      if (name === 'rPh') isReading = false;
      if (name === 't' && !isReading) {
        text += own;
        chars += own.length;
      }
      if (name === 'si') {
        texts.push(text);
        chars += CHARS_OF_A_TEXT;
      }
      if (chars > MAX_SHARED_CHARS)
        throw new FileRefusal('file/too-large', '共享文字过多 too many shared texts');
    },
  });
  return texts;
}

/** For each cell style whether it shows a date. */
export async function dateStyles(zip: ZipContent): Promise<boolean[]> {
  const styles: boolean[] = [];
  if (!zip.names.includes('xl/styles.xml')) return styles;
  const custom = new Map<string, boolean>();
  let isInCells = false;
  await runThrough(zip, 'xl/styles.xml', {
    open(name, { attributes }) {
      const id = attributes.numFmtId?.value ?? '0';
      if (name === 'numFmt') custom.set(id, isDateCode(attributes.formatCode?.value ?? ''));
      if (styles.length + custom.size > MAX_STYLES)
        throw new FileRefusal('file/too-large', '样式过多 too many styles');
      if (name === 'cellXfs') isInCells = true;
      if (name === 'xf' && isInCells) styles.push(custom.get(id) ?? isBuiltInDate(Number(id)));
    },
    close(name) {
      if (name === 'cellXfs') isInCells = false;
    },
  });
  return styles;
}

const isBuiltInDate = (id: number) => DATE_FORMATS.some(([from, to]) => id >= from && id <= to);

/** A format code that speaks of years, months, days or hours outside of quoted text and colours. */
function isDateCode(code: string): boolean {
  const plain = code.replace(/"[^"]*"|\\.|\[(?!h|m|s)[^\]]*\]/gi, '');
  return /[ymdhs]/i.test(plain) && !/general/i.test(plain);
}
