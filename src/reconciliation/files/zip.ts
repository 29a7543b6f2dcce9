// Law: a zip is a claim about its content. Entries are counted, names checked, and what comes out is measured
// while it comes: a bomb, a cut or damaged file and a name that climbs out of its folder are refused.
import { crc32 } from 'node:zlib';
import { type Entry, fromFdPromise, validateFileName, type ZipFile } from 'yauzl';
import { isSpooled, type SpooledFile, spool } from '../../http/spool.ts';
import { FileRefusal } from '../statement.ts';
import { fileLimits } from './limits.ts';

/** Local file header or an empty archive's end record. */
export function isZip(head: Buffer): boolean {
  const signature = head.subarray(0, 4).toString('latin1');
  return signature === 'PK\x03\x04' || signature === 'PK\x05\x06';
}

export interface ZipContent {
  names: string[];
  /** The bytes of one entry, measured as they come. */
  read(name: string): AsyncIterable<Buffer>;
}

/** Opens a zip for `use`; a stream that is not on disk is put there first. */
export async function* withZip<T>(
  body: AsyncIterable<Buffer>,
  use: (zip: ZipContent) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const spooled = isSpooled(body) ? body : await spool(body, fileLimits.unzippedBytes);
  try {
    yield* use(await openZip(spooled));
  } finally {
    if (spooled !== body) await spooled.close();
  }
}

async function openZip(file: SpooledFile): Promise<ZipContent> {
  const options = { lazyEntries: true, autoClose: false, decodeStrings: false };
  const zip = await fromFdPromise(file.fd, options).catch((error: Error) => {
    throw damaged(error.message);
  });
  const entries = await entriesOf(zip);
  refuseClaims([...entries.values()]);
  // One budget for all that is read: ten bombs of a tenth are one bomb.
  const budget = { left: fileLimits.unzippedBytes };
  return {
    names: [...entries.keys()],
    read: (name) => readEntry(zip, entries.get(name), name, budget),
  };
}

async function entriesOf(zip: ZipFile): Promise<Map<string, Entry>> {
  if (zip.entryCount > fileLimits.zipEntries) {
    throw new FileRefusal('file/zip-bomb', `压缩包内文件过多 ${zip.entryCount} entries`);
  }
  const entries = new Map<string, Entry>();
  try {
    for await (const entry of zip.eachEntry()) {
      const name = nameOf(entry);
      const mistake = validateFileName(name);
      if (mistake) throw new FileRefusal('file/bad-value', `压缩包内文件名不允许 ${mistake}`);
      if (entries.has(name)) throw new FileRefusal('file/bad-value', `压缩包内文件重名 ${name}`);
      entries.set(name, entry);
    }
  } catch (error) {
    throw error instanceof FileRefusal ? error : damaged((error as Error).message);
  }
  return entries;
}

/** What the entries say of themselves is enough to refuse; what really comes is measured as well. */
function refuseClaims(entries: readonly Entry[]): void {
  let left: number = fileLimits.unzippedBytes;
  for (const entry of entries) {
    left -= entry.uncompressedSize;
    refuseBomb(entry, entry.uncompressedSize, left);
  }
}

/** Names are UTF-8 if the entry says so, else GBK, which Chinese tools write without saying so. */
function nameOf(entry: Entry): string {
  const raw = entry.fileName as unknown as Buffer;
  const isUtf8 = (entry.generalPurposeBitFlag & 0x800) !== 0;
  return new TextDecoder(isUtf8 ? 'utf-8' : 'gb18030').decode(raw);
}

async function* readEntry(
  zip: ZipFile,
  entry: Entry | undefined,
  name: string,
  budget: { left: number },
): AsyncGenerator<Buffer> {
  if (!entry) throw new FileRefusal('file/unknown-format', `压缩包内没有 ${name} no such entry`);
  let bytes = 0;
  let checksum = 0;
  try {
    const stream = await zip.openReadStreamPromise(entry);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      budget.left -= chunk.length;
      refuseBomb(entry, bytes, budget.left);
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof FileRefusal) throw error;
    throw zipError(error as Error);
  }
  if (checksum !== entry.crc32) throw damaged('CRC-32');
}

function refuseBomb(entry: Entry, bytes: number, left: number): void {
  const isDense =
    bytes > fileLimits.zipRatioFrom && bytes > entry.compressedSize * fileLimits.zipRatio;
  if (left >= 0 && !isDense) return;
  throw new FileRefusal('file/zip-bomb', '解压后过大 more comes out than a statement can be');
}

/** yauzl tells an entry that is longer than it said by its text alone. */
function zipError(error: Error): FileRefusal {
  if (!error.message.startsWith('too many bytes')) return damaged(error.message);
  return new FileRefusal('file/zip-bomb', '解压后比声明的大 an entry is longer than it says');
}

function damaged(why: string): FileRefusal {
  return new FileRefusal('file/truncated', `压缩包不完整 the zip is cut or damaged: ${why}`);
}
