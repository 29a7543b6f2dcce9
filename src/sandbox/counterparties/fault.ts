// Role: what can go wrong at the sandbox's banks, score provider and registry, as it is asked for.
import { z } from 'zod';
import { operations } from './doors.ts';

export const bankFaultSchema = z.strictObject({
  /**
   * declined: refused and recorded; answerLost: done, socket cut; hang: not done, never answered;
   * paidTwice, returned: done, and then again or back; error500: not done; refuseConnection: the port is closed for `forMs`.
   */
  mode: z.enum([
    'none',
    'declined',
    'answerLost',
    'hang',
    'refuseConnection',
    'error500',
    'paidTwice',
    'returned',
  ]),
  on: z.array(z.enum(operations)).optional(),
  /** Only at this lender; the closed port is everybody's. */
  lender: z.string().optional(),
  forMs: z.int().min(1).max(60_000).default(1_000),
});
export type BankFault = z.output<typeof bankFaultSchema>;
