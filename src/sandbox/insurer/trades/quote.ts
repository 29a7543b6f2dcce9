// Role: what 2206, 2207, 2303 and 2304 share: which uploaded lines are meant, and how the bill is split now.
import { type Fen, maxFen, minFen, parseYuan, sumFen } from '../../../money.ts';
import type { Line, Visit } from '../books.ts';
import { type BillTerms, billTermsOf } from '../catalogue.ts';
import { routeOf } from '../envelope.ts';
import type { Person } from '../events.ts';
import { amountOf, type Node, need, textOf } from '../fields.ts';
import { Refusal, refusals } from '../refusals.ts';
import { clearingTypeOf } from '../setlinfo.ts';
import { shanghaiText } from '../shanghai-time.ts';
import { type BillSplit, splitBill } from '../split.ts';
import { refuseUnfiled } from './filing.ts';
import { insuredPersonOf, openVisitOf, type TradeCall, type VisitKind } from './trade.ts';

export interface Quote {
  visit: Visit;
  person: Person;
  lines: Line[];
  split: BillSplit;
  terms: BillTerms;
  draws: { idNumber: string; amount: Fen }[];
  certType: string;
  medType: string;
  clrType: string;
  clrOptins: string;
}

const starred = [
  'psn_no',
  'mdtrt_cert_type',
  'med_type',
  'medfee_sumamt',
  'psn_setlway',
  'mdtrt_id',
  'chrg_bchno',
  'acct_used_flag',
  'insutype',
] as const;

const starredOfStays = ['mid_setl_flag', 'insuplc_admdvs', 'mdtrtarea_admvs'] as const;

/** Reads the data of a (pre-)settlement, refuses what both refuse, splits. Changes nothing. */
export function quote(call: TradeCall, node: Node, kind: VisitKind): Quote {
  need(node, kind === 'stay' ? [...starred, ...starredOfStays] : starred);
  if (textOf(node, 'mdtrt_cert_no') === '') {
    throw new Refusal(refusals.noCertificate(`${call.envelope.msgid}@127.0.0.1`));
  }
  const visit = openVisitOf(call, node, kind);
  if (kind === 'stay') refuseByStay(call, visit, node);
  if (textOf(node, 'insutype') !== visit.insutype) throw new Refusal(refusals.wrongInsutype);
  const person = insuredPersonOf(call, node, visit.insutype);
  refuseUnfiled(visit, person, node);
  const accountUse = accountUseOf(node);
  const lines = linesMeant(visit, textOf(node, 'chrg_bchno'), amountOf(node, 'medfee_sumamt'));
  if (visit.medType === null) throw new Refusal(refusals.visitInfoMissing);
  const terms = billTermsOf(
    call.books.rules,
    person.type,
    call.books.hospitals.get(visit.hospitalCode),
  );
  const relatives = call.books.kinOf(person.idNumber);
  const split = splitBill({
    ...terms,
    lines: lines.map(partsOf),
    deductibleLeft: deductibleLeft(call, person, terms),
    accountUse,
    ownBalance: call.books.balanceOf(person.idNumber),
    familyBalance: sumFen(relatives.map((relative) => call.books.balanceOf(relative))),
  });
  const isCrossRegion = routeOf(visit.treatRegion, person.region) === 'crossRegion';
  const medType = textOf(node, 'med_type');
  return {
    visit,
    person,
    lines,
    split,
    terms,
    draws: drawsOf(call, person, relatives, split),
    certType: textOf(node, 'mdtrt_cert_type'),
    medType,
    clrType: clearingTypeOf(medType, isCrossRegion, kind),
    clrOptins: `${person.region.slice(0, 4)}99`,
  };
}

/** Interim settlements are for patients in hospital; where the region says so, the last one is not. */
function refuseByStay(call: TradeCall, visit: Visit, node: Node): void {
  const isInterim = textOf(node, 'mid_setl_flag') === '1';
  const isOver = visit.dischargedAt !== null;
  if (isInterim && isOver) throw new Refusal(refusals.interimAfterDischarge);
  const mustBeOver = call.books.rules.dischargeBeforeSettlement === true && !isInterim;
  if (mustBeOver && !isOver) throw new Refusal(refusals.stillInHospital);
}

/**
 * The unsettled lines of the named batch when they make up the bill, else all unsettled lines of
 * the visit (a settlement names one batch only, also when it closes several).
 */
function linesMeant(visit: Visit, batch: string, total: Fen): Line[] {
  const all = [...visit.lines.values()];
  const unsettled = all.filter(({ settledBy }) => settledBy === null);
  const ofBatch = unsettled.filter((line) => line.batch === batch);
  const isBatchSettled = ofBatch.length === 0 && all.some((line) => line.batch === batch);
  if (isBatchSettled || (unsettled.length === 0 && all.length > 0)) {
    throw new Refusal(refusals.alreadySettled);
  }
  if (unsettled.length === 0) throw new Refusal(refusals.feeListEmpty);
  for (const candidate of [ofBatch, unsettled]) {
    const sum = sumFen(candidate.map((line) => parseYuan(line.amount)));
    if (candidate.length > 0 && sum === total) return candidate;
  }
  throw new Refusal(refusals.totalDiffers);
}

function partsOf(line: Line) {
  return {
    amount: parseYuan(line.amount),
    fullyOwn: parseYuan(line.fullyOwn),
    overLimit: parseYuan(line.overLimit),
    firstOwn: parseYuan(line.firstOwn),
    inScope: parseYuan(line.inScope),
  };
}

/** The deductible is yearly: what live settlements of this calendar year used counts. */
function deductibleLeft(call: TradeCall, person: Person, terms: BillTerms): Fen {
  const year = shanghaiText(call.nowMs).slice(0, 4);
  return maxFen(0n, terms.yearlyDeductible - call.books.deductibleUsed(person.psnNo, year));
}

function accountUseOf(node: Node): '0' | '1' | '2' {
  const flag = textOf(node, 'acct_used_flag');
  if (flag === '0' || flag === '1' || flag === '2') return flag;
  throw new Refusal(refusals.malformed('acct_used_flag不在字典范围内'));
}

/** Own account first, then the relatives' in the order they were bound. */
function drawsOf(
  call: TradeCall,
  person: Person,
  relatives: readonly string[],
  split: BillSplit,
): { idNumber: string; amount: Fen }[] {
  const draws = [{ idNumber: person.idNumber, amount: split.account - split.familyAccount }];
  let left = split.familyAccount;
  for (const idNumber of relatives) {
    const amount = minFen(left, call.books.balanceOf(idNumber));
    draws.push({ idNumber, amount });
    left -= amount;
  }
  return draws.filter(({ amount }) => amount > 0n);
}
