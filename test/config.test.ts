// Law: one validated object for all settings; the process refuses to start on a wrong value and says
// which, and no sandbox default passes for production.
import { describe, expect, it } from 'vitest';
import { ConfigError, readEnvironment } from '../src/config.ts';

const key = Buffer.alloc(32, 1).toString('base64');

const production = {
  EGRET_MODE: 'production',
  PUBLIC_URL: 'https://egret.example',
  DATABASE_URL: 'postgres://egret:secret@db.example:5432/egret',
  DATA_KEYS: `k1:${key}`,
  INDEX_KEY: key,
  INSURANCE_URL: 'https://insurer.example',
  INSURANCE_ACCESS_KEY: 'access',
  INSURANCE_SECRET_KEY: 'k4Xv9s2mQ7',
  LENDER_URL: 'https://bank.example',
  LENDER_API_KEY: 'bank-key',
  SCORE_URL: 'https://score.example',
  SCORE_API_KEY: 'score-key',
  CITIZEN_ISSUER: 'https://citizens.example',
  STAFF_ISSUER: 'https://staff.example',
  METRICS_TOKEN: 'a-token-of-16-or-more',
};

/** The message of the refusal; null when the environment is fine. */
function complaint(env: NodeJS.ProcessEnv): string | null {
  try {
    readEnvironment(env);
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
}

describe('the environment of the sandbox', () => {
  it('needs nothing but the mode, and has the documented defaults', () => {
    const env = readEnvironment({ EGRET_MODE: 'sandbox' });
    expect(env).toMatchObject({
      EGRET_MODE: 'sandbox',
      PORT: 8080,
      EGRET_DATA_DIR: '.data',
      DATABASE_SCHEMA: 'public',
      INSURANCE_QUIET_MS: 15_000,
      WORKERS: 0,
    });
    expect(env.DATABASE_URL).toBeUndefined();
    expect(env.INSURANCE_URL).toBeUndefined();
  });

  it('has no default for the mode', () => {
    expect(complaint({})).toContain('EGRET_MODE');
    expect(complaint({ EGRET_MODE: '' })).toContain('EGRET_MODE');
    expect(complaint({ EGRET_MODE: 'demo' })).toContain('EGRET_MODE');
  });

  it('takes an empty text for a setting that is not there', () => {
    expect(readEnvironment({ EGRET_MODE: 'sandbox', PORT: '', DATABASE_URL: '' }).PORT).toBe(8080);
  });

  it.each([
    ['PORT', ['-1', '65536', '80.5', 'http', '1e9']],
    ['SANDBOX_INSURER_PORT', ['-1', '70000', 'x']],
    ['DATABASE_URL', ['localhost', 'not a url']],
    ['REPORT_DATABASE_URL', ['replica', 'http://replica']],
    ['INSURANCE_URL', ['insurer', '//insurer']],
    ['DATABASE_SCHEMA', ['Xiamen', '1city', 'a-b', 'public; drop', 'ü', 'x'.repeat(64)]],
    ['DATABASE_POOL_SIZE', ['0', '-3', '1.5', 'many']],
    ['DATABASE_PREPARED', ['yes', 'true']],
    ['WORKERS', ['-1', '1.5', '65', 'all']],
    ['INSURANCE_QUIET_MS', ['0', '-1', 'soon']],
    ['LOG_LEVEL', ['loud']],
    ['METRICS_TOKEN', ['short']],
    ['INDEX_KEY', ['abc', `${key}=`, `x${key}`]],
    ['DATA_KEYS', [key, `k1:${key},`, `k1 ${key}`, `k1:${key};k2:${key}`, 'k1:tooShort=']],
  ])('refuses a wrong %s and names it alone', (name, wrong) => {
    for (const value of wrong) {
      const text = complaint({ EGRET_MODE: 'sandbox', [name]: value });
      expect(text, `${name}=${value}`).toContain(name);
      expect(text?.split('\n')).toHaveLength(2);
    }
  });

  it('takes no more processes with pools than the embedded database has connections for', () => {
    const many = { EGRET_MODE: 'sandbox', WORKERS: '9', DATABASE_POOL_SIZE: '28' };
    expect(complaint(many)).toBeNull();
    const tooMany = { ...many, DATABASE_POOL_SIZE: '29' };
    expect(complaint(tooMany)).toContain('DATABASE_POOL_SIZE');
    expect(complaint({ ...tooMany, DATABASE_URL: production.DATABASE_URL })).toBeNull();
  });

  it('names every wrong setting at once', () => {
    const text = complaint({ EGRET_MODE: 'sandbox', PORT: 'x', LOG_LEVEL: 'loud' });
    expect(text).toContain('PORT');
    expect(text).toContain('LOG_LEVEL');
  });

  it('never repeats a secret in its complaint', () => {
    const text = complaint({
      EGRET_MODE: 'sandbox',
      DATA_KEYS: 'k1:very-secret',
      INDEX_KEY: 'hush',
    });
    expect(text).not.toContain('very-secret');
    expect(text).not.toContain('hush');
  });

  it('takes several data keys', () => {
    const DATA_KEYS = `old:${key},new_1:${key}`;
    expect(readEnvironment({ EGRET_MODE: 'sandbox', DATA_KEYS }).DATA_KEYS).toBe(DATA_KEYS);
  });
});

describe('the environment of production', () => {
  it('is complete when every party and every key is named', () => {
    expect(complaint(production)).toBeNull();
  });

  it.each([
    ['INSURANCE_SECRET_KEY', 'secret'],
    ['LENDER_API_KEY', 'changeme'],
    ['INDEX_KEY', Buffer.alloc(32).toString('base64')],
    ['DATA_KEYS', `k1:${Buffer.alloc(32).toString('base64')}`],
  ])('takes no %s that anybody would guess first', (name, value) => {
    expect(complaint({ ...production, [name]: value })).toContain(name);
  });

  it('may have no registry of kinship; with one it needs its key, and no weak one', () => {
    const KINSHIP_URL = 'https://kinship.example';
    expect(complaint({ ...production, KINSHIP_URL })).toContain('KINSHIP_API_KEY');
    const weak = { ...production, KINSHIP_URL, KINSHIP_API_KEY: 'changeme' };
    expect(complaint(weak)).toContain('KINSHIP_API_KEY');
    expect(complaint({ ...weak, KINSHIP_API_KEY: 'k7Qw2z' })).toBeNull();
  });

  it.each(Object.keys(production).filter((name) => name !== 'EGRET_MODE'))(
    'refuses to start without %s',
    (name) => {
      expect(complaint({ ...production, [name]: undefined })).toContain(name);
      expect(complaint({ ...production, [name]: '' })).toContain(name);
    },
  );
});
