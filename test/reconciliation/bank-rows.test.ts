// A bank's file as its reader gives it: every movement is a row of its own, however the file breaks its lines.
import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { postEntry } from '../../src/ledger/post.ts';
import { sentLegs } from '../../src/payout/payout.ts';
import { parseStatement } from '../../src/reconciliation/files/parse-statement.ts';
import { importStatement } from '../../src/reconciliation/import-statement.ts';
import { type Finance, financeOf, post } from '../finance/support.ts';
import { type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { atHour, breaksOf } from './support.ts';

const app = useApp({ worker: false });
let finance: Finance;
let scene: Scene;
beforeAll(async () => {
  finance = await financeOf(app);
  scene = await sceneOf(app);
});

let payouts = 100;
async function sentPayout(amount: bigint, at: Date, hospitalCode = scene.hospitalCode) {
  payouts += 1;
  const id = `pay_${payouts}`;
  const endToEndId = `LWB-${hospitalCode}-${payouts}`;
  await app.db.transaction(async (tx) => {
    await tx.execute(sql`set local session_replication_role = replica`);
    await tx.execute(sql`
      insert into payout (id, lender, hospital_code, business_date, run, amount, status, maker, checker,
        end_to_end_id, created_at, approved_at, sent_at)
      select ${id}, 'LWB', ${hospitalCode}, at::date, ${payouts}::int, ${amount.toString()}::bigint,
        'sent', 'm', 'c', ${endToEndId}, at, at, at
      from (select ${at.toISOString()}::timestamptz as at) t`);
    const legs = sentLegs({ lender: 'LWB', hospitalCode }, amount);
    await postEntry(tx, { fact: 'payout.sent', subjectId: id, occurredAt: at, legs });
  });
  return { id, endToEndId };
}
const statusOf = async (id: string) => {
  const [row] = await app.db.execute(sql`select status from payout where id = ${id}`);
  return row?.status;
};

interface Entry {
  amount: string;
  endToEndId?: string;
  reference: string;
}

/** All on one line, as banks' systems write it. */
function camt(day: string, entries: Entry[]): string {
  const balance = (type: string, amount: string) =>
    `<Bal><Tp><CdOrPrtry><Cd>${type}</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">${amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>`;
  const total = entries.reduce((sum, each) => sum + Number(each.amount), 0).toFixed(2);
  const rows = entries.map(
    ({ amount, endToEndId, reference }) =>
      `<Ntry><NtryRef>${reference}</NtryRef><Amt Ccy="CNY">${amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>${day}</Dt></BookgDt><AcctSvcrRef>${reference}</AcctSvcrRef>${endToEndId ? `<NtryDtls><TxDtls><Refs><EndToEndId>${endToEndId}</EndToEndId></Refs></TxDtls></NtryDtls>` : ''}</Ntry>`,
  );
  return `<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt><Id>${day}</Id><Acct><Id><Othr><Id>1</Id></Othr></Id></Acct>${balance('OPBD', '0.00')}${balance('CLBD', total)}${rows.join('')}</Stmt></BkToCstmrStmt></Document>`;
}

async function importCamt(day: string, entries: Entry[]) {
  const text = camt(day, entries);
  const run = await importStatement(
    app.deps,
    {
      ...{
        counterparty: 'bank',
        businessDate: day,
        hospitalCode: scene.hospitalCode,
        lender: null,
      },
      ...{ format: 'camt053', fileHash: createHash('sha256').update(text).digest('hex') },
      createdBy: 'test',
    },
    () =>
      parseStatement({
        ...{ counterparty: 'bank', format: null, businessDate: day, hospitalCode: null },
        body: (async function* () {
          yield Buffer.from(text);
        })(),
      }),
  );
  return { run, byKind: (run.detail as { byKind: Record<string, number> }).byKind };
}

describe('a statement on one line', () => {
  it('proves each payout by its own movement, whatever else differs', async () => {
    const day = await atHour(app, 14, 3);
    const at = new Date(`${day}T14:00:00+08:00`);
    const [good, fine, wrong] = [
      await sentPayout(1000n, at),
      await sentPayout(2000n, at),
      await sentPayout(3000n, at),
    ];
    const { byKind } = await importCamt(day, [
      { amount: '10.00', endToEndId: good.endToEndId, reference: 'B1' },
      { amount: '20.00', endToEndId: fine.endToEndId, reference: 'B2' },
      { amount: '31.00', endToEndId: wrong.endToEndId, reference: 'B3' },
    ]);
    expect(await Promise.all([good, fine, wrong].map(({ id }) => statusOf(id)))).toEqual([
      ...['paid', 'paid', 'sent'],
    ]);
    expect(byKind).toEqual({ amountOver: 1 });
  });

  it('lists movements without a key one by one', async () => {
    const day = await atHour(app, 14, 6);
    const at = new Date(`${day}T14:00:00+08:00`);
    const paid = await sentPayout(7_001n, at);
    const { run, byKind } = await importCamt(day, [
      { amount: '70.01', reference: 'C1' },
      { amount: '5.00', reference: 'C2' },
      { amount: '6.00', reference: 'C3' },
    ]);
    expect(await statusOf(paid.id)).toBe('paid');
    expect(byKind).toEqual({ missingAtPlatform: 2 });
    // The same movements in another order are the same breaks.
    const again = await importCamt(day, [
      { amount: '6.00', reference: 'C3' },
      { amount: '5.00', reference: 'C2' },
      { amount: '70.01', reference: 'C1' },
    ]);
    const [first, second] = await Promise.all(
      [run, again.run].map(({ id }) => breaksOf(app, finance.maker, id)),
    );
    expect(second?.map(({ id }) => id)).toEqual(first?.map(({ id }) => id));
  });
});

describe('confirming a payout by a break', () => {
  it('is only about the hospital whose break it is', async () => {
    const day = await atHour(app, 14, 9);
    const at = new Date(`${day}T14:00:00+08:00`);
    const others = await sentPayout(4_200n, at, 'H35020000002');
    const { run } = await importCamt(day, [{ amount: '42.00', reference: 'D1' }]);
    const [found] = await breaksOf(app, finance.maker, run.id);
    const own = await app.token('financeMaker', { hospitalCode: scene.hospitalCode });
    const made = await post(app, `/v1/breaks/${found?.id}/proposals`, own, {
      ...{ remedy: 'confirmPayout', reason: '已核对' },
      payout: { endToEndId: others.endToEndId, bankReference: 'D1' },
    });
    const approved =
      made.status === 202
        ? await post(app, `/v1/proposals/${made.body.id}/approve`, finance.checker)
        : made;
    expect([approved.status, approved.body.code]).toEqual([422, 'break/remedy-unfit']);
    expect(await statusOf(others.id)).toBe('sent');
  });
});
