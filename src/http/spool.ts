// Law: no network inside a transaction, so a file that is sent to us first comes to rest on disk, whole, and
// is hashed on the way; memory stays flat. The file has no name: it is gone with its handle, even by a crash.
import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Few reads for 100 MB, and still nothing beside what a parser holds. */
const READ_BYTES = 256 * 1024;

/** A file that came whole. Iterating reads it from its start, as often as wanted. */
export interface SpooledFile extends AsyncIterable<Buffer> {
  bytes: number;
  sha256: Buffer;
  /** For readers that jump (zip); closed with the file. */
  fd: number;
  close(): Promise<void>;
}

/** True for a body that lies on disk already and can be read again. */
export function isSpooled(body: AsyncIterable<Buffer>): body is SpooledFile {
  return 'sha256' in body;
}

/** Thrown by `spool` when more than `maxBytes` come. */
export class SpoolTooLarge extends Error {
  override readonly name = 'SpoolTooLarge';
}

/**
 * Writes chunks to a nameless temporary file. Throws SpoolTooLarge, and whatever the chunks throw;
 * then nothing is left on disk. The caller closes what it gets.
 */
export async function spool(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<SpooledFile> {
  const file = await openNameless();
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new SpoolTooLarge(`more than ${maxBytes} bytes`);
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    return spooled(file, bytes, hash.digest());
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openNameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `egret-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  return file;
}

function spooled(file: FileHandle, bytes: number, sha256: Buffer): SpooledFile {
  return {
    bytes,
    sha256,
    fd: file.fd,
    close: () => file.close(),
    async *[Symbol.asyncIterator]() {
      for (let at = 0; at < bytes; ) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(READ_BYTES), {
          position: at,
        });
        if (bytesRead === 0) throw new Error('a spooled file became shorter');
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    },
  };
}
