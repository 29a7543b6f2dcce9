// Role: the tolerant reader on the samples of the field: odd types, odd places, no floats.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPersons } from '../../src/insurance/person.ts';
import { node, nodes, readResponse, text } from '../../src/insurance/wire.ts';

const reply = (body: string) => {
  const event = readResponse(200, body);
  if (event.kind !== 'reply') throw new Error(`not a reply: ${event.kind}`);
  return event.reply;
};

describe('samples of the field', () => {
  it('reads a sign-in of Zhejiang', () => {
    const read =
      reply(`{"output":{"signinoutb":{"sign_no":"680003","sign_time":"2022-01-21 00:00:00"}},
      "infcode":0,"warn_msg":null,"cainfo":null,"err_msg":"success","refmsg_time":"20220121144742293",
      "signtype":null,"respond_time":"20220121144742303","inf_refmsgid":"330000202201211447420159618450"}`);
    expect(read.infcode).toBe('0');
    expect(text(node(read.output, 'signinoutb'), 'sign_no')).toBe('680003');
  });

  it('reads a failure without anything else', () => {
    const read = reply(`{"infcode":-1,"inf_refmsgid":"","refmsg_time":"","respond_time":"",
      "enctype":"","signtype":"","err_msg":"就诊凭证编号不能为空"}`);
    expect(read).toEqual({ infcode: '-1', errMsg: '就诊凭证编号不能为空', output: {} });
  });

  it('keeps amounts as the text that was sent', () => {
    const { output } = reply(`{"infcode":"0","output":{"setlinfo":{"medfee_sumamt":4.52,
      "pool_prop_selfpay":0.0,"balc":12345678901234567890.10,"setl_id":330000164274162139200002757001}}}`);
    expect(node(output, 'setlinfo')).toEqual({
      medfee_sumamt: '4.52',
      pool_prop_selfpay: '0.0',
      balc: '12345678901234567890.10',
      setl_id: '330000164274162139200002757001',
    });
  });

  it('reads an output that is a JSON text', () => {
    const { output } = reply(`{"infcode":"0","output":"{\\"data\\":{\\"mdtrt_id\\":300178725}}"}`);
    expect(text(node(output, 'data'), 'mdtrt_id')).toBe('300178725');
  });

  it('finds idetinfo beside the output', () => {
    const { output } = reply(
      `{"infcode":0,"output":{"baseinfo":{}},"idetinfo":[{"psn_idet_type":"1"}]}`,
    );
    expect(nodes(output, 'idetinfo')).toEqual([{ psn_idet_type: '1' }]);
  });

  it('knows the gateway and the wrapper that answer outside the envelope', () => {
    expect(readResponse(200, '{"code":401,"message":"签名不一致!"}')).toEqual({
      kind: 'gateway401',
      message: '签名不一致!',
    });
    expect(readResponse(401, '').kind).toBe('gateway401');
    expect(
      readResponse(200, '{"message":"请使用医保电子凭证二维码","success":false,"code":500159}')
        .kind,
    ).toBe('noInfcode');
    expect(readResponse(502, '<html>Bad Gateway</html>')).toEqual({
      kind: 'httpStatus',
      status: 502,
    });
  });

  it('calls broken bodies what they are', () => {
    for (const body of [
      '',
      'null',
      '[]',
      '"0"',
      '7',
      '<html></html>',
      '{"infcode":0',
      '{"a":1}}',
    ]) {
      expect(readResponse(200, body).kind, body).toBe('nonJson');
    }
    for (const body of ['{}', '{"infcode":null}', '{"infcode":""}', '{"infcode":{}}']) {
      expect(readResponse(200, body).kind, body).toBe('noInfcode');
    }
    for (const output of ['[]', '7', '"x"', '"[]"', 'true']) {
      expect(reply(`{"infcode":0,"output":${output}}`).output, output).toBeNull();
    }
  });

  it('never throws, whatever arrives', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 100, max: 599 }), (body, status) => {
        readResponse(status, body);
      }),
    );
    fc.assert(
      fc.property(fc.json(), (body) => {
        readResponse(200, `{"infcode":0,"output":${body},"idetinfo":${body}}`);
      }),
    );
    expect(readResponse(200, '['.repeat(200_000)).kind).toBe('nonJson');
  });
});

describe('the person of 1101', () => {
  const person = (rows: object[], base: object = {}) =>
    readPersons(
      {
        baseinfo: { psn_no: 'P1', psn_name: '李四', certno: '35020319900101123x', ...base },
        insuinfo: rows,
      } as never,
      { certType: '02', certNo: '35020319900101123X' },
    );
  const row = (insutype: string, stas: string, region = '350200') => ({
    insutype,
    psn_insu_stas: stas,
    insuplc_admdvs: region,
    psn_type: '11',
    balc: '12.30',
  });

  it('chooses the active row, employees before residents, with its own region', () => {
    const rows = [
      row('390', '1', '350500'),
      row('310', '4'),
      row('310', '1', '310100'),
      row('510', '1'),
    ];
    expect(person(rows)).toMatchObject({
      insutype: '310',
      insuredRegion: '310100',
      balance: 1230n,
      status: 'active',
      idNumber: '35020319900101123X',
      certType: '02',
    });
    expect(person([row('310', '4'), row('390', '1', '350500')])).toMatchObject({
      insutype: '390',
      insuredRegion: '350500',
      status: 'active',
    });
  });

  it('is paused when nothing is active, and none when nothing basic is there', () => {
    expect(person([row('390', '2'), row('310', '4')])).toMatchObject({
      status: 'paused',
      insutype: '390',
    });
    expect(person([row('510', '1'), row('310', '3')])).toMatchObject({
      status: 'none',
      name: '李四',
    });
    expect(person([])).toMatchObject({ status: 'none' });
  });

  it('is nobody without a name or a number', () => {
    expect(person([row('310', '1')], { psn_name: null })).toBeNull();
    expect(person([row('310', '1')], { certno: '' })).toBeNull();
  });
});
