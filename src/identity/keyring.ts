// Personal data at rest: AES-256-GCM with key ids, and a keyed blind index to find people again.
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { randomSupply } from '../random.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface Keyring {
  /** Encrypts text: [length of key id][key id][nonce][tag][ciphertext]. */
  seal(text: string): Buffer;
  open(sealed: Buffer): string;
  /** True when `sealed` was made with a key that is no longer the newest. */
  isStale(sealed: Buffer): boolean;
  /** Keyed hash of a normalised value; equal values give equal indexes. */
  blindIndex(value: string): Buffer;
}

/** Builds a keyring from DATA_KEYS ("id:base64,…", the last one encrypts) and the index key. */
export function makeKeyring(dataKeys: string, indexKey: string): Keyring {
  const keys = new Map<string, Buffer>();
  let newest = '';
  for (const part of dataKeys.split(',')) {
    const [id = '', value = ''] = part.split(':');
    keys.set(id, Buffer.from(value, 'base64'));
    newest = id;
  }
  const secret = Buffer.from(indexKey, 'base64');
  const newestKey = keys.get(newest)!;
  const newestId = Buffer.from(newest, 'utf8');
  const head = Buffer.concat([Buffer.from([newestId.length]), newestId]);
  const nextNonce = randomSupply(NONCE_BYTES);
  const keyIdOf = (sealed: Buffer) => sealed.subarray(1, 1 + (sealed[0] ?? 0)).toString('utf8');

  return {
    seal(text) {
      const nonce = nextNonce();
      const cipher = createCipheriv('aes-256-gcm', newestKey, nonce);
      const body = cipher.update(text, 'utf8');
      // GCM is a stream: the end adds no bytes, only the tag.
      cipher.final();
      return Buffer.concat([head, nonce, cipher.getAuthTag(), body]);
    },
    open(sealed) {
      const id = keyIdOf(sealed);
      const key = keys.get(id);
      if (!key) throw new Error(`data key ${id} is not configured`);
      const start = 1 + Buffer.byteLength(id);
      const nonce = sealed.subarray(start, start + NONCE_BYTES);
      const tag = sealed.subarray(start + NONCE_BYTES, start + NONCE_BYTES + TAG_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce);
      decipher.setAuthTag(tag);
      const body = sealed.subarray(start + NONCE_BYTES + TAG_BYTES);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    },
    isStale: (sealed) => keyIdOf(sealed) !== newest,
    blindIndex: (value) => createHmac('sha256', secret).update(value).digest(),
  };
}
