// Who stands at the counter: from a credential to a person, with what the insurer says of them (1101).
// Network happens here, before the caller's transaction; one-time credentials are used up by
// `spend` inside it. Insurer offline: an ID card, a payment code and a vendor's assertion identify by
// themselves, a social security card or an insurance code only if it was seen before.

import type { Tx } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { newMessageId } from '../insurance/message-store.ts';
import { type CertType, lookUpPerson, type PersonAnswer } from '../insurance/person.ts';
import type { Credential, CredentialKind } from './credential-schema.ts';
import { parseIdNumber } from './id-number.ts';
import {
  findOneTimeCredential,
  type LiveCredential,
  spendOneTimeCredential,
} from './one-time-credentials.ts';
import { findCitizenByIdNumber, type Person, readCitizen } from './people.ts';
import { markOf, rememberSeen, seenBefore } from './seen-credentials.ts';
import { readAssertion, spendAssertion } from './vendor-assertions.ts';

export { insuredView } from './insured-view.ts';

/** How the insurer is asked about this person: mdtrt_cert_type, mdtrt_cert_no, card_sn. */
export interface Cert {
  certType: CertType;
  certNo: string;
  cardSn?: string;
}

export interface Identified {
  /** For findOrCreateCitizen; the name is empty when nobody could say it. */
  citizen: Person;
  /** What was shown first; an identification keeps the kind that it was made from. */
  credentialKind: CredentialKind;
  /** 1101's answer. */
  lookup: PersonAnswer;
  cert: Cert;
  /**
   * To be called once in the transaction that uses the credential: uses up a one-time one, and
   * remembers whose card or code the insurer said it is. Refuses with identity/already-used.
   */
  spend: (tx: Tx) => Promise<void>;
}

export interface Identify {
  credential: Credential;
  hospital: { code: string; name: string; region: string };
  terminalId: string;
  operator: { id: string; name: string };
  /** How long 1101 may take; then the insurer counts as offline. */
  deadlineMs: number;
}

type IdentifyDeps = Pick<Deps, 'db' | 'env' | 'publicUrl' | 'keyring' | 'insurer' | 'realNow'>;

/**
 * Finds out who somebody is. Changes nothing. Refuses with identity/unknown, identity/expired,
 * identity/already-used or identity/insurer-needed.
 */
export async function identify(deps: IdentifyDeps, order: Identify): Promise<Identified> {
  const { credential } = order;
  switch (credential.kind) {
    case 'idCard':
      return identifyByIdCard(deps, order, credential);
    case 'socialSecurityCard': {
      const { number, cardSerial } = credential;
      const cert = {
        certType: '03' as const,
        certNo: number,
        ...(cardSerial ? { cardSn: cardSerial } : {}),
      };
      return identifyByInsurer(deps, order, cert);
    }
    case 'insuranceCode':
      return identifyByInsurer(deps, order, { certType: '01', certNo: credential.token });
    case 'paymentCode':
      return identifyByPaymentCode(deps, order, credential.code);
    case 'identification':
      return identifyAgain(deps, order, credential.id);
    case 'face':
    case 'nfc':
      return identifyByAssertion(deps, order, credential);
  }
  return credential satisfies never;
}

/** 1101 at the counter may take this long; then the insurer counts as offline. */
export const COUNTER_LOOKUP_MS = 2_500;

/** Who stands at a terminal when it does not say. */
export function terminalOperator(terminalId: string): { id: string; name: string } {
  return { id: terminalId.slice(-20), name: '终端' };
}

/** What an identification keeps for the opening of the visit. */
export function proofOf(identified: Identified): string {
  const { citizen, credentialKind, cert } = identified;
  const { lookup } = identified;
  const kept = lookup.outcome === 'found' ? { ...lookup.person, balance: null } : null;
  return JSON.stringify({
    citizen,
    credentialKind,
    cert,
    lookup: kept ? { outcome: 'found', person: kept } : lookup,
  } satisfies Proof);
}

type Proof = Omit<Identified, 'spend'>;

async function identifyByIdCard(
  deps: IdentifyDeps,
  order: Identify,
  card: { number: string; name?: string | undefined },
): Promise<Identified> {
  const parsed = parseIdNumber(card.number);
  if (!parsed) throw new Refusal('identity/unknown', { detail: '身份证号无效 Invalid ID number' });
  const cert: Cert = { certType: '02', certNo: parsed.number };
  const lookup = await ask(deps, order, cert, card.name);
  const named = namedBy(lookup);
  const known = named ? null : await knownName(deps, parsed.number);
  refuseOtherName(card.name, named?.name ?? known);
  const isVouchedFor =
    named !== null || card.name !== undefined || lookup.outcome === 'offline' || known !== null;
  // A bare number that neither the insurer nor we know is nobody; in an outage it is taken, for
  // nobody waits then, and the conversion or the next real-name source brings the name.
  if (!isVouchedFor)
    throw new Refusal('identity/unknown', { detail: '查无此人 Nobody knows this ID number' });
  const citizen: Person = named ?? { name: card.name ?? '', idNumber: parsed.number };
  return { citizen, credentialKind: 'idCard', lookup, cert, spend: nothing };
}

/** Refuses with identity/unknown when the right name is known and another one is shown. */
function refuseOtherName(shown: string | undefined, right: string | null): void {
  if (!shown || !right || shown.trim() === right) return;
  const detail = '姓名与身份证号不符 The name does not belong to this ID number';
  throw new Refusal('identity/unknown', { detail });
}

/** The name we know a person by: '' when none was ever given, null when the number is new to us. */
async function knownName(deps: IdentifyDeps, idNumber: string): Promise<string | null> {
  const found = await findCitizenByIdNumber(deps.db, deps.keyring, idNumber);
  return found && (await readCitizen(deps.db, deps.keyring, found.citizenId)).name;
}

/** A card or code that says nothing by itself: only the insurer knows whose it is. */
async function identifyByInsurer(
  deps: IdentifyDeps,
  order: Identify,
  cert: Cert,
): Promise<Identified> {
  const { keyring } = deps;
  const mark = markOf(keyring, order.credential.kind, cert.certNo);
  const lookup = await ask(deps, order, cert);
  const isOffline = lookup.outcome === 'offline';
  const citizen = isOffline ? await seenBefore(deps, mark) : namedBy(lookup);
  if (isOffline && !citizen) throw new Refusal('identity/insurer-needed');
  if (!citizen) {
    const reason = 'reason' in lookup ? lookup.reason : '';
    const isExpired = /过期|失效/.test(reason);
    throw new Refusal(isExpired ? 'identity/expired' : 'identity/unknown', {
      detail: reason || '查无此人 Unknown',
    });
  }
  const remember = (tx: Tx) => rememberSeen(tx, keyring, { mark, citizen, at: deps.realNow() });
  return {
    citizen,
    credentialKind: order.credential.kind,
    lookup,
    cert,
    spend: isOffline ? nothing : remember,
  };
}

async function identifyByPaymentCode(
  deps: IdentifyDeps,
  order: Identify,
  code: string,
): Promise<Identified> {
  const live = await findLive(deps, order, 'paymentCode', code);
  const known = await readCitizen(deps.db, deps.keyring, live.citizenId);
  const cert: Cert = { certType: '02', certNo: known.idNumber };
  const lookup = await ask(deps, order, cert, known.name);
  return {
    citizen: namedBy(lookup) ?? { name: known.name, idNumber: known.idNumber },
    credentialKind: 'paymentCode',
    lookup,
    cert,
    spend: (tx) => spendOneTimeCredential(tx, live.hash, deps.realNow()),
  };
}

/** It carries name and ID number under the vendor's signature, so it needs no insurer. */
async function identifyByAssertion(
  deps: IdentifyDeps,
  order: Identify,
  shown: { kind: 'face' | 'nfc'; assertion: string },
): Promise<Identified> {
  const { terminalId } = order;
  const { name, idNumber, thing } = await readAssertion(deps, { ...shown, terminalId });
  const cert: Cert = { certType: '02', certNo: idNumber };
  const lookup = await ask(deps, order, cert, name);
  const named = namedBy(lookup);
  refuseOtherName(name, named?.name ?? (await knownName(deps, idNumber)));
  return {
    citizen: named ?? { name, idNumber },
    credentialKind: shown.kind,
    lookup,
    cert,
    spend: (tx) => spendAssertion(tx, thing, deps.realNow()),
  };
}

async function identifyAgain(deps: IdentifyDeps, order: Identify, id: string): Promise<Identified> {
  const live = await findLive(deps, order, 'identification', id);
  if (live.proof === null) throw new Error('an identification has no proof');
  const proof = JSON.parse(live.proof) as Proof;
  // What could not be asked ten minutes ago may be known now.
  const lookup =
    proof.lookup.outcome === 'offline'
      ? await ask(deps, order, proof.cert, proof.citizen.name || undefined)
      : proof.lookup;
  return {
    ...proof,
    citizen: namedBy(lookup) ?? proof.citizen,
    lookup,
    spend: (tx) => spendOneTimeCredential(tx, live.hash, deps.realNow()),
  };
}

function findLive(
  deps: IdentifyDeps,
  order: Identify,
  kind: 'paymentCode' | 'identification',
  text: string,
): Promise<LiveCredential> {
  const { terminalId } = order;
  return findOneTimeCredential(deps.db, deps.keyring, {
    kind,
    text,
    terminalId,
    now: deps.realNow(),
  });
}

async function ask(
  deps: IdentifyDeps,
  order: Identify,
  cert: Cert,
  name?: string,
): Promise<PersonAnswer> {
  const { hospital, operator } = order;
  const msgid = await newMessageId(deps.db, hospital.code, deps.realNow());
  const credential = { ...cert, ...(name ? { name } : {}) };
  return lookUpPerson(deps.insurer, { hospital, operator, msgid }, credential, order.deadlineMs);
}

/** The real name that 1101 gave; null when it named nobody with a valid ID number. */
function namedBy(lookup: PersonAnswer): Person | null {
  const person = 'person' in lookup ? lookup.person : undefined;
  const parsed = person ? parseIdNumber(person.idNumber) : null;
  if (!person || !parsed) return null;
  return { name: person.name, idNumber: parsed.number, source: 'realName' };
}

async function nothing(): Promise<void> {}
