// One run's conversation with the insurer. Law: a message that changes the insurer's books is stored
// before it is sent; a stored one without an answer is of unknown fate and is never sent again.
import { type Db, violatedConstraint } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { inpatientTrades, isMoneyTrade } from '../insurance/claim-trades.ts';
import type { Answer, Infno, RouteName } from '../insurance/insurer.ts';
import {
  messagesOfIntent,
  newMessageId,
  type StoredMessage,
  storeAnswerAndMessage,
  storeGuarded,
  storeMessage,
} from '../insurance/message-store.ts';
import { routeOf } from '../insurance/regions.ts';
import type { BilledVisit } from './bill.ts';
import { type Intent, renewed, stillHeld } from './intent-store.ts';

/** A money trade is not begun with less than this left: its answer could hardly be waited for. */
const LEAST_FOR_MONEY_MS = 300;
/** A hospital stay's bill is long: its settlement and its cancelling have a time of their own. */
const STAY_MONEY_MS = 30_000;
/** While it is waited for, nobody may take the run over. */
const STAY_LEASE_SECONDS = 45;

export type Told = Answer & { msgid: string };

type Repeat = 'never' | 'inDoubt' | 'always';

export interface Talk {
  /** A question that changes nothing at the insurer: sent at once, kept nowhere. */
  ask(infno: Infno, input: Record<string, unknown>): Promise<Answer>;
  /**
   * A trade that changes the insurer's books, once a run. After a crash: its stored answer, or doubt.
   * `repeat`: some are taken twice without harm, in doubt (2208 of one setl_id) or always (2601).
   */
  change(infno: Infno, input: Record<string, unknown>, repeat?: Repeat): Promise<Told>;
  /** The newest stored message of a trade in this run; only looked up after a crash. */
  lastOf(infno: Infno): StoredMessage | undefined;
  /** A fresh message id for a question made elsewhere (1101). */
  nextMessageId(): Promise<string>;
  msLeft(): number;
  route: RouteName;
  insuredRegion: string | null;
  /** Set while this talk is the one trial of a half-open breaker. */
  trialToken: string | null;
  /** Ends a half-open trial that this talk was let in for; always call it. */
  close(): Promise<void>;
  /** An answer that no later message has stored yet; the finishing transaction must. */
  unsaved: { msgid: string; answer: Answer } | null;
}

export interface TalkOrder {
  held: Pick<Intent, 'id' | 'leaseToken'>;
  bill: BilledVisit;
  /** True after a crash: look for stored messages first. */
  isResumed: boolean;
  /** Real time in ms. */
  deadlineAt: number;
  /** Asks the insurer of this region, whatever 1101 says of the person today. */
  insuredRegion?: string;
  /** Waits for this run's turn, before each trade; absent: somebody waits for it. */
  turn?: () => Promise<void>;
  /** Lets this run through an open breaker, all the way to 2207; a conversion brings its own. */
  trialToken?: string | null;
}

/** Opens the conversation of one run about one bill. */
export async function openTalk(deps: Deps, order: TalkOrder): Promise<Talk> {
  const { held, bill } = order;
  const earlier = order.isResumed ? await messagesOfIntent(deps.db, deps.keyring, held.id) : [];
  const hospital = {
    code: bill.hospital.code,
    name: bill.hospital.name,
    region: bill.hospital.region,
  };
  const insuredRegion = order.insuredRegion ?? bill.person?.insuredRegion ?? null;

  const route = routeOf(hospital.region, insuredRegion);
  const trialToken = order.trialToken ?? (await trialForCounter(deps, route, order));

  /** What trades with a time of their own took: not out of everybody's. */
  let ownTimeMs = 0;

  const talk: Talk = {
    route,
    trialToken,
    insuredRegion,
    unsaved: null,
    lastOf: (infno) => earlier.filter((m) => m.infno === infno).at(-1),
    close: async () => {
      if (trialToken) await deps.breaker.endTrial(trialToken);
    },
    msLeft: () => order.deadlineAt + ownTimeMs - deps.realNow().getTime(),
    nextMessageId: () => newMessageId(deps.db, hospital.code, deps.realNow()),
    async ask(infno, input) {
      await order.turn?.();
      return send(infno, await talk.nextMessageId(), input);
    },
    async change(infno, input, repeat = 'never') {
      await order.turn?.();
      const last = talk.lastOf(infno);
      if (last && !mayBeSentAgain(last, repeat)) return recall(last);
      if (isMoneyTrade(infno) && talk.msLeft() < LEAST_FOR_MONEY_MS) {
        return { ...(await tooLate(infno)), msgid: '' };
      }
      const msgid = await talk.nextMessageId();
      await store(infno, msgid, input, (last?.attempt ?? 0) + 1).catch(refuseIfStored);
      const answer = await send(infno, msgid, input);
      talk.unsaved = { msgid, answer };
      return { ...answer, msgid };
    },
  };

  /** A platform that is merely slow fails the counter all the same: the breaker must see it. */
  async function tooLate(infno: Infno): Promise<{ outcome: 'offline'; reason: string }> {
    const late = { outcome: 'offline', reason: 'no time left' } as const;
    await deps.breaker.report(talk.route, { infno, ...late, trialToken });
    return late;
  }

  async function send(
    infno: Infno,
    msgid: string,
    input: Record<string, unknown>,
  ): Promise<Answer> {
    const left = talk.msLeft();
    if (left <= 0) return tooLate(infno);
    const { insuredRegion } = talk;
    const { operator } = bill;
    const trial = trialToken ? { trialToken } : {};
    const message = { infno, msgid, hospital, insuredRegion, operator, input, ...trial };
    if (!isStayMoney(infno)) return deps.insurer.send(message, left);
    const sentAt = deps.realNow().getTime();
    const answer = await deps.insurer.send(message, STAY_MONEY_MS);
    ownTimeMs += deps.realNow().getTime() - sentAt;
    return answer;
  }

  async function store(infno: Infno, msgid: string, request: object, attempt: number) {
    const message = {
      msgid,
      intentId: held.id,
      attempt,
      infno,
      route: talk.route,
      hospitalCode: hospital.code,
      visitId: bill.visit.id,
      request,
      sentFor: talk.insuredRegion,
    };
    const save = async (tx: Parameters<typeof storeMessage>[0]) => {
      if (!talk.unsaved) return storeMessage(tx, deps.keyring, message);
      const isOurs = await storeAnswerAndMessage(tx, deps.keyring, talk.unsaved, message);
      if (!isOurs) throw new LostLease();
    };
    if (isMoneyTrade(infno)) {
      // Fencing: whoever undoes an orphan locks its intent first, so this message is seen or refused.
      const guard = isStayMoney(infno) ? renewed(held, STAY_LEASE_SECONDS) : stillHeld(held);
      const { unsaved: answered } = talk;
      const isOurs = await storeGuarded(deps.db, deps.keyring, { guard, answered, message });
      if (!isOurs) throw new LostLease();
    } else {
      await save(deps.db satisfies Db);
    }
    talk.unsaved = null;
  }

  return talk;
}

/** With the route open and nothing waiting, one live visit may try whether the insurer is back. */
async function trialForCounter(deps: Deps, route: RouteName, order: TalkOrder) {
  if (order.trialToken === null) return null;
  const { isOpen } = await deps.breaker.stateOf(route);
  return isOpen ? deps.breaker.takeTrial(route, 'counter') : null;
}

const isStayMoney = (infno: Infno) =>
  infno === inpatientTrades.settle || infno === inpatientTrades.cancelSettle;

/** Surely not executed, or known to be undone since; or a trade that may be repeated in doubt. */
function mayBeSentAgain(last: StoredMessage, repeat: Repeat): boolean {
  if (last.fate === 'absent' || last.fate === 'reversed') return true;
  if (last.answer?.outcome === 'offline') return true;
  if (repeat === 'always') return true;
  return repeat === 'inDoubt' && (last.answer === null || last.answer.outcome === 'unknown');
}

function recall(known: StoredMessage): Told {
  const { msgid } = known;
  if (known.answer) return { ...known.answer, msgid };
  // Nobody knows whether it was executed; it is never sent again. Only a money trade moved money.
  const outcome = isMoneyTrade(known.infno) ? 'unknown' : 'offline';
  return { outcome, reason: 'no answer was stored', msgid };
}

/** The same step is stored already: whoever took this run over is ahead of us. */
function refuseIfStored(error: unknown): never {
  throw violatedConstraint(error) === 'insurance_message_step' ? new LostLease() : error;
}

/** Somebody else took this run over: stop, change nothing. */
class LostLease extends Refusal {
  constructor() {
    super('idempotency/in-flight', { retryAfterSeconds: 1 });
  }
}
