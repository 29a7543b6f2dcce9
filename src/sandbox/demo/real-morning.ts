// Role: the morning with real charge items and real-shaped encounters from EGRET_REAL_DATA.
import { formatYuan, sumFen } from '../../money.ts';
import { hospitals } from '../city/hospitals.ts';
import { lenderCodes } from '../city/lenders.ts';
import { eachOf } from './morning.ts';
import { type DemoPerson, inventPerson, welcome } from './people.ts';
import { playVisit } from './play-visit.ts';
import { readRealData } from './real-files.ts';
import { isOutpatient, mapEncounters, type RealVisit } from './real-mapping.ts';
import { repay } from './refunds.ts';
import type { Stage } from './scenario.ts';
import type { AfterAct, VisitPlan } from './visit-plan.ts';

/** What two cores carry without the counters waiting for each other. */
const COUNTERS = 8;
/** One in four treated people has no credit line, so that the other ways to pay are played too. */
const NOT_ENROLLED = 4;

/** Every encounter of the folder as one visit, then repayments of every second citizen. */
export async function playRealMorning(stage: Stage, folder: string): Promise<void> {
  const visits = mapEncounters(await readRealData(folder), new Date());
  tell(stage, visits);
  const people = castFor(visits, stage.salt);
  await eachOf(stage, '开通 enrolling', people, COUNTERS, (person) =>
    welcome(stage.client, stage.tally, person),
  );
  await eachOf(stage, '就诊 visits', visits, COUNTERS, (visit, i) =>
    playVisit(stage, planOf(visit, i, people), i + 1),
  );
  const enrolled = people.filter((person) => person.lender !== null);
  await eachOf(
    stage,
    '还款 repaying',
    enrolled.slice(0, enrolled.length / 2),
    COUNTERS,
    (person, i) => repay(stage.client, stage.tally, person, i % 3 === 0 ? 'half' : 'whole'),
  );
}

function tell(stage: Stage, visits: readonly RealVisit[]): void {
  stage.progress.end();
  const outpatients = visits.filter((visit) => isOutpatient(visit.encounter.encounterClass));
  const sum = sumFen(outpatients.map((visit) => visit.total));
  const count = BigInt(outpatients.length);
  const mean = (2n * sum + count) / (2n * count);
  const stays = visits.filter((visit) => visit.isStay).length;
  console.log(
    `真实形态的就诊 real-shaped encounters: ${visits.length}, outpatient mean ${formatYuan(mean)}`,
  );
  console.log(
    `住院 ${stays} 次暂按多批门诊演示 stays played as outpatient visits of several batches: ${stays}`,
  );
}

/** A citizen is insured or not as the payer of their first encounter says. */
function castFor(visits: readonly RealVisit[], salt: number): DemoPerson[] {
  const people: DemoPerson[] = [];
  for (const visit of visits) {
    if (people[visit.citizen]) continue;
    const person = inventPerson(visit.citizen, salt);
    const status = visit.isInsured ? 'active' : 'none';
    people[visit.citizen] = {
      ...person,
      insurance: { ...person.insurance, status },
      lender:
        visit.citizen % NOT_ENROLLED === NOT_ENROLLED - 1
          ? null
          : (lenderCodes[visit.citizen % lenderCodes.length] ?? null),
    };
  }
  return people;
}

function planOf(visit: RealVisit, index: number, people: readonly DemoPerson[]): VisitPlan {
  const patient = people[visit.citizen];
  const hospital = hospitals[index % hospitals.length];
  if (!patient || !hospital) throw new Error('a visit without a patient or a hospital');
  const isOneScan = !visit.isStay && index % 3 === 0;
  return {
    title: `${visit.encounter.encounterClass} ${visit.encounter.id}`,
    kind: visit.kind,
    patient,
    hospitalCode: hospital.code,
    batches: visit.batches,
    road: isOneScan ? 'oneScan' : 'steps',
    credential: 'idCard',
    isSettledByBatch: visit.isStay,
    hasPreview: index % 5 === 0,
    after: aftermathOf(visit, index),
    usePersonalAccount: index % 2 === 0,
    startedAt: visit.startedAt,
    department: visit.department,
    diagnosis: visit.diagnosis,
    expect: { insurance: patient.insurance.status === 'active' ? 'claimed' : 'notInsured' },
  };
}

/** Money comes back in about the shares that a hospital's cash office sees. */
function aftermathOf(visit: RealVisit, index: number): AfterAct[] {
  const after: AfterAct[] = visit.kind === 'emergency' ? [] : ['payDue'];
  if (index % 11 === 4) after.push('replay');
  if (visit.isStay) return after;
  if (index % 29 === 7) after.push('refundAll');
  else if (index % 31 === 9 && (visit.batches[0]?.length ?? 0) > 1) after.push('refundLine');
  return after;
}
