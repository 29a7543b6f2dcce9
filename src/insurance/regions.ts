// Role: what differs between regions, as data (nhsa.md ⚠DIFF points): envelope, sign-in, tolerance
// and the meaning of the free Chinese error texts behind infcode −1 (nhsa.md §1.5, §3.4).
import type { Fen } from '../money.ts';
import { withoutTraces } from './error-text.ts';
import type { RouteName } from './insurer.ts';

/**
 * What finance may say that a text means. `rejected` = a known plain no. `notSignedIn` is not among
 * them: it would send a message again, and only the client may know that it was not executed.
 */
export const classableMeanings = [
  'systemTrouble',
  'alreadySettled',
  'alreadyReversed',
  'nothingToCancel',
  'alreadyDischarged',
  'noSuchMessage',
  'notInsured',
  'rejected',
] as const;

/** What an error text tells us, whatever words a region uses. */
export type TextMeaning = (typeof classableMeanings)[number] | 'notSignedIn';

export function isTextMeaning(text: string): text is (typeof classableMeanings)[number] {
  return classableMeanings.some((meaning) => meaning === text);
}

export interface TextPattern {
  meaning: TextMeaning;
  /** Regular expression source; case is ignored. The first pattern that fits decides. */
  match: string;
  /** Only at these trades; at all of them when absent. */
  infnos?: readonly string[];
}

export interface RegionRules {
  infver: string;
  recerSysCode: string;
  operatorType: string;
  apiVersion: string;
  contentType: string;
  /** True where 9001 comes before every other trade of the operator's day. */
  needsSignIn: boolean;
  /** infcodes of 1101 that count as answered; "1" is seen in the wild (nhsa.md §1.5). */
  lookUpOkCodes: readonly string[];
  /** Allowed difference of fund_pay_sumamt to the sum of its parts (nhsa.md §2.9 no. 4); null: unchecked. */
  fundPartsTolerance: Fen | null;
  /** med_type of an ordinary hospital stay (nhsa.md §2.14). */
  inpatientMedType: string;
  /** stmt_rslt of 3201 that mean "flat"; three dictionaries are known (nhsa.md §5.3) and agree in these. */
  flatResults: readonly string[];
  /** How 9101 wants a file's bytes: signed numbers as Java writes them, or base64 (nhsa.md §5.2). */
  uploadBytes: 'signed' | 'base64';
  patterns: readonly TextPattern[];
  /** What finance decided, by trade and text (error-text.ts, withoutTraces); wins over patterns. */
  meanings?: ReadonlyMap<string, TextMeaning>;
}

const CLAIMING = ['2203', '2204', '2206', '2207', '2303', '2304'];
const FORWARD = ['1101', '2001', '2201', '2401', ...CLAIMING];

/** Doubt is read first: a text that also speaks of system trouble proves nothing. */
const nationalPatterns: readonly TextPattern[] = [
  {
    meaning: 'systemTrouble',
    match: [
      '系统(繁忙|忙|异常|错误|故障|超时|维护|升级|不可用)',
      '服务(不可用|异常|繁忙|超时|熔断|降级|中断|故障)',
      '(网络|通讯|通信|数据库)(异常|超时|中断|错误|故障|失败|连接)',
      '(连接|请求|调用|响应|接口|处理|读取|等待)超时',
      '短暂异常|稍(后|候)(再|重)?试|(停机|维护)(中|期间|窗口)|限流|流量控制',
      '(正在|进行中).{0,4}勿重复',
      'timed?[ -]?out|connection (refused|reset)|no provider|hystrix|too many requests',
      '(remote|rpc|sql|nullpointer)exception',
    ].join('|'),
  },
  {
    meaning: 'alreadyReversed',
    infnos: ['2208', '2305', '2601'],
    match: '已(撤销|冲正|退费|作废)|重复(撤销|冲正|退费)|标志不为未退费',
  },
  {
    meaning: 'noSuchMessage',
    infnos: ['2601'],
    match: [
      '(报文|交易|发送方).{0,12}(不存在|未找到|查无)|无此(报文|交易)',
      '(未|没有)(查询|查找|查|找|检索)到.{0,12}(报文|交易|记录|结算)',
      '(查询|查找|查|找|检索)(不到|无).{0,12}(报文|交易|记录|结算)',
    ].join('|'),
  },
  {
    meaning: 'nothingToCancel',
    infnos: ['2202', '2205', '2302', '2404', '2405'],
    match: [
      '未查询到任何有效相关的记录|费用明细List不能为空|(无|没有)可(撤销|取消)|已(撤销|取消)',
      '(未|没有)(查询|找)到.{0,12}(登记|挂号|就诊|明细|费用)',
      '(未|没有)(办理)?出院|无需撤销',
    ].join('|'),
  },
  {
    meaning: 'alreadyDischarged',
    infnos: ['2402'],
    match: '已(经)?(办理)?出院|重复(办理)?出院',
  },
  { meaning: 'alreadySettled', infnos: CLAIMING, match: '已(经)?结算|单边账|重复结算' },
  {
    meaning: 'notInsured',
    infnos: FORWARD,
    match: [
      '(参保|基本)信息为空|停保|断保|查无此(人|参保)',
      '(未|没有|中断|暂停|终止|停止|冻结)(参保|缴费)',
      '参保(人)?(状态|关系)?[^，。]{0,6}(暂停|终止|中断|无效|不正常|冻结)',
      '(不享受|未享受|不能享受).{0,6}待遇|待遇.{0,4}(暂停|封锁|冻结)',
    ].join('|'),
  },
  {
    meaning: 'notSignedIn',
    match: '未签到|(请先|需要|重新)签到|签到(流水号|编号|信息)?(已)?(失效|过期|无效|不存在)',
  },
  {
    meaning: 'rejected',
    match: [
      '余额不足|不相等|不一致|不匹配|未知交易编号|不能为空|不允许|不能(办理|撤销)|核验失败|密码|追溯码',
      '(未|没有)(办理|进行)?.{0,6}备案|超过.{0,8}(期限|时限|年度)|跨年|已结算|已(撤销|作废|上传)|未查询到',
      '目录.{0,6}(外|未对码|未上传|不存在)',
    ].join('|'),
  },
];

const national: RegionRules = {
  infver: 'V1.0',
  recerSysCode: 'MBS_LOCAL',
  operatorType: '1',
  apiVersion: '1.0.0',
  contentType: 'application/json; charset=utf-8',
  needsSignIn: true,
  lookUpOkCodes: ['0'],
  fundPartsTolerance: 0n,
  inpatientMedType: '2101',
  flatResults: ['0', '000000'],
  uploadBytes: 'signed',
  patterns: nationalPatterns,
};

/** Overrides by the leading digits of the region code; the longest that fits wins. */
const regional: Readonly<Record<string, Partial<RegionRules>>> = {
  // Shanxi answers 1101 with infcode "1" (nhsa.md §1.5).
  '14': { lookUpOkCodes: ['0', '1'] },
  // Hunan's specification says "1.0.0" where others say "V1.0" (nhsa.md §1.1).
  '43': { infver: '1.0.0' },
  // Chongqing writes 21 for an ordinary stay (nhsa.md §2.14).
  '50': { inpatientMedType: '21' },
};

/** The rules of the region where the patient is treated (mdtrtarea_admvs). */
export function regionRules(region: string): RegionRules {
  for (let length = region.length; length >= 2; length -= 1) {
    const found = regional[region.slice(0, length)];
    if (found) return { ...national, ...found };
  }
  return national;
}

/** Beijing, Tianjin, Shanghai, Chongqing: the whole province is one city. */
const MUNICIPALITIES = new Set(['11', '12', '31', '50']);

/** Local inside one city, else cross-region; a person not looked up yet counts as local. */
export function routeOf(hospitalRegion: string, insuredRegion: string | null): RouteName {
  if (!insuredRegion) return 'local';
  const digits = MUNICIPALITIES.has(hospitalRegion.slice(0, 2)) ? 2 : 4;
  const isSameCity = hospitalRegion.slice(0, digits) === insuredRegion.slice(0, digits);
  return isSameCity ? 'local' : 'crossRegion';
}

/** Reads an error text by finance's decisions, then by a region's patterns; null when unknown. */
export function readErrorText(rules: RegionRules, infno: string, text: string): TextMeaning | null {
  const decided = rules.meanings?.get(`${infno} ${withoutTraces(text)}`);
  if (decided) return decided;
  const known = rules.patterns.find(
    (pattern) =>
      (!pattern.infnos || pattern.infnos.includes(infno)) &&
      new RegExp(pattern.match, 'i').test(text),
  );
  return known?.meaning ?? null;
}
