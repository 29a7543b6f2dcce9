// One random run: some twenty steps of all use cases, chosen by the seed, against the model; at its
// end the model, the service, the insurer's own books and every law of ours agree.
import type { TestApp } from '../support/app.ts';
import { partiesOf, workOnce } from './parties.ts';
import { askForConversion, optOut, restoreCover } from './random-asking.ts';
import { expectAgreement } from './random-compare.ts';
import { convertSome, drain, meetRun } from './random-converting.ts';
import { moveClock, refundSome, repay, workSome } from './random-money-back.ts';
import { oneScan, preview, settleVisit } from './random-settling.ts';
import {
  cancelVisit,
  charge,
  openVisit,
  payDue,
  removeBatch,
  type Step,
  setHold,
  voidHold,
} from './random-visits.ts';
import { calm, newWorld, type World, work } from './random-world.ts';
import { expectLaws } from './support.ts';

const steps: Record<string, { weight: number; step: Step }> = {
  openVisit: { weight: 3, step: openVisit },
  charge: { weight: 5, step: charge },
  removeBatch: { weight: 1, step: removeBatch },
  setHold: { weight: 2, step: setHold },
  voidHold: { weight: 1, step: voidHold },
  preview: { weight: 1, step: preview },
  settleVisit: { weight: 9, step: settleVisit },
  oneScan: { weight: 2, step: oneScan },
  payDue: { weight: 2, step: payDue },
  refundSome: { weight: 5, step: refundSome },
  repay: { weight: 3, step: repay },
  cancelVisit: { weight: 1, step: cancelVisit },
  moveClock: { weight: 3, step: moveClock },
  work: { weight: 1, step: workSome },
  convertSome: { weight: 8, step: convertSome },
  meetRun: { weight: 1, step: meetRun },
  askForConversion: { weight: 4, step: askForConversion },
  optOut: { weight: 1, step: optOut },
  restoreCover: { weight: 1, step: restoreCover },
};
const bag = Object.entries(steps).flatMap(([name, { weight }]) => Array<string>(weight).fill(name));

export interface Figures {
  steps: Record<string, number>;
  settlements: number;
  refunds: number;
  conversions: Record<string, number>;
}

/** Plays a seed; throws with the seed, the step and what was done before if anything disagrees. */
export async function playSeed(app: TestApp, seed: number, length = 18): Promise<Figures> {
  const world = await newWorld(app, partiesOf(app), seed);
  try {
    await playSteps(world, length);
    await calm(app, world.parties);
    world.trail.push('drain');
    await work(world);
    await drain(world);
    await work(world);
    world.trail.push('compare');
    await expectAgreement(world);
    await expectLaws(app);
  } catch (error) {
    await leaveNothing(app, world);
    const done = world.trail.join(' → ');
    const how = `replay with SEED=${seed}`;
    throw new Error(`seed ${seed} failed (${how}) after ${done}\n${error}`, { cause: error });
  }
  return figuresOf(world);
}

/** What a failed run left undone is not to be found in another's books. */
async function leaveNothing(app: TestApp, { parties }: World): Promise<void> {
  await calm(app, parties).catch(() => {});
  await workOnce(app).catch(() => {});
}

async function playSteps(world: World, length: number): Promise<void> {
  const isReplay = process.env.SEED !== undefined;
  let played = 0;
  for (let tries = 0; played < length && tries < 10 * length; tries += 1) {
    const name = world.visits.length === 0 ? 'openVisit' : world.random.pick(bag);
    const play = steps[name]?.step(world);
    if (!play) continue;
    world.trail.push(name);
    await play();
    played += 1;
    if (isReplay) await expectAgreement(world);
  }
}

function figuresOf(world: World): Figures {
  const counts: Record<string, number> = {};
  for (const name of world.trail.filter((name) => name in steps))
    counts[name] = (counts[name] ?? 0) + 1;
  const settlements = world.visits.flatMap((visit) => visit.settlements);
  const conversions: Record<string, number> = {};
  for (const { status } of settlements.flatMap((of) => of.conversions)) {
    conversions[status] = (conversions[status] ?? 0) + 1;
  }
  const refunds = world.refunds.length;
  return { steps: counts, settlements: settlements.length, refunds, conversions };
}

/** The seeds to play: one that the environment names, else `count` from `first` on. */
export function seedsFrom(first: number, count: number): number[] {
  const wanted = process.env.SEED;
  if (wanted !== undefined) return [Number(wanted)];
  return Array.from({ length: count }, (_, i) => first + i);
}
