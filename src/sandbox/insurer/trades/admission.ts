// Law: 2401 admits, 2402 discharges, 2405 takes a discharge back while no settlement closed the stay,
// 2404 an admission that holds nothing. Every 2401 makes a new mdtrt_id, also for the same ipt_no.
import type { Visit } from '../books.ts';
import { type Node, need, nodeOf, nodesOf, textOf, warnAbout } from '../fields.ts';
import { Refusal, refusals } from '../refusals.ts';
import { isEmergency } from './filing.ts';
import { newVisitNumber, refuseOtherRegion } from './register.ts';
import { insuredPersonOf, openVisitOf, type Trade, visitOf } from './trade.ts';

const starred = [
  'psn_no',
  'insutype',
  'begntime',
  'mdtrt_cert_type',
  'certno',
  'med_type',
  'ipt_no',
  'insuplc_admdvs',
  'mdtrtarea_admvs',
] as const;
const clinical = [
  'atddr_no',
  'chfpdr_name',
  'adm_diag_dscr',
  'adm_dept_codg',
  'adm_dept_name',
  'adm_bed',
  'dscg_maindiag_code',
  'dscg_maindiag_name',
] as const;

/** 2401 → result{mdtrt_id}. Filing is not asked: the patient is ill now. */
export const admit: Trade = (call) => {
  const { books, envelope } = call;
  const node = nodeOf(envelope.input, 'mdtrtinfo');
  need(node, starred);
  const insutype = textOf(node, 'insutype');
  const person = insuredPersonOf(call, node, insutype);
  refuseOtherRegion(envelope, person);
  const serial = books.nextSerial();
  const visit = {
    mdtrtId: newVisitNumber(call, serial),
    psnNo: person.psnNo,
    hospitalCode: envelope.hospitalCode,
    treatRegion: envelope.treatRegion,
    visitNumber: textOf(node, 'ipt_no'),
    begntime: textOf(node, 'begntime'),
    insutype,
    stay: { medType: textOf(node, 'med_type'), msgid: envelope.msgid },
    ...(isEmergency(node) ? { isEmergency: true } : {}),
  };
  books.record({ type: 'visitRegistered', serial, visit });
  return {
    output: { result: { mdtrt_id: visit.mdtrtId } },
    warning: warnAbout(node, clinical) ?? noDiagnoses(envelope.input),
  };
};

/** 2402. */
export const discharge: Trade = (call) => {
  const { books, envelope } = call;
  const node = nodeOf(envelope.input, 'dscginfo');
  need(node, ['mdtrt_id', 'psn_no', 'insutype', 'endtime']);
  const visit = openVisitOf(call, node, 'stay');
  if (visit.dischargedAt !== null) throw new Refusal(refusals.alreadyDischarged);
  const endtime = textOf(node, 'endtime');
  if (endtime < visit.begntime) throw new Refusal(refusals.malformed('endtime早于入院时间'));
  books.record({ type: 'visitDischarged', mdtrtId: visit.mdtrtId, endtime });
  return { output: null, warning: noDiagnoses(envelope.input) };
};

/** 2403: another bed or doctor; nothing that the books keep. */
export const changeAdmission: Trade = (call) => {
  const node = nodeOf(call.envelope.input, 'adminfo');
  need(node, ['mdtrt_id', 'psn_no']);
  openVisitOf(call, node, 'stay');
  return { output: null };
};

/** 2404: refused while fees are uploaded, a settlement lives, or the patient has left. */
export const cancelAdmission: Trade = (call) => {
  const visit = stayOf(call, nodeOf(call.envelope.input, 'data'));
  if (visit.isCancelled) throw new Refusal(refusals.admissionCancelled);
  if (visit.dischargedAt !== null) throw new Refusal(refusals.stayIsOver);
  if (visit.settlements.some(({ status }) => status === 'settled')) {
    throw new Refusal(refusals.stayHasClaim);
  }
  if (visit.lines.size > 0) throw new Refusal(refusals.stayHasFees);
  call.books.record({ type: 'visitCancelled', mdtrtId: visit.mdtrtId });
  return { output: null };
};

/** 2405: refused while the settlement that closed the stay lives. */
export const cancelDischarge: Trade = (call) => {
  const node = nodeOf(call.envelope.input, 'data');
  need(node, ['mdtrt_id', 'psn_no']);
  const visit = openVisitOf(call, node, 'stay');
  if (visit.dischargedAt === null) throw new Refusal(refusals.notDischarged);
  const isClosed = visit.settlements.some((s) => s.status === 'settled' && s.isInterim !== true);
  if (isClosed) throw new Refusal(refusals.dischargeHasClaim);
  call.books.record({ type: 'dischargeCancelled', mdtrtId: visit.mdtrtId });
  return { output: null };
};

/** A cancelled admission is found too: a repeat is told so. */
function stayOf(call: Parameters<Trade>[0], node: Node): Visit {
  need(node, ['mdtrt_id', 'psn_no']);
  const visit = visitOf(call, node);
  if (visit.stay === undefined) throw new Refusal(refusals.nothingFound);
  return visit;
}

const noDiagnoses = (input: Node): string | null =>
  nodesOf(input, 'diseinfo').length === 0 ? 'diseinfo为空，沙箱已取默认值' : null;
