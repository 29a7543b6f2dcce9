// Law: 2601 takes back one message by its msgid, once, and answers nothing. It knows messages that
// were executed; one still on its way (slow) is not found and will be executed later.
import { parseYuan } from '../../../money.ts';
import type { Books, Settlement } from '../books.ts';
import { need, nodeOf, textOf } from '../fields.ts';
import { Refusal, refusals } from '../refusals.ts';
import type { Trade, TradeCall } from './trade.ts';

/** What the standard and the field lists together call reversible (nhsa.md §3.1). */
const reversible = new Set(['2102', '2103', '2207', '2207A', '2208', '2304', '2305', '2401']);
const settling = new Set(['2207', '2207A', '2304']);
const cancelling = new Set(['2208', '2305']);

/** 2601 of a 2207, 2208, 2304, 2305 or 2401. */
export const reverseMessage: Trade = (call) => {
  const node = nodeOf(call.envelope.input, 'data');
  need(node, ['psn_no', 'omsgid', 'oinfno']);
  const infno = textOf(node, 'oinfno');
  if (!reversible.has(infno)) throw new Refusal(refusals.notReversible);
  const { books } = call;
  const msgid = textOf(node, 'omsgid');
  const psnNo = textOf(node, 'psn_no');
  if (cancelling.has(infno)) reverseCancellation(call, books.reversals.get(msgid), msgid, psnNo);
  else if (settling.has(infno)) {
    reverseSettlement(call, books.settlementsByMsgid.get(msgid), psnNo);
  } else if (infno === '2401') reverseAdmission(call, msgid, psnNo);
  else throw new Refusal(refusals.noSuchMessage);
  return { output: null };
};

function reverseSettlement(call: TradeCall, found: Settlement | undefined, psnNo: string): void {
  const settlement = theirs(call, found, psnNo);
  if (settlement.status !== 'settled') throw new Refusal(refusals.alreadyReversed);
  call.books.record({
    type: 'settlementReversed',
    setlId: settlement.setlId,
    msgid: call.envelope.msgid,
  });
}

/** As 2404: only while nothing of the stay is uploaded or settled. */
function reverseAdmission(call: TradeCall, msgid: string, psnNo: string): void {
  const found = call.books.visitsOf(psnNo).find((visit) => visit.stay?.msgid === msgid);
  if (found?.hospitalCode !== call.envelope.hospitalCode) {
    throw new Refusal(refusals.noSuchMessage);
  }
  if (found.isCancelled) throw new Refusal(refusals.alreadyReversed);
  if (found.lines.size > 0) throw new Refusal(refusals.stayHasFees);
  call.books.record({ type: 'visitCancelled', mdtrtId: found.mdtrtId });
}

/** Makes the settlement live again: only while its lines and account money are still there. */
function reverseCancellation(
  call: TradeCall,
  found: Settlement | undefined,
  msgid: string,
  psnNo: string,
): void {
  const settlement = theirs(call, found, psnNo);
  if (settlement.reversal?.msgid !== msgid) throw new Refusal(refusals.alreadyReversed);
  if (!hasFreeLines(call.books, settlement)) throw new Refusal(refusals.linesMovedOn);
  const isCovered = settlement.draws.every(
    ({ idNumber, amount }) => call.books.balanceOf(idNumber) >= parseYuan(amount),
  );
  if (!isCovered) throw new Refusal(refusals.accountTooLow);
  call.books.record({
    type: 'cancellationReversed',
    setlId: settlement.setlId,
    msgid: call.envelope.msgid,
  });
}

function hasFreeLines(books: Books, settlement: Settlement): boolean {
  const visit = books.visits.get(settlement.mdtrtId)!;
  if (visit.isCancelled) return false;
  return settlement.lineNumbers.every((sn) => visit.lines.get(sn)?.settledBy === null);
}

function theirs(call: TradeCall, found: Settlement | undefined, psnNo: string): Settlement {
  const isTheirs = found?.hospitalCode === call.envelope.hospitalCode && found.psnNo === psnNo;
  if (!isTheirs) throw new Refusal(refusals.noSuchMessage);
  return found;
}
