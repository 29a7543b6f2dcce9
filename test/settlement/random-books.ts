// What others' books say in a random run, or are to say: the insurer's claims, and the transfers of
// banks and refund channels.
import { expect } from 'vitest';
import type { Back, Claim, Sending } from './model.ts';
import type { Fen } from './model-credit.ts';
import type { Encounter, World } from './random-world.ts';
import { fen } from './support.ts';

/** The sandbox's bank that lends where nobody chooses one. */
export const LENDER = 'LWB';
const channels = ['cash', 'wechatPay', 'alipay', 'bankCard', 'eCny'];
/** Whose books money that moves is in. */
export const books = [LENDER, ...channels.map((kind) => `channel:${kind}`)];

/** What a bank or a refund channel is to have in its own books. */
export interface Transfer {
  at: string;
  kind: 'debit' | 'credit';
  amount: Fen;
  status: 'paid' | 'declined';
}

/** What banks and refund channels do with money that is to go back. */
export type BackFault = 'none' | 'declined' | 'answerLost';

/** One serial is one transfer: what was sent before, its answer lost, is not sent twice. */
export function sendBack(world: World, sending: Sending, fault: BackFault): void {
  const { kind, amount } = sending;
  if (sending.status === 'sent' && fault !== 'answerLost') sending.status = 'done';
  if (sending.status !== 'pending') return;
  const isRefused = fault === 'declined';
  const at = kind === 'credit' ? LENDER : `channel:${kind}`;
  const status = isRefused ? 'declined' : 'paid';
  world.transfers.push({ at, kind: 'credit', amount, status });
  if (fault === 'answerLost') sending.status = 'sent';
  else sending.status = !isRefused ? 'done' : kind === 'credit' ? 'failed' : 'voucher';
}

/** What is to become of what is given back: cash without a bank account is a voucher at once. */
export function sendingsOf(world: World, visit: Encounter, back: readonly Back[]): Sending[] {
  const hasAccount = visit.person?.line != null;
  return back.map(({ kind, amount, isMoney }) => {
    const isVoucher = isMoney && kind === 'cash' && !hasAccount;
    const sending: Sending = {
      ...{ kind, amount },
      status: isVoucher ? 'voucher' : isMoney ? 'pending' : 'done',
    };
    if (isMoney) world.sendings.push(sending);
    return sending;
  });
}

/** A claim as the insurer's own books have it. */
export interface BookedClaim extends Claim {
  total: Fen;
  /** The registration that it is of; several claims may be. */
  mdtrtId: string;
}

/** The insurer's own books of a visit: what is live there, oldest first. */
export async function liveClaims(world: World, visit: Encounter): Promise<BookedClaim[]> {
  const { hospitalCode } = world;
  const all = await world.parties.insurer.claims({ hospitalCode, visitNumber: visit.number });
  return all
    .filter((claim) => claim.status === 'settled')
    .map((claim) => {
      const [total, fund] = [fen(claim.medfeeSumamt), fen(claim.fundPaySumamt)];
      const [account, cash] = [fen(claim.acctPay), fen(claim.psnCashPay)];
      const hospitalBorne = total - fund - account - cash;
      const { setlId, mdtrtId } = claim;
      return { setlId, mdtrtId, total, fund, account, cash, hospitalBorne };
    });
}

/** The claim that the insurer has now and we did not know of; the insurer must have exactly one. */
export async function newClaimOf(world: World, visit: Encounter): Promise<BookedClaim> {
  const known = [...visit.strays, ...visit.settlements.map((s) => s.claim?.setlId)];
  const fresh = (await liveClaims(world, visit)).filter((claim) => !known.includes(claim.setlId));
  expect(fresh).toHaveLength(1);
  const [claim] = fresh;
  if (!claim) throw new Error('the insurer has no claim');
  return claim;
}

/** What an inpatient's trade is called; a stay has no 2203, so its upload stands for that. */
const inpatient: Readonly<Record<string, string>> = {
  2201: '2401',
  2203: '2301',
  2204: '2301',
  2206: '2303',
  2207: '2304',
  2208: '2305',
};

/** A trade of a visit, whatever kind it is of. */
export const tradesLike = (trade: string): string[] =>
  [trade, inpatient[trade] ?? ''].filter((name) => name !== '');

/** Something goes wrong at the insurer, at these trades and their like, until `calm`. */
export async function breakInsurer(
  world: World,
  { on, ...fault }: { mode: string; on?: readonly string[] },
): Promise<void> {
  const hit = on && { on: on.flatMap(tradesLike) };
  await world.parties.insurer.setFault({ ...fault, ...hit } as never);
}
