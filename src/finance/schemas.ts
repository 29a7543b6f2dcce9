// What finance sends and gets: cases, proposals, insurers' unlisted texts.
import { z } from 'zod';
import { handClaimReply } from '../conversion/schemas.ts';
import { idOf, pageQuery, shortText, timeReply } from '../http/schemas.ts';
import { classableMeanings } from '../insurance/regions.ts';
import { proposalKinds, proposalStatuses } from './proposal-store.ts';

export const caseParams = z.object({ caseId: idOf('financeCase') });
export const proposalParams = z.object({ proposalId: idOf('proposal') });
/** SHA-256 of region, trade and text: a text has no id of its own. */
export const textParams = z.object({ textId: z.string().regex(/^[0-9a-f]{64}$/) });

const caseStatuses = ['open', 'closed'] as const;

/** Kinds are problem codes and the like: insurance/rejected, refund/citizen-part-rises … */
const kindText = z
  .string()
  .regex(/^[A-Za-z]+(\/[a-z-]+)?$/)
  .max(60);

export const casesQuery = pageQuery.extend({
  status: z.enum(caseStatuses).optional(),
  kind: kindText.optional(),
});
export const proposalsQuery = pageQuery.extend({
  status: z.enum(proposalStatuses).optional(),
  kind: z.enum(proposalKinds).optional(),
});

const wholePerson = z.object({ name: z.string(), idNumber: z.string() });
/** Whole, for whoever checks the papers of a family link. */
const kinshipReply = z.object({
  payer: wholePerson,
  beneficiary: wholePerson,
  papers: z.object({ kind: z.string(), number: z.string() }),
});

export const caseReply = z
  .object({
    id: idOf('financeCase'),
    kind: z.string(),
    status: z.enum(caseStatuses),
    subjectId: z.string(),
    settlementId: idOf('settlement').nullable(),
    hospitalCode: z.string().nullable(),
    reason: z.string().meta({ description: "the insurer's words, or what was seen" }),
    detail: z.looseObject({}),
    handClaim: handClaimReply.optional(),
    kinship: kinshipReply.optional(),
    objection: z.string().optional().meta({ description: "the person's own words" }),
    createdAt: timeReply,
    closedAt: timeReply.nullable(),
  })
  .meta({ id: 'FinanceCase' });

export const proposalReply = z
  .object({
    id: idOf('proposal'),
    kind: z.enum(proposalKinds),
    subjectId: z.string(),
    status: z.enum(proposalStatuses),
    hospitalCode: z.string().nullable(),
    reason: z.string(),
    detail: z.looseObject({}),
    maker: z.string(),
    checker: z.string().nullable(),
    createdAt: timeReply,
    resolvedAt: timeReply.nullable(),
  })
  .meta({ id: 'Proposal' });

/** What the checker may add. */
export const decisionBody = z.strictObject({ reason: shortText(200).optional() });

export const kinshipBody = z.strictObject({
  decision: z.enum(['proven', 'refused']),
  reason: shortText(200),
});

export const meaningBody = z.strictObject({
  meaning: z.enum(classableMeanings),
  reason: shortText(200),
});

export const unlistedTextReply = z
  .object({
    id: z.string(),
    region: z.string(),
    infno: z.string(),
    text: z.string(),
    count: z.int(),
    firstAt: timeReply,
    lastAt: timeReply,
    meaning: z.enum(classableMeanings).nullable().meta({ description: 'null: read as rejected' }),
  })
  .meta({ id: 'UnlistedText' });
