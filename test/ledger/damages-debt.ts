// Damage to debt that verify must notice; see damages.ts.
import type { Damage } from './damages.ts';

const without = (table: string, check: string) => `alter table ${table} drop constraint ${check}`;

export const debtDamages: Damage[] = [
  {
    law: 'B9301 of each citizen at each lender is what their receivables have written off',
    damage: [`update receivable set written_off = 900 where id = 'rcv_4'`],
    offender: 'cit_1 at testLenderA (9.00 is not 10.00)',
  },
  {
    law: 'The instalments of a plan sum to what is owed on its receivable',
    damage: [`update instalment set amount = amount + 1 where number = 2`],
    offender: 'rcv_2 (180.01 is not 180.00)',
  },
  {
    law: 'A line is suspended exactly while our policy or its lender holds something against it',
    damage: [
      without('credit_line', 'credit_line_suspended'),
      `update credit_line set frozen_for = null where id = 'lin_1'`,
    ],
    offender: 'lin_1',
  },
  {
    law: 'Nothing is reported to the score provider before the person was told and could object',
    damage: [`update score_report set reported_at = send_after - interval '1 second'`],
    offender: 'srp_2',
  },
];
