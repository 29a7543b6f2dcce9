// What a citizen is told: the facts that concern them as patient or as payer, newest first.
import { sql } from 'drizzle-orm';
import { type Db, rows } from '../db/db.ts';
import { inBoth, type Said } from '../http/explanations.ts';
import { type Fen, formatYuan } from '../money.ts';
import type { EventType } from '../outbox/events.ts';
import type { NoticeFacts } from './notice-text.ts';
import { noticeTexts } from './notice-texts.ts';

/** Facts of somebody else's settlement that move the payer's debt. */
const forPayers: readonly EventType[] = [
  'settlement.settled',
  'settlement.awaitingInsurance',
  'settlement.converted',
  'conversion.rejected',
  'conversion.cancelled',
  'refund.completed',
];

export interface NoticeRow {
  id: string;
  type: EventType;
  at: string;
  /** True: about somebody else's visit; the reader only pays. */
  is_payer: boolean;
  hospital_code: string | null;
  hospital_name: string | null;
  settlement_id: string | null;
  /** Yuan as the fact itself says it. */
  said: string | null;
  amount: Fen | null;
  back: Fen | null;
  reason: string | null;
}

/**
 * A citizen's facts, newest first, from after the cursor key on. A payer finds the facts of the bills
 * they carry through the patient's own; what no text is known for (another version's fact) is left out.
 */
export function listNotices(
  db: Db,
  citizenId: string,
  page: { after: readonly [at: string, id: string] | null; count: number },
): Promise<NoticeRow[]> {
  const [at, id] = page.after ?? [null, null];
  const isOlder = sql`(${at}::timestamptz is null
    or (e.occurred_at, e.id) < (${at}::timestamptz, ${id}::text))`;
  const known = JSON.stringify(Object.keys(noticeTexts));
  return rows<NoticeRow>(
    db,
    sql`
    with concerning as (
      (select e.*, false as is_payer from event e
       where e.citizen_id = ${citizenId} and ${known}::jsonb ? e.type and ${isOlder}
       order by e.occurred_at desc, e.id desc limit ${page.count}::int)
      union all
      (select e.*, true from settlement s join event e
         on e.citizen_id = s.citizen_id and e.data ->> 'settlementId' = s.id
       where s.payer_citizen_id = ${citizenId} and s.citizen_id <> ${citizenId}
         and ${JSON.stringify(forPayers)}::jsonb ? e.type and ${isOlder}
         and (e.type not in ('settlement.converted', 'refund.completed')
           or exists (select 1 from money_back m where m.kind = 'credit'
             and m.cause_id = coalesce(e.data ->> 'refundId', e.data ->> 'conversionId')))
       order by e.occurred_at desc, e.id desc limit ${page.count}::int)
    )
    select e.id, e.type, e.occurred_at as at, e.is_payer or v.id is not null as is_payer,
      h.code as hospital_code, h.name as hospital_name, coalesce(s.id, r.settlement_id) as settlement_id,
      e.data ->> 'amount' as said, c.reason,
      case when e.is_payer then owed.amount
        else coalesce(r.amount, m.amount, f.amount, s.total) end as amount, back.amount as back
    from concerning e
      left join receivable r on r.id = e.data ->> 'receivableId'
      left join settlement s on s.id = coalesce(e.data ->> 'settlementId', r.settlement_id)
      left join visit v on v.id = e.data ->> 'visitId' and v.citizen_id <> ${citizenId}
      left join hospital h on h.code = coalesce(e.hospital_code, s.hospital_code)
      left join refund f on f.id = e.data ->> 'refundId'
      left join conversion c on c.id = e.data ->> 'conversionId' and not e.is_payer
      left join money_back m on m.id = e.data ->> 'moneyBackId'
      left join lateral (select sum(o.amount)::bigint as amount from receivable o
        where o.settlement_id = s.id and o.citizen_id = ${citizenId}) owed on true
      left join lateral (select sum(b.amount)::bigint as amount from money_back b
        where b.cause_id = coalesce(e.data ->> 'refundId', e.data ->> 'conversionId')
          and (not e.is_payer or b.kind = 'credit')) back on true
    order by e.occurred_at desc, e.id desc limit ${page.count}::int`,
  );
}

const NO_PLACE: Said = { zh: '医院', en: 'the hospital' };

/** The fact in words, for whom it is read by. */
export function noticeView(row: NoticeRow) {
  const { title, text, forPayer } = noticeTexts[row.type];
  const say = row.is_payer && forPayer ? forPayer : text;
  const place = row.hospital_code
    ? { code: row.hospital_code, name: row.hospital_name ?? '' }
    : null;
  return {
    id: row.id,
    type: row.type,
    at: new Date(row.at).toISOString(),
    title: inBoth(title),
    text: inBoth(say(factsOf(row))),
    hospital: place,
    ...(row.settlement_id ? { settlementId: row.settlement_id } : {}),
  };
}

function factsOf(row: NoticeRow): NoticeFacts {
  const name = row.hospital_name;
  return {
    hospital: name ? { zh: name, en: name } : NO_PLACE,
    amount: row.said ?? formatYuan(row.amount ?? 0n),
    back: formatYuan(row.back ?? 0n),
    reason: row.is_payer ? '' : (row.reason ?? ''),
  };
}
