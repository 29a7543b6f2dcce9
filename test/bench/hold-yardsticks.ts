// Role: what a hold is measured against: its own statement by pgbench, and a plain transfer of the shape
// of pgledger (two locked balance rows, two entries with the balances they left).
import { setHold } from '../../src/credit/set-hold.ts';
import type { Tx } from '../../src/db/db.ts';
import type { City } from './city.ts';
import { pgbench } from './pgbench.ts';

export const CLIENTS = 16;
const AMOUNT_FEN = 100n;

/** Stands for a visit's id while the statement is caught; pgbench looks the id up by number. */
const VISIT = 'the visit of this number';
const PAYER = 'the payer of this number';

/** Holds a second by the same statement, each of `visitIds` once. They must have no hold. */
export async function sameStatement(city: City, visitIds: readonly string[]): Promise<number> {
  await city.sql`drop table if exists bench_place`;
  await city.sql`
    create table bench_place as
    select row_number() over (order by id) - 1 as n, id as visit, payer_citizen_id as payer,
      'hld_' || md5(id || clock_timestamp()) as hold
    from visit where id in (select jsonb_array_elements_text(${JSON.stringify(visitIds)}::text::jsonb))`;
  await city.sql`alter table bench_place add primary key (n)`;
  await city.sql`analyze bench_place`;
  const { text, params } = await caughtStatement();
  const number = `:client_id * ${Math.floor(visitIds.length / CLIENTS)} + :i - 1`;
  const literal = (value: unknown) => {
    if (value === VISIT) return '(select visit from bench_place where n = :n)';
    if (value === PAYER) return '(select payer from bench_place where n = :n)';
    if (String(value).startsWith('hld_')) return '(select hold from bench_place where n = :n)';
    return value === null ? 'null' : `'${String(value).replaceAll("'", "''")}'`;
  };
  const statement = text.replace(/\$(\d+)/g, (_, index) => literal(params[Number(index) - 1]));
  return pgbench(city.databaseUrl, {
    script: `\\set n ${number}\n${statement.replace(/\s+/g, ' ')};`,
    clients: CLIENTS,
    each: Math.floor(visitIds.length / CLIENTS),
  });
}

/** The statement that the use case sends, caught before it is sent. */
async function caughtStatement(): Promise<{ text: string; params: unknown[] }> {
  let caught: { text: string; params: unknown[] } | null = null;
  const unsafe = (text: string, params: unknown[]) => {
    caught ??= { text, params };
    return Promise.resolve([]);
  };
  const wish = {
    visitId: VISIT,
    payerCitizenId: PAYER,
    visitKind: 'outpatient',
    amount: AMOUNT_FEN,
    isPartialAllowed: false,
    isEmergency: false,
  } as const;
  // Without an answer it refuses; only what it asked is wanted.
  await setHold({ session: { client: { unsafe } } } as unknown as Tx, wish).catch(() => {});
  if (!caught) throw new Error('no statement was caught');
  return caught;
}

const ACCOUNTS = 1000;
const TRANSFERS_OF_CLIENT = 400;

/** Transfers a second between two of 1,000 accounts, by one function call each. */
export async function transfers(city: City): Promise<number> {
  await city.sql.unsafe(`
    create table if not exists bench_account (
      id int primary key, balance bigint not null default 0, version bigint not null default 0);
    create table if not exists bench_transfer (
      id bigint generated always as identity primary key, from_id int not null, to_id int not null,
      amount bigint not null check (amount > 0), created_at timestamptz not null default now());
    create table if not exists bench_entry (
      id bigint generated always as identity primary key, account_id int not null,
      transfer_id bigint not null references bench_transfer, amount bigint not null,
      previous_balance bigint not null, current_balance bigint not null, version bigint not null);
    create index if not exists bench_entry_account on bench_entry (account_id);
    insert into bench_account (id) select generate_series(1, ${ACCOUNTS}) on conflict do nothing;
    create or replace function bench_transfer_money(a int, b int, sum bigint) returns bigint
    language plpgsql as $$
    declare made bigint; before bigint; after bigint; moved bigint;
    begin
      perform 1 from bench_account where id in (a, b) order by id for update;
      insert into bench_transfer (from_id, to_id, amount) values (a, b, sum) returning id into made;
      update bench_account set balance = balance - sum, version = version + 1 where id = a
        returning balance + sum, balance, version into before, after, moved;
      insert into bench_entry (account_id, transfer_id, amount, previous_balance, current_balance, version)
        values (a, made, -sum, before, after, moved);
      update bench_account set balance = balance + sum, version = version + 1 where id = b
        returning balance - sum, balance, version into before, after, moved;
      insert into bench_entry (account_id, transfer_id, amount, previous_balance, current_balance, version)
        values (b, made, sum, before, after, moved);
      return made;
    end $$;`);
  return pgbench(city.databaseUrl, {
    script: `\\set a random(1, ${ACCOUNTS / 2})
\\set b random(${ACCOUNTS / 2 + 1}, ${ACCOUNTS})
select bench_transfer_money(:a::int, :b::int, 1000);`,
    clients: CLIENTS,
    each: TRANSFERS_OF_CLIENT,
  });
}
