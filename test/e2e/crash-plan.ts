// What a seed decides: who is at the counter, what fails meanwhile, and at which moments something is
// killed. The order of what follows is the machine's; a seed is played again, not repeated to the tick.
import type { Fault } from '../../src/sandbox/insurer/control-schemas.ts';
import type { Random } from '../settlement/random-world.ts';
import { type CaseKind, calmKinds, lateKinds } from './crash-cases.ts';

/** What goes wrong at the insurer while the late bills are settled. */
const outages: readonly Fault[] = [
  { mode: 'refuseConnection' },
  { mode: 'refuseConnection' },
  { mode: 'answerLost', on: ['2207'] },
  { mode: 'answerLost', on: ['2207'], rate: 0.5 },
  { mode: 'error500', on: ['2207'] },
  { mode: 'error500', on: ['2204'] },
  { mode: 'garbage', on: ['2207'], rate: 0.5 },
];
/** What goes wrong while they are converted; `slow` widens the moments at which a kill may fall. */
const troubles: readonly Fault[] = [
  { mode: 'none' },
  { mode: 'none' },
  { mode: 'slow', on: ['2207', '2601'], delayMs: 60 },
  { mode: 'slow', on: ['2207', '2208', '2601'], delayMs: 30 },
  { mode: 'answerLost', on: ['2207'], rate: 0.5 },
  { mode: 'error500', on: ['2207'], rate: 0.5 },
  { mode: 'answerLost', on: ['2601'], rate: 0.5 },
  { mode: 'answerLost', on: ['2208'] },
  { mode: 'error500', on: ['2601'], rate: 0.5 },
  { mode: 'garbage', on: ['2204'], rate: 0.3 },
  { mode: 'reject', on: ['2207'] },
];
const bankTroubles = ['none', 'none', 'answerLost', 'error500'] as const;

/** Work that a kill waits for, by what shows that it is going on. */
export const signs = {
  converting: `select 1 from conversion where status = 'claiming'`,
  claiming: `select 1 from insurance_message where infno = '2207' and outcome is null and fate is null
    and sent_at > clock_timestamp() - interval '1 second'`,
  moneyBack: `select 1 from money_back where status in ('pending', 'sent')`,
  reversal: `select 1 from job where kind = 'confirmReversal' and done_at is null and attempts > 0`,
} as const;
export type Moment = keyof typeof signs | 'answered' | 'anyTime';
const moments = [...Object.keys(signs), 'answered', 'anyTime'] as Moment[];

export interface Plan {
  kinds: CaseKind[];
  outage: Fault;
  trouble: Fault;
  bank: (typeof bankTroubles)[number];
  /** Whether 5203 tells of a claim; else it is reversed by 2601 and claimed again. */
  answersBlankSetlId: boolean;
  /** A kill while the bills are closed without the insurer. */
  killsInOutage: boolean;
  /** Kills while they are converted, each at such a moment. */
  kills: Moment[];
  /** The database dies in the same moment as the service. */
  takesDatabase: boolean;
}

export function planOf(random: Random): Plan {
  const calm = Array.from({ length: 3 }, () => random.pick(calmKinds));
  const late = Array.from({ length: 4 }, () => random.pick(lateKinds));
  const plan: Plan = {
    kinds: [...calm, ...late],
    outage: random.pick(outages),
    trouble: random.pick(troubles),
    bank: random.pick(bankTroubles),
    answersBlankSetlId: random.chance(0.6),
    killsInOutage: random.chance(0.3),
    kills: [random.pick(moments), ...(random.chance(0.25) ? [random.pick(moments)] : [])],
    takesDatabase: random.chance(0.2),
  };
  if (plan.kills[0] !== 'reversal') return plan;
  // A reversal is repeated only after a claim of unknown fate that was reversed and claimed again.
  return {
    ...plan,
    outage: { mode: random.pick(['error500', 'answerLost']), on: ['2207'] },
    trouble: random.pick<Fault>([
      { mode: 'slow', on: ['2601'], delayMs: 60 },
      { mode: 'error500', on: ['2601'], rate: 0.5 },
    ]),
    answersBlankSetlId: false,
  };
}
