// The gateway and the envelope of the sandbox insurer: who is let in, and how answers look.
import { describe, expect, test } from 'vitest';
import { newPerson } from './visits.ts';
import { type SendOptions, useInsurer } from './wire.ts';

const insurer = useInsurer();
const unknown = { data: { mdtrt_cert_type: '02', mdtrt_cert_no: '000' } };
const send = (options: SendOptions = {}) => insurer.send('1101', unknown, options);

describe('the gateway', () => {
  test.each(['_api_name', '_api_version', '_api_timestamp', '_api_access_key', '_api_signature'])(
    'refuses a call without %s',
    async (header) => {
      const sent = await send({ gateway: { [header]: undefined } });
      expect(sent.status).toBe(401);
      expect(sent.body).toEqual({ code: 401, message: '缺少服务网关的请求头!' });
    },
  );

  test.each([
    ['签名时间戳超时!', { timestamp: Date.now() - 31 * 60_000 }],
    ['签名时间戳超时!', { timestamp: Date.now() + 31 * 60_000 }],
    ['非法用户!', { gateway: { _api_access_key: 'nobody' } }],
    ['签名不一致!', { secretKey: 'wrong' }],
    ['签名不一致!', { gateway: { _api_signature: 'AAAA' } }],
    ['签名不一致!', { gateway: { _api_version: '2' } }],
    ['签名不一致!', { path: '/fsi/api/rsfComIfsService/callService/2207' }],
  ])('says %s', async (message, options: SendOptions) => {
    const sent = await send(options);
    expect(sent.status).toBe(401);
    expect(sent.body).toEqual({ code: 401, message });
    expect(await insurer.control.messages({ msgid: sent.msgid })).toEqual([]);
  });

  test('measures real time, whatever the sandbox clock says', async () => {
    await insurer.control.setClock(90 * 86_400);
    expect((await send()).status).toBe(200);
    expect((await send({ timestamp: Date.now() - 29 * 60_000 })).status).toBe(200);
    await insurer.control.setClock(0);
  });

  test('knows no other path or method', async () => {
    expect((await send({ path: '/fsi/api/other/1101' })).status).toBe(404);
    expect(
      (await fetch(`${insurer.process.wireUrl}/fsi/api/rsfComIfsService/callService/1101`)).status,
    ).toBe(405);
    expect((await send({ path: '/fsi/api/rsfComIfsService/callService' })).status).toBe(200);
  });
});

describe('the envelope', () => {
  test.each([
    'infno',
    'msgid',
    'mdtrtarea_admvs',
    'recer_sys_code',
    'infver',
    'opter_type',
    'opter',
    'opter_name',
    'inf_time',
    'fixmedins_code',
    'fixmedins_name',
    'input',
  ])('needs %s', async (field) => {
    const sent = await send({ header: { [field]: '' } });
    expect(sent.infcode).toBe(-1);
    expect(sent.errMsg).toContain(`${field}不能为空`);
  });

  test('refuses a message id above 30 characters, no JSON, and another infno than the path’s', async () => {
    expect((await send({ msgid: 'H'.repeat(31) })).errMsg).toContain('msgid超过30位');
    expect((await send({ rawBody: '{"infno":' })).errMsg).toContain('报文不是JSON');
    expect((await send({ rawBody: '[]' })).errMsg).toContain('报文不是JSON对象');
    expect((await send({ header: { infno: '2201' } })).errMsg).toContain('与接口地址不一致');
  });

  test('answers an unknown trade in the real words', async () => {
    for (const infno of ['3203', '6201', '0000']) {
      const sent = await insurer.send(infno, { data: {} });
      expect(sent.infcode).toBe(-1);
      expect(sent.errMsg).toContain('FSI-FSI-交易报文不正确：未知交易编号！,异常流水号:');
    }
  });

  test('writes infcode as number and as text, and success in three ways', async () => {
    const person = await newPerson(insurer);
    const data = { mdtrt_cert_type: '02', mdtrt_cert_no: person.idNumber };
    const codes = new Set<unknown>();
    const words = new Set<unknown>();
    const failures = new Set<unknown>();
    for (let i = 0; i < 6; i += 1) {
      const sent = await insurer.send('1101', { data });
      codes.add(sent.at('infcode'));
      words.add(sent.at('err_msg'));
      expect(sent.at('inf_refmsgid')).toMatch(/^350200\d{24}$/);
      expect(sent.at('refmsg_time')).toMatch(/^\d{17}$/);
      expect(sent.at('respond_time')).toMatch(/^\d{17}$/);
    }
    for (let i = 0; i < 2; i += 1) failures.add((await send()).at('infcode'));
    expect(codes).toEqual(new Set([0, '0']));
    expect(words).toEqual(new Set([null, '', 'success']));
    expect(failures).toEqual(new Set([-1, '-1']));
  });
});
