// The steps of a random run on the late road: conversions are tried, with whatever goes wrong at the
// insurer or with the process, and whoever comes meanwhile.
import { expect } from 'vitest';
import type { Deps } from '../../src/deps.ts';
import { queuedOf, type Settlement } from './model.ts';
import { convert, endUnconverted, isHopeless } from './model-conversion.ts';
import { convertOnce, findDeadConversions } from './parties.ts';
import {
  type BookedClaim,
  breakInsurer,
  liveClaims,
  newClaimOf,
  sendingsOf,
  tradesLike,
} from './random-books.ts';
import { expectConversion, expectSettlement } from './random-compare.ts';
import type { Step } from './random-visits.ts';
import { ask, businessNow, calm, codeOf, type Encounter, type World } from './random-world.ts';

/** What goes wrong while a conversion is tried. */
interface Trouble {
  mode:
    | 'refuseConnection'
    | 'error500'
    | 'garbage'
    | 'answerLost'
    | 'reject'
    | 'brokenInvariant'
    | 'noSetlId'
    /** Our process dies before it sends the trade, or before it hears the answer. */
    | 'diesBefore'
    | 'diesAfter';
  /** The trade that it happens to; absent: every one. */
  on?: string;
}

const trouble = (mode: Trouble['mode'], ...on: string[]): Trouble[] =>
  on.map((o) => ({ mode, on: o }));
const troubles: readonly Trouble[] = [
  { mode: 'refuseConnection' },
  ...trouble('error500', '1101', '2201', '2203', '2204', '2206', '2207', '2207', '2601', '5203'),
  ...trouble('garbage', '2201', '2206', '2207'),
  ...trouble('answerLost', '2201', '2204', '2207', '2207', '2207', '2601'),
  ...trouble('reject', '2201', '2204', '2206', '2207', '2601'),
  ...trouble('brokenInvariant', '2207', '2207'),
  ...trouble('noSetlId', '2207'),
  ...trouble('diesBefore', '2201', '2204', '2207', '2601'),
  ...trouble('diesAfter', '2201', '2206', '2207', '2207', '2601'),
];

interface Waiting {
  visit: Encounter;
  of: Settlement;
}

export const waitingIn = (world: World): Waiting[] =>
  world.visits.flatMap((visit) =>
    visit.settlements.filter((of) => queuedOf(of) !== null).map((of) => ({ visit, of })),
  );

const idOf = ({ of }: Waiting): string => queuedOf(of)?.id ?? '';

/** The worker tries some of what waits; in trouble only one, so that what happens is certain. */
export const convertSome: Step = (world) => {
  const { random } = world;
  const waiting = waitingIn(world);
  if (waiting.length === 0) return null;
  const one = random.pick(waiting);
  const wrong = random.chance(0.6) ? random.pick(troubles) : null;
  const chosen = wrong || random.chance(0.5) ? [one] : oneAVisit(waiting);
  return () => tryToConvert(world, chosen, wrong);
};

/** Whoever comes while a conversion is claimed is told to come again, and changes nothing. */
export const meetRun: Step = (world) => {
  const now = businessNow(world);
  const waiting = waitingIn(world).find(
    ({ visit, of }) =>
      queuedOf(of)?.unknown === null &&
      visit.person?.isInsured &&
      !isHopeless(of, visit.openedAt, now),
  );
  if (!waiting) return null;
  const { app } = world;
  const meeting: Deps['insurer'] = {
    async send(message, deadlineMs) {
      if (tradesLike('2203').includes(message.infno)) await comeMeanwhile(world, waiting.of.id);
      return app.deps.insurer.send(message, deadlineMs);
    },
  };
  return () => tryToConvert(world, [waiting], null, { ...app.deps, insurer: meeting });
};

async function comeMeanwhile(world: World, settlementId: string): Promise<void> {
  const target = `/v1/settlements/${settlementId}`;
  const asked: [string, string, unknown, string][] = [
    ['POST', 'refunds', { all: true, reason: '退费' }, 'settlement/busy'],
    ['POST', 'payments', { kind: 'cash', amount: '0.01', reference: 'x' }, 'settlement/busy'],
    ['POST', 'conversion', { cause: 'lateFiling' }, 'conversion/under-way'],
    ['DELETE', 'conversion', undefined, 'settlement/busy'],
  ];
  for (const [method, about, body, code] of asked) {
    const reply = await ask(world, method, `${target}/${about}`, body ? { body } : {});
    expect(codeOf(reply), reply.text).toEqual([409, code]);
  }
}

/** At once only so much that the insurer's new claim of a visit is certainly this conversion's. */
const oneAVisit = (waiting: readonly Waiting[]): Waiting[] =>
  waiting.filter(({ visit }, i) => waiting.findIndex((w) => w.visit === visit) === i);

/** Nothing goes wrong any more: every conversion ends. */
export async function drain(world: World): Promise<void> {
  for (;;) {
    const waiting = oneAVisit(waitingIn(world));
    if (waiting.length === 0) return;
    await tryToConvert(world, waiting, null);
    expect(waiting.filter(({ of }) => queuedOf(of) !== null)).toEqual([]);
  }
}

async function tryToConvert(
  world: World,
  chosen: readonly Waiting[],
  wrong: Trouble | null,
  deps = world.app.deps,
): Promise<void> {
  world.trail.push(`(${wrong ? `${wrong.mode} ${wrong.on ?? ''}` : `all ${chosen.length}`})`);
  const before = new Map<Encounter, BookedClaim[]>();
  for (const { visit } of chosen) before.set(visit, await liveClaims(world, visit));
  const { app, parties } = world;
  const ids = chosen.map(idOf);
  if (wrong?.mode === 'diesBefore' || wrong?.mode === 'diesAfter') {
    await convertOnce(app, ids, dying(app.deps, wrong)).catch((error) => {
      if (!(error instanceof Death)) throw error;
    });
    await findDeadConversions(app);
  } else {
    if (wrong) await breakInsurer(world, faultOf(wrong));
    await convertOnce(app, ids, deps);
  }
  await calm(app, parties);
  for (const { visit, of } of chosen) {
    const conversion = queuedOf(of);
    await tried(world, { visit, of }, wrong, before.get(visit) ?? []);
    const shown = await ask(world, 'GET', `/v1/settlements/${of.id}`);
    expectSettlement(shown.body, of);
    if (conversion) await expectConversion(world, conversion);
  }
}

const faultOf = ({ mode, on }: Trouble) => ({ mode, ...(on ? { on: [on] } : {}) });

class Death extends Error {}

/** The service with a process that dies at a trade. */
function dying(deps: Deps, { mode, on }: Trouble): Deps {
  return {
    ...deps,
    insurer: {
      async send(message, deadlineMs) {
        if (!tradesLike(on ?? '').includes(message.infno))
          return deps.insurer.send(message, deadlineMs);
        if (mode === 'diesAfter') await deps.insurer.send(message, deadlineMs);
        throw new Death(`at ${on}`);
      },
    },
  };
}

/** What goes wrong before the insurer did anything. */
const notExecuted = ['refuseConnection', 'error500', 'garbage', 'diesBefore'];

/** Trades whose failure leaves nothing behind that moved money. */
const harmless = ['2201', '2203', '2204', '2206'];

/** What one try comes to, in the order in which the insurer is asked. */
async function tried(
  world: World,
  { visit, of }: Waiting,
  wrong: Trouble | null,
  before: readonly BookedClaim[],
): Promise<void> {
  const conversion = queuedOf(of);
  if (!conversion) throw new Error('only what waits is tried');
  const now = businessNow(world);
  const fails = (trade: string) => wrong !== null && (wrong.on ?? trade) === trade;
  const isExecuted = wrong !== null && !notExecuted.includes(wrong.mode);
  const booked = (claim: BookedClaim) => {
    expect(claim.total).toBe(of.refundable);
    const back = convert(visit.line, of, claim, now).filter(({ isMoney }) => isMoney);
    conversion.back = sendingsOf(world, visit, back);
  };
  const rejected = () => endUnconverted(of, { status: 'rejected', insurance: 'rejected' }, now);
  // Nothing is left to be learnt, unless the process died and nobody noted it.
  const away = () => {
    if (!wrong?.mode.startsWith('dies')) conversion.unknown = null;
  };
  if (conversion.unknown) {
    const stray = adoptable(conversion.unknown.setlId, before);
    const isWanted = conversion.unknown.total === of.refundable && conversion.brokenClaims === 0;
    if (isWanted && stray && !fails('5203')) {
      forget(visit, conversion.unknown.setlId);
      return booked(stray);
    }
    if (!fails('2601') || (isExecuted && wrong?.mode !== 'reject')) {
      forget(visit, conversion.unknown.setlId);
      conversion.unknown.setlId = null;
    }
    if (fails('2601')) return;
  }
  if (of.refundable === 0n) {
    return endUnconverted(of, { status: 'cancelled', insurance: 'reversed' }, now);
  }
  if (isHopeless(of, visit.openedAt, now)) return rejected();
  if (fails('1101')) return away();
  if (!visit.person?.isInsured) return rejected();
  if (harmless.some(fails)) return wrong?.mode === 'reject' ? rejected() : away();
  if (!fails('2207')) return booked(await newClaimOf(world, visit));
  if (wrong?.mode === 'reject') return rejected();
  const setlId = isExecuted ? (await newClaimOf(world, visit)).setlId : null;
  if (setlId) visit.strays.push(setlId);
  conversion.unknown = { total: of.refundable, setlId };
  if (wrong?.mode === 'brokenInvariant') conversion.brokenClaims += 1;
}

/** 5203 tells of the newest claim of a registration only. */
function adoptable(setlId: string | null, live: readonly BookedClaim[]): BookedClaim | null {
  const stray = live.find((claim) => claim.setlId === setlId);
  const newest = live.filter((claim) => claim.mdtrtId === stray?.mdtrtId).at(-1);
  return stray && newest === stray ? stray : null;
}

function forget(visit: Encounter, setlId: string | null): void {
  visit.strays = visit.strays.filter((stray) => stray !== setlId);
}
