// Law: who is insured elsewhere must be filed before the insurer settles directly, except where a zone
// is free of it and in an emergency. 2001 tells beforehand, 2501 files. A claim says why it is refused.
import type { Visit } from '../books.ts';
import { routeOf } from '../envelope.ts';
import type { Person } from '../events.ts';
import { isNode, type Node, need, nodeOf, textOf } from '../fields.ts';
import { Refusal, refusals } from '../refusals.ts';
import type { Trade } from './trade.ts';

/** Shanghai, Jiangsu, Zhejiang, Anhui: outpatients among each other. */
const delta = ['31', '32', '33', '34'];
const emergencyTypes = ['13', '1301'];

/** 2001 → trtinfo[]: may this person use insurance here, now? */
export const checkBenefit: Trade = (call) => {
  const node = nodeOf(call.envelope.input, 'data');
  need(node, ['psn_no', 'insutype', 'fixmedins_code', 'med_type', 'begntime']);
  const person = call.books.peopleByNo.get(textOf(node, 'psn_no'));
  if (person === undefined) throw new Refusal(refusals.unknownPerson);
  const { treatRegion } = call.envelope;
  const reason = reasonAgainst(person, treatRegion, {
    isEmergency: isEmergency(node),
    isStay: textOf(node, 'med_type').startsWith('2'),
  });
  const row = {
    psn_no: person.psnNo,
    trt_chk_type: '1',
    fund_pay_type: person.type === 'employee' ? '310102' : '390102',
    trt_enjymnt_flag: reason === null ? '1' : '0',
    begndate: textOf(node, 'begntime').slice(0, 10),
    enddate: null,
    trt_chk_rslt: reason,
  };
  return { output: { trtinfo: [row] } };
};

function reasonAgainst(
  person: Person,
  treatRegion: string,
  visit: { isEmergency: boolean; isStay: boolean },
): string | null {
  if (person.status === 'paused') return refusals.paused;
  if (person.status === 'none') return refusals.noInsurance;
  const isElsewhere = routeOf(treatRegion, person.region) === 'crossRegion';
  const isInDelta = [treatRegion, person.region].every((code) => delta.includes(code.slice(0, 2)));
  const isFree = visit.isEmergency || (isInDelta && !visit.isStay);
  return isElsewhere && !isFree && person.isFiled === false ? refusals.notFiled : null;
}

/** What 2206, 2207, 2303 and 2304 refuse for want of a filing. */
export function refuseUnfiled(visit: Visit, person: Person, node: Node): void {
  const reason = reasonAgainst(person, visit.treatRegion, {
    isEmergency: visit.isEmergency === true || isEmergency(node),
    isStay: visit.stay !== undefined,
  });
  if (reason !== null) throw new Refusal(reason);
}

/** By med_type, or by exp_content of a patient insured elsewhere. */
export function isEmergency(node: Node): boolean {
  if (emergencyTypes.includes(textOf(node, 'med_type'))) return true;
  const said = parse(textOf(node, 'exp_content'));
  return ['1', '3'].includes(textOf(said, 'OTP_ER_REFL_FLAG')) || textOf(said, 'IPT_TYPE') === '2';
}

function parse(text: string): Node {
  try {
    const said: unknown = JSON.parse(text || '{}');
    return isNode(said) ? said : {};
  } catch {
    return {};
  }
}

/** 2501 → result{trt_dcla_detl_sn}: a hospital files a referral; from now on the person is filed. */
export const fileReferral: Trade = (call) => {
  const { books } = call;
  const node = nodeOf(call.envelope.input, 'refmedin');
  need(node, ['psn_no', 'insutype', 'refl_type', 'mdtrtarea_admdvs']);
  const person = books.peopleByNo.get(textOf(node, 'psn_no'));
  if (person === undefined) throw new Refusal(refusals.unknownPerson);
  books.record({ type: 'filingSet', psnNo: person.psnNo, isFiled: true });
  const serial = `${person.region}${String(call.nowMs).padStart(14, '0')}`;
  return { output: { result: { trt_dcla_detl_sn: serial } } };
};
