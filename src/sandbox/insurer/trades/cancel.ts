// Law: 2208 (2305) takes a settlement back once, whole, with a record and setl_id of its own; it gives
// account money and deductible back and frees the lines.
import { formatYuan, parseYuan, sumFen } from '../../../money.ts';
import type { Settlement } from '../books.ts';
import { type Node, need, nodeOf, textOf } from '../fields.ts';
import { Refusal, refusals } from '../refusals.ts';
import { reversalInfoOf, setldetailOf } from '../setlinfo.ts';
import { shanghaiText } from '../shanghai-time.ts';
import { newSettlementId } from './settle.ts';
import type { Trade, TradeAnswer, TradeCall, VisitKind } from './trade.ts';

/** 2208 → setlinfo, setldetail, negated. No time limit, as the standard sets none. */
export const cancelSettlement: Trade = (call) => cancel(call, 'outpatient');

/** 2305: the same of a stay, and some words more. */
export const cancelStaySettlement: Trade = (call) => cancel(call, 'stay');

function cancel(call: TradeCall, kind: VisitKind): TradeAnswer {
  const { books } = call;
  const node = nodeOf(call.envelope.input, 'data');
  need(node, ['setl_id', 'mdtrt_id', 'psn_no']);
  const settlement = settlementOf(call, node, kind);
  if (settlement.status !== 'settled') throw new Refusal(refusals.alreadyCancelled);
  const visit = books.visits.get(settlement.mdtrtId)!;
  const person = books.peopleByNo.get(settlement.psnNo)!;
  const serial = books.nextSerial();
  const ownDraws = settlement.draws.filter(({ idNumber }) => idNumber === person.idNumber);
  const givenBack = sumFen(ownDraws.map(({ amount }) => parseYuan(amount)));
  const reversal = {
    setlId: newSettlementId({ visit }, call.nowMs, serial),
    msgid: call.envelope.msgid,
    setlTime: shanghaiText(call.nowMs),
    balanceAfter: formatYuan(books.balanceOf(person.idNumber) + givenBack),
  };
  books.record({ type: 'settlementCancelled', serial, setlId: settlement.setlId, reversal });
  const info = {
    ...settlement,
    visit,
    person,
    setlId: reversal.setlId,
    setlTime: reversal.setlTime,
    msgid: reversal.msgid,
    balance: reversal.balanceAfter,
    today: reversal.setlTime.slice(0, 10),
  };
  const { split, insutype } = settlement;
  // The standard spells the cash field pdn_cash_pay, real platforms psn_cash_pay: send both kinds.
  const cashField = serial % 2 === 0 ? 'psn_cash_pay' : 'pdn_cash_pay';
  const ofStay =
    kind === 'stay'
      ? { setl_type: '2', invono: settlement.invoiceNumber, insu_admdvs: person.region }
      : {};
  return {
    output: {
      setlinfo: { ...reversalInfoOf(info, cashField), ...ofStay },
      setldetail: setldetailOf(split, insutype, -1n),
    },
  };
}

function settlementOf(call: TradeCall, node: Node, kind: VisitKind): Settlement {
  const settlement = call.books.settlements.get(textOf(node, 'setl_id'));
  const isTheirs =
    settlement !== undefined &&
    settlement.hospitalCode === call.envelope.hospitalCode &&
    settlement.mdtrtId === textOf(node, 'mdtrt_id') &&
    settlement.psnNo === textOf(node, 'psn_no') &&
    (call.books.visits.get(settlement.mdtrtId)?.stay !== undefined) === (kind === 'stay');
  if (!isTheirs) throw new Refusal(refusals.nothingFound);
  return settlement;
}
