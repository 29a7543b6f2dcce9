// Role: 2201 registers a visit, 2202 takes it back, 2203 describes it. Every 2201 makes a new
// mdtrt_id, also for the same ipt_otp_no: the standard promises nothing else.
import type { Visit } from '../books.ts';
import { routeOf } from '../envelope.ts';
import type { Person } from '../events.ts';
import { need, nodeOf, nodesOf, textOf, warnAbout } from '../fields.ts';
import { Refusal, refusals } from '../refusals.ts';
import { shanghaiDigits } from '../shanghai-time.ts';
import { isEmergency } from './filing.ts';
import { insuredPersonOf, openVisitOf, type Trade, type TradeCall, visitOf } from './trade.ts';

const doctorFields = ['atddr_no', 'dr_name', 'dept_code', 'dept_name', 'caty'] as const;

/** 2201 → data{mdtrt_id, psn_no, ipt_otp_no}. */
export const registerVisit: Trade = (call) => {
  const { books, envelope } = call;
  const node = nodeOf(envelope.input, 'data');
  need(node, ['psn_no', 'insutype', 'begntime', 'mdtrt_cert_type', 'ipt_otp_no']);
  if (textOf(node, 'mdtrt_cert_no') === '') {
    throw new Refusal(refusals.noCertificate(`${envelope.msgid}@127.0.0.1`));
  }
  const insutype = textOf(node, 'insutype');
  const person = insuredPersonOf(call, node, insutype);
  refuseOtherRegion(envelope, person);
  const serial = books.nextSerial();
  const visit = {
    mdtrtId: newVisitNumber(call, serial),
    psnNo: person.psnNo,
    hospitalCode: envelope.hospitalCode,
    treatRegion: envelope.treatRegion,
    visitNumber: textOf(node, 'ipt_otp_no'),
    begntime: textOf(node, 'begntime'),
    insutype,
    ...(isEmergency(node) ? { isEmergency: true } : {}),
  };
  books.record({ type: 'visitRegistered', serial, visit });
  const { mdtrtId, psnNo, visitNumber } = visit;
  return {
    output: {
      data: { psn_no: psnNo, mdtrt_id: mdtrtId, exp_content: null, ipt_otp_no: visitNumber },
    },
    warning: warnAbout(node, doctorFields),
  };
};

/** The header names where the person is insured; blank means here. */
export function refuseOtherRegion(envelope: TradeCall['envelope'], person: Person): void {
  const named = envelope.insuredRegion === '' ? envelope.treatRegion : envelope.insuredRegion;
  if (routeOf(named, person.region) !== 'local') throw new Refusal(refusals.wrongInsuredRegion);
}

/** 2202: refused while fees are uploaded or a settlement lives. */
export const cancelVisit: Trade = (call) => {
  const node = nodeOf(call.envelope.input, 'data');
  need(node, ['psn_no', 'mdtrt_id', 'ipt_otp_no']);
  const visit = visitOf(call, node);
  if (visit.stay !== undefined) throw new Refusal(refusals.nothingFound);
  if (visit.isCancelled) throw new Refusal(refusals.visitCancelled);
  if (visit.settlements.some(({ status }) => status === 'settled')) {
    throw new Refusal(refusals.visitHasClaim);
  }
  if (visit.lines.size > 0) throw new Refusal(refusals.visitHasFees);
  call.books.record({ type: 'visitCancelled', mdtrtId: visit.mdtrtId });
  return { output: null };
};

const diagnosisFields = [
  'diag_type',
  'diag_srt_no',
  'diag_code',
  'diag_name',
  'diag_dept',
  'dise_dor_no',
  'dise_dor_name',
  'diag_time',
  'vali_flag',
] as const;

/** 2203: may be sent again to correct it; diagnoses may be missing in the sandbox, with a warning. */
export const describeVisit: Trade = (call) => {
  const { input } = call.envelope;
  const node = nodeOf(input, 'mdtrtinfo');
  need(node, ['mdtrt_id', 'psn_no', 'med_type', 'begntime']);
  const visit: Visit = openVisitOf(call, node);
  const diagnoses = nodesOf(input, 'diseinfo');
  call.books.record({
    type: 'visitDescribed',
    mdtrtId: visit.mdtrtId,
    medType: textOf(node, 'med_type'),
  });
  const warnings = diagnoses.map((diagnosis) => warnAbout(diagnosis, diagnosisFields));
  const missing = diagnoses.length === 0 ? 'diseinfo为空，沙箱已取默认值' : null;
  return { output: null, warning: missing ?? warnings.find((text) => text !== null) ?? null };
};

/** 19 digits: region, day, serial. */
export function newVisitNumber(call: TradeCall, serial: number): string {
  const region = call.envelope.treatRegion.slice(0, 6).padEnd(6, '0');
  return `${region}${shanghaiDigits(call.nowMs).slice(2, 8)}${String(serial).padStart(7, '0')}`;
}
