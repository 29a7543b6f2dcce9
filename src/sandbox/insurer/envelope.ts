// Role: the platform's envelope (nhsa.md §1.1, §1.2): reads a request, dresses an answer.
import type { RouteName } from './faults.ts';
import { isNode, type Node, textOf } from './fields.ts';
import { Refusal, refusals } from './refusals.ts';
import { shanghaiDigits } from './shanghai-time.ts';

export interface Envelope {
  infno: string;
  msgid: string;
  treatRegion: string;
  /** Blank means the same region. */
  insuredRegion: string;
  operatorId: string;
  signNo: string;
  hospitalCode: string;
  input: Node;
}

const required = [
  'infno',
  'msgid',
  'mdtrtarea_admvs',
  'recer_sys_code',
  'infver',
  'opter_type',
  'opter',
  'opter_name',
  'inf_time',
  'fixmedins_code',
  'fixmedins_name',
] as const;

const maxLengths: Record<string, number> = { infno: 5, msgid: 30, fixmedins_code: 20, sign_no: 30 };

/** Reads the envelope; refuses with the platform's words what it cannot read. */
export function readEnvelope(body: unknown, infnoOfPath: string | null): Envelope {
  if (!isNode(body)) throw new Refusal(refusals.malformed('报文不是JSON对象'));
  for (const field of required) {
    if (textOf(body, field) === '') throw new Refusal(refusals.fieldEmpty(field));
  }
  for (const [field, length] of Object.entries(maxLengths)) {
    if (textOf(body, field).length > length) {
      throw new Refusal(refusals.malformed(`${field}超过${length}位`));
    }
  }
  if (!isNode(body.input)) throw new Refusal(refusals.fieldEmpty('input'));
  if (infnoOfPath !== null && infnoOfPath !== textOf(body, 'infno')) {
    throw new Refusal(refusals.malformed('infno与接口地址不一致'));
  }
  return {
    infno: textOf(body, 'infno'),
    msgid: textOf(body, 'msgid'),
    treatRegion: textOf(body, 'mdtrtarea_admvs'),
    insuredRegion: textOf(body, 'insuplc_admdvs'),
    operatorId: textOf(body, 'opter'),
    signNo: textOf(body, 'sign_no'),
    hospitalCode: textOf(body, 'fixmedins_code'),
    input: body.input,
  };
}

/** Beijing, Tianjin, Shanghai, Chongqing: the province is the city. */
const municipalities = ['11', '12', '31', '50'];

/** Local, unless the two region codes of the header name different cities (four digits, else two). */
export function routeOf(treatRegion: string, insuredRegion: string): RouteName {
  if (insuredRegion === '') return 'local';
  const digits = municipalities.includes(treatRegion.slice(0, 2)) ? 2 : 4;
  return treatRegion.slice(0, digits) === insuredRegion.slice(0, digits) ? 'local' : 'crossRegion';
}

/** The ways a real platform writes success; the client has to read them all. */
const successTexts = [null, '', 'success'] as const;

/**
 * Dresses answers. One counter makes them vary as real ones do: infcode as number and as text,
 * err_msg of a success null, "" or "success", references of a failure null or "".
 */
export class Dresser {
  #count = 0;

  success(region: string, startMs: number, nowMs: number, output: unknown, warning: string | null) {
    const n = this.#count++;
    return {
      output,
      infcode: n % 2 === 0 ? 0 : '0',
      warn_msg: warning,
      cainfo: null,
      err_msg: successTexts[n % successTexts.length],
      refmsg_time: shanghaiDigits(startMs),
      signtype: null,
      respond_time: shanghaiDigits(nowMs),
      inf_refmsgid: this.#reference(region, startMs),
    };
  }

  failure(region: string, startMs: number, nowMs: number, reason: string) {
    const n = this.#count++;
    const isBare = n % 3 === 0;
    return {
      output: null,
      infcode: n % 2 === 0 ? -1 : '-1',
      inf_refmsgid: isBare ? '' : this.#reference(region, startMs),
      refmsg_time: isBare ? '' : shanghaiDigits(startMs),
      respond_time: isBare ? '' : shanghaiDigits(nowMs),
      enctype: null,
      signtype: null,
      err_msg: reason,
      ...(n % 4 === 0 ? { type: 'error' } : {}),
    };
  }

  #reference(region: string, startMs: number): string {
    const serial = String(this.#count).padStart(10, '0');
    return `${region.slice(0, 6).padEnd(6, '0')}${shanghaiDigits(startMs).slice(0, 14)}${serial}`;
  }
}
