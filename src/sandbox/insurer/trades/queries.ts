// Role: 5201 (visits of a person) and 5203 (one settlement). 5201 does not tell whether a visit was
// settled. 5203 names two amounts otherwise than 2207: cash_payamt and psn_pay.
import type { Settlement, Visit } from '../books.ts';
import { need, nodeOf, textOf } from '../fields.ts';
import { Refusal, refusals } from '../refusals.ts';
import { amountsOf, setldetailOf, setlinfoOf } from '../setlinfo.ts';
import { shanghaiText } from '../shanghai-time.ts';
import { type Trade, type TradeCall, visitOf } from './trade.ts';

/** 5201 → mdtrtinfo[], cancelled registrations left out. */
export const queryVisits: Trade = (call) => {
  const node = nodeOf(call.envelope.input, 'data');
  need(node, ['psn_no', 'begntime', 'endtime']);
  const from = textOf(node, 'begntime').slice(0, 10);
  const to = textOf(node, 'endtime').slice(0, 10);
  const medType = textOf(node, 'med_type');
  const mdtrtId = textOf(node, 'mdtrt_id');
  const isMeant = (visit: Visit) =>
    !visit.isCancelled &&
    visit.hospitalCode === call.envelope.hospitalCode &&
    visit.begntime.slice(0, 10) >= from &&
    visit.begntime.slice(0, 10) <= to &&
    (medType === '' || visit.medType === null || visit.medType === medType) &&
    (mdtrtId === '' || visit.mdtrtId === mdtrtId);
  const visits = call.books.visitsOf(textOf(node, 'psn_no')).filter(isMeant);
  return { output: { mdtrtinfo: visits.map((visit) => visitRow(call, visit)) } };
};

function visitRow(call: TradeCall, visit: Visit) {
  const person = call.books.peopleByNo.get(visit.psnNo);
  return {
    mdtrt_id: visit.mdtrtId,
    psn_no: visit.psnNo,
    psn_name: person?.name ?? null,
    ipt_otp_no: visit.visitNumber,
    begntime: visit.begntime,
    endtime: visit.dischargedAt,
    insutype: visit.insutype,
    med_type: visit.medType,
    fixmedins_code: visit.hospitalCode,
    inhosp_stas: visit.stay !== undefined && visit.dischargedAt === null ? '1' : '0',
  };
}

/** 5203 → setlinfo, setldetail. A blank setl_id is answered by mdtrt_id where the region does. */
export const querySettlement: Trade = (call) => {
  const node = nodeOf(call.envelope.input, 'data');
  need(node, ['psn_no', 'mdtrt_id']);
  const visit = visitOf(call, node);
  const setlId = textOf(node, 'setl_id');
  if (setlId === '' && call.books.rules.answersBlankSetlId === false) {
    throw new Refusal(refusals.setlIdEmpty);
  }
  const settlement = setlId === '' ? latestOf(visit) : byIdOf(call, visit, setlId);
  if (settlement === undefined) throw new Refusal(refusals.nothingFound);
  return { output: settlementAnswer(call, visit, settlement) };
};

/** The live settlement, else the latest cancelled one; what 2601 took back is gone. */
function latestOf(visit: Visit): Settlement | undefined {
  const newestFirst = [...visit.settlements].reverse();
  return (
    newestFirst.find(({ status }) => status === 'settled') ??
    newestFirst.find(({ status }) => status === 'cancelled')
  );
}

function byIdOf(call: TradeCall, visit: Visit, setlId: string): Settlement | undefined {
  const settlement = call.books.settlements.get(setlId);
  return settlement?.mdtrtId === visit.mdtrtId ? settlement : undefined;
}

function settlementAnswer(call: TradeCall, visit: Visit, settlement: Settlement) {
  const person = call.books.peopleByNo.get(settlement.psnNo)!;
  const { psn_cash_pay, psn_part_amt } = amountsOf(settlement.split, 1n);
  const {
    psn_cash_pay: _cash,
    psn_part_amt: _part,
    ...setlinfo
  } = setlinfoOf({
    ...settlement,
    visit,
    person,
    balance: settlement.split.balanceAfter,
    today: shanghaiText(call.nowMs).slice(0, 10),
  });
  return {
    setlinfo: {
      ...setlinfo,
      cash_payamt: psn_cash_pay,
      psn_pay: psn_part_amt,
      pref_fund_pay: 0,
      pay_loc: '2',
      refd_setl_flag: settlement.status === 'settled' ? '0' : '1',
      hosp_lv: String(call.books.hospitals.get(visit.hospitalCode)?.level ?? 3),
      begndate: visit.begntime.slice(0, 10),
      enddate: settlement.setlTime.slice(0, 10),
      invono: settlement.invoiceNumber,
      year: settlement.setlTime.slice(0, 4),
      opt_time: settlement.setlTime,
    },
    setldetail: setldetailOf(settlement.split, settlement.insutype),
  };
}
