// Law: a patient insured elsewhere needs a filing (异地就医备案) unless a zone is free of it or it is an
// emergency, which counts as filed (nhsa.md §6). Pure; zones are dated policy data.
import { DateTime } from 'luxon';
import { z } from 'zod';
import type { Answer } from './insurer.ts';
import { type node, nodes, text } from './wire.ts';

const digits = z.string().regex(/^\d{2,6}$/, 'leading digits of a region code');
const day = z.iso.date().nullable();

export const zoneSchema = z.strictObject({
  name: z.string().min(1),
  /** Leading digits: insured in one of these … */
  insured: z.array(digits).min(1),
  /** … and treated in one of these needs no filing. */
  care: z.array(digits).min(1),
  kinds: z.array(z.string()).min(1),
  /** First and last day (Shanghai) of the visit's begin; null: open. */
  from: day,
  until: day,
});
export const filingPolicySchema = z.strictObject({ freeZones: z.array(zoneSchema) });
export type FilingPolicy = z.infer<typeof filingPolicySchema>;

/** Shanghai, Jiangsu, Zhejiang and Anhui pay each other's outpatients without a filing. */
const YANGTZE_DELTA = ['31', '32', '33', '34'];

export const defaultFilingPolicy: FilingPolicy = {
  freeZones: [
    {
      name: '长三角门诊 Yangtze delta, outpatients',
      insured: YANGTZE_DELTA,
      care: YANGTZE_DELTA,
      kinds: ['outpatient', 'online', 'registration', 'examination'],
      from: null,
      until: null,
    },
  ],
};

export type FilingNeed = 'notNeeded' | 'countsAsFiled' | 'needed';

/** As kept with a visit; `askedAt` is business time. */
export interface Filing {
  status: 'notNeeded' | 'countsAsFiled' | 'filed' | 'notFiled' | 'unknown';
  reason?: string;
  askedAt: string;
}

export interface FiledVisit {
  insuredRegion: string;
  treatRegion: string;
  kind: string;
  isEmergency: boolean;
  startedAt: Date;
}

/** What a visit outside the insured region needs. */
export function filingNeedOf(policy: FilingPolicy, visit: FiledVisit): FilingNeed {
  if (visit.isEmergency) return 'countsAsFiled';
  const begun = DateTime.fromJSDate(visit.startedAt, { zone: 'Asia/Shanghai' }).toISODate() ?? '';
  const isFree = policy.freeZones.some(
    (zone) =>
      zone.kinds.includes(visit.kind) &&
      begins(visit.insuredRegion, zone.insured) &&
      begins(visit.treatRegion, zone.care) &&
      (zone.from === null || begun >= zone.from) &&
      (zone.until === null || begun <= zone.until),
  );
  return isFree ? 'notNeeded' : 'needed';
}

const begins = (region: string, prefixes: readonly string[]) =>
  prefixes.some((prefix) => region.startsWith(prefix));

/** What an answer to 2001 says of the filing; any other no is left to the claim itself. */
export function readFiling(answer: Answer): Pick<Filing, 'status' | 'reason'> {
  switch (answer.outcome) {
    case 'ok': {
      const found = nodes(answer.output, 'trtinfo');
      const refused = found.find((row) => isNo(row) && isAboutFiling(text(row, 'trt_chk_rslt')));
      if (refused) return { status: 'notFiled', reason: text(refused, 'trt_chk_rslt') };
      const isFiled = found.length > 0 && !found.some(isNo);
      return isFiled ? { status: 'filed' } : { status: 'unknown' };
    }
    case 'rejected':
    case 'notInsured':
      return isAboutFiling(answer.reason)
        ? { status: 'notFiled', reason: answer.reason }
        : { status: 'unknown', reason: answer.reason };
    case 'alreadyDone':
    case 'offline':
    case 'unknown':
      return { status: 'unknown', reason: answer.reason };
  }
  return answer satisfies never;
}

const isNo = (row: NonNullable<ReturnType<typeof node>>) => text(row, 'trt_enjymnt_flag') === '0';
const isAboutFiling = (reason: string) =>
  /(未|没有|无).{0,12}备案|备案.{0,6}(无效|过期|失效)/.test(reason);

const ADVICE =
  '可先自费结算（insurance 填 skip），补办备案后申请转医保（cause 填 lateFiling） ' +
  'Not filed for treatment elsewhere: settle as self-pay (insurance "skip") and ask for a conversion (cause "lateFiling") once it is filed';

/** A refusal for want of a filing, with what to do about it; any other reason as it is. */
export function withFilingAdvice(reason: string): string {
  if (!isAboutFiling(reason)) return reason;
  const said = reason.includes('未办理异地就医备案') ? reason : `未办理异地就医备案：${reason}`;
  return said.includes(ADVICE) ? said : `${said}。${ADVICE}`;
}
