// Law: tenders + due = total also when what is converted was once insured: a refund cancelled its
// claim, the insurer refused the rest, and what that claim had paid is the patient's arrears.
import { expect, it } from 'vitest';
import {
  chargedVisit,
  expectLaws,
  fen,
  newPatient,
  sceneOf,
  settle,
  sumOf,
} from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { ask, drain, settlementOf } from './support.ts';

const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: '1' } });

it('converts the refused rest of a refunded bill and shows its claim in place of the old one', async () => {
  const scene = await sceneOf(app);
  const patient = await newPatient(app);
  const visit = await chargedVisit(scene, patient.person);
  const settled = (await settle(scene, visit.id)).body;
  expect(settled.insurance.status).toBe('claimed');
  await app.fault({ mode: 'reject', on: ['2207'] });
  const refund = await app.call('POST', `/v1/settlements/${settled.id}/refunds`, {
    token: scene.terminal,
    body: { lines: [{ lineNumber: 1 }], reason: '退药' },
  });
  await app.fault({ mode: 'none' });
  expect(refund.status, refund.text).toBe(201);
  const refused = await settlementOf(scene, settled.id);
  expect([refused.insurance.status, refused.refundable]).toEqual(['rejected', '200.00']);

  expect((await ask(app, settled.id, patient.token)).status).toBe(202);
  await drain(app);

  const ended = await settlementOf(scene, settled.id);
  const [claim] = (await app.claims({ visitNumber: visit.visitNumber })).filter(
    ({ status }) => status === 'settled',
  );
  expect(ended.insurance).toMatchObject({ status: 'converted', claimId: claim?.setlId });
  expect(claim?.medfeeSumamt).toBe('200.00');
  expect(sumOf(ended.tenders) + fen(ended.dueAtCounter)).toBe(fen(ended.total));
  const credit = ended.tenders.filter(({ kind }: { kind: string }) => kind === 'credit');
  expect(sumOf(credit)).toBe(fen(claim?.psnCashPay));
  await expectLaws(app);
});
