// `npm run test:long`: other PostgreSQL versions, thousands of random runs, kill and restart.
import path from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: path.dirname(import.meta.dirname),
  test: {
    include: ['test/**/*.long.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    hookTimeout: 300_000,
    testTimeout: 900_000,
    teardownTimeout: 30_000,
  },
});
