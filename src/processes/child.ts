// Entry of a process that the primary started: an API process or the worker. It takes orders from the
// primary alone, because a terminal's Ctrl-C reaches all of them at once and each must finish what it holds.
import { readEnvironment } from '../config.ts';
import { begin, end, hurryUp } from './ending.ts';
import { shareMetrics } from './gather-metrics.ts';
import type { FromChild, FromPrimary } from './messages.ts';
import { announce, openDeps, take } from './roles.ts';

const say = (message: FromChild) => {
  // Without a channel there is nobody to tell: node:cluster is ending this process.
  if (process.connected) process.send?.(message);
};

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

begin(async () => {
  const env = readEnvironment(process.env);
  const { role, ground, isAnnouncing } = await firstOrder();
  process.on('message', (message: FromPrimary) => {
    if (message.kind === 'end') void end(0);
    if (message.kind === 'hurry') hurryUp();
  });
  const deps = await openDeps(env, ground);
  const shared = { ...deps, metrics: shareMetrics(deps.metrics, say) };
  await take(role, shared, ground);
  if (isAnnouncing) await announce(shared, ground);
  say({ kind: 'ready' });
});

function firstOrder(): Promise<Extract<FromPrimary, { kind: 'begin' }>> {
  return new Promise((resolve) => {
    process.once('message', (message: FromPrimary) => {
      if (message.kind === 'begin') resolve(message);
    });
    say({ kind: 'loaded' });
  });
}
