// Role: plays the planned morning: enrolments, visits, repayments, then a short insurer outage.

import { StepError } from './client.ts';
import { concurrently } from './concurrently.ts';
import { castOf, castSize, planMorning } from './morning-plan.ts';
import { type DemoPerson, inventPerson, welcome } from './people.ts';
import { playVisit } from './play-visit.ts';
import { repay } from './refunds.ts';
import type { Stage } from './scenario.ts';
import { countAct } from './tally.ts';

/** Counters open side by side; two cores keep up with four without queueing. */
const COUNTERS = 4;
/** Patients who repay before the outage: early whole repayments and partial ones. */
const repaying = [0, 1, 2, 3, 6, 10, 11, 12, castOf.insuredElsewhere, castOf.enrolledNotInsured];

/** One hospital morning of 40 visits; failures are collected in the tally. */
export async function playMorning(stage: Stage): Promise<void> {
  const cast = Array.from({ length: castSize }, (_, i) => castMember(i, stage.salt));
  await eachOf(stage, '开通 enrolling', cast, COUNTERS, (person) =>
    welcome(stage.client, stage.tally, person),
  );
  const { whileOnline, duringOutage } = planMorning(cast);
  await eachOf(stage, '就诊 visits', whileOnline, COUNTERS, (plan, i) =>
    playVisit(stage, plan, i + 1),
  );
  await eachOf(stage, '还款 repaying', repaying, COUNTERS, (index) => {
    const share = index % 3 === 0 ? 'half' : 'whole';
    return repay(stage.client, stage.tally, cast[index] as DemoPerson, share);
  });
  await setFault(stage, 'refuseConnection');
  try {
    await eachOf(stage, '医保离线 insurer away', duringOutage, 1, (plan, i) =>
      playVisit(stage, plan, whileOnline.length + i + 1),
    );
  } finally {
    await setFault(stage, 'none');
  }
}

/** Runs a phase with its progress; an unexpected answer is noted and the next one goes on. */
export async function eachOf<T>(
  stage: Stage,
  phase: string,
  list: readonly T[],
  width: number,
  work: (element: T, index: number) => Promise<void>,
): Promise<void> {
  let done = 0;
  await concurrently(list, width, async (element, index) => {
    try {
      await work(element, index);
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      stage.tally.failures.push(`${phase}: ${error.message}`);
    }
    done += 1;
    stage.progress.at(phase, done, list.length);
  });
}

function castMember(index: number, salt: number): DemoPerson {
  const person = inventPerson(index, salt);
  const insurance = { ...person.insurance };
  let { lender } = person;
  if (index === castOf.insuredElsewhere) insurance.region = '350100';
  if (index === castOf.enrolledNotInsured) insurance.status = 'none';
  if (index === castOf.neitherEnrolledNorInsured) insurance.status = 'none';
  if (index >= castOf.paysCash) lender = null;
  return { ...person, insurance, lender };
}

async function setFault(stage: Stage, mode: 'refuseConnection' | 'none'): Promise<void> {
  await stage.client.put('/sandbox/insurer/fault', { body: { mode }, expect: [200, 201, 204] });
  if (mode !== 'none') countAct(stage.tally, '医保中断 insurer outages');
}
