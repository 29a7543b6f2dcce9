// Role: reads a request body as UTF-8 text up to a limit.
import type { IncomingMessage } from 'node:http';

/** The text, or null when it is longer than the limit (the rest is read and dropped). */
export async function readBody(req: IncomingMessage, maxBytes: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= maxBytes) chunks.push(chunk);
  }
  return length <= maxBytes ? Buffer.concat(chunks).toString('utf8') : null;
}
