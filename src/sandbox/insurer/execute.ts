// Role: runs one trade and dresses what it says as the platform's answer.
import type { Books } from './books.ts';
import type { FaultMode } from './control-schemas.ts';
import type { Dresser, Envelope } from './envelope.ts';
import { isNode } from './fields.ts';
import { Refusal, refusals } from './refusals.ts';
import { requireSignIn } from './trades/sign-in.ts';
import { trades } from './trades.ts';

export interface Executed {
  isDone: boolean;
  body: unknown;
}

/** Executes against the books; a Refusal becomes infcode −1, a bug goes up. */
export function execute(
  books: Books,
  dresser: Dresser,
  envelope: Envelope,
  options: { startMs: number; isSignInRequired: boolean; fault: FaultMode | null },
): Executed {
  const { startMs } = options;
  const call = { books, envelope, nowMs: books.nowMs() };
  try {
    const trade = trades.get(envelope.infno);
    if (trade === undefined) throw new Refusal(refusals.unknownTrade(envelope.msgid));
    if (options.isSignInRequired && envelope.infno !== '9001') requireSignIn(call);
    const { output, warning } = trade(call);
    // 9102 answers with the bytes alone.
    if (Buffer.isBuffer(output)) return { isDone: true, body: output };
    const shown = distort(output, options.fault);
    const region = envelope.treatRegion;
    const body = dresser.success(region, startMs, books.nowMs(), shown, warning ?? null);
    return { isDone: true, body };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { isDone: false, body: refusalBody(books, dresser, envelope, startMs, error.message) };
  }
}

export function refusalBody(
  books: Books,
  dresser: Dresser,
  envelope: Pick<Envelope, 'treatRegion'> | null,
  startMs: number,
  reason: string,
): unknown {
  return dresser.failure(envelope?.treatRegion ?? '', startMs, books.nowMs(), reason);
}

/** brokenInvariant and noSetlId: the books are right, only the answer is wrong. */
function distort(output: unknown, fault: FaultMode | null): unknown {
  if (!isNode(output) || !isNode(output.setlinfo)) return output;
  const { setlinfo } = output;
  if (fault === 'noSetlId') return { ...output, setlinfo: { ...setlinfo, setl_id: '' } };
  if (fault !== 'brokenInvariant') return output;
  const total = Number(setlinfo.medfee_sumamt);
  return { ...output, setlinfo: { ...setlinfo, fund_pay_sumamt: total + 1 } };
}
