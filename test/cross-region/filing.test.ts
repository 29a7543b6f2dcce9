// Who must be filed for treatment elsewhere: zones by region, kind and date at their borders. Pure.
import { describe, expect, it } from 'vitest';
import { expContent } from '../../src/insurance/exp-content.ts';
import {
  defaultFilingPolicy,
  type FiledVisit,
  type FilingPolicy,
  filingNeedOf,
  readFiling,
  withFilingAdvice,
} from '../../src/insurance/filing.ts';
import { routeOf } from '../../src/insurance/regions.ts';

const visit = (over: Partial<FiledVisit> = {}): FiledVisit => ({
  insuredRegion: '310000',
  treatRegion: '320500',
  kind: 'outpatient',
  isEmergency: false,
  startedAt: new Date('2026-03-05T02:00:00Z'),
  ...over,
});

describe('the Yangtze delta', () => {
  const delta = ['310000', '320100', '330100', '340100'];
  it('is free of filing for outpatients, in every direction', () => {
    for (const insuredRegion of delta) {
      for (const treatRegion of delta) {
        expect(filingNeedOf(defaultFilingPolicy, visit({ insuredRegion, treatRegion }))).toBe(
          'notNeeded',
        );
      }
    }
  });

  it.each([
    ['an inpatient', { kind: 'inpatient' }],
    ['somebody insured just outside', { insuredRegion: '350200' }],
    ['somebody treated just outside', { treatRegion: '360100' }],
    ['a region whose code only contains the digits', { insuredRegion: '413100' }],
  ] as const)('asks %s for a filing', (_, over) => {
    expect(filingNeedOf(defaultFilingPolicy, visit(over))).toBe('needed');
  });

  it('counts every emergency as filed, wherever', () => {
    const far = { insuredRegion: '650100', treatRegion: '350200', isEmergency: true };
    expect(filingNeedOf(defaultFilingPolicy, visit(far))).toBe('countsAsFiled');
    expect(filingNeedOf(defaultFilingPolicy, visit({ ...far, kind: 'inpatient' }))).toBe(
      'countsAsFiled',
    );
  });
});

describe('a zone with dates', () => {
  const policy: FilingPolicy = {
    freeZones: [
      {
        name: '试点 pilot',
        insured: ['310000'],
        care: ['3502'],
        kinds: ['outpatient'],
        from: '2026-03-05',
        until: '2026-03-31',
      },
    ],
  };
  it.each([
    ['2026-03-04T23:59:59.999+08:00', 'needed'],
    ['2026-03-05T00:00:00.000+08:00', 'notNeeded'],
    ['2026-03-31T23:59:59.999+08:00', 'notNeeded'],
    ['2026-04-01T00:00:00.000+08:00', 'needed'],
  ])('at %s is %s, by the day in Shanghai', (at, need) => {
    const begun = { treatRegion: '350200', startedAt: new Date(at) };
    expect(filingNeedOf(policy, visit(begun))).toBe(need);
  });

  it('holds in one direction only', () => {
    const back = { insuredRegion: '350200', treatRegion: '310000' };
    expect(filingNeedOf(policy, visit(back))).toBe('needed');
  });
});

describe('what 2001 says of a filing', () => {
  const row = (flag: string, result: string | null) => ({
    outcome: 'ok' as const,
    output: { trtinfo: [{ trt_enjymnt_flag: flag, trt_chk_rslt: result }] },
  });
  it('is filed, not filed with its reason, or nothing that it should decide', () => {
    expect(readFiling(row('1', null))).toEqual({ status: 'filed' });
    const reason = '参保人未办理异地就医备案';
    expect(readFiling(row('0', reason))).toEqual({ status: 'notFiled', reason });
    expect(readFiling(row('0', '参保人员欠费'))).toEqual({ status: 'unknown' });
    expect(readFiling({ outcome: 'ok', output: {} })).toEqual({ status: 'unknown' });
  });

  it('is unknown where nobody answers or the trade is not known', () => {
    for (const outcome of ['offline', 'unknown', 'rejected'] as const) {
      expect(readFiling({ outcome, reason: '未知交易编号' }).status).toBe('unknown');
    }
    expect(readFiling({ outcome: 'rejected', reason: '没有有效的备案' }).status).toBe('notFiled');
  });

  it('tells what to do next, once, and leaves other refusals as they are', () => {
    const told = withFilingAdvice('没有有效的备案');
    expect(told).toContain('未办理异地就医备案');
    expect(told).toContain('lateFiling');
    expect(withFilingAdvice(told)).toBe(told);
    expect(withFilingAdvice('超出医保目录')).toBe('超出医保目录');
  });
});

describe('exp_content', () => {
  const from = (insuredRegion: string) => ({ insuredRegion });
  const stay = { admission: {}, dischargedAt: null, isInterim: true, dischargeDiagnoses: [] };
  it('is sent only of patients insured elsewhere', () => {
    const here = { treatRegion: '350200', isEmergency: true };
    expect(expContent(from('350200'), here)).toEqual({});
    expect(expContent(from('310000'), here)).toEqual({
      exp_content: '{"OTP_ER_REFL_FLAG":"1"}',
    });
    expect(expContent(from('310000'), { treatRegion: '350200' })).toEqual({});
  });

  it.each([
    [undefined, '1'],
    ['ordinary', '1'],
    ['emergency', '2'],
    ['transfer', '3'],
  ] as const)('names a stay of type %s as IPT_TYPE %s', (type, code) => {
    const admission = type ? { type } : {};
    const at = { treatRegion: '350200', stay: { ...stay, admission } };
    expect(expContent(from('310000'), at)).toEqual({ exp_content: `{"IPT_TYPE":"${code}"}` });
  });
});

it('takes a municipality as one city, and any other by its first four digits', () => {
  expect(routeOf('310115', '310101')).toBe('local');
  expect(routeOf('350200', '350203')).toBe('local');
  expect(routeOf('350200', '350300')).toBe('crossRegion');
  expect(routeOf('310000', '320000')).toBe('crossRegion');
});
