// Law: killed with SIGKILL at any moment and started again on the same folder, the same keys come to
// one settlement a visit, at most one live claim a charge in the insurer's own books, one capture,
// one debit, and every law holds. What was answered before is answered the same, byte for byte.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seedsFrom } from '../settlement/random-run.ts';
import { randomOf } from '../settlement/random-world.ts';
import type { ReplyBody } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Case, caseKinds, expectOnce, prepare, tokensOf } from './crash-cases.ts';
import { type Answered, KillableService, realTime } from './crash-service.ts';

const RUNS = 50;
const CASES = 6;

let service: KillableService;
const figures = { runs: 0, kills: 0, answered: 0, cutOff: 0, replayed: 0 };

beforeAll(() => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'egret-crash-'));
  chmodSync(dataDir, 0o755);
  service = new KillableService(dataDir);
});

afterAll(async () => {
  await service.kill();
  rmSync(service.dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
  const slowest = Math.round(Math.max(...service.starts));
  console.log(`crash runs: ${JSON.stringify({ ...figures, slowestStartMs: slowest })}`);
});

describe('a service that is killed under load', () => {
  it.each(seedsFrom(1, RUNS))(
    'comes to the same end as one that is not (seed %i)',
    async (seed) => {
      const random = randomOf(seed);
      if (!service.isUp) await service.start();
      const tokens = await tokensOf(service);
      const runId = `${seed}-${Date.now().toString(36)}`;
      const cases: Case[] = [];
      for (let i = 0; i < CASES; i += 1) {
        cases.push(await prepare(service, tokens, random.pick(caseKinds), `C${runId}-${i}`));
      }

      const answers = new Map<Case, Answered>();
      const underWay = cases.map(async (one) => {
        const answer = await service.send(one.request);
        if (answer) answers.set(one, answer);
      });
      // At some moment before the first answer, or right after so many answers.
      const soMany = random.below(CASES);
      if (soMany === 0) await realTime(random.below(300));
      else await waitFor(() => answers.size >= soMany, { what: `${soMany} answers` });
      await realTime(random.below(40));
      await killAndStart(underWay);
      figures.answered += answers.size;
      figures.cutOff += cases.length - answers.size;

      if (random.chance(0.3)) {
        // Killed once more while the same keys are repeated.
        const again = cases.map((one) => service.send(one.request));
        await realTime(random.below(300));
        await killAndStart(again);
      }
      for (const one of cases) {
        const before = answers.get(one);
        const now = await service.sendUntilKept(one.request);
        if (before && before.status < 300) {
          expect([now.status, now.text]).toEqual([before.status, before.text]);
          expect(now.isReplay).toBe(true);
          figures.replayed += 1;
        }
        await expectOnce(service, tokens, one, now);
      }
      const verdict = await service.call('GET', '/v1/ops/verify', { token: tokens.auditor });
      expect(verdict.laws.filter((law: ReplyBody) => !law.holds)).toEqual([]);
      figures.runs += 1;
    },
  );
});

async function killAndStart(underWay: Promise<unknown>[]): Promise<void> {
  await service.kill();
  figures.kills += 1;
  await Promise.all(underWay);
  await service.start();
}
