// What terminals send for discharges.
import { z } from 'zod';
import { timeText } from '../http/schemas.ts';
import { patchVisitBody } from '../visit/schemas.ts';

export const dischargeBody = z.strictObject({
  /** Default: now. */
  at: timeText.optional(),
  /** Default: those of the admission. */
  diagnoses: patchVisitBody.shape.diagnoses,
});
export type Discharge = z.output<typeof dischargeBody>;
