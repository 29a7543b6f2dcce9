import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeHttpLenderBank } from '../../src/credit/http-lender-bank.ts';
import { makeHttpScoreProvider } from '../../src/credit/http-score-provider.ts';
import { makeHttpKinshipRegistry } from '../../src/family/http-kinship-registry.ts';
import {
  type Counterparties,
  startCounterparties,
} from '../../src/sandbox/counterparties/server.ts';
import { uniquePerson } from '../support/people.ts';

const apiKey = 'test-key';
let storeDir: string;
let parties: Counterparties;

const start = async (port = 0) => {
  parties = await startCounterparties({ port, storeDir, key: apiKey });
};
const restart = async () => {
  const { port } = parties;
  await parties.stop();
  await start(port);
};
beforeEach(async () => {
  storeDir = mkdtempSync(path.join(tmpdir(), 'egret-counterparties-'));
  await start();
});
afterEach(async () => {
  await parties.stop();
  rmSync(storeDir, { recursive: true, force: true });
});

const url = () => `http://127.0.0.1:${parties.port}`;
const bank = () => makeHttpLenderBank({ url: url(), apiKey });
const scores = () => makeHttpScoreProvider({ url: url(), apiKey });
const kinship = () => makeHttpKinshipRegistry({ url: url(), apiKey });
const call = async (method: string, target: string, body?: unknown, key = apiKey) => {
  const reply = await fetch(url() + target, {
    method,
    headers: { authorization: `Bearer ${key}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
};
const debit = { serial: 's1', account: 'a1', amount: 1230n };

describe('the sandbox banks', () => {
  it('debit once a serial and remember it over a restart', async () => {
    const first = await bank().debit('LWB', debit);
    expect(first).toMatchObject({ outcome: 'paid' });
    await restart();
    expect(await bank().debit('LWB', debit)).toEqual(first);
    expect(await bank().findDebit('LWB', 's1')).toEqual(first);
    const { body } = await call('GET', '/lenders/LWB/books');
    expect(body.data).toHaveLength(1);
  });

  it('do not take one serial for two different debits', async () => {
    await bank().debit('LWB', debit);
    expect(await bank().debit('LWB', { ...debit, amount: 1n })).toEqual({ outcome: 'unknown' });
  });

  it('know nothing of other lenders’ debits, nor of what was never sent', async () => {
    await bank().debit('LWB', debit);
    expect(await bank().findDebit('YRB', 's1')).toEqual({ outcome: 'absent' });
  });

  it('pay back to an account, once', async () => {
    const first = await bank().payBack('LWB', debit);
    expect(first).toMatchObject({ outcome: 'paid' });
    expect(await bank().payBack('LWB', debit)).toEqual(first);
    expect(await bank().findDebit('LWB', 's1')).toEqual({ outcome: 'absent' });
  });

  it('open their books again after a line was torn by a kill', async () => {
    await bank().debit('LWB', debit);
    appendFileSync(path.join(storeDir, 'books.jsonl'), '{"kind":"debit","lender":"LW');
    await restart();
    await bank().debit('LWB', { ...debit, serial: 's2' });
    await restart();
    expect(await bank().findDebit('LWB', 's1')).toMatchObject({ outcome: 'paid' });
    expect(await bank().findDebit('LWB', 's2')).toMatchObject({ outcome: 'paid' });
  });

  it('play the faults that real ones have', async () => {
    await call('PUT', '/faults', { mode: 'declined', on: ['debit'] });
    expect(await bank().debit('LWB', debit)).toMatchObject({ outcome: 'declined' });
    expect(await bank().findDebit('LWB', 's1')).toMatchObject({ outcome: 'declined' });
    await call('PUT', '/faults', { mode: 'error500' });
    const second = { ...debit, serial: 's2' };
    expect(await bank().debit('LWB', second)).toEqual({ outcome: 'unknown' });
    expect(await bank().findDebit('LWB', 's2')).toEqual({ outcome: 'absent' });
    await call('PUT', '/faults', { mode: 'answerLost' });
    expect(await bank().debit('LWB', second)).toEqual({ outcome: 'unknown' });
    expect(await bank().findDebit('LWB', 's2')).toMatchObject({ outcome: 'paid' });
    await parties.stop();
    expect(await bank().debit('LWB', debit)).toEqual({ outcome: 'offline' });
    await start(parties.port);
  });

  it('let nobody in without the key', async () => {
    expect((await call('GET', '/lenders/LWB/books', undefined, 'wrong')).status).toBe(401);
    const stranger = makeHttpLenderBank({ url: url(), apiKey: 'wrong' });
    expect(await stranger.debit('LWB', debit)).toEqual({ outcome: 'unknown' });
  });
});

describe('score provider and kinship registry', () => {
  it('score registered people only, 650 unless told otherwise', async () => {
    const person = uniquePerson();
    expect(await scores().scoreOf(person)).toBeNull();
    await call('POST', '/people', person);
    expect(await scores().scoreOf(person)).toMatchObject({ value: 650 });
    await call('POST', '/people', { ...person, score: 480 });
    await call('POST', '/people', person);
    await restart();
    expect(await scores().scoreOf(person)).toMatchObject({ value: 480 });
  });

  it('imply the mirror of a kinship', async () => {
    const [parent, child] = [uniquePerson(), uniquePerson({ age: 8 })];
    const kin = [{ idNumber: parent.idNumber, relation: 'parent' }];
    await call('POST', '/people', { ...child, kin });
    const relation = async (of: string, other: string) =>
      (await call('POST', '/kinship', { idNumber: of, otherIdNumber: other })).body.relation;
    expect(await relation(child.idNumber, parent.idNumber)).toBe('parent');
    expect(await relation(parent.idNumber, child.idNumber)).toBe('child');
    expect(await relation(parent.idNumber, uniquePerson().idNumber)).toBeNull();
  });

  it('of the registry: away is away, and a city without a registry knows of no kin', async () => {
    const [parent, child] = [uniquePerson(), uniquePerson({ age: 8 })];
    const kin = [{ idNumber: child.idNumber, relation: 'child' }];
    await call('POST', '/people', { ...parent, kin });
    const ask = (of = kinship()) => of.relationOf(parent.idNumber, child.idNumber);
    expect(await ask()).toBe('child');
    for (const mode of ['error500', 'answerLost', 'hang']) {
      await call('PUT', '/faults', { mode, on: ['kinship'] });
      expect([mode, await ask()]).toEqual([mode, 'away']);
      expect(await scores().scoreOf(parent)).not.toBeNull();
    }
    await call('PUT', '/faults', { mode: 'none' });
    expect(await ask(makeHttpKinshipRegistry({ url: url(), apiKey: 'wrong' }))).toBe('away');
    expect(await ask(makeHttpKinshipRegistry(null))).toBeNull();
    await parties.stop();
    expect(await ask()).toBe('away');
    await start(parties.port);
  });

  it('keep neither names nor ID numbers on the disk', async () => {
    const person = uniquePerson();
    await call('POST', '/people', person);
    const books = readFileSync(path.join(storeDir, 'books.jsonl'), 'utf8');
    expect(books).not.toContain(person.idNumber);
    expect(books).not.toContain(person.name);
  });
});
