// Law: doubt at a money trade is unknown, doubt before it is offline, and only a known text is a no.
import { describe, expect, it } from 'vitest';
import { classify, type ExchangeEvent } from '../../src/insurance/classify.ts';
import type { Answer } from '../../src/insurance/insurer.ts';
import { regionRules, routeOf } from '../../src/insurance/regions.ts';
import { refusals } from '../../src/sandbox/insurer/refusals.ts';

const rules = regionRules('350200');
const moneyTrades = ['2207', '2208', '2304', '2305', '2601'];
const otherTrades = [
  '9001',
  '1101',
  '2201',
  '2202',
  '2203',
  '2204',
  '2205',
  '2206',
  '2401',
  '2402',
  '5201',
  '5203',
];
const trades = [...moneyTrades, ...otherTrades];

const answered = (infcode: string, errMsg = '', output: object | null = {}): ExchangeEvent => ({
  kind: 'reply',
  reply: { infcode, errMsg, output: output as never },
});
const outcome = (infno: string, event: ExchangeEvent) =>
  classify(infno, event, rules).answer.outcome;
const refused = (infno: string, errMsg: string) => outcome(infno, answered('-1', errMsg));

const sureEvents: ExchangeEvent[] = [
  { kind: 'refused', reason: 'ECONNREFUSED' },
  { kind: 'timeoutBeforeSend' },
  { kind: 'gateway401', message: '签名不一致!' },
];
const doubtfulEvents: ExchangeEvent[] = [
  { kind: 'timeout' },
  { kind: 'reset', reason: 'ECONNRESET' },
  { kind: 'httpStatus', status: 500 },
  { kind: 'httpStatus', status: 502 },
  { kind: 'httpStatus', status: 404 },
  { kind: 'nonJson' },
  { kind: 'noInfcode' },
  answered('1', '', { setlinfo: { setl_id: '4711' } }),
  answered('999'),
  answered('0', '', null),
  answered('-1', '系统繁忙，请稍后再试'),
  answered('-1', 'java.net.SocketTimeoutException: Read timed out'),
  answered('-1', '调用超时，未查询到该参保人信息'),
  answered('-1', '结算进行中请勿重复操作'),
];
const nameOf = (event: ExchangeEvent) => JSON.stringify(event);

describe('every trade and every event', () => {
  for (const infno of trades) {
    it(`${infno}: what surely did not arrive is offline`, () => {
      for (const event of sureEvents) expect(outcome(infno, event), nameOf(event)).toBe('offline');
    });
  }
  for (const infno of moneyTrades) {
    it(`${infno}: doubt is unknown, because money may have moved`, () => {
      for (const event of doubtfulEvents)
        expect(outcome(infno, event), nameOf(event)).toBe('unknown');
    });
  }
  for (const infno of otherTrades) {
    it(`${infno}: doubt is offline, because no money can have moved`, () => {
      for (const event of doubtfulEvents)
        expect(outcome(infno, event), nameOf(event)).toBe('offline');
    });
  }
  for (const infno of trades) {
    it(`${infno}: infcode 0 with an output is ok, an unheard-of −1 is a no that is counted`, () => {
      const output = { setlinfo: { setl_id: '4711' } };
      expect(classify(infno, answered('0', 'success', output), rules)).toEqual({
        answer: { outcome: 'ok', output },
        unlistedText: null,
        needsSignIn: false,
      });
      for (const code of ['-1', '-2']) {
        expect(classify(infno, answered(code, '费用不合规'), rules)).toEqual({
          answer: { outcome: 'rejected', reason: '费用不合规' },
          unlistedText: '费用不合规',
          needsSignIn: false,
        });
      }
    });
    it(`${infno}: an answer to somebody who has not signed in asks for 9001`, () => {
      const verdict = classify(infno, answered('-1', refusals.notSignedIn), rules);
      expect(verdict).toMatchObject({ answer: { outcome: 'offline' }, needsSignIn: true });
    });
  }
});

describe('success that is none', () => {
  for (const infno of ['2207', '2304']) {
    it(`${infno} without a setl_id is unknown`, () => {
      for (const output of [
        {},
        { setlinfo: {} },
        { setlinfo: { setl_id: null } },
        { setlinfo: { setl_id: ' ' } },
      ]) {
        expect(outcome(infno, answered('0', '', output))).toBe('unknown');
      }
    });
  }
  it('says so with a reason that begins with "gateway 401" when the keys are wrong', () => {
    const { answer } = classify('2207', { kind: 'gateway401', message: '非法用户!' }, rules);
    expect(answer).toEqual({ outcome: 'offline', reason: 'gateway 401: 非法用户!' });
  });
  it('takes infcode "1" of 1101 only where the region is known to say so', () => {
    const event = answered('1', '', { baseinfo: {} });
    expect(classify('1101', event, regionRules('140100')).answer.outcome).toBe('ok');
    expect(classify('2207', event, regionRules('140100')).answer.outcome).toBe('unknown');
    expect(outcome('1101', event)).toBe('offline');
  });
});

describe('the texts behind infcode −1', () => {
  const expectations: [infno: string, text: string, outcome: Answer['outcome']][] = [
    ['1101', refusals.unknownPerson, 'notInsured'],
    ['1101', '该参保人的参保信息为空', 'notInsured'],
    ['2201', refusals.paused, 'notInsured'],
    ['2207', refusals.paused, 'notInsured'],
    ['2206', '参保人已停保', 'notInsured'],
    ['1101', refusals.noCertificate('8f0a@10.0.0.1'), 'rejected'],
    ['2204', refusals.alreadySettled, 'unknown'],
    ['2206', refusals.alreadySettled, 'unknown'],
    ['2207', refusals.alreadySettled, 'unknown'],
    ['2207', '该笔记录已结算(单边账)', 'unknown'],
    ['2207', refusals.accountTooLow, 'rejected'],
    ['2207', refusals.previewDiffers, 'rejected'],
    ['2207', refusals.totalDiffers, 'rejected'],
    ['2207', refusals.catalogueRefused, 'rejected'],
    ['2208', refusals.alreadyCancelled, 'alreadyDone'],
    ['2208', refusals.nothingFound, 'rejected'],
    ['2207', refusals.alreadyCancelled, 'rejected'],
    ['2205', refusals.nothingFound, 'alreadyDone'],
    ['2205', refusals.feeListEmpty, 'alreadyDone'],
    ['2205', refusals.feesSettled, 'rejected'],
    ['2204', refusals.feeListEmpty, 'rejected'],
    ['2202', refusals.nothingFound, 'alreadyDone'],
    ['2202', refusals.visitCancelled, 'alreadyDone'],
    ['2202', refusals.visitHasClaim, 'rejected'],
    ['2601', refusals.noSuchMessage, 'alreadyDone'],
    ['2601', refusals.nothingFound, 'alreadyDone'],
    ['2601', refusals.alreadyReversed, 'alreadyDone'],
    ['2601', refusals.linesMovedOn, 'rejected'],
    ['2601', refusals.notReversible, 'rejected'],
    ['2601', '系统异常，未查询到原交易信息', 'unknown'],
    ['5203', refusals.setlIdEmpty, 'rejected'],
    ['2206', refusals.unknownTrade('A1'), 'rejected'],
  ];
  for (const [infno, text, expected] of expectations) {
    it(`${infno} "${text.slice(0, 40)}" is ${expected}`, () =>
      expect(refused(infno, text)).toBe(expected));
  }
  it('never lets an ID number out in a reason', () => {
    const { answer } = classify('1101', answered('-1', '人员350203199001011234状态有误'), rules);
    expect(answer).toEqual({ outcome: 'rejected', reason: '人员******状态有误' });
  });
});

it('tells the local road from the cross-region one by the city', () => {
  expect(routeOf('350200', null)).toBe('local');
  expect(routeOf('350200', '')).toBe('local');
  expect(routeOf('350200', '350203')).toBe('local');
  expect(routeOf('350200', '350500')).toBe('crossRegion');
  expect(routeOf('310000', '310115')).toBe('local');
  expect(routeOf('310000', '320100')).toBe('crossRegion');
});
