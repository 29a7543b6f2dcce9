// Balances are sums of postings, now and at a time; no balance is a row that payments update.
import { sql } from 'drizzle-orm';
import { businessNow, type Db, rows, type Tx } from '../db/db.ts';
import type { Fen } from '../money.ts';
import { type AccountOf, accountName, type OwnerKind } from './chart.ts';

/**
 * The balance of an account in fen, debit positive: of all its legs, or of those of one
 * counterparty or citizen; as recorded up to and including `at` (default: everything).
 */
export async function balanceOf<K extends OwnerKind>(
  tx: Tx | Db,
  of: {
    ownerKind: K;
    owner: string;
    account: AccountOf<K>;
    counterparty?: string;
    citizenId?: string;
    at?: Date;
  },
): Promise<Fen> {
  const at = of.at?.toISOString() ?? null;
  const [row] = await rows<{ balance: Fen }>(
    tx,
    sql`
    select coalesce(sum(p.amount), 0)::bigint as balance
    from posting p join journal_entry e on e.id = p.entry_id
    where p.owner_kind = ${of.ownerKind} and p.owner = ${of.owner} and p.account = ${of.account}
      and (${of.counterparty ?? null}::text is null or p.counterparty = ${of.counterparty ?? null})
      and (${of.citizenId ?? null}::text is null or p.citizen_id = ${of.citizenId ?? null})
      and (${at}::timestamptz is null or date_trunc('milliseconds', e.recorded_at) <= ${at}::timestamptz)`,
  );
  return row?.balance ?? 0n;
}

export interface AccountTotals {
  account: string;
  /** Chinese first, English beside it. */
  name: string;
  /** Fen: the sum of all debits, of all credits, and debits less credits. */
  debit: Fen;
  credit: Fen;
  balance: Fen;
}

export interface OwnerTotals {
  ownerKind: OwnerKind;
  owner: string;
  name: string;
  accounts: AccountTotals[];
  isBalanced: boolean;
}

export interface TrialBalance {
  at: Date;
  owners: OwnerTotals[];
  isBalanced: boolean;
}

// Times of the wire have milliseconds, recorded_at has microseconds: hence date_trunc.
interface TotalRow {
  owner_kind: OwnerKind;
  owner: string;
  name: string | null;
  account: string;
  debit: Fen;
  credit: Fen;
}

/**
 * Totals per owner and account of everything recorded up to and including `at` (default: business
 * time now). With `hospitalCode` only that hospital's books.
 */
export async function trialBalance(
  db: Tx | Db,
  wish: { at?: Date; hospitalCode?: string } = {},
): Promise<TrialBalance> {
  const at = wish.at?.toISOString() ?? null;
  const hospital = wish.hospitalCode ?? null;
  const totals = await rows<TotalRow>(
    db,
    sql`
    select t.*, case t.owner_kind when 'H' then h.name else l.name end as name
    from (
      select p.owner_kind, p.owner, p.account,
        coalesce(sum(p.amount) filter (where p.amount > 0), 0)::bigint as debit,
        coalesce(-sum(p.amount) filter (where p.amount < 0), 0)::bigint as credit
      from posting p join journal_entry e on e.id = p.entry_id
      where (${at}::timestamptz is null or date_trunc('milliseconds', e.recorded_at) <= ${at}::timestamptz)
        and (${hospital}::text is null or (p.owner_kind = 'H' and p.owner = ${hospital}))
      group by p.owner_kind, p.owner, p.account
    ) t
    left join hospital h on t.owner_kind = 'H' and h.code = t.owner
    left join lender l on t.owner_kind = 'B' and l.code = t.owner
    order by t.owner_kind desc, t.owner, t.account`,
  );
  const owners = byOwner(totals);
  return {
    at: wish.at ?? (await businessNow(db)),
    owners,
    isBalanced: owners.every((owner) => owner.isBalanced),
  };
}

function byOwner(totals: readonly TotalRow[]): OwnerTotals[] {
  const owners = new Map<string, OwnerTotals>();
  for (const row of totals) {
    const key = `${row.owner_kind} ${row.owner}`;
    const owner = owners.get(key) ?? {
      ownerKind: row.owner_kind,
      owner: row.owner,
      name: row.name ?? row.owner,
      accounts: [],
      isBalanced: false,
    };
    const { account, debit, credit } = row;
    const name = accountName(account);
    owner.accounts.push({ account, name, debit, credit, balance: debit - credit });
    owner.isBalanced = owner.accounts.reduce((sum, a) => sum + a.balance, 0n) === 0n;
    owners.set(key, owner);
  }
  return [...owners.values()];
}
