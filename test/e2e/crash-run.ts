// One seeded run: visits are settled while the insurer fails, then converted, refunded and repaid at
// once, and the service or its database is killed with SIGKILL on the way; then everything must end.
import { expect } from 'vitest';
import { type Random, randomOf } from '../settlement/random-world.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Case, prepare, type Tokens, tokensOf } from './crash-cases.ts';
import type { CrashCity } from './crash-city.ts';
import { expectEnds } from './crash-ends.ts';
import { type Moment, type Plan, planOf, signs } from './crash-plan.ts';
import { type Answered, isKept, type Request, realTime } from './crash-service.ts';

export type Victim = 'service' | 'database';

/** A moment that does not come within a few seconds is not waited for any longer. */
const MOST_LOOKS = 200;

/** What all runs together came to; printed at the end, so that a suite that tests nothing shows. */
export const figures = {
  runs: 0,
  kills: 0,
  answered: 0,
  cutOff: 0,
  replayed: 0,
  /** What was under way at the moment of a kill. */
  caught: {} as Record<string, number>,
  ends: {} as Record<string, number>,
};

interface Run {
  city: CrashCity;
  random: Random;
  plan: Plan;
  victim: Victim;
  tokens: Tokens;
  cases: Case[];
}

/** Plays a seed to its end; a failure says how to play it again. */
export async function playCrash(city: CrashCity, seed: number, victim: Victim): Promise<void> {
  const random = randomOf(seed);
  const plan = planOf(random);
  try {
    const run = await prepareRun(city, { seed, random, plan, victim });
    await settleInOutage(run);
    for (const moment of plan.kills) await convertAndKill(run, moment);
    await comeToAnEnd(run);
    const mayReject = plan.trouble.mode === 'reject';
    const ends = await expectEnds(city, run.tokens, run.cases, { mayReject });
    for (const end of ends) count(figures.ends, end);
    figures.runs += 1;
  } catch (error) {
    const how = `replay with SEED=${seed}`;
    throw new Error(`seed ${seed} failed (${how}): ${JSON.stringify(plan)}\n${error}`, {
      cause: error,
    });
  }
}

async function prepareRun(
  city: CrashCity,
  { seed, random, plan, victim }: { seed: number; random: Random; plan: Plan; victim: Victim },
): Promise<Run> {
  await city.bankFault('none');
  await city.insurer.setFault({ mode: 'none' });
  await city.insurer.setRules({ answersBlankSetlId: plan.answersBlankSetlId });
  const tokens = await tokensOf(city.service);
  const runId = `C${seed}-${Date.now().toString(36)}`;
  const cases = await Promise.all(
    plan.kinds.map((kind, i) =>
      prepare(city.service, tokens, {
        kind,
        visitNumber: `${runId}-${i}`,
        mix: random.below(100),
      }),
    ),
  );
  return { city, random, plan, victim, tokens, cases };
}

const isLate = (one: Case) => one.kind.startsWith('late');

/** The late bills are closed without the insurer; perhaps something is killed meanwhile. */
async function settleInOutage(run: Run): Promise<void> {
  const { city, plan, random } = run;
  await city.insurer.setFault(plan.outage);
  const late = run.cases.filter(isLate);
  if (plan.killsInOutage) {
    const underWay = together(late.map((one) => one.settling && send(run, one, one.settling)));
    await realTime(random.below(150));
    await kill(run, underWay);
  }
  await Promise.all(late.map((one) => settleUntilKept(run, one)));
}

/** Everything at once on an insurer that is back (or nearly), until the moment of the kill. */
async function convertAndKill(run: Run, moment: Moment): Promise<void> {
  const { city, plan, random } = run;
  await city.insurer.setFault(plan.trouble);
  await city.bankFault(plan.bank, ['credit', 'channel', 'debit']);
  await city.hurry();
  const underWay = together(
    run.cases.map((one) => {
      const request = openRequest(one);
      return request && send(run, one, request);
    }),
  );
  const enough = figures.answered + 1 + random.below(run.cases.length - 1);
  const hasCome = async () =>
    moment === 'answered'
      ? figures.answered >= enough
      : moment === 'anyTime' || (await city.ask(signs[moment])).length > 0;
  for (let looks = 1; looks <= MOST_LOOKS && !(await hasCome()); looks += 1) {
    if (looks % 10 === 0 && !(await city.isAtWork())) break;
    await city.hurry();
    await realTime(10);
  }
  await realTime(random.below(moment === 'anyTime' ? 400 : 30));
  await kill(run, underWay);
}

/** What may be asked now: the settling until it was answered, then what follows it. */
function openRequest(one: Case): Request | null {
  if (one.settlementId === null) return one.settling;
  return one.request?.(one.settlementId) ?? null;
}

async function comeToAnEnd(run: Run): Promise<void> {
  const { city, cases } = run;
  await city.insurer.setFault({ mode: 'none' });
  await city.bankFault('none');
  await Promise.all(
    cases.map(async (one) => {
      await settleUntilKept(run, one);
      const request = one.settlementId && one.request?.(one.settlementId);
      if (!request) return;
      const answer = await city.service.sendUntilKept(request, () => city.hurry());
      keep(one, request, answer);
      expect(keptStatuses(one), `${one.kind}: ${answer.text}`).toContain(answer.status);
    }),
  );
  await expectNoSecondClaim(run);
  if (await city.isRouteOpen()) await liveVisit(run);
  await city.drain();
}

/**
 * Only the answer to a 2207 closes a route: where the last conversion was adopted or given up, the next
 * live visit does, or its conversion. A city that is awake has one.
 */
async function liveVisit(run: Run): Promise<void> {
  const { city, tokens, cases } = run;
  const visitNumber = `${cases[0]?.visitNumber}-live`;
  const one = await prepare(city.service, tokens, { kind: 'settle', visitNumber, mix: 0 });
  cases.push(one);
  await settleUntilKept(run, one);
}

/** 409: resolved meanwhile. 404: claimed at the counter, so that there never was a conversion. */
function keptStatuses({ kind }: Case): number[] {
  return kind === 'lateOptOut' ? [200, 404, 409] : [200, 201, 202];
}

async function settleUntilKept(run: Run, one: Case): Promise<void> {
  if (!one.settling) return;
  const { city, plan } = run;
  const answer = await city.service.sendUntilKept(one.settling, () => city.hurry());
  keep(one, one.settling, answer);
  if (answer.status < 300) one.settlementId = (answer.body.settlement ?? answer.body).id;
  else {
    const what = `${one.kind}: ${answer.text}`;
    expect([answer.body.code, plan.trouble.mode], what).toEqual(['insurance/rejected', 'reject']);
  }
}

/** One try, which a kill may cut off; a service that lives answers, and never with a bug. */
async function send(run: Run, one: Case, request: Request): Promise<void> {
  const answer = await run.city.service.send(request);
  if (answer === null) {
    expect(run.victim, `${request.path} got no answer`).toBe('service');
    figures.cutOff += 1;
    return;
  }
  figures.answered += 1;
  expect(answer.status, answer.text).not.toBe(500);
  if (isKept(answer)) keep(one, request, answer);
}

/** What was answered before is answered the same, byte for byte. */
function keep(one: Case, request: Request, answer: Answered): void {
  if (request.method !== 'POST') return;
  const key = `${request.method} ${request.key}`;
  const before = one.answers.get(key);
  if (before) {
    expect([answer.status, answer.text]).toEqual([before.status, before.text]);
    expect(answer.isReplay).toBe(true);
    figures.replayed += 1;
  } else one.answers.set(key, answer);
}

/** Waited for after the kill; a failure before it is thrown then. */
function together(sending: readonly (Promise<void> | null)[]): Promise<unknown> {
  const all = Promise.all(sending);
  all.catch(() => {});
  return all;
}

async function kill(run: Run, underWay: Promise<unknown>): Promise<void> {
  const { city, victim, plan } = run;
  const { service } = city;
  const isDatabase = victim === 'database';
  if (!isDatabase) await service.kill();
  if (isDatabase || plan.takesDatabase) await city.killDatabase();
  await noteCaught(city);
  await expectNoSecondClaim(run);
  figures.kills += 1;
  await underWay;
  await city.letLeasesRunOut();
  if (!isDatabase) await service.start();
  await waitFor(async () => (await fetch(`${service.url}/readyz`)).ok, {
    timeoutMs: 30_000,
    what: 'the service to be ready again by itself',
  });
}

/** Not even for a moment: what repairs a second live claim later must have nothing to do. */
async function expectNoSecondClaim({ city, cases }: Run): Promise<void> {
  const live = await Promise.all(
    cases.map(async ({ visitNumber }) => {
      const claims = await city.insurer.claims({ visitNumber });
      return { visitNumber, live: claims.filter((claim) => claim.status === 'settled').length };
    }),
  );
  expect(live.filter((one) => one.live > 1)).toEqual([]);
}

async function noteCaught(city: CrashCity): Promise<void> {
  const caught = await city.ask<{ what: string; n: number }>(`
    select 'run ' || kind as what, count(*)::int as n from intent where status = 'running' group by 1
    union all select 'job ' || kind, count(*)::int from job
      where done_at is null and attempts > 0 group by 1
    union all select 'moneyBack sent', count(*)::int from money_back where status = 'sent'
    union all select 'unanswered ' || infno, count(*)::int from insurance_message
      where outcome is null and fate is null and sent_at > clock_timestamp() - interval '3 seconds'
      group by 1`);
  for (const { what, n } of caught) count(figures.caught, what, n);
}

function count(into: Record<string, number>, what: string, n = 1): void {
  if (n > 0) into[what] = (into[what] ?? 0) + n;
}
