// Law: a bank's statement proves itself: opening + movements = closing, every sum as it says, every amount in CNY.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bankColumns } from '../../../src/reconciliation/files/bank-csv.ts';
import { camt053Statement } from '../../../src/reconciliation/files/camt053.ts';
import { DAY, inPieces, readFile, readStatement, refusalOf } from './support.ts';

const amount = (yuan: string, indicator = 'CRDT', currency = 'CNY') =>
  `<Amt Ccy="${currency}">${yuan}</Amt><CdtDbtInd>${indicator}</CdtDbtInd>`;
const balance = (type: string, yuan: string, indicator?: string) =>
  `<Bal><Tp><CdOrPrtry><Cd>${type}</Cd></CdOrPrtry></Tp>${amount(yuan, indicator)}<Dt><Dt>${DAY}</Dt></Dt></Bal>`;
const transaction = (id: string, inner = '') =>
  `<TxDtls><Refs><EndToEndId>${id}</EndToEndId></Refs>${inner}<RltdPties><Dbtr><Nm>某人</Nm></Dbtr><CdtrAcct><Id><Othr><Id>6222001</Id></Othr></Id></CdtrAcct></RltdPties><RmtInf><Ustrd>拨付 ${id}</Ustrd></RmtInf></TxDtls>`;
const entry = (money: string, details: string, status = '<Sts>BOOK</Sts>', more = '') =>
  `<Ntry><NtryRef>N1</NtryRef>${money}${more}${status}<BookgDt><Dt>${DAY}</Dt></BookgDt><ValDt><Dt>${DAY}</Dt></ValDt><AcctSvcrRef>B-${details.length}</AcctSvcrRef><NtryDtls>${details}</NtryDtls></Ntry>`;

interface Parts {
  version?: string;
  id?: string;
  balances?: string;
  summary?: string;
  entries?: string;
}
const statement = ({ id = 'S-1', balances, summary = '', entries }: Parts = {}) =>
  `<Stmt><Id>${id}</Id><ElctrncSeqNb>325</ElctrncSeqNb><FrToDt><FrDtTm>${DAY}T00:00:00+08:00</FrDtTm><ToDtTm>${DAY}T24:00:00+08:00</ToDtTm></FrToDt><Acct><Id><Othr><Id>6222000</Id></Othr></Id></Acct>
  ${balances ?? balance('OPBD', '100.00') + balance('CLBD', '130.00')}${summary}
  ${entries ?? entry(amount('50.00'), transaction('E1')) + entry(amount('20.00', 'DBIT'), transaction('E2'))}</Stmt>`;
const document = (statements: string, version = '08') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.${version}"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId><CreDtTm>${DAY}T20:00:00+08:00</CreDtTm></GrpHdr>${statements}</BkToCstmrStmt></Document>`;
const camt = (parts: Parts = {}, sizes?: number[]) =>
  readFile('bank', document(statement(parts), parts.version), {}, sizes);
const codeOf = async (parts: Parts) => (await refusalOf(camt(parts)))[0];

describe('camt.053', () => {
  it.each(['02', '04', '06', '08', '10'])(
    'of version %s gives signed movements and its keys',
    async (version) => {
      const { rows, meta, totals } = await camt({ version });
      expect(rows.map((row) => [row.kind, row.key, row.key2, row.amount, row.occurredOn])).toEqual([
        ['credit', 'E1', '拨付 E1', 5000n, DAY],
        ['debit', 'E2', '拨付 E2', -2000n, DAY],
      ]);
      expect(rows[0]?.detail).toMatchObject({ CdtrAcct: '6222001', NtryRef: 'N1' });
      expect(JSON.stringify(rows[0]?.detail)).not.toContain('某人');
      expect(totals).toMatchObject({ count: 2, amount: 3000n });
      expect(meta.statements).toEqual([
        expect.objectContaining({
          id: 'S-1',
          sequence: '325',
          account: '6222000',
          opening: '10000',
          closing: '13000',
        }),
      ]);
    },
  );

  it('takes a reversal by its indicator, and leaves out what is not booked', async () => {
    const entries =
      entry(
        amount('30.00'),
        transaction('NOTPROVIDED'),
        '<Sts><Cd>BOOK</Cd></Sts>',
        '<RvslInd>true</RvslInd>',
      ) + entry(amount('99.00'), transaction('E9'), '<Sts><Cd>PDNG</Cd></Sts>');
    const { rows, meta } = await camt({ entries });
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ kind: 'credit', amount: 3000n, detail: { RvslInd: 'true' } });
    expect(rows[0]?.key).toBe('');
    expect(meta.skipped).toBe(1);
  });

  it('gives a booked batch as its transactions where these add up to it', async () => {
    const part = (id: string, yuan: string) => transaction(id, amount(yuan));
    const { rows } = await camt({
      entries: entry(amount('30.00'), part('P1', '10.00') + part('P2', '20.00')),
    });
    expect(rows.map((row) => [row.key, row.amount])).toEqual([
      ['P1', 1000n],
      ['P2', 2000n],
    ]);
    const other = await camt({
      entries: entry(amount('30.00'), part('P1', '10.00') + part('P2', '10.00')),
    });
    expect(other.rows.map((row) => row.amount)).toEqual([3000n]);
  });

  it('is refused when it does not add up or its summary lies', async () => {
    expect(await codeOf({ balances: balance('OPBD', '100.00') + balance('CLBD', '130.01') })).toBe(
      'file/totals-lie',
    );
    const summary = (inner: string) => `<TxsSummry>${inner}</TxsSummry>`;
    const good = summary(
      '<TtlNtries><NbOfNtries>2</NbOfNtries><Sum>70.00</Sum></TtlNtries><TtlCdtNtries><NbOfNtries>1</NbOfNtries><Sum>50.00</Sum></TtlCdtNtries><TtlDbtNtries><NbOfNtries>1</NbOfNtries><Sum>20.00</Sum></TtlDbtNtries>',
    );
    expect((await camt({ summary: good })).rows).toHaveLength(2);
    for (const [said, lie] of [
      ['<NbOfNtries>2', '<NbOfNtries>3'],
      ['<Sum>50.00', '<Sum>50.01'],
      ['<Sum>20.00', '<Sum>21.00'],
    ]) {
      expect(await codeOf({ summary: good.replace(said ?? '', lie ?? '') })).toBe(
        'file/totals-lie',
      );
    }
  });

  it.each<[string, Parts, string]>([
    ['another currency', { entries: entry(amount('30.00', 'CRDT', 'EUR'), '') }, 'file/bad-value'],
    ['a signed amount', { entries: entry(amount('-30.00'), '') }, 'file/bad-value'],
    ['five decimals', { entries: entry(amount('30.00001'), '') }, 'file/bad-value'],
    ['no indicator', { entries: entry(amount('30.00', 'X'), '') }, 'file/bad-value'],
    ['no closing balance', { balances: balance('OPBD', '100.00') }, 'file/bad-value'],
    ['no statement id', { id: '' }, 'file/bad-value'],
  ])('is refused for %s', async (_name, parts, code) => {
    expect(await codeOf(parts)).toBe(code);
  });

  it('is refused with a statement twice, a DOCTYPE, or when it is another message', async () => {
    const twice = document(statement() + statement());
    expect((await refusalOf(readFile('bank', twice)))[0]).toBe('file/duplicate-row');
    const doctype = document(statement()).replace(
      '<Document',
      '<!DOCTYPE a [<!ENTITY x "y">]><Document',
    );
    expect((await refusalOf(readFile('bank', doctype)))[0]).toBe('file/bad-value');
    const other = document(statement()).replace('camt.053', 'camt.052');
    expect((await refusalOf(readFile('bank', other)))[0]).toBe('file/wrong-header');
    expect((await refusalOf(readFile('bank', '<html></html>')))[0]).toBe('file/wrong-header');
  });

  it('gives the same however it arrives, and cut anywhere is refused', async () => {
    const text = document(statement());
    const whole = await camt();
    const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(sizes, async (some) => {
        expect((await camt({}, some)).rows).toEqual(whole.rows);
      }),
      { numRuns: 20 },
    );
    const bytes = Buffer.from(text);
    for (let to = 0; to < bytes.length; to += 7) {
      const [code] = await refusalOf(
        readFile('bank', bytes.subarray(0, to), { format: 'camt053' }),
      );
      expect(code).toMatch(/^file\/(truncated|wrong-encoding)$/);
    }
  });
});

describe('a bank statement as CSV', () => {
  const cells = (over: Partial<Record<string, string>> = {}) =>
    bankColumns
      .map(
        (column) =>
          ({
            statementId: 'S1',
            sequence: '7',
            account: '6222000',
            entryRef: 'N1',
            endToEndId: 'E1',
            remark: '拨付',
            direction: 'credit',
            amount: '30.00',
            currency: 'CNY',
            bookedOn: DAY,
            valueOn: DAY,
            counterAccount: '6222001',
            balance: '130.00',
            ...over,
          })[column] ?? '',
      )
      .join(',');
  const file = (...rows: string[]) => [bankColumns.join(','), ...rows].join('\r\n');
  const debit = cells({
    entryRef: 'N2',
    endToEndId: '',
    direction: 'debit',
    amount: '10',
    balance: '120.00',
  });
  const refusal = (...rows: string[]) => refusalOf(readFile('bank', file(...rows)));

  it('gives signed movements; the key is the end-to-end id', async () => {
    const { rows, meta } = await readFile('bank', file(cells(), debit));
    expect(rows.map((row) => [row.kind, row.key, row.key2, row.amount])).toEqual([
      ['credit', 'E1', '拨付', 3000n],
      ['debit', '', '拨付', -1000n],
    ]);
    expect(meta).toEqual({ statements: [{ id: 'S1', sequence: '7', account: '6222000' }] });
  });

  it('is refused when its balance does not follow, an entry stands twice, or a value is wrong', async () => {
    expect(await refusal(cells(), debit.replace('120.00', '121.00'))).toEqual([
      'file/totals-lie',
      3,
      'balance',
    ]);
    expect(await refusal(cells(), cells())).toEqual(['file/duplicate-row', 3, 'entryRef']);
    expect(await refusal(cells({ currency: 'USD' }))).toEqual(['file/bad-value', 2, 'currency']);
    expect(await refusal(cells({ amount: '-1.00' }))).toEqual(['file/bad-value', 2, 'amount']);
    expect(await refusal(cells({ direction: 'in' }))).toEqual(['file/bad-value', 2, 'direction']);
    expect(await refusal(cells({ remark: '=1+1' }))).toEqual(['file/formula', 2, 'remark']);
    expect(await refusal(cells(), cells({ entryRef: 'N3', statementId: 'S2' }))).toEqual([
      'file/bad-value',
      3,
      'statementId',
    ]);
  });
});

const realFiles = join(process.env.EGRET_REAL_DATA ?? '/nowhere', 'iso20022', 'genkgo');
describe.skipIf(!existsSync(realFiles))('published samples', () => {
  /** What each is, and what reading it in its own currency ends in. */
  it.each([
    ['camt053.v2.minimal.xml', 'file/bad-value'],
    ['camt053.v2.wrong.xml', 'file/wrong-header'],
    ['camt053.v8.xml', 'file/bad-value'],
    ['camt052.v8.xml', 'file/wrong-header'],
    ['camt054.v8.xml', 'file/wrong-header'],
  ])('%s ends in %s', async (name, code) => {
    const content = readFileSync(join(realFiles, name));
    const reading = readStatement(camt053Statement(inPieces(content, [500]), 'EUR'));
    expect((await refusalOf(reading))[0]).toBe(code);
  });

  it('with two statements gives both, each adding up', async () => {
    const content = readFileSync(join(realFiles, 'camt053.v2.multi.statement.xml'));
    const { meta, rows } = await readStatement(camt053Statement(inPieces(content, [500]), 'EUR'));
    expect([rows.length, (meta.statements as unknown[]).length]).toEqual([2, 2]);
  });
});
