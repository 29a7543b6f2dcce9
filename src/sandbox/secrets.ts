// The sandbox's own secrets: made once, kept in a file that only we can read, never in the code.
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readJson } from '../process-lock.ts';

export interface SandboxSecrets {
  dataKeys: string;
  indexKey: string;
  insurerAccessKey: string;
  insurerSecretKey: string;
  counterpartiesKey: string;
}

/** Reads `<dataDir>/secrets.json`, or makes it. Two processes at once get the same secrets. */
export function sandboxSecrets(dataDir: string): SandboxSecrets {
  mkdirSync(dataDir, { recursive: true });
  const file = path.join(dataDir, 'secrets.json');
  const found = readJson<SandboxSecrets>(file);
  if (found) return found;
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, JSON.stringify(newSecrets(), null, 2), { mode: 0o600 });
  try {
    linkSync(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
  const made = readJson<SandboxSecrets>(file);
  if (!made)
    throw new Error(`${file} is damaged: without it, the data of this folder cannot be read`);
  return made;
}

function newSecrets(): SandboxSecrets {
  const key = () => randomBytes(32).toString('base64');
  return {
    dataKeys: `sandbox1:${key()}`,
    indexKey: key(),
    insurerAccessKey: randomBytes(12).toString('hex'),
    insurerSecretKey: randomBytes(24).toString('hex'),
    counterpartiesKey: randomBytes(24).toString('hex'),
  };
}
