// Role: the table of trades this insurer speaks. What is not in it gets the platform's own words for
// an unknown trade. Inpatient (2301–2305, 2401–2405) and reconciliation (3201, 3202) go here.
import { cancelSettlement } from './trades/cancel.ts';
import { cancelFees, uploadFees } from './trades/fees.ts';
import { queryPerson } from './trades/person.ts';
import { querySettlement, queryVisits } from './trades/queries.ts';
import { cancelVisit, describeVisit, registerVisit } from './trades/register.ts';
import { reverseMessage } from './trades/reverse.ts';
import { previewSettlement, settle } from './trades/settle.ts';
import { signIn, signOut } from './trades/sign-in.ts';
import type { Trade } from './trades/trade.ts';

export const trades: ReadonlyMap<string, Trade> = new Map([
  ['9001', signIn],
  ['9002', signOut],
  ['1101', queryPerson],
  ['2201', registerVisit],
  ['2202', cancelVisit],
  ['2203', describeVisit],
  ['2204', uploadFees],
  ['2205', cancelFees],
  ['2206', previewSettlement],
  ['2207', settle],
  ['2208', cancelSettlement],
  ['2601', reverseMessage],
  ['5201', queryVisits],
  ['5203', querySettlement],
]);
