// Law: no adjustment that two people agree on breaks a law of the books, or touches the books of a stranger.
import { sql } from 'drizzle-orm';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { chart } from '../../src/ledger/chart.ts';
import { adjustable } from '../../src/reconciliation/adjustment.ts';
import { openBreaks } from '../../src/reconciliation/break-store.ts';
import { type Finance, financeOf, post } from '../finance/support.ts';
import { expectLaws, type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';

const app = useApp({ worker: false });
const LENDER = 'LWB';
let finance: Finance;
let scene: Scene;
let count = 0;
beforeAll(async () => {
  finance = await financeOf(app);
  scene = await sceneOf(app);
});

async function newBreak(place: { hospitalCode: string | null; lender: string | null }) {
  count += 1;
  const subject = `2026-11-20 B${count}`;
  await app.db.transaction((tx) =>
    openBreaks(tx, [
      {
        ...{ reconciliationId: null, counterparty: 'bank', subject, kind: 'amountOver', ...place },
        ...{ scope: place.hospitalCode ?? place.lender ?? '', businessDate: '2026-11-20' },
        ...{ settlementId: null, ourAmount: 100n, theirAmount: 200n, isSelfClearing: false },
        ...{ remedy: 'adjust', evidence: {} },
      },
    ]),
  );
  const [row] = await rows<{ id: string }>(
    app.db,
    sql`select id from reconciliation_break where subject = ${subject}`,
  );
  return row?.id ?? '';
}

type LegBody = Record<string, string>;
const pair = (owner: string, one: string, other: string): LegBody[] => [
  { owner, account: one, side: 'debit', amount: '1.00' },
  { owner, account: other, side: 'credit', amount: '1.00' },
];
const propose = (id: string, legs: LegBody[], token = finance.maker) =>
  post(app, `/v1/breaks/${id}/proposals`, token, { remedy: 'adjust', reason: '已核对', legs });

let hospital: string;
beforeEach(() => {
  hospital = scene.hospitalCode;
});

describe('an adjustment', () => {
  it('on whatever account may be adjusted leaves every law whole', async () => {
    const plain = adjustable.filter((code) => !('mirrorOf' in chart[code]));
    const ofHospital = plain.filter((code) => chart[code].owner === 'H' && code !== '1102');
    const ofLender = plain.filter((code) => chart[code].owner === 'B' && code !== '1321');
    const mirrored: [string, string][] = [
      ['1203', '2101'],
      ['1103', '2102'],
    ];
    const cases: LegBody[][] = [
      ...ofHospital.map((code) => pair(hospital, code, '1102')),
      ...ofLender.map((code) => pair(LENDER, code, '1321')),
      ...mirrored.map(([one, other]): LegBody[] => [
        { owner: hospital, account: one, side: 'debit', amount: '1.00', counterparty: LENDER },
        { owner: hospital, account: '1102', side: 'credit', amount: '1.00' },
        { owner: LENDER, account: '1321', side: 'debit', amount: '1.00' },
        { owner: LENDER, account: other, side: 'credit', amount: '1.00', counterparty: hospital },
      ]),
    ];
    for (const legs of cases) {
      const id = await newBreak({ hospitalCode: hospital, lender: null });
      const made = await propose(id, legs);
      expect(made.status, `${legs[0]?.account} ${made.text}`).toBe(202);
      const approved = await post(app, `/v1/proposals/${made.body.id}/approve`, finance.checker);
      expect(approved.status, approved.text).toBe(200);
    }
    await expectLaws(app);
  });

  it('is refused in the books of another hospital, of another lender, or of nobody', async () => {
    const ofHospital = await newBreak({ hospitalCode: hospital, lender: null });
    const ofLender = await newBreak({ hospitalCode: null, lender: LENDER });
    for (const [id, legs] of [
      [ofHospital, pair('H35020000002', '1104', '1102')],
      [ofLender, pair('LWR', '5101', '1321')],
      [ofLender, pair('H99999999999', '1104', '1102')],
      [ofHospital, pair('NOBODY', '5101', '1321')],
    ] as const) {
      const made = await propose(id, legs);
      expect([made.status, made.body.code], made.text).toEqual([422, 'break/remedy-unfit']);
    }
  });

  it('in a lender’s books is no matter of a hospital’s own finance', async () => {
    const own = await app.token('financeMaker', { hospitalCode: hospital });
    const id = await newBreak({ hospitalCode: hospital, lender: null });
    const made = await propose(id, pair(LENDER, '5101', '1321'), own);
    expect([made.status, made.body.code]).toEqual([422, 'break/remedy-unfit']);
    expect((await propose(id, pair(hospital, '1104', '1102'), own)).status).toBe(202);
  });
});
