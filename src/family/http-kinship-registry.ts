// Role: the registry of kinship over HTTP. What is not a clean answer is no answer: then nothing is
// decided, and the citizen is asked to come back.
import { z } from 'zod';
import { callCounterparty } from '../credit/http-counterparty.ts';
import type { KinshipRegistry } from './kinship-registry.ts';

/** Somebody waits with the phone in the hand: as long as for a score. */
const DEADLINE_MS = 3_000;

const kinshipReply = z.object({ relation: z.enum(['parent', 'child']).nullable() });

/** Null options: a city without a registry, where every kinship is proven by papers. */
export function makeHttpKinshipRegistry(
  options: { url: string; apiKey: string } | null,
): KinshipRegistry {
  if (!options) return { relationOf: () => Promise.resolve(null) };
  const url = `${options.url.replace(/\/$/, '')}/kinship`;
  return {
    async relationOf(idNumber, otherIdNumber) {
      const answer = await callCounterparty({
        url,
        apiKey: options.apiKey,
        method: 'POST',
        body: { idNumber, otherIdNumber },
        deadlineMs: DEADLINE_MS,
      });
      if (answer.outcome !== 'answered' || answer.status !== 200) return 'away';
      const parsed = kinshipReply.safeParse(answer.body);
      return parsed.success ? parsed.data.relation : 'away';
    },
  };
}
