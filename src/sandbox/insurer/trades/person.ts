// Role: 1101, who is it and how insured. Three certificates: 01 token, 02 ID number, 03 card.
import type { Person } from '../events.ts';
import { need, nodeOf, textOf } from '../fields.ts';
import { identityFields, personTypeOf } from '../person-facts.ts';
import { Refusal, refusals } from '../refusals.ts';
import { shanghaiText } from '../shanghai-time.ts';
import { toWireNumber } from '../wire-number.ts';
import { personByCertificate, type Trade, type TradeCall } from './trade.ts';

/** 1101 → baseinfo, insuinfo[] (empty: never insured), idetinfo[]. */
export const queryPerson: Trade = (call) => {
  const node = nodeOf(call.envelope.input, 'data');
  need(node, ['mdtrt_cert_type']);
  const certType = textOf(node, 'mdtrt_cert_type');
  const certNo = textOf(node, 'mdtrt_cert_no');
  if (certNo === '') throw new Refusal(refusals.noCertificate(`${call.envelope.msgid}@127.0.0.1`));
  const person = personByCertificate(call.books, certType, certNo);
  const name = textOf(node, 'psn_name');
  if (person === null || (name !== '' && name !== person.name)) {
    throw new Refusal(refusals.unknownPerson);
  }
  const today = shanghaiText(call.nowMs).slice(0, 10);
  return {
    output: {
      baseinfo: { ...identityFields(person, today), exp_content: null },
      insuinfo: insuranceRows(call, person, today),
      idetinfo: [],
    },
  };
};

function insuranceRows(call: TradeCall, person: Person, today: string) {
  if (person.status === 'none') return [];
  const row = {
    balc: toWireNumber(call.books.balanceOf(person.idNumber)),
    insutype: person.type === 'employee' ? '310' : '390',
    psn_type: personTypeOf(person, today),
    psn_insu_stas: person.status === 'active' ? '1' : '2',
    psn_insu_date: '2020-01-01',
    paus_insu_date: person.status === 'active' ? null : today,
    cvlserv_flag: '0',
    insuplc_admdvs: person.region,
    emp_name: null,
  };
  return hasEarlierRow(person) ? [earlierRow(row), row] : [row];
}

/** Every second person was insured elsewhere before: the client must choose the row that lives. */
function hasEarlierRow(person: Person): boolean {
  return person.type === 'employee' && Number(person.psnNo.slice(-1)) % 2 === 1;
}

function earlierRow<T extends object>(row: T) {
  return { ...row, balc: 0, insutype: '390', psn_type: '15', psn_insu_stas: '4' };
}
