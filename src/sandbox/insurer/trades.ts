// Role: the table of trades this insurer speaks. What is not in it gets the platform's own words for
// an unknown trade.
import {
  admit,
  cancelAdmission,
  cancelDischarge,
  changeAdmission,
  discharge,
} from './trades/admission.ts';
import { cancelSettlement, cancelStaySettlement } from './trades/cancel.ts';
import { downloadFile, uploadFile } from './trades/exchange-file.ts';
import { cancelFees, cancelStayFees, uploadFees, uploadStayFees } from './trades/fees.ts';
import { checkBenefit, fileReferral } from './trades/filing.ts';
import { queryPerson } from './trades/person.ts';
import { querySettlement, queryVisits } from './trades/queries.ts';
import { cancelVisit, describeVisit, registerVisit } from './trades/register.ts';
import { reverseMessage } from './trades/reverse.ts';
import { previewSettlement, previewStay, settle, settleStay } from './trades/settle.ts';
import { signIn, signOut } from './trades/sign-in.ts';
import { compareDetail, compareTotals } from './trades/statement.ts';
import type { Trade } from './trades/trade.ts';

export const trades: ReadonlyMap<string, Trade> = new Map([
  ['9001', signIn],
  ['9002', signOut],
  ['1101', queryPerson],
  ['2001', checkBenefit],
  ['2201', registerVisit],
  ['2202', cancelVisit],
  ['2203', describeVisit],
  ['2204', uploadFees],
  ['2205', cancelFees],
  ['2206', previewSettlement],
  ['2207', settle],
  ['2208', cancelSettlement],
  ['2301', uploadStayFees],
  ['2302', cancelStayFees],
  ['2303', previewStay],
  ['2304', settleStay],
  ['2305', cancelStaySettlement],
  ['2401', admit],
  ['2402', discharge],
  ['2403', changeAdmission],
  ['2404', cancelAdmission],
  ['2405', cancelDischarge],
  ['2501', fileReferral],
  ['2601', reverseMessage],
  ['3201', compareTotals],
  ['3202', compareDetail],
  ['5201', queryVisits],
  ['5203', querySettlement],
  ['9101', uploadFile],
  ['9102', downloadFile],
]);
