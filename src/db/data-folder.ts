// The folder of the embedded database: where it lies, who owns the running server, and one starter
// at a time. Everything here must be right after a SIGKILL at any line.

import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  isAlive,
  isProcessAlive,
  markOf,
  type ProcessMark,
  readJson,
  readText,
  releaseLock,
  takeLock,
  writeJson,
} from '../process-lock.ts';
import { chooseSystemUser, isReachable, type SystemUser } from './postgres-binaries.ts';

const LOCK_POLL_MS = 25;
/** Longer than the slowest first start (initdb under disk load). */
const LOCK_TIMEOUT_MS = 60_000;
const UNREACHABLE_HOME = '/var/lib/egret';

export interface DataFolder {
  /** Holds `cluster`, `owner.json`, `postgres.log`; belongs to `user`. */
  home: string;
  /** Holds `data` and `password`, which are made together. */
  cluster: string;
  data: string;
  passwordFile: string;
  user: SystemUser | null;
}

export interface Owner extends ProcessMark {
  port: number;
}

/**
 * Makes `<dataDir>/postgres`. Where the server's user cannot enter `dataDir`, the real folder lies
 * under /var/lib/egret and `<dataDir>/postgres` is a symbolic link to it.
 */
export function openDataFolder(dataDir: string): DataFolder {
  mkdirSync(dataDir, { recursive: true });
  const wanted = path.join(realpathSync(dataDir), 'postgres');
  restoreLostTarget(wanted);
  const user = chooseSystemUser(existsSync(wanted) ? statSync(wanted).uid : null);
  if (!existsSync(wanted)) {
    if (isReachable(path.dirname(wanted), user))
      mkdirSync(wanted, { recursive: true, mode: 0o700 });
    else linkElsewhere(wanted);
  }
  const home = realpathSync(wanted);
  if (!isReachable(path.dirname(home), user)) {
    throw new Error(`the database's user (uid ${user?.uid}) cannot enter ${path.dirname(home)}`);
  }
  if (user) chownSync(home, user.uid, user.gid);
  chmodSync(home, 0o700);
  const cluster = path.join(home, 'cluster');
  return {
    home,
    cluster,
    data: path.join(cluster, 'data'),
    passwordFile: path.join(cluster, 'password'),
    user,
  };
}

/** A new name each time: a fresh clone must not find the database of a deleted one. */
function linkElsewhere(wanted: string): void {
  const home = path.join(UNREACHABLE_HOME, randomUUID());
  mkdirSync(home, { recursive: true, mode: 0o755 });
  try {
    symlinkSync(home, wanted);
  } catch (error) {
    rmdirSync(home);
    // Two first starts at once make the same link.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** A link whose folder was deleted by hand gets an empty folder again. */
function restoreLostTarget(wanted: string): void {
  const link = lstatSync(wanted, { throwIfNoEntry: false });
  if (link?.isSymbolicLink() && !existsSync(wanted))
    mkdirSync(readlinkSync(wanted), { recursive: true });
}

/** Runs `work` while holding the folder's start lock. */
export async function withStartLock<T>(folder: DataFolder, work: () => Promise<T>): Promise<T> {
  const file = path.join(folder.home, 'start.lock');
  const deadline = performance.now() + LOCK_TIMEOUT_MS;
  while (!takeLock(file)) {
    if (performance.now() > deadline) throw new Error(`${file} is held by another starter`);
    await delay(LOCK_POLL_MS);
  }
  try {
    return await work();
  } finally {
    releaseLock(file);
  }
}

/** The Egret process whose child the running server is, if that process still lives. */
export function readOwner(folder: DataFolder): { owner: Owner | null; lastPort: number | null } {
  const owner = readJson<Owner>(path.join(folder.home, 'owner.json'));
  return { owner: isAlive(owner) ? owner : null, lastPort: owner?.port ?? null };
}

/** Says that the server on `port` is a child of this process. */
export function writeOwner(folder: DataFolder, port: number): void {
  writeJson(path.join(folder.home, 'owner.json'), { ...markOf(process.pid), port });
}

export interface Postmaster {
  pid: number;
  port: number;
  isReady: boolean;
}

/** The server that runs on this folder now; null when there is none or its pid file is stale. */
export function runningPostmaster(folder: DataFolder): Postmaster | null {
  const lines = readText(path.join(folder.data, 'postmaster.pid'))?.split('\n') ?? [];
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0 || !isProcessAlive(pid)) return null;
  if (!servesFolder(pid, folder)) return null;
  return { pid, port: Number(lines[3]), isReady: lines[7]?.trim() === 'ready' };
}

/** The pid may belong to something else by now: a server works inside its own data folder. */
function servesFolder(pid: number, folder: DataFolder): boolean {
  try {
    if (process.platform === 'linux') return readlinkSync(`/proc/${pid}/cwd`) === folder.data;
  } catch {
    return false;
  }
  return `${spawnSync('ps', ['-o', 'command=', '-p', `${pid}`]).stdout}`.includes(folder.data);
}

/** Processes that work inside the cluster: a server, or backends that outlive a killed one. */
export function processesInside(folder: DataFolder): number[] {
  if (process.platform !== 'linux') return [];
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => servesFolder(pid, folder));
}

/**
 * Removes a pid file whose number belongs to another program by now; PostgreSQL would refuse to
 * start. Only where the system tells that nothing of ours runs: else PostgreSQL must judge.
 */
export function removeStalePidFile(folder: DataFolder): void {
  if (process.platform !== 'linux' || processesInside(folder).length > 0) return;
  rmSync(path.join(folder.data, 'postmaster.pid'), { force: true });
}
