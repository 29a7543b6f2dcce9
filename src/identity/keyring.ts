// Personal data at rest: AES-256-GCM with key ids, and a keyed blind index to find people again.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

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
  const keyIdOf = (sealed: Buffer) => sealed.subarray(1, 1 + (sealed[0] ?? 0)).toString('utf8');

  return {
    seal(text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keys.get(newest)!, nonce);
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      const id = Buffer.from(newest, 'utf8');
      return Buffer.concat([Buffer.from([id.length]), id, nonce, cipher.getAuthTag(), body]);
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
