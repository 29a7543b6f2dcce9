// Law: with WORKERS=n one port is served by n processes that nobody can tell apart, one other does the jobs,
// one that dies is replaced, and whatever ends the primary leaves nothing running.
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rows } from '../../src/db/db.ts';
import type { ReplyBody } from '../support/app.ts';
import { useDatabase } from '../support/database.ts';
import { end, ready, type Service, startService } from '../support/service.ts';
import { waitFor } from '../support/wait-for.ts';

const PERSON = { name: '林海宁', idNumber: '35020319900307201X' };
/** Nothing here takes as long, however busy the machine is. */
const ANSWER_MS = 20_000;
/** Longer than a few looks of the worker at its jobs. */
const SEVERAL_LOOKS_MS = 2_000;

interface Answer {
  status: number;
  text: string;
  body: ReplyBody;
  headers: IncomingMessage['headers'];
}

interface Question {
  body?: unknown;
  headers?: Record<string, string>;
}

/** A request on a connection of its own: the next one is another process's turn. */
function ask(method: string, url: string, { body, headers }: Question = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const own = { 'content-type': 'application/json', connection: 'close', ...headers };
    const sent = request(url, { method, agent: false, headers: own }, (reply) => {
      let text = '';
      reply.on('data', (chunk) => {
        text += chunk;
      });
      reply.on('end', () => {
        const isJson = reply.headers['content-type']?.includes('json') && text !== '';
        const parsed = isJson ? JSON.parse(text) : undefined;
        resolve({ status: reply.statusCode ?? 0, text, body: parsed, headers: reply.headers });
      });
    });
    sent.on('error', reject);
    sent.setTimeout(ANSWER_MS, () => sent.destroy(new Error(`no answer to ${method} ${url}`)));
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Living processes of a folder's service by name: primary, api-1, api-2, worker and the sandbox's. */
function processesOf(dataDir: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(dataDir)) continue;
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
      // Dead, and not yet asked for.
      if (words.length === 0) continue;
      const isMain = words.at(-1) === 'src/main.ts';
      found.set(isMain ? 'primary' : (words.at(-1) ?? ''), Number(pid));
    } catch {
      // It ended between our look at the list and at it.
    }
  }
  return found;
}

interface Started {
  service: Service;
  dataDir: string;
  url: string;
}

const started: Started[] = [];

async function start(settings: Record<string, string>): Promise<Started> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'egret-several-'));
  chmodSync(dataDir, 0o755);
  const service = startService(dataDir, { LOG_LEVEL: 'error', ...settings });
  const one = { service, dataDir, url: '' };
  started.push(one);
  one.url = await ready(service);
  return one;
}

afterAll(async () => {
  for (const { service, dataDir } of started) {
    await end(service.child, 'SIGKILL');
    await waitFor(() => processesOf(dataDir).size === 0);
    rmSync(dataDir, { recursive: true, force: true });
  }
});

const pidOf = ({ dataDir }: Started, name: string) => processesOf(dataDir).get(name);

/** The pid once a process of that name is there, other than `not`. */
function found(one: Started, name: string, not?: number): Promise<number> {
  return waitFor(
    () => {
      const pid = pidOf(one, name);
      return pid !== undefined && pid !== not ? pid : null;
    },
    { what: `the process ${name}` },
  );
}

/** Sums a scrape's lines whose name and labels begin so; NaN when there is none. */
async function scraped(url: string, start: string): Promise<number> {
  const { text } = await ask('GET', `${url}/metrics`);
  const lines = text.split('\n').filter((line) => line.startsWith(start));
  if (lines.length === 0) return Number.NaN;
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** The whole family answers. */
async function complete({ url }: Started, processes: number): Promise<void> {
  await waitFor(async () => (await scraped(url, 'egret_processes')) === processes, {
    timeoutMs: 60_000,
    what: `${processes} processes`,
  });
}

async function terminalOf({ url }: Started): Promise<Record<string, string>> {
  const { body } = await ask('POST', `${url}/sandbox/tokens`, { body: { role: 'terminal' } });
  return { authorization: `Bearer ${body.accessToken}` };
}

const identification = { credential: { kind: 'idCard', number: PERSON.idNumber } };

describe.runIf(process.platform === 'linux')('two API processes and a worker', () => {
  const { db, url: databaseUrl } = useDatabase();
  let city: Started;

  beforeAll(async () => {
    city = await start({ WORKERS: '2', DATABASE_URL: databaseUrl, DATABASE_POOL_SIZE: '5' });
    await complete(city, 3);
  }, 120_000);

  const isJobDone = async (id: string) =>
    (await rows(db, sql`select 1 from job where id = ${id} and done_at is not null`)).length > 0;

  /** A job that is done as soon as a worker looks at it: nobody waits for such a delivery. */
  const newJob = (id: string) =>
    db.execute(sql`insert into job (id, kind, subject_id, payload)
      values (${id}, 'deliverWebhook', ${id}, '{"eventId":"none","endpointId":"none"}')`);

  test('cannot be told apart: tokens, people and idempotency keys are everybody’s', async () => {
    expect((await ask('POST', `${city.url}/sandbox/people`, { body: PERSON })).status).toBe(201);
    const headers = { ...(await terminalOf(city)), 'idempotency-key': 'one-key' };
    const body = {
      visitNumber: 'several-1',
      kind: 'outpatient',
      credential: identification.credential,
    };
    const first = await ask('POST', `${city.url}/v1/visits`, { body, headers });
    expect(first.status, first.text).toBe(201);
    for (let i = 0; i < 4; i += 1) {
      const again = await ask('POST', `${city.url}/v1/visits`, { body, headers });
      expect([again.status, again.text]).toEqual([201, first.text]);
      expect(again.headers['idempotency-replayed']).toBe('true');
    }
  });

  test('one scrape tells of all, whoever is asked', async () => {
    const counted = 'egret_http_request_seconds_count{method="GET",route="/healthz"';
    for (let i = 0; i < 6; i += 1) await ask('GET', `${city.url}/healthz`);
    const looks = [];
    for (let i = 0; i < 4; i += 1) looks.push(await scraped(city.url, counted));
    expect(looks).toEqual([6, 6, 6, 6]);
    // What is read from the database is not added up.
    await db.execute(sql`insert into job (id, kind, subject_id, payload)
      values ('nobodys', 'nobodys', 'nobodys', '{}')`);
    expect(await scraped(city.url, 'egret_jobs_due')).toBe(1);
    await db.execute(sql`delete from job where id = 'nobodys'`);
  });

  test('jobs are the worker’s alone, and one that died is replaced', async () => {
    const worker = await found(city, 'worker');
    process.kill(worker, 'SIGSTOP');
    await newJob('stopped');
    await delay(SEVERAL_LOOKS_MS);
    expect(await isJobDone('stopped')).toBe(false);
    process.kill(worker, 'SIGKILL');
    expect(await found(city, 'worker', worker)).not.toBe(worker);
    await waitFor(() => isJobDone('stopped'), { timeoutMs: 60_000 });
    expect(city.service.output()).toContain('"process":"worker"');
    // The worker has no port; its counts are seen through the others.
    await complete(city, 3);
    const counted = 'egret_jobs_total{kind="deliverWebhook",outcome="done"}';
    expect(await scraped(city.url, counted)).toBe(1);
  }, 90_000);

  test('the port is served while an API process is away', async () => {
    process.kill(await found(city, 'api-1'), 'SIGKILL');
    await waitFor(() => city.service.output().includes('"process":"api-1"'));
    for (let i = 0; i < 4; i += 1) {
      expect((await ask('GET', `${city.url}/readyz`)).status).toBe(200);
    }
    await complete(city, 3);
  }, 90_000);

  // Last: the service ends.
  test('a Ctrl-C, which all of them get, lets what is under way finish and leaves nothing', async () => {
    const headers = await terminalOf(city);
    const slow = { mode: 'slow', on: ['1101'], delayMs: 1_500 };
    await ask('PUT', `${city.url}/sandbox/insurer/fault`, { body: slow });
    const busy = [1, 2].map(() =>
      ask('POST', `${city.url}/v1/identifications`, { body: identification, headers }),
    );
    await delay(500);
    const names = ['primary', 'api-1', 'api-2', 'worker'];
    const pids = await Promise.all(names.map((name) => found(city, name)));
    const ended = once(city.service.child, 'exit');
    for (const pid of pids) process.kill(pid, 'SIGINT');
    const answers = await Promise.all(busy);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await ended).toEqual([0, null]);
    expect([...processesOf(city.dataDir).keys()]).toEqual([]);
  }, 60_000);
});

describe.runIf(process.platform === 'linux')('the primary', () => {
  test('takes all with it when it is killed, and the port is free at once', async () => {
    const first = await start({ WORKERS: '1' });
    await complete(first, 2);
    await end(first.service.child, 'SIGKILL');
    await waitFor(() => processesOf(first.dataDir).size === 0);
    const { port } = new URL(first.url);
    const taken = createServer().listen(Number(port), '127.0.0.1');
    await once(taken, 'listening');
    taken.close();
  }, 90_000);

  test('gives up on a crash loop and says why', async () => {
    const city = await start({ WORKERS: '1' });
    const ended = once(city.service.child, 'exit');
    let last: number | undefined;
    for (let deaths = 0; deaths < 5; deaths += 1) {
      last = await found(city, 'worker', last);
      process.kill(last, 'SIGKILL');
    }
    expect(await ended).toEqual([1, null]);
    expect(city.service.output()).toContain('worker ended 5 times within 60 s');
    expect([...processesOf(city.dataDir).keys()]).toEqual([]);
  }, 90_000);
});
