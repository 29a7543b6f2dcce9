// Good things to start from: real ids of every kind, and a good body of every operation.
import fc from 'fast-check';
import { expect } from 'vitest';
import { examplesOf } from '../http/examples.ts';
import {
  charge,
  chargedVisit,
  item,
  newPatient,
  nextNumber,
  openVisit,
  type Scene,
  settle,
} from '../settlement/support.ts';
import { type TestPerson, uniquePerson } from '../support/people.ts';
import { idCard } from '../visit/support.ts';
import type { Operation } from './bad-requests.ts';

/** Ids of things that are there, by the name of the path parameter. */
export async function realThings(
  scene: Scene,
  person: TestPerson,
): Promise<Record<string, string>> {
  const { app } = scene;
  const visit = await chargedVisit(scene, person);
  await charge(scene, visit.id, [item(5, '1.00')], 'first');
  const owing = await openVisit(scene, (await newPatient(app, { isEnrolled: false })).person);
  await charge(scene, owing.id, [item(1, '50.00'), item(2, '5.00', '10', '50.00')]);
  const counterTenders = [{ kind: 'cash', amount: '60.00', reference: nextNumber('T') }];
  const settled = await settle(scene, owing.id, { insurance: 'skip', counterTenders });
  const refund = await app.call('POST', `/v1/settlements/${settled.body.id}/refunds`, {
    token: scene.terminal,
    body: { lines: [{ lineNumber: 1 }], reason: '退' },
  });
  const late = await chargedVisit(scene, person);
  await app.fault({ mode: 'error500', on: ['2203'] });
  const waiting = await settle(scene, late.id);
  await app.fault({ mode: 'none' });
  expect(refund.body.tenders.at(-1).voucherCode, refund.text).toBeTruthy();
  return {
    visitId: visit.id,
    batch: 'first',
    settlementId: settled.body.id,
    refundId: refund.body.id,
    conversionId: waiting.body.conversionId,
    code: refund.body.tenders.at(-1).voucherCode,
    terminalId: 'trm_01jd5z8m2cf0v9k3q7w4x6y8ab',
  };
}

/** A good body of an operation: written by hand for most, else made from the document's examples. */
export function goodBody(operation: Operation, document: object, person: TestPerson): unknown {
  const written = bodiesOf(person)[operation.operationId];
  if (written) return written();
  if (!operation.hasJsonBody) return undefined;
  const words = ['x', 'H35020000001', 'b1'];
  const examples = examplesOf(document, operation.schema, words);
  return fc.sample(examples, { seed: 7, numRuns: 200 }).find(operation.takes);
}

function bodiesOf(person: TestPerson): Record<string, () => unknown> {
  const code = { code: 'D1', name: '江清和' };
  const clinical = {
    medType: '11',
    diseaseCode: 'M1',
    department: code,
    doctor: code,
    diagnoses: [{ ...code, type: '1', at: '2026-01-05T08:30:00+08:00' }],
    admission: { number: 'A1', bed: '7' },
  };
  const cash = () => ({ kind: 'cash', amount: '1.00', reference: nextNumber('T') });
  const line = { ...item(77, '1.00'), doctor: code, traceCodes: ['8'], outsideInsurance: false };
  const opening = () => ({
    visitNumber: nextNumber('N'),
    kind: 'outpatient',
    credential: idCard(person),
    startedAt: '2026-01-05T08:30:00+08:00',
    ...clinical,
    payer: 'self',
    holdAmount: '1.00',
    allowPartialHold: true,
    usePersonalAccount: false,
    operator: { id: 'O1', name: '叶' },
  });
  const settlement = () => ({
    counterTenders: [cash()],
    insurance: 'claim',
    whenInsuranceOffline: 'selfPay',
    interim: false,
    receiptNumber: nextNumber('R'),
  });
  const consents = ['creditEnquiry', 'healthPayment', 'autoDebit'];
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
  return {
    openVisit: opening,
    changeVisit: () => ({ ...clinical, usePersonalAccount: false }),
    setHold: () => ({ amount: '10.00', allowPartial: true }),
    addCharges: () => ({ batch: nextNumber('B'), items: [line] }),
    previewSettlement: () => ({ batches: ['first'], ...settlement() }),
    settleVisit: () => ({ batches: ['first'], ...settlement() }),
    payByOneScan: () => ({ ...opening(), charges: [line], ...settlement() }),
    collectPayment: cash,
    setInvoice: () => ({ code: '035', number: '1' }),
    refundSettlement: () => ({ lines: [{ lineNumber: 2, quantity: '1' }], reason: '退' }),
    registerTerminal: () => ({ hospitalCode: 'H35020000001', name: '窗口', jwk }),
    addHospital: () => ({ code: 'H35020099977', name: '新院', level: 2, region: '350200' }),
    addPolicy: () => ({ kind: 'agreement', name: 'enrolment', data: { versions: null } }),
    changePolicy: () => ({ data: { versions: null } }),
    addZone: () => ({
      ...{ name: '闽粤', insured: ['44'], care: ['35'], kinds: ['outpatient'] },
      ...{ from: null, until: null },
    }),
    authoriseAccounts: () => ({ personalAccount: true, familyAccount: false }),
    identify: () => ({ credential: idCard(person), amount: '1.00' }),
    enrol: () => ({
      lender: 'LWB',
      agreementVersion: '1',
      consents,
      repaymentAccount: { bankCode: 'LWB', token: 'acc' },
    }),
    setConsents: () => ({ consents, agreementVersion: '1' }),
    repay: () => ({ amount: '0.01' }),
    addSandboxPerson: () => ({
      ...uniquePerson(),
      score: 600,
      insurance: { status: 'active', type: 'employee', region: '350200', accountBalance: '1.00' },
      kin: [{ idNumber: person.idNumber, relation: 'child' }],
    }),
    issueSandboxToken: () => ({ role: 'terminal', hospitalCode: 'H35020000001', subject: 's' }),
    setInsurerFault: () => ({ mode: 'none', on: ['2207'], rate: 0, delayMs: 0, reason: 'x' }),
    setSandboxClock: () => ({ offsetSeconds: 0 }),
  };
}
