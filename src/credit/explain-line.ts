// Why a limit is what it is, in plain words. Law: every amount that a citizen is granted or refused can
// be traced to a score, a dated policy, the lender or the citizen's own word (domain.md, Credit).
import { sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { inBoth, type Said } from '../http/explanations.ts';
import { formatYuan, parseYuan } from '../money.ts';
import type { LineRow } from './line-store.ts';

export interface LimitReason {
  about: 'limit' | 'inpatientExtra' | 'outageExtra' | 'available' | 'status';
  text: string;
  /** What to do about it; only where something can be done. */
  next?: string;
}

export interface LineFacts {
  /** The tier's lowest and highest score (null: no bound) and its limit in the policy of then; yuan. */
  tier: { from: number | null; upTo: number | null; limit: string } | null;
  /** Business dates in Shanghai, YYYY-MM-DD; null where it is not so. */
  scoreDate: string;
  suspendedSince: string | null;
  overdueSince: string | null;
  withdrawnSince: string | null;
}

/** The reasons of a line, most of all first. */
export async function explainLine(tx: Tx | Db, line: LineRow): Promise<LimitReason[]> {
  return reasonsOf(line, await factsOf(tx, line));
}

/** The same from known facts. Pure. */
export function reasonsOf(line: LineRow, facts: LineFacts): LimitReason[] {
  return [
    ...stops(line, facts),
    limitReason(line, facts),
    {
      about: 'available',
      text: inBoth({
        zh: `可用额度 = 额度 ${formatYuan(line.limit)} − 已占用 ${formatYuan(line.held)} − 未还 ${formatYuan(line.outstanding)}，最少为零。`,
        en: `Available = limit ${formatYuan(line.limit)} − held ${formatYuan(line.held)} − owed ${formatYuan(line.outstanding)}, never below zero.`,
      }),
    },
    extra('inpatientExtra', line.inpatientExtra, {
      zh: '仅住院可用，加在额度之上',
      en: 'on top of the limit, for hospital stays only',
    }),
    extra('outageExtra', line.outageExtra, {
      zh: '医保离线时先自费的结算可用，转医保后收回',
      en: 'on top of the limit, for bills that await insurance only',
    }),
  ];
}

function limitReason(line: LineRow, { tier, scoreDate }: LineFacts): LimitReason {
  const limit = formatYuan(line.limit);
  const said: Said = {
    zh: `信用分 ${line.scoreValue}（${scoreDate} 取得）属于第 ${line.scoreTier} 档${tier ? `（${rangeOf(tier).zh}）` : ''}，按第 ${line.policyVersion} 版政策额度为 ${tier?.limit ?? limit} 元。`,
    en: `Score ${line.scoreValue} (of ${scoreDate}) is tier ${line.scoreTier}${tier ? ` (${rangeOf(tier).en})` : ''}: ${tier?.limit ?? limit} yuan by version ${line.policyVersion} of the policy.`,
  };
  const isOther = tier !== null && parseYuan(tier.limit) !== line.limit;
  const changed: Said = {
    zh: `贷款银行把它定为 ${limit} 元。`,
    en: `The lender set it to ${limit} yuan.`,
  };
  return {
    about: 'limit',
    text: inBoth(isOther ? { zh: said.zh + changed.zh, en: `${said.en} ${changed.en}` } : said),
    next: inBoth({
      zh: '按时还款有助于提高信用分；额度只在重新评定时改变，可向贷款银行申请。',
      en: 'Repaying in time raises the score; a limit changes only when it is rated anew: ask the lender.',
    }),
  };
}

function rangeOf({ from, upTo }: { from: number | null; upTo: number | null }): Said {
  if (upTo === null) return { zh: `${from ?? 0} 分及以上`, en: `${from ?? 0} and above` };
  if (from === null) return { zh: `${upTo} 分及以下`, en: `${upTo} and below` };
  return { zh: `${from} 至 ${upTo} 分`, en: `${from} to ${upTo}` };
}

function extra(about: 'inpatientExtra' | 'outageExtra', amount: bigint, what: Said): LimitReason {
  const yuan = formatYuan(amount);
  return {
    about,
    text: inBoth({ zh: `${yuan} 元，${what.zh}。`, en: `${yuan} yuan, ${what.en}.` }),
  };
}

/** What keeps the line from giving more now, whatever its limit is. */
function stops(line: LineRow, facts: LineFacts): LimitReason[] {
  const found: LimitReason[] = [];
  const stop = (text: Said, next: Said) =>
    found.push({ about: 'status', text: inBoth(text), next: inBoth(next) });
  if (line.status === 'suspended') {
    const { suspendedSince: since } = facts;
    stop(
      {
        zh: `额度${since ? `自 ${since} 起` : ''}暂停，不再增加新的占用；急诊不受影响。`,
        en: `Suspended${since ? ` since ${since}` : ''}: nothing new is held; emergencies are not affected.`,
      },
      {
        zh: '还清逾期账单后恢复；如由银行暂停，请联系贷款银行。',
        en: 'Repay what is overdue to restore it; if the lender did it, ask the lender.',
      },
    );
  }
  if (facts.overdueSince) {
    stop(
      {
        zh: `有账单自 ${facts.overdueSince} 起逾期，还清前不再增加新的占用。`,
        en: `A bill is overdue since ${facts.overdueSince}: nothing new is held until it is repaid.`,
      },
      { zh: '请在手机上还款。', en: 'Repay it in the app.' },
    );
  }
  if (!line.consented) {
    const { withdrawnSince: since } = facts;
    stop(
      {
        zh: `${since ? `${since} ` : ''}撤回了授权，不再增加新的占用。`,
        en: `A consent was withdrawn${since ? ` on ${since}` : ''}: nothing new is held.`,
      },
      { zh: '在“我的授权”中重新授权即可恢复。', en: 'Give all consents again to go on.' },
    );
  }
  return found;
}

interface FactRow {
  tiers: { upTo: number | null; limit: string }[] | null;
  score_date: string;
  suspended_since: string | null;
  overdue_since: string | null;
  withdrawn_since: string | null;
}

async function factsOf(tx: Tx | Db, line: LineRow): Promise<LineFacts> {
  const [row] = await rows<FactRow>(
    tx,
    sql`
    select
      (select data -> 'tiers' from policy where kind = 'credit' and name = 'default'
        and version = ${line.policyVersion}) as tiers,
      business_date(${line.scoreAsOf.toISOString()}::timestamptz)::text as score_date,
      (select business_date(max(occurred_at))::text from event
        where citizen_id = ${line.citizenId} and type = 'line.suspended') as suspended_since,
      (select business_date(min(due_at))::text from receivable r
        where r.line_id = ${line.id} and r.amount > r.paid + r.reduced + r.written_off
          and not r.awaits_insurance and r.due_at < business_now()) as overdue_since,
      (select business_date(max(withdrawn_at))::text from consent
        where citizen_id = ${line.citizenId}) as withdrawn_since`,
  );
  const tiers = row?.tiers ?? [];
  const tier = tiers[line.scoreTier - 1];
  const below = tiers[line.scoreTier - 2]?.upTo ?? null;
  return {
    tier: tier ? { ...tier, from: below === null ? null : below + 1 } : null,
    scoreDate: row?.score_date ?? '',
    suspendedSince: row?.suspended_since ?? null,
    overdueSince: row?.overdue_since ?? null,
    withdrawnSince: row?.withdrawn_since ?? null,
  };
}
