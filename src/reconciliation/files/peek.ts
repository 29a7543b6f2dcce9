// Role: looks at the beginning of a body without losing it.
import { isSpooled } from '../../http/spool.ts';

/** Enough for every preface and the longest header. */
const HEAD_BYTES = 16 * 1024;

export interface Peeked {
  head: Buffer;
  /** The whole body, once. */
  body: AsyncIterable<Buffer>;
}

/** Reads until the head is full or the body ends. A body that can be read again stays itself. */
export async function peek(body: AsyncIterable<Buffer>): Promise<Peeked> {
  const source = body[Symbol.asyncIterator]();
  const first: Buffer[] = [];
  let bytes = 0;
  while (bytes < HEAD_BYTES) {
    const next = await source.next();
    if (next.done) break;
    first.push(next.value);
    bytes += next.value.length;
  }
  const head = Buffer.concat(first).subarray(0, HEAD_BYTES);
  if (isSpooled(body)) {
    await source.return?.();
    return { head, body };
  }
  return { head, body: following(first, source) };
}

async function* following(
  first: readonly Buffer[],
  source: AsyncIterator<Buffer>,
): AsyncGenerator<Buffer> {
  try {
    yield* first;
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
  } finally {
    await source.return?.();
  }
}
