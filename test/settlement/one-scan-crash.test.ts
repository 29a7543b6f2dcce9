// Law: a key that comes again while a worker goes on with what it began is in flight, never refused.
import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { letLeasesRunOut, workOnce } from './parties.ts';
import { expectLaws, item, newPatient, nextNumber, sceneOf } from './support.ts';

const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: '1' } });

it('a one-scan payment whose process died is not told that its own visit number is taken', async () => {
  const scene = await sceneOf(app);
  const { person } = await newPatient(app);
  const visitNumber = nextNumber('O');
  const key = nextNumber('K');
  const pay = () =>
    app.call('POST', '/v1/one-scan-payments', {
      token: scene.terminal,
      key,
      body: {
        visitNumber,
        kind: 'outpatient',
        credential: { kind: 'idCard', number: person.idNumber },
        charges: [item(1, '100.00')],
      },
    });
  const { insurer } = app.deps;
  const send = insurer.send.bind(insurer);
  // The process dies after the insurer executed 2207 and before we heard of it.
  insurer.send = (message, deadlineMs) =>
    message.infno === '2207'
      ? send(message, deadlineMs).then(() => new Promise<never>(() => {}))
      : send(message, deadlineMs);
  void pay().catch(() => {});
  await waitFor(async () => (await app.claims({ visitNumber })).length === 1);
  insurer.send = send;

  await letLeasesRunOut(app);
  // A worker has just taken it over: the intent has a new lease, the key has none.
  await app.db.execute(sql`
    update intent set lease_until = clock_timestamp() + interval '10 seconds'
    where status = 'running'`);
  const meanwhile = await pay();
  expect([meanwhile.status, meanwhile.body.code]).toEqual([409, 'idempotency/in-flight']);
  expect(meanwhile.headers.get('retry-after')).toBeTruthy();

  await workOnce(app);
  const reply = await pay();
  expect(reply.status, reply.text).toBe(201);
  expect(reply.body.visit.visitNumber).toBe(visitNumber);
  expect(await app.claims({ visitNumber })).toHaveLength(1);
  await expectLaws(app);
});
