// Role: the adapter of the insurance port to the national platform's AK/SK gateway (nhsa.md §1).
// Law: it never throws, never waits beyond the deadline and never sends a message twice, except
// after a refusal "not signed in", which proves that the message was not executed.
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { classify, type ExchangeEvent } from './classify.ts';
import { envelopeOf, gatewayHeaders, operatorNumber } from './envelope.ts';
import { openGateway } from './gateway.ts';
import type { Answer, Insurer, Message } from './insurer.ts';
import { type RegionRules, regionRules } from './regions.ts';
import type { Meanings } from './text-meanings.ts';
import { node, text } from './wire.ts';
import { wireDate, wireStamp } from './wire-time.ts';

const SERVICE_PATH = '/fsi/api/rsfComIfsService/callService';
/** Operators of one day in one process: 62 institutions × about 100 terminals, with room. */
const MAX_SIGN_INS = 20_000;

export interface NhsaOptions {
  url: string;
  accessKey: string;
  secretKey: string;
  /** Rules by region; the built-in ones when absent. */
  regions?: (region: string) => RegionRules;
  /** What finance decided that a region's error texts mean; asked only for an answer that is a no. */
  meanings?: (region: string) => Promise<Meanings>;
  /** Called for an error text that no pattern knows. */
  onUnlisted?: (region: string, infno: string, text: string) => void;
  log?: Pick<Logger, 'warn' | 'error'>;
  metrics?: { countTrade(infno: string, outcome: string, seconds: number): void };
  realNow?: () => Date;
}

/** The insurer behind a URL. `close` waits for the messages under way. */
export function makeNhsaInsurer(options: NhsaOptions): Insurer & { close(): Promise<void> } {
  const gateway = openGateway(options.url);
  const rulesOf = options.regions ?? regionRules;
  const realNow = options.realNow ?? (() => new Date());
  const signIns = new LRUCache<string, Promise<SignIn>>({ max: MAX_SIGN_INS });

  async function exchange(message: Message, signNo: string, deadlineMs: number) {
    const rules = rulesOf(message.hospital.region);
    const headers = gatewayHeaders(message.infno, rules, options, realNow());
    const body = envelopeOf(message, rules, signNo, realNow());
    const startedAt = performance.now();
    const path = `${SERVICE_PATH}/${message.infno}`;
    const event = await gateway.post(path, headers, body, deadlineMs);
    const verdict = classify(message.infno, event, await withMeanings(message, rules, event));
    const seconds = (performance.now() - startedAt) / 1000;
    options.metrics?.countTrade(message.infno, verdict.answer.outcome, seconds);
    note(message, event, verdict.answer);
    return { event, verdict };
  }

  async function withMeanings(message: Message, rules: RegionRules, event: ExchangeEvent) {
    const isNo = event.kind === 'reply' && event.reply.infcode.startsWith('-');
    if (!isNo || !options.meanings) return rules;
    return { ...rules, meanings: await options.meanings(message.hospital.region) };
  }

  /** One 9001 per operator and day; everybody else of that operator waits for the same one. */
  function signIn(message: Message): Promise<SignIn> {
    const { hospital, operator } = message;
    const key = `${hospital.code} ${operator.id} ${wireDate(realNow())}`;
    const running = signIns.get(key);
    if (running) return running;
    const msgid = signInMessageId(hospital.code, realNow());
    const data = { opter_no: operatorNumber(message), mac: '00-00-00-00-00-00', ip: '127.0.0.1' };
    const started = exchange(
      { ...message, infno: '9001', msgid, insuredRegion: null, input: { signIn: data } },
      '',
      SIGN_IN_MS,
    ).then(({ event, verdict }) => signInOf(event, verdict.answer));
    signIns.set(key, started);
    // A sign-in that failed is tried again by the next message.
    void started.then((done) => done.failure && signIns.delete(key));
    return started;
  }

  function forget(message: Message): void {
    signIns.delete(`${message.hospital.code} ${message.operator.id} ${wireDate(realNow())}`);
  }

  function note(message: Message, event: ExchangeEvent, answer: Answer): void {
    if (answer.outcome !== 'offline' && answer.outcome !== 'unknown') return;
    const { infno, msgid, hospital } = message;
    const fields = { infno, msgid, region: hospital.region, ...answer, event: event.kind };
    if (event.kind === 'gateway401') options.log?.error({ ...fields, alarm: true }, 'gateway 401');
    else options.log?.warn(fields, 'insurer did not answer as it should');
  }

  return {
    async send(message, deadlineMs) {
      const endsAt = performance.now() + deadlineMs;
      const left = () => endsAt - performance.now();
      const { region } = message.hospital;
      let signNo = '';
      for (let isSecondTry = false; ; isSecondTry = true) {
        if (rulesOf(region).needsSignIn && message.infno !== '9001') {
          const signed = await withDeadline(signIn(message), left());
          if (signed.failure) {
            // Whoever waited in vain leaves it: the next message signs in anew.
            forget(message);
            return signed.failure;
          }
          signNo = signed.signNo;
        }
        const { verdict } = await exchange(message, signNo, left());
        if (verdict.unlistedText !== null) {
          options.onUnlisted?.(region, message.infno, verdict.unlistedText);
        }
        if (!verdict.needsSignIn || isSecondTry) return verdict.answer;
        forget(message);
      }
    },
    close: () => gateway.close(),
  };
}

/** As long as the counter's longest message; a shorter one must not end it for everybody else. */
const SIGN_IN_MS = 5_000;

/** Either a number to send along (may be empty), or why nothing can be sent. */
interface SignIn {
  signNo: string;
  failure: Answer | null;
}

/**
 * A platform that says no to 9001 may still take trades without it; one that does not answer
 * takes none. Nothing of the message itself was sent, so the failure is always `offline`.
 */
function signInOf(event: ExchangeEvent, answer: Answer): SignIn {
  if (answer.outcome === 'ok') {
    return { signNo: text(node(answer.output, 'signinoutb'), 'sign_no'), failure: null };
  }
  const isSilent = ['refused', 'timeoutBeforeSend', 'timeout', 'reset', 'gateway401'];
  if (!isSilent.includes(event.kind)) return { signNo: '', failure: null };
  const reason = 'reason' in answer ? answer.reason : '';
  const prefix = event.kind === 'gateway401' ? '' : 'sign-in: ';
  return { signNo: '', failure: { outcome: 'offline', reason: prefix + reason } };
}

/** The shared sign-in has a time of its own; nobody waits for it beyond their own deadline. */
async function withDeadline(signIn: Promise<SignIn>, deadlineMs: number): Promise<SignIn> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<SignIn>((resolve) => {
    const failure: Answer = {
      outcome: 'offline',
      reason: 'sign-in: no answer before the deadline',
    };
    timer = setTimeout(() => resolve({ signNo: '', failure }), Math.max(0, deadlineMs));
  });
  const first = await Promise.race([signIn, late]);
  clearTimeout(timer);
  return first;
}

let signInCount = Math.floor(Math.random() * 10_000);

/** 9001 changes no books and is not stored, so its number comes from memory, not the sequence. */
function signInMessageId(hospitalCode: string, realNow: Date): string {
  signInCount = (signInCount + 1) % 10_000;
  return `${hospitalCode}${wireStamp(realNow)}${String(signInCount).padStart(4, '0')}`;
}
