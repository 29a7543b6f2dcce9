// Law: the whole service answers over HTTP as its own OpenAPI document says.
import { expect, test } from 'vitest';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';

const app = useApp();

test('identifies a registered citizen at the counter', async () => {
  const person = uniquePerson();
  await app.register(person, { insurance: { status: 'active', type: 'employee' } });
  const token = await app.token('terminal');
  const credential = { kind: 'idCard', number: person.idNumber };
  const reply = await app.call('POST', '/v1/identifications', { token, body: { credential } });
  expect(reply.status).toBe(200);
  expect(reply.body.insured).toMatchObject({ status: 'active', insuranceType: 'employee' });
});

test('says that the insurer is online', async () => {
  const token = await app.token('terminal');
  const reply = await app.call('GET', '/v1/insurance/routes', { token });
  expect(reply.status).toBe(200);
  expect(reply.body.data).toHaveLength(2);
});
