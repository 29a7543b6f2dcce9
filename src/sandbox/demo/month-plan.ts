// Role: what happens in one day of the demo month: bills, how they were paid, and which of them somebody will
// write down wrongly. Pure, and the same for the same seed.
import { newId } from '../../ids.ts';
import { type Fen, percentOf } from '../../money.ts';
import type { BreakKind } from '../../reconciliation/break-catalogue.ts';
import type { Tender } from '../../settlement/waterfall.ts';

/** Numbers from 0 up to 1; the same seed gives the same month. */
export type Random = () => number;

/** Marsaglia's xorshift: enough for a demo, and repeatable. */
export function randomOf(seed: number): Random {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Where amounts and arrivals come from: drawn from real distributions, or invented. */
export interface Shapes {
  amount: (random: Random) => Fen;
  /** Seconds after midnight. */
  arrival: (random: Random) => number;
}

export interface MonthClaim {
  id: string;
  setlId: string;
  msgid: string;
  fund: Fen;
  account: Fen;
  cash: Fen;
}

export interface MonthBill {
  visitId: string;
  visitNumber: string;
  settlementId: string;
  hospitalCode: string;
  citizenId: string;
  lender: string;
  at: Date;
  receipt: string | null;
  total: Fen;
  tenders: Tender[];
  claim: MonthClaim | null;
  mischief: BreakKind | null;
  /** The second of two settlements of one visit. */
  isSecond: boolean;
}

export interface MonthPeople {
  citizenId: string;
  lender: string;
}

export interface DayOrder {
  day: string;
  visits: number;
  hospitals: readonly string[];
  people: readonly MonthPeople[];
  /** One bill for each. */
  mischief: readonly BreakKind[];
  shapes: Shapes;
  random: Random;
}

/** Everything that is billed in the city on one day. */
export function planDay(order: DayOrder): MonthBill[] {
  const bills: MonthBill[] = [];
  for (let number = 0; number < order.visits; number += 1) {
    const bill = billOf(order, number, order.mischief[number] ?? null);
    bills.push(bill);
    if (bill.mischief === 'duplicateInternal') bills.push(again(bill, number));
  }
  return bills;
}

/** Long before the file's own evening, so that nothing is late by chance. */
const LAST_ARRIVAL = 22 * 3600;

function billOf(order: DayOrder, number: number, mischief: BreakKind | null): MonthBill {
  const { day, hospitals, people, random, shapes } = order;
  const total = shapes.amount(random);
  const person = pick(people, random);
  const digits = `${day.replaceAll('-', '')}${String(number).padStart(5, '0')}`;
  const seconds = mischief === 'dateCutoff' ? 85_500 : shapes.arrival(random) % LAST_ARRIVAL;
  const paid = payment(total, digits, mischief, random);
  return {
    ...{ visitId: newId('visit'), visitNumber: `V${digits}`, settlementId: newId('settlement') },
    ...{ hospitalCode: pick(hospitals, random), ...person, total, ...paid, mischief },
    at: new Date(Date.parse(`${day}T00:00:00+08:00`) + seconds * 1000),
    receipt: mischief === 'ambiguous' ? null : `R${digits}`,
    isSecond: false,
  };
}

function again(first: MonthBill, number: number): MonthBill {
  const claim = null;
  return {
    ...{ ...first, claim, settlementId: newId('settlement'), receipt: `${first.receipt}B` },
    tenders: first.tenders.map((t) => ({ ...t, reference: `${t.reference}B${number}` })),
    isSecond: true,
  };
}

/** Shares of the days that a city's counters see: about half insured, a quarter of the rest on credit. */
function payment(
  total: Fen,
  digits: string,
  mischief: BreakKind | null,
  random: Random,
): Pick<MonthBill, 'tenders' | 'claim'> {
  const counter = (kind: 'cash' | 'wechatPay' | 'alipay', amount: Fen): Tender => ({
    ...{ kind, amount, reference: `${kind}-${digits}` },
  });
  switch (mischief) {
    case 'fee':
    case 'missingAtBank':
      return { tenders: [counter('wechatPay', total)], claim: null };
    case 'splitMismatch': {
      const cash = percentOf(total, '30');
      return { tenders: [counter('cash', cash), counter('wechatPay', total - cash)], claim: null };
    }
    case 'lateCapture':
      return { tenders: [{ kind: 'credit', amount: total }], claim: null };
    case 'missingAtInsurer':
      return insured(total, digits, counter('cash', 1n));
    case null:
      break;
    default:
      return { tenders: [counter('cash', total)], claim: null };
  }
  const kind = pick(['cash', 'wechatPay', 'wechatPay', 'alipay', 'credit'] as const, random);
  const own: Tender = kind === 'credit' ? { kind, amount: total } : counter(kind, total);
  return random() < 0.55 ? insured(total, digits, own) : { tenders: [own], claim: null };
}

/** 60 % from the fund, 10 % from the account, the rest as `own` says. */
function insured(total: Fen, digits: string, own: Tender): Pick<MonthBill, 'tenders' | 'claim'> {
  const fund = percentOf(total, '60');
  const account = percentOf(total, '10');
  const cash = total - fund - account;
  const tenders: Tender[] = [
    { kind: 'insuranceFund', amount: fund },
    { kind: 'personalAccount', amount: account },
    { ...own, amount: cash },
  ];
  const claim = { id: newId('claim'), setlId: `S${digits}`, msgid: `M${digits}` };
  return {
    tenders: tenders.filter((t) => t.amount > 0n),
    claim: { ...claim, fund, account, cash },
  };
}

function pick<T>(from: readonly T[], random: Random): T {
  const found = from[Math.floor(random() * from.length)];
  if (found === undefined) throw new RangeError('nothing to pick from');
  return found;
}

/** Invented where no real data is given: a mean of about 361 yuan, most visits in the morning. */
export const inventedShapes: Shapes = {
  amount: (random) => BigInt(2_000 + Math.floor(random() ** 3 * 136_000)),
  arrival: (random) => Math.floor((7 + random() * 5 + random() * random() * 9) * 3600),
};
