// A maker proposes; nothing changes until another person approves it (resolve-proposal.ts).
import { findConversion } from '../conversion/conversion-store.ts';
import type { Tx } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import { PAPERS_CASE } from '../family/papers.ts';
import type { CallerOf } from '../http/route.ts';
import { findCase } from './case-store.ts';
import { insertProposal, type ProposalRow } from './proposal-store.ts';
import { findUnlistedText } from './unlisted-text-store.ts';

type Staff = CallerOf<'staff'>;

/** To give an open conversion up, or to leave a rejected one as it is. 409 conversion/wrong-state. */
export async function proposeConversionClose(
  tx: Tx,
  maker: Staff,
  conversionId: string,
  reason: string,
): Promise<ProposalRow> {
  const row = await findConversion(tx, conversionId, maker);
  const isEnded = row.status === 'converted' || row.status === 'cancelled';
  if (isEnded) throw new Refusal('conversion/wrong-state');
  const { hospitalCode } = row;
  return insertProposal(tx, maker, {
    kind: 'closeConversion',
    subjectId: row.id,
    hospitalCode,
    reason,
    detail: { settlementId: row.settlementId },
  });
}

/** To close a case that has been dealt with. 409 finance/case-closed. */
export async function proposeCaseClose(
  tx: Tx,
  maker: Staff,
  caseId: string,
  reason: string,
): Promise<ProposalRow> {
  const row = await findCase(tx, maker, caseId);
  if (row.status !== 'open') throw new Refusal('finance/case-closed');
  const { hospitalCode } = row;
  return insertProposal(tx, maker, {
    kind: 'closeCase',
    subjectId: row.id,
    hospitalCode,
    reason,
    detail: { caseKind: row.kind, about: row.subjectId },
  });
}

/** That papers prove the kinship of a family link, or do not. 409 finance/case-closed. */
export async function proposeKinship(
  tx: Tx,
  maker: Staff,
  caseId: string,
  order: { decision: 'proven' | 'refused'; reason: string },
): Promise<ProposalRow> {
  const row = await findCase(tx, maker, caseId);
  if (row.kind !== PAPERS_CASE) throw new Refusal('resource/not-found');
  if (row.status !== 'open') throw new Refusal('finance/case-closed');
  return insertProposal(tx, maker, {
    kind: 'decideKinship',
    subjectId: row.id,
    hospitalCode: null,
    reason: order.reason,
    detail: { linkId: row.subjectId, decision: order.decision },
  });
}

/** What an insurer's text means from now on, in its region and at its trade. */
export async function proposeMeaning(
  tx: Tx,
  maker: Staff,
  textId: string,
  order: { meaning: string; reason: string },
): Promise<ProposalRow> {
  const { id, region, infno, text } = await findUnlistedText(tx, textId);
  return insertProposal(tx, maker, {
    kind: 'classText',
    subjectId: id,
    hospitalCode: null,
    reason: order.reason,
    detail: { region, infno, text, meaning: order.meaning },
  });
}
