// Role: 9001 and 9002, sign-in and sign-out of an operator for the day.
import { need, nodeOf, textOf } from '../fields.ts';
import { Refusal, refusals } from '../refusals.ts';
import { shanghaiDigits, shanghaiText } from '../shanghai-time.ts';
import type { Trade, TradeCall } from './trade.ts';

/** 9001 → signinoutb{sign_no, sign_time}. */
export const signIn: Trade = (call) => {
  const node = nodeOf(call.envelope.input, 'signIn');
  need(node, ['opter_no', 'mac', 'ip']);
  const signTime = shanghaiText(call.nowMs);
  const serial = call.books.nextSerial();
  const signNo = `${shanghaiDigits(call.nowMs).slice(0, 14)}${String(serial).padStart(8, '0')}`;
  const operator = `${call.envelope.hospitalCode}/${textOf(node, 'opter_no')}`;
  call.books.record({ type: 'signedIn', operator, day: signTime.slice(0, 10), signNo, serial });
  return { output: { signinoutb: { sign_no: signNo, sign_time: signTime } } };
};

/** 9002 → signoutoutb{sign_time}; only of an operator who signed in the same day. */
export const signOut: Trade = (call) => {
  const node = nodeOf(call.envelope.input, 'signOut');
  need(node, ['sign_no', 'opter_no']);
  const operator = `${call.envelope.hospitalCode}/${textOf(node, 'opter_no')}`;
  const known = call.books.signIns.get(operator);
  const isCurrent = known?.signNo === textOf(node, 'sign_no') && isToday(call, known.day);
  if (!isCurrent) throw new Refusal(refusals.notSignedIn);
  call.books.record({ type: 'signedOut', operator });
  return { output: { signoutoutb: { sign_time: shanghaiText(call.nowMs) } } };
};

/** Refuses a trade of an operator who has not signed in today (INSURER_REQUIRE_SIGN_IN=1). */
export function requireSignIn(call: TradeCall): void {
  const operator = `${call.envelope.hospitalCode}/${call.envelope.operatorId}`;
  const known = call.books.signIns.get(operator);
  if (known === undefined || !isToday(call, known.day)) throw new Refusal(refusals.notSignedIn);
}

function isToday(call: TradeCall, day: string): boolean {
  return shanghaiText(call.nowMs).slice(0, 10) === day;
}
