// Role: the city's score provider over HTTP; whatever is not a clean score counts as none, and whatever is
// not a clean receipt of a report is asked again.
import { z } from 'zod';
import { formatYuan } from '../money.ts';
import { callCounterparty } from './http-counterparty.ts';
import type { ReportAnswer, ScoreProvider } from './score-provider.ts';

const DEADLINE_MS = 3_000;
/** Scores fit a small integer; anything else is a broken answer. */
const scoreReply = z.object({ value: z.int().min(0).max(1000), asOf: z.iso.datetime() });
/** The receipt names the serial: a page of a proxy is none. */
const receipt = z.object({ serial: z.string() });

export function makeHttpScoreProvider(options: { url: string; apiKey: string }): ScoreProvider {
  const base = options.url.replace(/\/$/, '');
  const post = (path: string, body: unknown) =>
    callCounterparty({
      url: base + path,
      apiKey: options.apiKey,
      method: 'POST',
      body,
      deadlineMs: DEADLINE_MS,
    });
  const tell = async (path: string, serial: string, body: unknown): Promise<ReportAnswer> => {
    const answer = await post(path, body);
    if (answer.outcome !== 'answered' || answer.status !== 200) return 'unknown';
    const parsed = receipt.safeParse(answer.body);
    return parsed.success && parsed.data.serial === serial ? 'taken' : 'unknown';
  };
  return {
    async scoreOf({ name, idNumber }) {
      const answer = await post('/scores', { name, idNumber });
      if (answer.outcome !== 'answered' || answer.status !== 200) return null;
      const parsed = scoreReply.safeParse(answer.body);
      return parsed.success ? { value: parsed.data.value, asOf: new Date(parsed.data.asOf) } : null;
    },
    report: ({ serial, person, debts }) =>
      tell('/score-reports', serial, {
        serial,
        ...person,
        debts: debts.map(({ amount, dueAt }) => ({
          amount: formatYuan(amount),
          dueAt: dueAt.toISOString(),
        })),
      }),
    endReport: (serial, because) =>
      tell(`/score-reports/${encodeURIComponent(serial)}/end`, serial, { because }),
  };
}
