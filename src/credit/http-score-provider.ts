// Role: the city's score provider over HTTP; whatever is not a clean score counts as none.
import { z } from 'zod';
import { callCounterparty } from './http-counterparty.ts';
import type { ScoreProvider } from './score-provider.ts';

const DEADLINE_MS = 3_000;
/** Scores fit a small integer; anything else is a broken answer. */
const scoreReply = z.object({ value: z.int().min(0).max(1000), asOf: z.iso.datetime() });

export function makeHttpScoreProvider(options: { url: string; apiKey: string }): ScoreProvider {
  const url = `${options.url.replace(/\/$/, '')}/scores`;
  return {
    async scoreOf({ name, idNumber }) {
      const answer = await callCounterparty({
        url,
        apiKey: options.apiKey,
        method: 'POST',
        body: { name, idNumber },
        deadlineMs: DEADLINE_MS,
      });
      if (answer.outcome !== 'answered' || answer.status !== 200) return null;
      const parsed = scoreReply.safeParse(answer.body);
      return parsed.success ? { value: parsed.data.value, asOf: new Date(parsed.data.asOf) } : null;
    },
  };
}
