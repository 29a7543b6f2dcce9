// Regions differ in the order of discharge and settlement, and a stay's settlement may take long.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { policy } from '../../src/db/schema.ts';
import { defaultStayPolicy } from '../../src/inpatient/stay-policy.ts';
import { expectLaws, type Scene, sceneOf, settle } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { insurerOf, said } from '../visit/support.ts';
import {
  chargeDay,
  chargedStay,
  discharge,
  executed,
  expectOneLiveClaim,
  liveClaims,
} from './support.ts';

const app = useApp({ env: { INSURANCE_QUIET_MS: '200' } });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(() => app.fault({ mode: 'none' }));

describe('an insurer that settles nobody who is still in hospital', () => {
  beforeAll(() => insurerOf(app).setRules({ dischargeBeforeSettlement: true }));

  it('refuses the last settlement where the region is not known for it', async () => {
    const { visit } = await chargedStay(scene);
    const refused = await settle(scene, visit.id);
    expect(said(refused)).toEqual([409, 'insurance/rejected']);
    expect(refused.body.detail).toContain('在院状态不允许结算');
  });

  it('is told of the discharge first where the region’s policy says so', async () => {
    const data = { ...defaultStayPolicy, dischargeBeforeSettlement: true };
    await app.db.insert(policy).values({
      kind: 'inpatient',
      name: '3502',
      version: 1,
      validFrom: sql`business_now()`,
      data,
    });
    const { visit } = await chargedStay(scene);
    expect((await settle(scene, visit.id, { interim: true })).status).toBe(200);
    await chargeDay(scene, visit.id, 2);
    await discharge(scene, visit.id);
    // Refused after 2402: the next try has the patient back in hospital first.
    await app.fault({ mode: 'reject', on: ['2304'], reason: '费用明细不符合医保支付规则' });
    expect(said(await settle(scene, visit.id))).toEqual([409, 'insurance/rejected']);
    await app.fault({ mode: 'none' });
    const paid = await settle(scene, visit.id);
    expect(paid.body.insurance.status, paid.text).toBe('claimed');
    const [claim] = await liveClaims(scene, visit.visitNumber);
    const ofStay = (infno: string) => executed(scene, infno, claim.mdtrtId);
    expect(await ofStay('2402')).toHaveLength(2);
    expect(await ofStay('2405')).toHaveLength(1);
    expect(await ofStay('2304')).toHaveLength(2);
    await expectLaws(app);
  });
});

it('waits for a 2304 longer than for anything else, and nobody takes the run over', async () => {
  await insurerOf(app).setRules({});
  const { visit } = await chargedStay(scene);
  // Longer than the five seconds of a counter and than the ten of a lease.
  await app.fault({ mode: 'slow', on: ['2304'], delayMs: 11_500 });
  const paid = await settle(scene, visit.id);
  expect(paid.body.insurance.status, paid.text).toBe('claimed');
  await app.fault({ mode: 'none' });
  const claim = await expectOneLiveClaim(scene, visit, '300.00');
  await waitFor(async () => (await executed(scene, '2402', claim.mdtrtId)).length > 0);
  await expectLaws(app);
}, 40_000);
