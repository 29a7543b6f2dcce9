// What operators watch, for Prometheus. Labels are few and closed: no ids, no personal data.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  /** This process's own. */
  registry: Registry;
  /** What a scrape gets: of all processes, if there are several (processes/gather-metrics.ts). */
  text(): Promise<string>;
  /** One finished request; `route` is the pattern, never the path. */
  countRequest(method: string, route: string, status: number, seconds: number): void;
  /** One message to the insurer and what it came to (an outcome of insurance/insurer.ts). */
  countTrade(infno: string, outcome: string, seconds: number): void;
  /** One run of a job. */
  countJob(kind: string, outcome: 'done' | 'retry' | 'failed'): void;
  /** Registers a gauge that is read when it is scraped; null when it cannot be read. */
  watch(name: string, help: string, read: () => Promise<number | null>): void;
}

/** From 1 ms to 30 s, the longest deadline of a counter request (2304). */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** A registry of its own, so that several apps can live in one test process. */
export function makeMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'egret_processes',
    help: 'Processes that this scrape tells of',
    registers,
  }).set(1);
  const requests = new Histogram({
    name: 'egret_http_request_seconds',
    help: 'Time to answer a request',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: SECONDS,
    registers,
  });
  const trades = new Histogram({
    name: 'egret_insurer_trade_seconds',
    help: 'Time of a message to the insurer by what it came to',
    labelNames: ['infno', 'outcome'] as const,
    buckets: SECONDS,
    registers,
  });
  const jobs = new Counter({
    name: 'egret_jobs_total',
    help: 'Runs of background jobs',
    labelNames: ['kind', 'outcome'] as const,
    registers,
  });
  return {
    registry,
    text: () => registry.metrics(),
    countRequest: (method, route, status, seconds) =>
      requests.observe({ method, route, status }, seconds),
    countTrade: (infno, outcome, seconds) => trades.observe({ infno, outcome }, seconds),
    countJob: (kind, outcome) => jobs.inc({ kind, outcome }),
    watch(name, help, read) {
      const collect = async function collect(this: Gauge) {
        const value = await read().catch(() => null);
        if (value === null) this.reset();
        else this.set(value);
      };
      // Read from the shared database, so it is the same in every process and not to be added up.
      new Gauge({ name, help, registers, collect, aggregator: 'max' });
    },
  };
}
