// Role: who is insured, and how (1101, nhsa.md §2.3). Pure reading; `lookUpPerson` asks the insurer.
import type { Keyring } from '../identity/keyring.ts';
import { type Fen, fenFromWire } from '../money.ts';
import type { Insurer, Message, WireNode } from './insurer.ts';
import { node, nodes, text } from './wire.ts';

/** mdtrt_cert_type: 01 electronic certificate, 02 ID card, 03 social security card. */
export type CertType = '01' | '02' | '03';

export interface InsuredPerson {
  psnNo: string;
  name: string;
  idNumber: string;
  /** 310 employees, 390 residents … */
  insutype: string;
  psnType: string;
  /** insuplc_admdvs of the chosen insurance: goes into the header of all that follows. */
  insuredRegion: string;
  certType: CertType;
  /** mdtrt_cert_no: token, ID number or card number. */
  certNo: string;
  cardSn: string;
  psnCertType: string;
  balance: Fen | null;
  status: 'active' | 'paused' | 'none';
}

/** Enough to ask about, reverse or cancel a claim that was made. */
export type Payer = Pick<InsuredPerson, 'psnNo' | 'insuredRegion'>;

/** What is known of a person who cannot use insurance now. */
export type UninsuredPerson = Pick<
  InsuredPerson,
  'name' | 'idNumber' | 'status' | 'insutype' | 'insuredRegion'
>;

export interface Credential {
  certType: CertType;
  certNo: string;
  /** Required by the insurer for a social security card. */
  cardSn?: string;
  name?: string;
}

export type PersonAnswer =
  | { outcome: 'found'; person: InsuredPerson }
  | { outcome: 'notInsured'; person?: UninsuredPerson; reason: string }
  | { outcome: 'unknownPerson'; reason: string }
  | { outcome: 'offline'; reason: string };

/** Basic insurances that pay a visit, in the order they are chosen; supplements are not among them. */
const BASIC_INSURANCES = ['310', '390', '391', '380', '340', '350', '360'];
/** psn_insu_stas: 0 not insured, 1 active, 2 paused, 3 invalid, 4 ended. */
const STATUS_OF: Readonly<Record<string, InsuredPerson['status']>> = {
  '1': 'active',
  '2': 'paused',
};

/** The person of a 1101 answer, with the insurance that counts; null when it names nobody. */
export function readPersons(output: WireNode, credential: Credential): InsuredPerson | null {
  const base = node(output, 'baseinfo');
  const psnNo = text(base, 'psn_no');
  const name = text(base, 'psn_name');
  const idNumber = text(base, 'certno').toUpperCase();
  if (name === '' || idNumber === '') return null;
  const { row, status } = chooseInsurance(nodes(output, 'insuinfo'));
  return {
    psnNo,
    name,
    idNumber,
    insutype: text(row, 'insutype'),
    psnType: text(row, 'psn_type'),
    insuredRegion: text(row, 'insuplc_admdvs'),
    certType: credential.certType,
    certNo: credential.certNo,
    cardSn: credential.cardSn ?? '',
    psnCertType: text(base, 'psn_cert_type') || '01',
    balance: fenFromWire(row?.balc),
    status: psnNo === '' ? 'none' : status,
  };
}

/**
 * Asks 1101 who this is. It changes nothing at the insurer, so an unknown fate is `offline`.
 * A person whose insurance is paused or absent is still named where the insurer does so.
 */
export async function lookUpPerson(
  insurer: Insurer,
  ctx: Pick<Message, 'hospital' | 'operator' | 'msgid' | 'trialToken'>,
  credential: Credential,
  deadlineMs: number,
): Promise<PersonAnswer> {
  const message: Message = {
    ...ctx,
    infno: '1101',
    insuredRegion: null,
    input: { data: lookUpInput(credential) },
  };
  const answer = await insurer.send(message, deadlineMs);
  switch (answer.outcome) {
    case 'ok':
      return readAnswer(answer.output, credential);
    case 'notInsured':
      return { outcome: 'notInsured', reason: answer.reason };
    case 'rejected':
    case 'alreadyDone':
      return { outcome: 'unknownPerson', reason: answer.reason };
    case 'offline':
    case 'unknown':
      return { outcome: 'offline', reason: answer.reason };
  }
  return answer satisfies never;
}

/** A person as encrypted bytes, for `visit.insuredPerson`. */
export function sealPerson(keyring: Keyring, person: InsuredPerson): Buffer {
  return keyring.seal(JSON.stringify({ ...person, balance: person.balance?.toString() ?? null }));
}

/** The person of `sealPerson`. */
export function openPerson(keyring: Keyring, sealed: Buffer): InsuredPerson {
  const stored = JSON.parse(keyring.open(sealed)) as InsuredPerson & { balance: string | null };
  return { ...stored, balance: stored.balance === null ? null : BigInt(stored.balance) };
}

function readAnswer(output: WireNode, credential: Credential): PersonAnswer {
  const person = readPersons(output, credential);
  if (!person) return { outcome: 'offline', reason: '1101 answered without a person' };
  const isOther =
    credential.certType === '02' &&
    person.psnCertType === '01' &&
    person.idNumber !== credential.certNo.toUpperCase();
  if (isOther) return { outcome: 'offline', reason: '1101 answered another person' };
  if (person.status === 'active') return { outcome: 'found', person };
  const { name, idNumber, status, insutype, insuredRegion } = person;
  const reason = status === 'paused' ? '参保状态为暂停 insurance paused' : '未参保 not insured';
  return {
    outcome: 'notInsured',
    person: { name, idNumber, status, insutype, insuredRegion },
    reason,
  };
}

function chooseInsurance(rows: WireNode[]): {
  row: WireNode | null;
  status: InsuredPerson['status'];
} {
  for (const status of ['active', 'paused'] as const) {
    for (const insutype of BASIC_INSURANCES) {
      const row = rows.find(
        (candidate) =>
          text(candidate, 'insutype') === insutype &&
          STATUS_OF[text(candidate, 'psn_insu_stas')] === status,
      );
      if (row) return { row, status };
    }
  }
  return { row: null, status: 'none' };
}

function lookUpInput(credential: Credential): Record<string, string> {
  const isIdCard = credential.certType === '02';
  return {
    mdtrt_cert_type: credential.certType,
    mdtrt_cert_no: credential.certNo,
    card_sn: credential.cardSn ?? '',
    begntime: '',
    psn_cert_type: '01',
    certno: isIdCard ? credential.certNo : '',
    psn_name: credential.name ?? '',
  };
}
