// Claims a bill at the insurer: 1101 → 2201 → 2203 → 2204 → 2206 → 2207, of an inpatient
// 1101 → 2401 → 2301 → 2303 → 2304. Before the settling trade doubt means offline (no money moved); at
// it doubt means unknown. Nothing is booked here.
import { sql } from 'drizzle-orm';
import { rows } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { askFiling } from '../insurance/ask-filing.ts';
import { tradesOf } from '../insurance/claim-inputs.ts';
import type { Filing } from '../insurance/filing.ts';
import type { ClaimSplit, WireNode } from '../insurance/insurer.ts';
import { newMessageId, type StoredMessage } from '../insurance/message-store.ts';
import { type InsuredPerson, lookUpPerson, type PersonAnswer } from '../insurance/person.ts';
import { regionRules, routeOf } from '../insurance/regions.ts';
import { readSplit } from '../insurance/split.ts';
import { type SettleParameters, visitInfo2203 } from '../insurance/trades.ts';
import { type Fen, parseYuan } from '../money.ts';
import type { BilledVisit } from './bill.ts';
import {
  type ClaimOrder,
  type ClaimResult,
  type ClaimRun,
  must,
  type Outcome,
  Stop,
} from './claim-run.ts';
import { registerVisit } from './register-visit.ts';
import { dischargeFirst } from './stay-order.ts';
import { openTalk } from './talk.ts';

/** A worker that learns the truth may ask 1101 for this long. */
const LOOK_UP_MS = 3_000;

/** Claims (or previews) a bill. Never throws for what the insurer does, only LostLease. */
export function claimBill(deps: Deps, order: ClaimOrder): Promise<ClaimResult> {
  return runClaim(deps, order, async (run) => {
    const stored = await storedClaim(run);
    if (stored) return stored;
    const previewed = await previewClaim(run);
    if (order.isPreview) return { split: previewed.preview, msgid: '' };
    return settleClaim(run, previewed);
  });
}

/**
 * Only 1101 and the registration (an admission), which moves no money and needs no filing yet. The
 * result has an mdtrtId when the visit is registered; its outcome says nothing more.
 */
export function registerBill(deps: Deps, order: ClaimOrder): Promise<ClaimResult> {
  return runClaim(deps, order, async (run) => {
    await registerVisit(run, await identifyPerson(run));
    throw new Stop('offline', 'registered, and nothing else was meant');
  });
}

/** Runs `steps` of a claim and turns whatever stopped them into a result. */
export async function runClaim(
  deps: Deps,
  order: ClaimOrder,
  steps: (run: ClaimRun) => Promise<{ split: ClaimSplit; msgid: string }>,
): Promise<ClaimResult> {
  const talk = await openTalk(deps, order);
  const run: ClaimRun = {
    deps,
    order,
    talk,
    person: null,
    mdtrtId: null,
    preview: null,
    filing: null,
    isUploaded: false,
  };
  const soFar = (): Outcome => ({
    route: talk.route,
    person: run.person,
    mdtrtId: run.mdtrtId,
    preview: run.preview,
    unsaved: talk.unsaved,
    filing: run.filing,
  });
  try {
    const settled = await steps(run);
    return { outcome: 'settled', ...settled, ...soFar() };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    const { outcome, message: reason, msgid, isBroken } = error;
    if (outcome === 'unknown') return { outcome, reason, msgid, isBroken, ...soFar() };
    return { outcome, reason, ...soFar() };
  } finally {
    await talk.close();
  }
}

type Previewed = SettleParameters & { preview: ClaimSplit; charges: BilledVisit['charges'] };

/** 1101 → 2201 → 2203 → 2204 → 2206 (2401 → 2301 → 2303): everything that moves no money. */
export async function previewClaim(run: ClaimRun): Promise<Previewed> {
  const person = await identifyPerson(run);
  if (run.talk.route === 'crossRegion') await checkFiling(run, person);
  const mdtrtId = await registerVisit(run, person);
  const { bill, held } = run.order;
  const parameters = {
    person,
    visit: bill.claimVisit,
    mdtrtId,
    chrgBchno: held.id.slice(-26),
    total: bill.total,
    acctUsedFlag: bill.acctUsedFlag,
  };
  const trades = tradesOf(bill.claimVisit);
  const { input } = trades;
  if (!bill.claimVisit.stay) {
    await must(run.talk.ask('2203', visitInfo2203(person, bill.claimVisit, mdtrtId)));
  }
  if (run.isUploaded) {
    await must(run.talk.change(trades.cancelUpload, input.cancelUpload(person, mdtrtId)));
  }
  const uploaded = { ...parameters, charges: bill.charges };
  await must(run.talk.change(trades.upload, input.upload(uploaded)));
  await dischargeFirst(run, person, mdtrtId);
  const answer = await must(run.talk.ask(trades.preSettle, input.preSettle(parameters)));
  const expected = { total: bill.total, mdtrtId, isPreview: true, psnNo: person.psnNo };
  const preview = readSplit(answer, expected, regionRules(bill.hospital.region));
  if ('broken' in preview)
    throw new Stop('offline', `${trades.preSettle} answer broken: ${preview.broken.join('; ')}`);
  run.preview = preview.split;
  return { ...uploaded, preview: preview.split };
}

/**
 * After a crash the stored 2207 (2304) decides, before anybody else is asked: nothing that the insurer says
 * now can make a message of unknown fate unsent. Null when none was stored or it may be sent again.
 */
export async function storedClaim(
  run: ClaimRun,
): Promise<{ split: ClaimSplit; msgid: string } | null> {
  const last = run.talk.lastOf(tradesOf(run.order.bill.claimVisit).settle);
  if (!last || last.fate === 'absent' || last.fate === 'reversed') return null;
  const { msgid, answer } = last;
  const { mdtrtId } = claimedIn(last);
  switch (answer?.outcome) {
    case 'offline':
      return null;
    case 'ok':
      return readClaim(run, answer.output, { mdtrtId, msgid });
    case 'rejected':
    case 'notInsured':
      throw new Stop(answer.outcome, answer.reason);
    case undefined:
      throw new Stop('unknown', 'no answer was stored', msgid);
    case 'alreadyDone':
    case 'unknown':
      throw new Stop('unknown', answer.reason, msgid);
  }
  return answer satisfies never;
}

/** What a stored 2207 or 2304 asked to be settled; `total` in fen. */
export function claimedIn(message: StoredMessage): { mdtrtId: string; total: Fen } {
  const { data } = message.request as { data: { mdtrt_id: string; medfee_sumamt: string } };
  return { mdtrtId: data.mdtrt_id, total: parseYuan(data.medfee_sumamt) };
}

async function readClaim(
  run: ClaimRun,
  output: WireNode,
  claimed: { mdtrtId: string; msgid: string },
): Promise<{ split: ClaimSplit; msgid: string }> {
  const { bill } = run.order;
  const { msgid } = claimed;
  const psnNo = (run.person ?? bill.person)?.psnNo;
  const expected = { ...claimed, total: bill.total, isPreview: false, ...(psnNo ? { psnNo } : {}) };
  const answer = readSplit(output, expected, regionRules(bill.hospital.region));
  if ('broken' in answer) {
    throw new Stop('unknown', `claim answer broken: ${answer.broken.join('; ')}`, msgid, true);
  }
  if (await isBooked(run.deps, bill.hospital.code, answer.split.setlId))
    throw new Stop('unknown', 'the claim has a setl_id that is known already', msgid, true);
  return { split: answer.split, msgid };
}

/** True when a claim of this hospital has this setl_id already, whether live or cancelled. */
export async function isBooked(
  { db }: Pick<Deps, 'db'>,
  hospitalCode: string,
  setlId: string,
): Promise<boolean> {
  const [known] = await rows(
    db,
    sql`select 1 from claim where hospital_code = ${hospitalCode} and setl_id = ${setlId}`,
  );
  return known !== undefined;
}

/** 2207 (2304) decides: if its invariants hold it is booked, whatever 2206 (2303) said. */
export async function settleClaim(run: ClaimRun, parameters: Previewed) {
  const { settle, input } = tradesOf(parameters.visit);
  const told = await run.talk.change(settle, input.settle(parameters));
  const { msgid } = told;
  switch (told.outcome) {
    case 'ok':
      break;
    case 'alreadyDone':
    case 'unknown':
      throw new Stop('unknown', told.reason, msgid);
    case 'rejected':
    case 'notInsured':
    case 'offline':
      throw new Stop(told.outcome, told.reason);
    default:
      throw told satisfies never;
  }
  return readClaim(run, told.output, { mdtrtId: parameters.mdtrtId, msgid });
}

/** Who the claim is for: as 1101 said at the visit, else asked now by ID number. */
export async function identifyPerson(run: ClaimRun): Promise<InsuredPerson> {
  const { bill } = run.order;
  if (!bill.patient) throw new Stop('notInsured', '患者身份未确定 patient is not named yet');
  const person = bill.person ?? (await lookUp(run));
  run.person = person;
  run.talk.insuredRegion = person.insuredRegion;
  run.talk.route = routeOf(bill.hospital.region, person.insuredRegion);
  return person;
}

/** Insured elsewhere and not filed: said before anything is registered, let alone paid. */
async function checkFiling(run: ClaimRun, person: InsuredPerson): Promise<void> {
  const { hospital, kind, claimVisit: visit, visit: row } = run.order.bill;
  if ((row.filing as Filing | null)?.status === 'filed') return;
  const about = { hospital, kind, visit, person };
  run.filing = await askFiling(run.deps.db, about, (infno, input) => run.talk.ask(infno, input));
  if (run.filing?.status !== 'notFiled') return;
  throw new Stop('rejected', run.filing.reason ?? '未办理异地就医备案 not filed');
}

async function lookUp(run: ClaimRun): Promise<InsuredPerson> {
  const { deps, order, talk } = run;
  const answer = await askWho(deps, order.bill, Math.max(talk.msLeft(), 1), talk.trialToken);
  switch (answer.outcome) {
    case 'found':
      return answer.person;
    case 'notInsured':
    case 'unknownPerson':
      throw new Stop('notInsured', answer.reason);
    case 'offline':
      throw new Stop('offline', answer.reason);
  }
  return answer satisfies never;
}

/** The insured person of a bill by ID number (1101); null when the insurer does not say. */
export async function findPerson(
  deps: Deps,
  bill: BilledVisit,
  trialToken?: string | null,
): Promise<InsuredPerson | null> {
  const answer = bill.patient && (await askWho(deps, bill, LOOK_UP_MS, trialToken));
  return answer?.outcome === 'found' ? answer.person : null;
}

async function askWho(
  deps: Deps,
  bill: BilledVisit,
  deadlineMs: number,
  trialToken?: string | null,
): Promise<PersonAnswer> {
  if (!bill.patient) return { outcome: 'unknownPerson', reason: 'patient is not named yet' };
  const msgid = await newMessageId(deps.db, bill.hospital.code, deps.realNow());
  const { name, idNumber } = bill.patient;
  const credential = { certType: '02', certNo: idNumber, name } as const;
  const ctx = { hospital: bill.hospital, operator: bill.operator, msgid };
  return lookUpPerson(
    deps.insurer,
    trialToken ? { ...ctx, trialToken } : ctx,
    credential,
    deadlineMs,
  );
}
