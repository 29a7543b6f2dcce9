// Role: writes a small zip (PKWARE APPNOTE 4.3), as the insurer's file trades want one; yauzl reads it back.
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipInput {
  /** UTF-8; no folders. */
  name: string;
  data: Buffer;
}

const VERSION = 20;
const UTF8_NAMES = 0x0800;
const DEFLATED = 8;
/** 1980-01-01 00:00, so that the same content is the same file. */
const DOS_DATE = 0x0021;

/** A zip of files that fit in memory, each under 4 GiB. */
export function writeZip(files: readonly ZipInput[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data } of files) {
    const packed = deflateRawSync(data);
    const common = commonHeader(crc32(data), packed.length, data.length, name);
    const local = Buffer.concat([uint32(0x04034b50), common, Buffer.from(name), packed]);
    directory.push(
      Buffer.concat([
        uint32(0x02014b50),
        uint16(VERSION),
        common,
        // Comment, disk and attributes: nothing.
        Buffer.alloc(10),
        uint32(offset),
        Buffer.from(name),
      ]),
    );
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = [
    uint32(0x06054b50),
    Buffer.alloc(4),
    uint16(files.length),
    uint16(files.length),
    uint32(central.length),
    uint32(offset),
    uint16(0),
  ];
  return Buffer.concat([...locals, central, ...end]);
}

/** What a local header and its directory entry have in common, up to the length of the extra field. */
function commonHeader(checksum: number, packed: number, size: number, name: string): Buffer {
  return Buffer.concat([
    ...[VERSION, UTF8_NAMES, DEFLATED, 0, DOS_DATE].map(uint16),
    ...[checksum, packed, size].map(uint32),
    ...[Buffer.byteLength(name), 0].map(uint16),
  ]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
