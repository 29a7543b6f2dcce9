// What the primary and its children say to each other over IPC.
import type { Ground } from './ground.ts';

/** A registry as prom-client hands it from process to process. */
export type MetricsJson = object[];

export type FromChild =
  /** The code is there, and somebody listens. */
  | { kind: 'loaded' }
  /** It serves, or works. */
  | { kind: 'ready' }
  /** Somebody scrapes this child and wants everybody's metrics. */
  | { kind: 'metricsWanted'; request: number }
  | { kind: 'metrics'; request: number; metrics: MetricsJson };

export type FromPrimary =
  | {
      kind: 'begin';
      role: 'api' | 'worker';
      ground: Ground;
      /** True for the one that tells people that the service is ready. */
      isAnnouncing: boolean;
    }
  | { kind: 'end' }
  | { kind: 'hurry' }
  | { kind: 'metricsAsked'; request: number }
  | { kind: 'allMetrics'; request: number; text: string };
