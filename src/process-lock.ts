// Law: at most one living process holds a lock file. It is right after a SIGKILL at any line: the
// lock of a dead process is taken over, and a reused process number does not keep it alive.
import { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';

/** A process; `startedAt` is the kernel's start tick ("" where the system does not tell). */
export interface ProcessMark {
  pid: number;
  startedAt: string;
}

/** One try. False while another living process holds `file`. */
export function takeLock(file: string): boolean {
  const mine = JSON.stringify(markOf(process.pid));
  const aside = `${file}.${process.pid}`;
  const holder = readText(file);
  if (holder !== null && !isAlive(parseJson<ProcessMark>(holder))) {
    try {
      renameSync(file, aside);
    } catch {
      return false;
    }
    // Somebody took over between our look and our move: give it back.
    if (readText(aside) !== holder) return linkIfAbsent(aside, file) && false;
  }
  writeFileSync(aside, mine, { mode: 0o600 });
  return linkIfAbsent(aside, file);
}

/** Gives the lock up, if it is ours. */
export function releaseLock(file: string): void {
  if (readText(file) === JSON.stringify(markOf(process.pid))) unlinkSync(file);
}

/** The lock appears whole, as a link to a finished file: nobody sees it half-written. */
function linkIfAbsent(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(from, { force: true });
  }
}

/** True while a process with this number runs (also one that we may not signal). */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  // An ended process whose parent has not asked yet (or never does, in a container) still counts.
  return statWords(pid)?.[0] !== 'Z';
}

/** True while the very process of the mark lives. */
export function isAlive(mark: ProcessMark | null): boolean {
  return mark !== null && isProcessAlive(mark.pid) && markOf(mark.pid).startedAt === mark.startedAt;
}

export function markOf(pid: number): ProcessMark {
  return { pid, startedAt: statWords(pid)?.[19] ?? '' };
}

/** What Linux says about a process: the state first, the start tick as the 20th word. */
function statWords(pid: number): string[] | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  // The name in parentheses before them may hold spaces.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Writes JSON so that readers see the old content or the new one, never a part. */
export function writeJson(file: string, content: unknown): void {
  const aside = `${file}.${process.pid}.new`;
  writeFileSync(aside, JSON.stringify(content), { mode: 0o600 });
  renameSync(aside, file);
}

/** Null when the file is not there or is not JSON. */
export function readJson<T>(file: string): T | null {
  return parseJson<T>(readText(file) ?? '');
}

export function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function parseJson<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}
