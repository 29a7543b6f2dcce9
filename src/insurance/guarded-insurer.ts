// Law: while a route's breaker is open nothing but its one trial reaches the network, so an outage
// costs the counter nothing; whatever is sent, its fate is reported to the breaker.
import type { Logger } from 'pino';
import type { Breaker } from './breaker.ts';
import type { Answer, Insurer, Message, RouteName } from './insurer.ts';
import { routeOf } from './regions.ts';

/** The insurer that use cases get. Like the one behind it, it never throws. */
export function makeGuardedInsurer(
  insurer: Insurer,
  breaker: Pick<Breaker, 'admits' | 'report'>,
  log?: Pick<Logger, 'warn'>,
): Insurer {
  /** Without a word from the breaker the message goes: the database may be restarting. */
  async function isAdmitted(route: RouteName, message: Message, deadlineMs: number) {
    try {
      return await breaker.admits(route, message.trialToken ?? null, deadlineMs);
    } catch (err) {
      log?.warn({ err, route }, 'the state of the breaker could not be read');
      return true;
    }
  }

  async function report(route: RouteName, message: Message, answer: Answer): Promise<void> {
    const { infno, hospital, operator, insuredRegion } = message;
    const reason = 'reason' in answer ? answer.reason : '';
    const sender = { hospital, operator, insuredRegion };
    const trialToken = message.trialToken ?? null;
    try {
      await breaker.report(route, { infno, outcome: answer.outcome, reason, trialToken, sender });
    } catch (err) {
      log?.warn({ err, route }, 'an answer could not be reported to the breaker');
    }
  }

  return {
    async send(message, deadlineMs) {
      const startedAt = performance.now();
      const route = routeOf(message.hospital.region, message.insuredRegion);
      if (!(await isAdmitted(route, message, deadlineMs))) {
        return { outcome: 'offline', reason: '医保通道已断开 insurance route is offline' };
      }
      const answer = await insurer.send(message, deadlineMs - (performance.now() - startedAt));
      await report(route, message, answer);
      return answer;
    },
  };
}
