// What operators watch of the breaker: read when scraped.
import { Gauge } from 'prom-client';
import type { Metrics } from '../http/metrics.ts';
import type { Breaker } from './breaker.ts';

const routes = ['local', 'crossRegion'] as const;

/** egret_insurance_route_open{route}: 1 while nobody but a trial is let through. */
export function watchRoutes(metrics: Metrics, breaker: Pick<Breaker, 'stateOf'>): void {
  new Gauge({
    name: 'egret_insurance_route_open',
    help: '1 while the breaker of a route to the insurer is open',
    labelNames: ['route'] as const,
    registers: [metrics.registry],
    aggregator: 'max',
    async collect() {
      for (const route of routes) {
        const state = await breaker.stateOf(route).catch(() => null);
        if (state === null) this.remove({ route });
        else this.set({ route }, state.isOpen ? 1 : 0);
      }
    },
  });
}
