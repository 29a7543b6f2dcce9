// Damages to what differences came to.
import type { Damage } from './damages.ts';

export const reconciliationDamages: Damage[] = [
  {
    law: 'An adjustment is booked for one break, settled by a proposal that two people stand for',
    damage: [
      'alter table proposal drop constraint proposal_four_eyes',
      `update proposal set checker = maker where id = 'prp_71'`,
    ],
    offender: 'ent_',
  },
  {
    law: 'A break that is not open says how it ended: by a run that explained it, or by an approved proposal',
    damage: [`update reconciliation_break set resolution = null where id = 'brk_72'`],
    offender: 'brk_72',
  },
  {
    law: 'A run that is done has both totals, and agrees in no more rows than its file has',
    damage: [`update reconciliation set matched = 3 where id = 'rec_1'`],
    offender: 'rec_1',
  },
];
