import { expect, it } from 'vitest';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';

const app = useApp();

it('a debt is made at the counter, seen, repaid and gone', async () => {
  const person = uniquePerson();
  await app.register(person);
  const citizen = await app.token('citizen', { citizen: person });
  const terminal = await app.token('terminal');
  const line = await app.call('POST', '/v1/enrolments', {
    token: citizen,
    body: {
      agreementVersion: '1',
      consents: ['creditEnquiry', 'healthPayment', 'autoDebit'],
      repaymentAccount: { bankCode: 'LWB', token: 'tok_1' },
    },
  });
  expect(line.status).toBe(201);
  const visit = await app.call('POST', '/v1/visits', {
    token: terminal,
    body: {
      visitNumber: `V${Date.now()}`,
      kind: 'outpatient',
      credential: { kind: 'idCard', number: person.idNumber },
    },
  });
  expect(visit.body).toMatchObject({ hold: { status: 'placed', amount: '300.00' } });
  const path = `/v1/visits/${visit.body.id}`;
  await app.call('POST', `${path}/charges`, {
    token: terminal,
    body: {
      batch: 'b1',
      items: [
        {
          lineNumber: 1,
          code: 'X1',
          name: '血常规',
          quantity: '2',
          unitPrice: '60',
          amount: '120.00',
        },
      ],
    },
  });
  const settled = await app.call('POST', `${path}/settlement`, {
    token: terminal,
    body: { insurance: 'skip' },
  });
  expect(settled.body).toMatchObject({ status: 'settled', dueAtCounter: '0.00' });

  const receivables = await app.call('GET', '/v1/me/receivables', { token: citizen });
  expect(receivables.body.data).toMatchObject([
    { id: settled.body.receivableId, settlementId: settled.body.id, outstanding: '120.00' },
  ]);
  const tooMuch = await app.call('POST', '/v1/me/repayments', {
    token: citizen,
    body: { amount: '120.01' },
  });
  expect(tooMuch.body).toMatchObject({ status: 422, code: 'repayment/exceeds-debt' });
  const keyless = { token: citizen, body: { amount: '20.00' }, key: null };
  expect((await app.call('POST', '/v1/me/repayments', keyless)).status).toBe(400);
  const paid = await app.call('POST', '/v1/me/repayments', { ...keyless, key: 'r1' });
  expect(paid).toMatchObject({ status: 201, body: { status: 'paid', amount: '20.00' } });
  const again = await app.call('POST', '/v1/me/repayments', { ...keyless, key: 'r1' });
  expect(again.text).toBe(paid.text);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  const repayments = await app.call('GET', '/v1/me/repayments', { token: citizen });
  expect(repayments.body.data).toEqual([paid.body]);
  const seen = await app.call('GET', '/v1/me/credit-line', { token: citizen });
  expect(seen.body).toMatchObject({ held: '0.00', outstanding: '100.00', available: '2900.00' });
});
