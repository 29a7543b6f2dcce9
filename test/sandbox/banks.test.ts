// The sandbox's banks can be made to fail from outside, and asked what truly happened.
import { describe, expect, it } from 'vitest';
import { chargedVisit, newPatient, sceneOf, settle } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';

const app = useApp({ worker: false });

describe('the sandbox banks', () => {
  it('decline while told to, and their books say so', async () => {
    const scene = await sceneOf(app);
    const patient = await newPatient(app);
    const { id } = await chargedVisit(scene, patient.person);
    await settle(scene, id, { insurance: 'skip' });
    const { body: line } = await app.call('GET', '/v1/me/credit-line', { token: patient.token });
    const fault = (mode: string) =>
      app.call('PUT', '/sandbox/banks/fault', {
        body: { mode, on: ['debit'], lender: line.lender },
        key: null,
      });
    const repay = () =>
      app.call('POST', '/v1/me/repayments', { token: patient.token, body: { amount: '20.00' } });
    expect((await fault('declined')).status).toBe(200);
    expect((await repay()).body.status).toBe('failed');
    expect((await fault('none')).status).toBe(200);
    expect((await repay()).body.status).toBe('paid');
    const books = await app.call('GET', `/sandbox/banks/books?lender=${line.lender}`);
    expect(books.body.data.map((one: { status: string }) => one.status)).toEqual([
      'declined',
      'paid',
    ]);
  });
});
