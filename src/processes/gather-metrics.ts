// One scrape, all processes: whichever API process is asked for /metrics, it answers for everybody, so that
// a counter does not jump from process to process. The primary asks, adds up and hands back.
import type { Worker as Child } from 'node:cluster';
import { AggregatorRegistry } from 'prom-client';
import { Refusal } from '../errors.ts';
import type { Metrics } from '../http/metrics.ts';
import type { FromChild, FromPrimary, MetricsJson } from './messages.ts';

/** A process that is busy for longer is left out of this scrape. */
const ANSWER_MS = 2_000;
/** The primary's time and something for the way. */
const SCRAPE_MS = 3_000;

type Answer = (metrics: MetricsJson) => void;

/** Scrapes under way in the primary, by number. */
export interface Scrapes {
  next: number;
  waiting: Map<number, Answer>;
}

/** In the primary: what a child says about metrics; asks `everybody` for a child that wants all. */
export function answerMetrics(
  scrapes: Scrapes,
  message: Extract<FromChild, { request: number }>,
  child: Child,
  everybody: readonly Child[],
): void {
  if (message.kind === 'metrics') {
    scrapes.waiting.get(message.request)?.(message.metrics);
    return;
  }
  void gather(scrapes, everybody).then((text) => {
    send(child, { kind: 'allMetrics', request: message.request, text });
  });
}

async function gather(scrapes: Scrapes, everybody: readonly Child[]): Promise<string> {
  const answers = await Promise.all(everybody.map((child) => ask(scrapes, child)));
  return AggregatorRegistry.aggregate(answers.flatMap((a) => (a ? [a] : []))).metrics();
}

/** Null when there is no answer in time. */
function ask(scrapes: Scrapes, child: Child): Promise<MetricsJson | null> {
  const request = scrapes.next++;
  return new Promise((resolve) => {
    const settle = (metrics: MetricsJson | null) => {
      clearTimeout(timer);
      scrapes.waiting.delete(request);
      resolve(metrics);
    };
    const timer = setTimeout(() => settle(null), ANSWER_MS);
    scrapes.waiting.set(request, settle);
    send(child, { kind: 'metricsAsked', request });
  });
}

function send(child: Child, message: FromPrimary): void {
  if (child.isConnected()) child.send(message);
}

/** In a child: its metrics, whose text is everybody's; the primary's questions are answered. */
export function shareMetrics(own: Metrics, say: (message: FromChild) => void): Metrics {
  let next = 1;
  const waiting = new Map<number, (text: string) => void>();
  process.on('message', async (message: FromPrimary) => {
    if (message.kind === 'allMetrics') waiting.get(message.request)?.(message.text);
    if (message.kind !== 'metricsAsked') return;
    const metrics = (await own.registry.getMetricsAsJSON()) as MetricsJson;
    say({ kind: 'metrics', request: message.request, metrics });
  });
  const text = () =>
    new Promise<string>((resolve, reject) => {
      const request = next++;
      const timer = setTimeout(() => {
        waiting.delete(request);
        reject(new Refusal('service/unavailable', { retryAfterSeconds: 1 }));
      }, SCRAPE_MS);
      waiting.set(request, (everybodys) => {
        clearTimeout(timer);
        waiting.delete(request);
        resolve(everybodys);
      });
      say({ kind: 'metricsWanted', request });
    });
  return { ...own, text };
}
