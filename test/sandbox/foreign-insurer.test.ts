import { expect, test } from 'vitest';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';

const app = useApp({
  worker: false,
  env: {
    INSURANCE_URL: 'http://127.0.0.1:9',
    INSURANCE_ACCESS_KEY: 'access',
    INSURANCE_SECRET_KEY: 'secret',
  },
});

test('somebody else’s insurer has no controls here, and people and clock do not reach it', async () => {
  const claims = await app.call('GET', '/sandbox/insurer/claims');
  expect(claims).toMatchObject({ status: 404, body: { code: 'resource/not-found' } });
  const body = { mode: 'none' };
  expect((await app.call('PUT', '/sandbox/insurer/fault', { body })).status).toBe(404);
  await app.register(uniquePerson(), { score: 650 });
  await app.clock(60);
});
