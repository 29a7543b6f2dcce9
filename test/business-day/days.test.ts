import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { lookAtDays } from '../../src/business-day/look-at-days.ts';
import { rows, type Tx, transact } from '../../src/db/db.ts';
import { newId } from '../../src/ids.ts';
import { credit, debit, hospitalBooks } from '../../src/ledger/journal.ts';
import { postEntry } from '../../src/ledger/post.ts';
import { verifyBooks } from '../../src/ledger/verify.ts';
import { toDay, today } from '../payout/support.ts';
import { expectLaws } from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';

const app = useApp({ worker: false });
const HOSPITAL = 'H35020000001';
const HASH = 'A closed business day has the hash that its entries, totals and breaks give';
let checker: string;
let maker: string;
/** Business days from real time. */
let days = 2;

beforeAll(async () => {
  checker = await app.token('financeChecker');
  maker = await app.token('financeMaker');
  await toDay(app, days);
});

/** An order in the books and nothing else: 12.30 in cash for a charge. */
function book(tx: Tx, occurredAt = new Date()): Promise<{ entryId: string }> {
  const h = hospitalBooks(HOSPITAL);
  return postEntry(tx, {
    fact: 'insurer.paid',
    subjectId: newId('entry'),
    occurredAt,
    legs: [debit(h, '1102', 1230n), credit(h, '1201', 1230n)],
  });
}

/** What a statement that began in the last second of a day, and was late, writes. */
async function bookLastSecond(tx: Tx, date: string): Promise<string> {
  const id = newId('entry');
  await tx.execute(sql`
    with entry as (
      insert into journal_entry
        (id, fact, subject_id, leg_count, occurred_at, recorded_at, business_date)
      select ${id}, 'insurer.paid', ${id}, 2, at, at, ${date}::date
      from (select (${date}::date + time '23:59:59') at time zone 'Asia/Shanghai' as at) last
      returning id, occurred_at
    )
    insert into posting (entry_id, leg, leg_count, owner_kind, owner, account, amount, occurred_at)
    select entry.id, l.leg, 2, 'H', ${HOSPITAL}, l.account, l.amount, entry.occurred_at
    from entry, (values (1, '1102', 1230), (2, '1201', -1230)) as l (leg, account, amount)`);
  return id;
}

async function entriesOf(date: string): Promise<number> {
  return (await read(date)).entries;
}

/** So many statements of this database wait for a day's lock. */
async function areWaiting(count: number): Promise<boolean> {
  const [waiting] = await rows<{ n: number }>(
    app.db,
    sql`
    select count(*)::int as n from pg_locks
    where locktype = 'advisory' and not granted
      and database = (select oid from pg_database where datname = current_database())`,
  );
  return (waiting?.n ?? 0) >= count;
}

const close = (date: string, token = checker) =>
  app.call('POST', `/v1/business-days/${date}/close`, { token });
const read = async (date: string, token = checker): Promise<ReplyBody> =>
  (await app.call('GET', `/v1/business-days/${date}`, { token })).body;

async function dayOf(entryId: string): Promise<string> {
  const [row] = await rows<{ day: string }>(
    app.db,
    sql`select business_date::text as day from journal_entry where id = ${entryId}`,
  );
  return row?.day ?? '';
}

async function nextDay(): Promise<string> {
  await toDay(app, ++days);
  return today(app);
}

/** A difference found for a day. */
async function addBreak(businessDate: string, owner: string | null, isSelfClearing = false) {
  const id = newId('reconciliationBreak');
  await app.db.execute(sql`
    insert into reconciliation_break (id, counterparty, scope, subject, kind, business_date, status,
      owner, is_self_clearing, remedy, evidence, opened_at)
    values (${id}, 'bank', 'LWB', ${id}, 'missingAtBank', ${businessDate}::date, 'open',
      ${owner}::text, ${isSelfClearing}, 'adjust', '{}'::jsonb, business_now())`);
  return id;
}

describe('a business day', () => {
  it('closes in order, never today, and only once', async () => {
    const first = await today(app);
    await transact(app.db, (tx) => book(tx));
    expect((await close(first)).body.code).toBe('day/not-in-order');
    const second = await nextDay();
    await transact(app.db, (tx) => book(tx));
    const third = await nextDay();
    expect((await close(second)).body.code).toBe('day/not-in-order');
    expect((await close('2099-01-01')).body.code).toBe('day/not-in-order');
    // Closed by a slip, it would have every day since then closed before the first one of ours.
    expect((await close('2009-01-01')).body.code).toBe('day/not-in-order');
    const closed = await close(first);
    expect(closed.status, closed.text).toBe(200);
    expect(closed.body).toMatchObject({
      date: first,
      status: 'closed',
      entries: 1,
      previousHash: null,
      totals: { entries: 1, byFact: [{ fact: 'insurer.paid', count: 1 }] },
    });
    expect((await close(first)).body.code).toBe('day/not-in-order');
    expect((await close(third)).body.code).toBe('day/not-in-order');
    const next = await close(second, maker);
    expect(next.body).toMatchObject({ status: 'closed', previousHash: closed.body.hash });
    expect(next.body.hash).not.toBe(closed.body.hash);
    expect(await read(first)).toEqual(closed.body);
    await expectLaws(app);
  });

  it('is frozen: the hash tells a changed entry, leg, total or break', async () => {
    const damages = [
      sql`update posting set reference = 'x' where (entry_id, leg) = (
        select p.entry_id, p.leg from posting p join journal_entry e on e.id = p.entry_id
        join business_day b on b.date = e.business_date where b.status = 'closed' limit 1)`,
      sql`update journal_entry set occurred_at = occurred_at - interval '1 day'
        where business_date = (select max(date) from business_day where status = 'closed')`,
      sql`update business_day set totals = totals || '{"billed":"0.01"}' where status = 'closed'`,
      sql`update business_day set breaks = '[{"id":"x"}]' where status = 'closed'`,
      sql`delete from posting where entry_id in (select id from journal_entry
        where business_date = (select min(date) from business_day where status = 'closed'))`,
    ];
    for (const damage of damages) {
      const law = await app.db
        .transaction(async (tx) => {
          await tx.execute(sql`set local session_replication_role = replica`);
          await tx.execute(damage);
          const { checkLaws } = await import('../../src/ledger/verify.ts');
          throw Object.assign(new Error('roll back'), {
            seen: (await checkLaws(tx)).laws.find((one) => one.law === HASH),
          });
        })
        .catch((error: { seen?: unknown }) => error.seen);
      expect(law).toMatchObject({ holds: false });
    }
    await expect(
      app.db.execute(sql`update business_day set hash = 'x' where status = 'closed'`),
    ).rejects.toMatchObject({ cause: { constraint_name: 'business_day_is_frozen' } });
  });

  it('has a hash that an auditor can compute from the rows by the published words', async () => {
    const date = await today(app);
    await transact(app.db, (tx) => book(tx));
    await transact(app.db, (tx) => book(tx));
    await nextDay();
    const closed = (await close(date)).body;
    const entries = await rows<{ text: string }>(
      app.db,
      sql`
      select jsonb_build_array(e.id, e.fact, e.subject_id, e.settlement_id,
        (extract(epoch from e.occurred_at) * 1000000)::bigint,
        (extract(epoch from e.recorded_at) * 1000000)::bigint, e.business_date,
        (select jsonb_agg(jsonb_build_array(p.leg, p.owner_kind, p.owner, p.account, p.amount,
          p.counterparty, p.citizen_id, p.settlement_id, p.claim_id, p.reference, p.shift_id,
          p.undoes_entry_id, p.undoes_leg) order by p.leg) from posting p
          where p.entry_id = e.id))::text as text
      from journal_entry e where e.business_date = ${date}::date order by e.id collate "C"`,
    );
    const sha = (data: string | Buffer) => createHash('sha256').update(data).digest();
    const digest = sha(Buffer.concat(entries.map((entry) => sha(entry.text)))).toString('hex');
    const [day] = await rows<{ text: string }>(
      app.db,
      sql`
      select jsonb_build_array(date, previous_hash, entry_count, ${digest}::text, totals, breaks)::text
        as text from business_day where date = ${date}::date`,
    );
    expect(entries).toHaveLength(2);
    expect(sha(day?.text ?? '').toString('hex')).toBe(closed.hash);
  });

  it('lists its breaks and carries the open ones of before; one without an owner stops the close', async () => {
    const date = await today(app);
    const owned = await addBreak(date, 'staff:a');
    const clearing = await addBreak(date, null, true);
    const nobodys = await addBreak(date, null);
    const after = await nextDay();
    const stopped = await close(date);
    expect(stopped.body).toMatchObject({ code: 'day/breaks-unowned', breakIds: [nobodys] });
    await app.db.execute(
      sql`update reconciliation_break set owner = 'staff:b' where id = ${nobodys}`,
    );
    const closed = await close(date);
    expect(closed.body.breaks.map((one: ReplyBody) => one.id)).toEqual(
      [owned, clearing, nobodys].sort(),
    );
    await app.db.execute(sql`update reconciliation_break set status = 'cleared',
      resolved_at = business_now(), resolution = '{"by":"cashier"}', counterparty = 'counter' where id = ${clearing}`);
    await nextDay();
    const next = await close(after);
    expect(next.body.breaks.map((one: ReplyBody) => one.id)).toEqual([owned, nobodys].sort());
    await expectLaws(app);
  });

  it('takes what is recorded after its close into the next day, with its own date', async () => {
    const date = await today(app);
    await nextDay();
    const closed = (await close(date)).body;
    await toDay(app, days - 1);
    expect(await today(app)).toBe(date);
    const occurredAt = new Date('2026-01-02T03:04:05Z');
    const { entryId } = await transact(app.db, (tx) => book(tx, occurredAt));
    await toDay(app, days);
    expect(await dayOf(entryId)).toBe(await today(app));
    const [entry] = await rows<{ at: string }>(
      app.db,
      sql`select occurred_at as at from journal_entry where id = ${entryId}`,
    );
    expect(new Date(entry?.at ?? 0)).toEqual(occurredAt);
    expect(await read(date)).toEqual(closed);
    await expectLaws(app);
  });

  it('has an entry that commits while it closes in its hash, or in the next day', async () => {
    const date = await today(app);
    const next = await nextDay();
    const before = await entriesOf(date);
    // An entry under way when the close begins: the close waits for it.
    let commit = () => {};
    const held = new Promise<void>((resolve) => {
      commit = resolve;
    });
    let early = '';
    const inside = transact(app.db, async (tx) => {
      early = await bookLastSecond(tx, date);
      await held;
    });
    await waitFor(() => early);
    const closing = close(date);
    await waitFor(() => areWaiting(1));
    // Entries that come while the close waits queue behind it.
    const late = [1, 2, 3].map(() => transact(app.db, (tx) => bookLastSecond(tx, date)));
    await waitFor(() => areWaiting(4));
    commit();
    await inside;
    const closed = await closing;
    expect(closed.body).toMatchObject({ status: 'closed', entries: before + 1 });
    expect(await dayOf(early)).toBe(date);
    for (const entry of late) expect(await dayOf(await entry)).toBe(next);
    await expectLaws(app);
  });

  it('never tears under a crowd: every entry is in exactly one hash', async () => {
    const date = await today(app);
    const next = await nextDay();
    const before = await entriesOf(date);
    let isClosed = false;
    const closing = close(date).finally(() => {
      isClosed = true;
    });
    const booked: string[] = [];
    const crowd = [1, 2, 3, 4].map(async () => {
      while (!isClosed) booked.push(await transact(app.db, (tx) => bookLastSecond(tx, date)));
      booked.push(await transact(app.db, (tx) => bookLastSecond(tx, date)));
    });
    const closed = await closing;
    await Promise.all(crowd);
    expect(closed.status, closed.text).toBe(200);
    const homes = await Promise.all(booked.map(dayOf));
    const inside = homes.filter((home) => home === date).length;
    expect(closed.body.entries).toBe(before + inside);
    expect(homes.filter((home) => home === next)).toHaveLength(booked.length - inside);
    await expectLaws(app);
  });

  it('gets its totals and a provisional hash half an hour after midnight', async () => {
    const date = await nextDay();
    await transact(app.db, (tx) => book(tx));
    expect(await read(date)).toMatchObject({ status: 'open', entries: 1, hash: null });
    await lookAtDays(app.deps, 100);
    expect((await read(date)).status).toBe('open');
    await nextDay();
    await waitFor(async () => {
      const [row] = await rows<{ late: boolean }>(
        app.db,
        sql`select business_date(business_now() - interval '30 minutes') > ${date}::date as late`,
      );
      if (!row?.late) await app.clock(days * 86_400 + 3_600);
      return row?.late;
    });
    await lookAtDays(app.deps, 100);
    const seen = await read(date);
    expect(seen).toMatchObject({ status: 'provisional', entries: 1, closedAt: null });
    const found = await addBreak(date, null, true);
    const later = await read(date);
    expect(later.breaks.map((one: ReplyBody) => one.id)).toContain(found);
    expect(later.hash).toBe(seen.hash);
    expect(await lookAtDays(app.deps, 100)).toBe(0);
    const list = await app.call('GET', '/v1/business-days?limit=2', { token: checker });
    expect(list.body.data[0]).toMatchObject({ date, status: 'provisional' });
    const rest = await app.call('GET', `/v1/business-days?cursor=${list.body.nextCursor}`, {
      token: checker,
    });
    expect(rest.body.data.length).toBeGreaterThan(0);
    expect((await verifyBooks(app.db)).holds).toBe(true);
    await toDay(app, days);
  });

  it('shows a role of one hospital its own totals, and lets it close nothing', async () => {
    const date = await nextDay();
    await transact(app.db, (tx) => book(tx));
    const theirs = await app.token('financeChecker', { hospitalCode: 'H35020000002' });
    const ours = await app.token('financeChecker', { hospitalCode: HOSPITAL });
    expect((await read(date, theirs)).totals).toMatchObject({ entries: 0, byAccount: [] });
    expect((await read(date, ours)).totals).toMatchObject({ entries: 1 });
    await nextDay();
    expect((await close(date, ours)).body.code).toBe('access/forbidden');
    expect((await close(date, await app.token('auditor'))).body.code).toBe('access/forbidden');
  });
});
