// Role: `npm run demo -- outage`: 500 visits across an outage of the insurer. Answers are lost, the
// port closes, counters go on, it comes back, every visit finds its way home: shown and checked.
import { checkSettlement } from './checks.ts';
import { concurrently } from './concurrently.ts';
import { eachOf } from './morning.ts';
import { refundWaiting, setFault, waitForDrain } from './outage-acts.ts';
import { faultsOf, type InsurerClaim } from './outage-check.ts';
import {
  castOfOutage,
  type OutageVisit,
  type PhaseName,
  planOutage,
  repayers,
} from './outage-plan.ts';
import {
  type Conversion,
  countLines,
  type OutageReport,
  outageLines,
  phaseLines,
  proofLines,
} from './outage-report.ts';
import { type DemoPerson, welcome } from './people.ts';
import { repay } from './refunds.ts';
import type { Settlement } from './replies.ts';
import type { Stage } from './scenario.ts';
import { countAct, countSettlement, countVisit } from './tally.ts';
import { openingOf, settlingOf } from './visit-bodies.ts';
import { chargeBodies } from './visit-plan.ts';

/** Counters open side by side. */
const COUNTERS = 4;
/** Readers of the final check; they compete with nobody. */
const READERS = 8;
const PROOFS = 10;

/** A visit that was paid, and how. */
interface Played {
  visit: OutageVisit;
  visitNumber: string;
  token: string;
  settlement: Settlement;
}

interface Show {
  stage: Stage;
  played: Played[];
  /** Milliseconds at the counter by phase. */
  phases: Map<PhaseName, number[]>;
}

/** The scenario; whatever is off becomes a failure of the tally. */
export async function playOutage(stage: Stage): Promise<void> {
  const { client } = stage;
  const show: Show = { stage, played: [], phases: new Map() };
  const cast = castOfOutage(stage.salt);
  await eachOf(stage, '开通 enrolling', cast, COUNTERS, (person) =>
    welcome(client, stage.tally, person),
  );
  const visits = planOutage(cast);
  const known = new Set((await readOutages(stage)).map(({ id }) => id));
  const play = (phase: PhaseName, title: string) => playPhase(show, visits, phase, title);
  try {
    await play('before', '平常 as usual');
    await setFault(client, { mode: 'answerLost', on: ['2207'], rate: 0.1 });
    await play('answersLost', '每十丢一 every tenth answer lost');
    await setFault(client, { mode: 'refuseConnection' });
    await play('portClosed', '端口关闭 port closed');
    await eachOf(stage, '中断中还款 repaying meanwhile', repayers, COUNTERS, (index) =>
      repay(client, stage.tally, cast[index] as DemoPerson, index % 2 === 0 ? 'half' : 'whole'),
    );
    await setFault(client, { mode: 'answerLost', on: ['2207'], rate: 0.1 });
    await play('draining', '恢复，仍每十丢一 back, every tenth still lost');
  } finally {
    await setFault(client, { mode: 'none' });
  }
  const token = show.played[0]?.token ?? '';
  const isDrained = await waitForDrain(stage, token);
  if (!isDrained)
    stage.tally.failures.push('conversions still wait long after the insurer is back');
  await play('after', '之后 afterwards');
  await judge(show);
  await report(show, known);
}

async function playPhase(
  show: Show,
  visits: readonly OutageVisit[],
  phase: PhaseName,
  title: string,
): Promise<void> {
  const own = visits.filter((visit) => visit.phase === phase);
  show.phases.set(phase, []);
  await eachOf(show.stage, title, own, COUNTERS, (visit) => payVisit(show, visit));
}

/** One scan at the counter; what the plan says is then done to it while it waits. */
async function payVisit(show: Show, visit: OutageVisit): Promise<void> {
  const { stage } = show;
  const { plan, number, act } = visit;
  const token = await stage.client.terminal(plan.hospitalCode);
  const visitNumber = `${stage.run}-${String(number).padStart(4, '0')}`;
  const at = { desk: stage, plan, visitNumber, token };
  countVisit(stage.tally, plan.kind);
  const paid = await stage.client.post<{ settlement: Settlement }>('/v1/one-scan-payments', {
    token,
    body: {
      ...(await openingOf(at)),
      charges: chargeBodies(plan.batches).flat(),
      ...settlingOf(at, 1),
    },
    expect: [201],
  });
  const { settlement } = paid.body;
  stage.tally.counterMs.push(paid.elapsedMs);
  show.phases.get(visit.phase)?.push(paid.elapsedMs);
  show.played.push({ visit, visitNumber, token, settlement });
  checkSettlement(plan, settlement);
  if (act) await refundWaiting(stage, settlement, { token, isWhole: act === 'refundAll' });
}

/** Every visit against the insurer's own books, and into the table as it ended. */
async function judge({ stage, played }: Show): Promise<void> {
  const { client, tally } = stage;
  let done = 0;
  await concurrently(played, READERS, async ({ visit, visitNumber, token, settlement }) => {
    const path = `/v1/settlements/${settlement.id}`;
    const now = (await client.get<Settlement>(path, { token, expect: [200] })).body;
    const query = new URLSearchParams({ hospitalCode: visit.plan.hospitalCode, visitNumber });
    const books = await client.get<{ data: InsurerClaim[] }>(`/sandbox/insurer/claims?${query}`, {
      expect: [200],
    });
    const wasWaiting = settlement.insurance.status === 'awaitingInsurance';
    const faults = faultsOf(now, books.body.data, { isInsured: visit.isInsured, wasWaiting });
    tally.failures.push(...faults.map((fault) => `${visitNumber} ${visit.plan.title}: ${fault}`));
    if (faults.length === 0) countAct(tally, '与医保账相符 as the insurer’s own books say');
    countSettlement(tally, visit.plan.kind, now);
    done += 1;
    stage.progress.at('核对医保账 the insurer’s own books', done, played.length);
  });
}

async function report({ stage, played, phases }: Show, known: Set<string>): Promise<void> {
  const ours = new Set(played.map(({ settlement }) => settlement.id));
  const conversions = (await readConversions(stage, ours.size)).filter(({ settlementId }) =>
    ours.has(settlementId),
  );
  const outages = (await readOutages(stage)).filter(({ id }) => !known.has(id));
  for (const { id, status, proof } of conversions) {
    if (status === 'converted' && !proof.balanced) {
      stage.tally.failures.push(`conversion ${id} does not balance`);
    }
  }
  stage.progress.end();
  const lines = [
    ...phaseLines(phases),
    '',
    ...outageLines(outages),
    '',
    ...proofLines(conversions, PROOFS),
    '',
    ...countLines(conversions),
    '',
  ];
  console.log(lines.join('\n'));
}

interface Page<T> {
  data: T[];
  nextCursor: string | null;
}

/** Newest first: those of this run are among the first, unless the sandbox has other guests. */
async function readConversions(stage: Stage, most: number): Promise<Conversion[]> {
  const token = await stage.client.staff('auditor');
  const found: Conversion[] = [];
  let cursor: string | null = '';
  while (cursor !== null && found.length < 2 * most) {
    const query = new URLSearchParams({ limit: '100', ...(cursor ? { cursor } : {}) });
    const path = `/v1/conversions?${query}`;
    const page: Page<Conversion> = (
      await stage.client.get<Page<Conversion>>(path, { token, expect: [200] })
    ).body;
    found.push(...page.data);
    cursor = page.nextCursor;
  }
  return found;
}

/** The newest outages with what each came to. */
async function readOutages(stage: Stage): Promise<OutageReport[]> {
  const token = await stage.client.staff('auditor');
  const path = '/v1/insurance/outages';
  const ask = { token, expect: [200] };
  const listed = await stage.client.get<Page<{ id: string }>>(`${path}?limit=100`, ask);
  const reports = listed.body.data.map(({ id }) =>
    stage.client.get<OutageReport>(`${path}/${id}`, ask),
  );
  return (await Promise.all(reports)).map((got) => got.body).reverse();
}
