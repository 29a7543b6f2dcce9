// Role: what every process under ours costs: CPU seconds and memory, from /proc (Linux; elsewhere none).
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessCost {
  /** bench, service, insurer, counterparties or postgres; all backends of the last are one. */
  name: string;
  cpuSeconds: number;
  rssMiB: number;
}

interface Seen {
  name: string;
  ticks: number;
  pages: number;
}

/** Both are so on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const PAGE_KIB = 4;
const MIB = 1024;

export type CostSince = () => ProcessCost[];

/** Starts the clock; the returned function tells what each process used since, and holds now. */
export function watchProcesses(): CostSince {
  const before = new Map([...seenUnder(process.pid)].map(([pid, seen]) => [pid, seen.ticks]));
  return () => {
    const costs = new Map<string, ProcessCost>();
    for (const [pid, { name, ticks, pages }] of seenUnder(process.pid)) {
      const cost = costs.get(name) ?? { name, cpuSeconds: 0, rssMiB: 0 };
      cost.cpuSeconds += (ticks - (before.get(pid) ?? 0)) / TICKS_PER_SECOND;
      cost.rssMiB += (pages * PAGE_KIB) / MIB;
      costs.set(name, cost);
    }
    return [...costs.values()].sort((a, b) => b.cpuSeconds - a.cpuSeconds);
  };
}

function seenUnder(root: number): Map<number, Seen> {
  const all = new Map<number, Seen & { parent: number }>();
  for (const entry of processIds()) {
    const seen = look(entry);
    if (seen) all.set(entry, seen);
  }
  const isOurs = (pid: number): boolean =>
    pid === root || (all.has(pid) && isOurs(all.get(pid)?.parent ?? 0));
  return new Map([...all].filter(([pid]) => isOurs(pid)));
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** Null when it ended between the listing and the look. */
function look(pid: number): (Seen & { parent: number }) | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold spaces; the fields follow its last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const field = (n: number) => Number(fields[n - 3]);
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return {
      name: nameOf(pid, command),
      parent: field(4),
      ticks: field(14) + field(15),
      pages: field(24),
    };
  } catch {
    return null;
  }
}

function nameOf(pid: number, command: string): string {
  if (pid === process.pid) return 'bench';
  if (command.includes('sandbox/insurer/main')) return 'insurer';
  if (command.includes('sandbox/counterparties/main')) return 'counterparties';
  if (/src\/(main|processes\/child)\.ts/.test(command)) return 'service';
  return command.includes('postgres') ? 'postgres' : 'other';
}
