// Role: the request side of the wire: envelope (nhsa.md §1.1) and AK/SK gateway headers (§1.4).
import { createHmac } from 'node:crypto';
import type { Message } from './insurer.ts';
import type { RegionRules } from './regions.ts';
import { wireDateTime } from './wire-time.ts';

/** The JSON text of one message; `signNo` is empty before 9001. */
export function envelopeOf(
  message: Message,
  rules: RegionRules,
  signNo: string,
  realNow: Date,
): string {
  const { hospital, operator } = message;
  return JSON.stringify({
    infno: message.infno,
    msgid: message.msgid,
    mdtrtarea_admvs: hospital.region,
    insuplc_admdvs: message.insuredRegion ?? '',
    recer_sys_code: rules.recerSysCode,
    dev_no: '',
    dev_safe_info: '',
    cainfo: '',
    signtype: '',
    infver: rules.infver,
    opter_type: rules.operatorType,
    opter: operatorNumber(message),
    opter_name: operator.name.slice(0, 50),
    inf_time: wireDateTime(realNow),
    fixmedins_code: hospital.code,
    fixmedins_name: hospital.name,
    sign_no: signNo,
    input: message.input,
  });
}

/** opter and opter_no: at most 30 characters, the same in 9001 and in every other trade. */
export function operatorNumber({ operator }: Pick<Message, 'operator'>): string {
  return operator.id.slice(0, 30);
}

/** The gateway's signed headers; the secret key itself is never sent. */
export function gatewayHeaders(
  infno: string,
  rules: RegionRules,
  keys: { accessKey: string; secretKey: string },
  realNow: Date,
): Record<string, string> {
  const timestamp = String(realNow.getTime());
  const signed = [
    `_api_access_key=${keys.accessKey}`,
    `_api_name=${infno}`,
    `_api_timestamp=${timestamp}`,
    `_api_version=${rules.apiVersion}`,
  ].join('&');
  return {
    'content-type': rules.contentType,
    accept: 'application/json',
    _api_name: infno,
    _api_version: rules.apiVersion,
    _api_timestamp: timestamp,
    _api_access_key: keys.accessKey,
    _api_signature: createHmac('sha1', keys.secretKey).update(signed).digest('base64'),
  };
}
