// The model's credit: lines, holds and debts in plain sums. It shares no code with src/. Pure.

export type Fen = bigint;
export type Kind = 'outpatient' | 'emergency' | 'inpatient';

export interface Hold {
  status: 'placed' | 'captured' | 'voided' | 'expired';
  amount: Fen;
  /** Business time in ms. */
  expiresAt: number;
}

export interface Debt {
  id: string;
  amount: Fen;
  paid: Fen;
  reduced: Fen;
  dueAt: number;
  awaitsInsurance: boolean;
  /** A debit for it is under way. */
  isUnderWay: boolean;
}

export interface Line {
  limit: Fen;
  held: Fen;
  outstanding: Fen;
  debts: Debt[];
}

/** What of a visit decides about its credit. */
export interface Borrower {
  kind: Kind;
  hold: Hold | null;
  /** Null for an unnamed emergency, and for whoever has no line. */
  line: Line | null;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Default hold and its life by kind of visit (the sandbox's policy). */
const holdRules: Record<Kind, { amount: Fen; lifeMs: number }> = {
  outpatient: { amount: 300_00n, lifeMs: DAY_MS },
  emergency: { amount: 500_00n, lifeMs: DAY_MS },
  inpatient: { amount: 3_000_00n, lifeMs: 30 * DAY_MS },
};
const INPATIENT_EXTRA = 5_000_00n;
const OUTAGE_EXTRA = 1_000_00n;
const DUE_DAYS = 42;

export const least = (a: Fen, b: Fen) => (a < b ? a : b);
export const most = (a: Fen, b: Fen) => (a > b ? a : b);

export const limitOf = (score: number): Fen =>
  score <= 500 ? 500_00n : score <= 600 ? 1_000_00n : 3_000_00n;

/** 23:00 of the 42nd day after the day of the capture, in Shanghai. */
function dueAtOf(now: number): number {
  const day = Math.floor((now + 8 * HOUR_MS) / DAY_MS);
  return (day + DUE_DAYS) * DAY_MS + 15 * HOUR_MS;
}

export const owedOn = (debt: Debt): Fen => debt.amount - debt.paid - debt.reduced;
export const isOverdue = (line: Line, now: number): boolean =>
  line.debts.some((debt) => owedOn(debt) > 0n && !debt.awaitsInsurance && debt.dueAt < now);

function freeOf(line: Line, kind: Kind, awaitsInsurance = false): Fen {
  const extra =
    (kind === 'inpatient' ? INPATIENT_EXTRA : 0n) + (awaitsInsurance ? OUTAGE_EXTRA : 0n);
  return most(0n, line.limit + extra - line.held - line.outstanding);
}

const mayUseMore = (line: Line, kind: Kind, now: number) =>
  kind === 'emergency' || !isOverdue(line, now);

const declineOf = (line: Line | null, kind: Kind, now: number) => {
  if (!line) return 'credit/not-enrolled';
  return mayUseMore(line, kind, now) ? 'credit/limit-exceeded' : 'credit/overdue';
};

/**
 * Sets the total held for a visit; `amount` null is the policy's default, at most what is available.
 * Returns the decline when nothing may be held; then nothing changes.
 */
export function hold(
  visit: Borrower,
  wish: { amount: Fen | null; isPartial: boolean },
  now: number,
): string | null {
  const { line, kind } = visit;
  const rule = holdRules[kind];
  const isPartial = wish.isPartial || kind === 'emergency' || wish.amount === null;
  const placed = visit.hold?.status === 'placed' ? visit.hold : null;
  const base = placed?.amount ?? 0n;
  const asked = wish.amount ?? rule.amount;
  const free = line && mayUseMore(line, kind, now) ? freeOf(line, kind) : null;
  if (!line || (free === null && asked > base)) return declineOf(line, kind, now);
  const reach = base + (free ?? 0n);
  const target = asked <= reach ? asked : isPartial ? reach : 0n;
  if (target === 0n) return declineOf(line, kind, now);
  line.held += target - base;
  const expiresAt = Math.max(placed?.expiresAt ?? 0, now + rule.lifeMs);
  visit.hold = { status: 'placed', amount: target, expiresAt };
  return null;
}

/** Frees a placed hold; false when there is none. */
export function release(visit: Borrower, status: 'voided' | 'expired'): boolean {
  if (visit.hold?.status !== 'placed' || !visit.line) return false;
  visit.line.held -= visit.hold.amount;
  visit.hold = { ...visit.hold, status };
  return true;
}

/** Charges move a placed hold's expiry on, never back. */
export function extend(visit: Borrower, now: number): void {
  if (visit.hold?.status !== 'placed') return;
  const expiresAt = Math.max(visit.hold.expiresAt, now + holdRules[visit.kind].lifeMs);
  visit.hold = { ...visit.hold, expiresAt };
}

/** What credit would take of `owed`: what is held, and beyond it what is available. */
export function capturable(visit: Borrower, owed: Fen, awaits: boolean, now: number): Fen {
  const { line, kind } = visit;
  if (!line) return 0n;
  const held = visit.hold?.status === 'placed' ? visit.hold.amount : 0n;
  const free = mayUseMore(line, kind, now) ? freeOf(line, kind, awaits) : 0n;
  return least(owed, held + free);
}

/** Captures at the settling of a bill; the debt it makes, or null. */
export function capture(visit: Borrower, owed: Fen, awaits: boolean, now: number): Debt | null {
  const { line } = visit;
  if (!line) return null;
  const amount = capturable(visit, owed, awaits, now);
  const placed = visit.hold?.status === 'placed' ? visit.hold : null;
  if (placed) {
    line.held -= placed.amount;
    const status = amount > 0n ? ('captured' as const) : ('voided' as const);
    visit.hold = { ...placed, status, amount: most(placed.amount, amount) };
  } else if (amount > 0n) {
    visit.hold = { status: 'captured', amount, expiresAt: now };
  }
  if (amount === 0n) return null;
  line.outstanding += amount;
  const dueAt = dueAtOf(now);
  const base = { id: '', amount, paid: 0n, reduced: 0n, dueAt };
  const debt: Debt = { ...base, awaitsInsurance: awaits, isUnderWay: false };
  line.debts.push(debt);
  return debt;
}

/** What is due first, first; what awaits insurance last; never what a debit is under way for. */
export function allocate(line: Line, amount: Fen): Map<Debt, Fen> | null {
  const free = line.debts.filter((debt) => owedOn(debt) > 0n && !debt.isUnderWay);
  if (amount > free.reduce((all, debt) => all + owedOn(debt), 0n)) return null;
  const order = (a: Debt, b: Debt) =>
    Number(a.awaitsInsurance) - Number(b.awaitsInsurance) ||
    a.dueAt - b.dueAt ||
    (a.id < b.id ? -1 : 1);
  let rest = amount;
  const parts = new Map<Debt, Fen>();
  for (const debt of free.sort(order)) {
    const part = least(rest, owedOn(debt));
    if (part > 0n) parts.set(debt, part);
    rest -= part;
  }
  return parts;
}

/** The insurer's part is known, or that there is none: what is owed is due as if captured now. */
export function fallDue(debt: Debt, now: number): void {
  if (!debt.awaitsInsurance) return;
  debt.awaitsInsurance = false;
  debt.dueAt = Math.max(debt.dueAt, dueAtOf(now));
}

/** The bank paid: debts go down by what is still owed; returns what met no debt and goes back. */
export function pay(line: Line, parts: ReadonlyMap<Debt, Fen>): Fen[] {
  const surplus: Fen[] = [];
  for (const [debt, amount] of parts) {
    const taken = least(amount, owedOn(debt));
    debt.paid += taken;
    debt.isUnderWay = false;
    line.outstanding -= taken;
    if (amount > taken) surplus.push(amount - taken);
  }
  return surplus;
}
