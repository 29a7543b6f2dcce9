// Role: `npm run demo`: plays a scenario against a running sandbox (EGRET_URL) or one of its own,
// then shows what it came to. Exit code 1 when a law is broken or a step went otherwise than told.
import { randomInt } from 'node:crypto';
import { cityName, hospitals } from '../city/hospitals.ts';
import { DemoClient } from './client.ts';
import { playFamily } from './family.ts';
import { playMonth } from './month.ts';
import { playMorning } from './morning.ts';
import { playOutage } from './outage.ts';
import { SALTS } from './people.ts';
import { progressOn } from './progress.ts';
import { playRealMorning } from './real-morning.ts';
import type { LawReport, RouteReport, TrialBalance } from './replies.ts';
import { isGood, type Outcome, reportLines } from './report.ts';
import { startSandbox } from './sandbox-process.ts';
import type { Scenario, Stage } from './scenario.ts';
import { emptyTally } from './tally.ts';

/** `npm run demo -- <name>`; a new scenario is one file and one line here. */
const scenarios: Record<string, Scenario> = {
  morning: (stage) => {
    const folder = process.env.EGRET_REAL_DATA;
    return folder ? playRealMorning(stage, folder) : playMorning(stage);
  },
  outage: playOutage,
  family: playFamily,
};

async function main(): Promise<number> {
  const name = process.argv[2] ?? 'morning';
  // Bulk work in a database of its own: no service is asked.
  if (name === 'month') return playMonth(Number(process.argv[3]) || undefined);
  const scenario = scenarios[name];
  if (!scenario) {
    console.error(
      `没有这个场景 no such scenario: ${name} (${[...Object.keys(scenarios), 'month'].join(', ')})`,
    );
    return 2;
  }
  const given = process.env.EGRET_URL;
  if (given) return play(scenario, given);
  console.log(`正在启动${cityName}的沙箱 starting a sandbox of its own`);
  const sandbox = await startSandbox();
  const stopEarly = () => void sandbox.stop().finally(() => process.exit(130));
  process.once('SIGINT', stopEarly);
  process.once('SIGTERM', stopEarly);
  try {
    return await play(scenario, sandbox.url);
  } finally {
    await sandbox.stop();
  }
}

async function play(scenario: Scenario, url: string): Promise<number> {
  const client = new DemoClient(url);
  const salt = randomInt(SALTS);
  const stage: Stage = {
    client,
    tally: emptyTally(),
    progress: progressOn(process.stdout),
    run: `D${Date.now().toString(36).toUpperCase()}`,
    salt,
  };
  const startedAt = performance.now();
  try {
    await scenario(stage);
    stage.progress.end();
    const outcome = await readOutcome(stage, (performance.now() - startedAt) / 1000);
    console.log(reportLines(outcome).join('\n'));
    return isGood(outcome) ? 0 : 1;
  } finally {
    await client.close();
  }
}

async function readOutcome(stage: Stage, elapsedSeconds: number): Promise<Outcome> {
  const { client, tally } = stage;
  const token = await client.staff('auditor');
  const terminal = await client.terminal(hospitals[0]?.code ?? '');
  const ask = { token, expect: [200] };
  const [trialBalance, laws, routes] = await Promise.all([
    client.get<TrialBalance>('/v1/ledger/trial-balance', ask),
    client.get<LawReport>('/v1/ops/verify', ask),
    client.get<RouteReport>('/v1/insurance/routes', { token: terminal, expect: [200] }),
  ]);
  return {
    tally,
    trialBalance: trialBalance.body,
    laws: laws.body,
    routes: routes.body,
    elapsedSeconds,
    requests: client.requests,
  };
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});
