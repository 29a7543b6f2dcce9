// Role: the client against a real HTTP server that behaves badly in every documented way.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Infno, Message } from '../../src/insurance/insurer.ts';
import { makeNhsaInsurer, type NhsaOptions } from '../../src/insurance/nhsa-client.ts';
import { regionRules } from '../../src/insurance/regions.ts';
import { json, ok, useFakeGateway } from './fake-gateway.ts';

const fake = useFakeGateway();
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((insurer) => insurer.close()));
});

const noSignIn = (region: string) => ({ ...regionRules(region), needsSignIn: false });
function insurer(options: Partial<NhsaOptions> = {}) {
  const made = makeNhsaInsurer({
    url: fake.url,
    accessKey: 'ak',
    secretKey: 'sk',
    regions: noSignIn,
    ...options,
  });
  opened.push(made);
  return made;
}
const message = (infno: Infno, more: Partial<Message> = {}): Message => ({
  infno,
  msgid: `H35020000001202601021030590042`.slice(0, 30),
  hospital: { code: 'H35020000001', name: '示范市第一医院', region: '350200' },
  insuredRegion: '350500',
  operator: { id: 'op1', name: '张三' },
  input: { data: { psn_no: 'P1', medfee_sumamt: '4.50' } },
  ...more,
});
const LONG = 5_000;
const SHORT = 200;

describe('a good exchange', () => {
  it('sends the envelope and a signature that the gateway can check', async () => {
    fake.behave.set('2206', ok({ setlinfo: { medfee_sumamt: 4.5 } }));
    const realNow = () => new Date('2026-01-02T02:30:59Z');
    const answer = await insurer({ realNow }).send(message('2206'), LONG);
    expect(answer).toEqual({ outcome: 'ok', output: { setlinfo: { medfee_sumamt: '4.5' } } });
    const [{ headers, body }] = fake.received as [(typeof fake.received)[0]];
    expect(body).toMatchObject({
      infno: '2206',
      msgid: 'H35020000001202601021030590042',
      mdtrtarea_admvs: '350200',
      insuplc_admdvs: '350500',
      recer_sys_code: 'MBS_LOCAL',
      opter_type: '1',
      opter: 'op1',
      opter_name: '张三',
      inf_time: '2026-01-02 10:30:59',
      fixmedins_code: 'H35020000001',
      fixmedins_name: '示范市第一医院',
      sign_no: '',
      input: { data: { medfee_sumamt: '4.50' } },
    });
    const signed = `_api_access_key=ak&_api_name=2206&_api_timestamp=1767321059000&_api_version=1.0.0`;
    expect(headers).toMatchObject({
      _api_name: '2206',
      _api_access_key: 'ak',
      _api_timestamp: '1767321059000',
      _api_signature: createHmac('sha1', 'sk').update(signed).digest('base64'),
    });
  });

  it('keeps its connections for the next messages', async () => {
    const client = insurer();
    const before = fake.connections;
    for (let i = 0; i < 10; i += 1) await client.send(message('2206'), LONG);
    expect(fake.connections - before).toBeLessThanOrEqual(2);
  });
});

describe('a bad exchange', () => {
  const bad: [
    title: string,
    behaviour: Parameters<typeof fake.behave.set>[1],
    deadlineMs: number,
  ][] = [
    ['no answer', () => {}, SHORT],
    ['half an answer', (response) => void response.writeHead(200).write('{"infcode":0,'), SHORT],
    ['a cut connection', (response) => void response.socket?.destroy(), LONG],
    [
      'a cut answer',
      (response) => {
        response.writeHead(200, { 'content-length': 100 }).write('{"infcode":0,');
        setImmediate(() => response.socket?.destroy());
      },
      LONG,
    ],
    ['garbage', json('<html>busy</html>'), LONG],
    ['HTTP 500', json({ infcode: 0, output: { setlinfo: { setl_id: '1' } } }, 500), LONG],
    ['no infcode', json({ success: true }), LONG],
    ['infcode 1', json({ infcode: '1', output: { setlinfo: { setl_id: '1' } } }), LONG],
    [
      'an endless answer',
      (response) => {
        response.writeHead(200);
        const more = () => void (response.destroyed || response.write('x'.repeat(1 << 20), more));
        more();
      },
      LONG,
    ],
  ];
  for (const [title, behaviour, deadlineMs] of bad) {
    it(`${title} is unknown at 2207 and offline at 2206`, async () => {
      fake.behave.set('2207', behaviour).set('2206', behaviour);
      const client = insurer();
      expect(await client.send(message('2207'), deadlineMs)).toMatchObject({ outcome: 'unknown' });
      expect(await client.send(message('2206'), deadlineMs)).toMatchObject({ outcome: 'offline' });
      expect(fake.received.map((r) => r.infno)).toEqual(['2207', '2206']);
    });
  }

  it('a refused connection is offline even at a money trade', async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const { port } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    const client = insurer({ url: `http://127.0.0.1:${port}` });
    expect(await client.send(message('2207'), LONG)).toMatchObject({ outcome: 'offline' });
  });

  it('a message that never left the queue is offline, and is never sent later', async () => {
    const answers: (() => void)[] = [];
    fake.behave.set('2206', (response) => {
      answers.push(() => ok()(response, fake.received[0]!));
    });
    const client = insurer();
    const others = Array.from({ length: 128 }, () => client.send(message('2206'), LONG));
    await expect.poll(() => answers.length).toBe(128);
    expect(await client.send(message('2207'), SHORT)).toEqual({
      outcome: 'offline',
      reason: 'no connection before the deadline',
    });
    for (const answer of answers) answer();
    await Promise.all(others);
    await client.send(message('2203'), LONG);
    expect(fake.received.filter((r) => r.infno === '2207')).toEqual([]);
  });

  it('a wrong key is offline with an alarm in the log', async () => {
    fake.behave.set('2207', json({ code: 401, message: '签名不一致!' }, 401));
    const alarms: unknown[] = [];
    const log = { warn: () => {}, error: (fields: unknown) => void alarms.push(fields) };
    const answer = await insurer({ log: log as never }).send(message('2207'), LONG);
    expect(answer).toEqual({ outcome: 'offline', reason: 'gateway 401: 签名不一致!' });
    expect(alarms).toMatchObject([{ alarm: true, infno: '2207', region: '350200' }]);
  });

  it('tells of texts that no pattern knows', async () => {
    fake.behave.set('2204', json({ infcode: '-1', err_msg: '本市特有的拒绝' }));
    const seen: string[][] = [];
    const client = insurer({ onUnlisted: (...args) => void seen.push(args) });
    expect(await client.send(message('2204'), LONG)).toEqual({
      outcome: 'rejected',
      reason: '本市特有的拒绝',
    });
    expect(seen).toEqual([['350200', '2204', '本市特有的拒绝']]);
  });
});

describe('sign-in', () => {
  const regions = regionRules;

  it('is done once for an operator, however many messages wait for it', async () => {
    const client = insurer({ regions });
    await Promise.all([client.send(message('1101'), LONG), client.send(message('2206'), LONG)]);
    await client.send(message('2207'), LONG);
    expect(fake.received.filter((r) => r.infno === '9001')).toHaveLength(1);
    const others = fake.received.filter((r) => r.infno !== '9001');
    expect(others.map((r) => r.body.sign_no)).toEqual(['S-1', 'S-1', 'S-1']);
    expect(fake.received[0]?.body.input).toMatchObject({ signIn: { opter_no: 'op1' } });
  });

  it('is done again when the platform forgot it, and the message is sent once more', async () => {
    const client = insurer({ regions });
    await client.send(message('1101'), LONG);
    let count = 0;
    fake.behave.set('2207', (response, received) => {
      count += 1;
      const output = { setlinfo: { setl_id: '1' } };
      (count === 1 ? json({ infcode: -1, err_msg: '未签到，请先签到' }) : ok(output))(
        response,
        received,
      );
    });
    expect(await client.send(message('2207'), LONG)).toMatchObject({ outcome: 'ok' });
    expect(fake.received.map((r) => r.infno)).toEqual(['9001', '1101', '2207', '9001', '2207']);
  });

  it('does not go round in circles', async () => {
    fake.behave.set('2207', json({ infcode: -1, err_msg: '未签到' }));
    expect(await insurer({ regions }).send(message('2207'), LONG)).toMatchObject({
      outcome: 'offline',
    });
    expect(fake.received.filter((r) => r.infno === '2207')).toHaveLength(2);
  });

  it('that gets no answer leaves the message unsent: offline, and tried again next time', async () => {
    fake.behave.set('9001', () => {});
    const client = insurer({ regions });
    expect(await client.send(message('2207'), SHORT)).toMatchObject({ outcome: 'offline' });
    fake.behave.set('9001', ok({ signinoutb: { sign_no: 'S-2' } }));
    await client.send(message('2206'), LONG);
    expect(fake.received.map((r) => r.infno)).toEqual(['9001', '9001', '2206']);
  });

  it('that a platform does not know is not needed there', async () => {
    fake.behave.set('9001', json({ infcode: -1, err_msg: '未知交易编号！' }));
    expect(await insurer({ regions }).send(message('2206'), LONG)).toMatchObject({ outcome: 'ok' });
  });
});
