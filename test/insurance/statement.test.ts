// Law: the insurer's day is compared by totals first; its rows are asked for only where a group is not flat, and what
// cannot be asked is no difference. Over the real wire, in all dictionaries and of both writers.
import { sql } from 'drizzle-orm';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { findClaimGroups, findClaimRows } from '../../src/insurance/statement-store.ts';
import { insurerTotals } from '../../src/insurance/statement-trades.ts';
import { askInsurerDay } from '../../src/reconciliation/insurer-statement.ts';
import type { StatementRow } from '../../src/reconciliation/statement.ts';
import { chargedVisit, newPatient, type Scene, sceneOf, settle } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';

const HOSPITAL = 'H35020000001';
const app = useApp();
let scene: Scene;
let day = '';
const setlIds: string[] = [];

beforeAll(async () => {
  scene = await sceneOf(app, HOSPITAL);
  for (let i = 0; i < 2; i += 1) {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person, {});
    const settled = await settle(scene, visit.id);
    setlIds.push(settled.body.insurance.claimId);
  }
  const { person } = await newPatient(app);
  const refunded = await chargedVisit(scene, person, {});
  const { id } = (await settle(scene, refunded.id)).body;
  const body = { all: true, reason: '退药' };
  const path = `/v1/settlements/${id}/refunds`;
  const reply = await app.call('POST', path, { token: scene.terminal, body });
  expect(reply.status, reply.text).toBe(201);
  const [row] = await rows<{ day: string }>(
    app.db,
    sql`select ((max(setl_time) at time zone 'Asia/Shanghai')::date)::text as day from claim`,
  );
  day = row?.day ?? '';
});
beforeEach(() => faults({}));

const faults = async (body: object) => {
  const reply = await app.call('PUT', '/sandbox/insurer/statement-faults', { body });
  expect(reply.status, reply.text).toBe(200);
};

async function theGroup() {
  const [group, ...others] = await findClaimGroups(app.db, HOSPITAL, day);
  expect(others).toEqual([]);
  if (!group) throw new Error('no group');
  return group;
}

async function asked(): Promise<{ rows: StatementRow[]; isFlat: boolean[] }> {
  const answer = await askInsurerDay(app.deps, HOSPITAL, day);
  if (answer.outcome !== 'statement') throw new Error(JSON.stringify(answer));
  const found: StatementRow[] = [];
  for await (const batch of answer.open().rows) found.push(...batch);
  return { rows: found, isFlat: answer.groups.map((group) => group.isFlat) };
}

describe('a day at the insurer', () => {
  it('is flat when nothing differs: sums net, count with reversals', async () => {
    const group = await theGroup();
    expect(group.count).toBe(4);
    expect(await insurerTotals(app.deps, HOSPITAL, day, group)).toEqual({ outcome: 'flat' });
    const { rows: found, isFlat } = await asked();
    expect(isFlat).toEqual([true]);
    expect(found.map((row) => row.kind).sort()).toEqual([
      'reversed',
      'settled',
      'settled',
      'settled',
    ]);
    const sum = found.reduce((all, row) => all + row.amount, 0n);
    expect(sum).toBe(group.total);
  });

  it.each([
    ['total', 1n],
    ['fund', 1n],
    ['account', -1n],
    ['count', 1],
  ] as const)('is not flat when our %s is another', async (field, more) => {
    const group = await theGroup();
    const other = { ...group, [field]: (group[field] as never) + (more as never) };
    const answer = await insurerTotals(app.deps, HOSPITAL, day, other);
    expect(answer.outcome).toBe('notFlat');
  });

  it('knows a group of other days, and asks of it too', async () => {
    const [row] = await rows<{ day: string }>(app.db, sql`select (${day}::date + 1)::text as day`);
    const [group] = await findClaimGroups(app.db, HOSPITAL, row?.day ?? '');
    expect(group).toMatchObject({ count: 0, total: 0n });
  });
});

describe.each([
  ['national', 'bare'],
  ['guangdong', 'tabs'],
  ['hubei', 'tabs'],
] as const)('in the dictionary of %s, written %s,', (dictionary, writer) => {
  const dialect = { dictionary, writer };

  it('a settlement that the insurer lost is not in its statement', async () => {
    const [lost, kept] = setlIds;
    await faults({ ...dialect, faults: [{ kind: 'missing', setlId: lost }] });
    const { rows: found, isFlat } = await asked();
    expect(isFlat).toEqual([false]);
    const keys = found.map((row) => row.key);
    expect([found.length, keys.includes(lost ?? ''), keys.includes(kept ?? '')]).toEqual([
      3,
      false,
      true,
    ]);
  });

  it('a settlement of another amount comes with the insurer’s amount', async () => {
    const [setlId = ''] = setlIds;
    await faults({ ...dialect, faults: [{ kind: 'amount', setlId, add: '-1.50' }] });
    const claims = await findClaimRows(app.db, HOSPITAL, day, await theGroup());
    const ours = claims.find((claim) => claim.setlId === setlId);
    const theirs = (await asked()).rows.find((row) => row.key === setlId);
    expect(theirs?.amount).toBe((ours?.total ?? 0n) - 150n);
    expect(theirs?.detail).not.toHaveProperty('psn_no');
  });

  it('a settlement that only the insurer has comes by its message alone', async () => {
    const { insutype, clrType, clrOptins } = await theGroup();
    const msgid = 'H35020000001202611210800000001';
    const extra = {
      kind: 'extra',
      hospitalCode: HOSPITAL,
      day,
      insutype,
      clrType,
      clrOptins,
      msgid,
    };
    const amounts = { total: '100.00', fund: '60.00', account: '10.00' };
    await faults({ ...dialect, faults: [{ ...extra, ...amounts }] });
    const { rows: found } = await asked();
    const [theirs] = found.filter((row) => row.key === '');
    expect(found).toHaveLength(5);
    expect(theirs).toMatchObject({ key2: msgid, amount: 10_000n, kind: 'settled' });
    expect(theirs?.detail).toMatchObject({ acct_pay: '10.00' });
  });
});

describe('what cannot be asked', () => {
  const differs = () => faults({ faults: [{ kind: 'missing', setlId: setlIds[0] }] });

  it.each(['3201', '9101', '3202', '9102'])('at %s is no difference', async (infno) => {
    await differs();
    await app.fault({ mode: 'error500', on: [infno] });
    const answer = await askInsurerDay(app.deps, HOSPITAL, day);
    await app.fault({ mode: 'none' });
    expect(answer.outcome).toMatch(/^(offline|unknown)$/);
  });

  it('is told with the insurer’s reason when it refuses', async () => {
    await app.fault({ mode: 'reject', on: ['3201'], reason: '对账日期不允许' });
    const answer = await askInsurerDay(app.deps, HOSPITAL, day);
    await app.fault({ mode: 'none' });
    expect(answer).toEqual({
      outcome: 'rejected',
      reason: expect.stringContaining('对账日期不允许'),
    });
  });
});
