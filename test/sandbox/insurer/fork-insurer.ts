// Role: starts the sandbox insurer as a child process and waits until its ports are open.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface InsurerOptions {
  storeDir: string;
  accessKey: string;
  secretKey: string;
  /** 0 or absent: a free one. */
  wirePort?: number;
  controlPort?: number;
  isSignInRequired?: boolean;
}

export interface InsurerProcess {
  child: ChildProcess;
  wirePort: number;
  controlPort: number;
  /** Base URL of the wire: what INSURANCE_URL would be. */
  wireUrl: string;
  controlUrl: string;
  /** Ends the process and waits for its end; SIGKILL proves that the books are on disk. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** Forks the insurer with tsx; rejects when it ends before it is ready. */
export async function forkInsurer(options: InsurerOptions): Promise<InsurerProcess> {
  const child = fork(
    fileURLToPath(new URL('../../../src/sandbox/insurer/main.ts', import.meta.url)),
    {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: {
        ...process.env,
        INSURER_WIRE_PORT: String(options.wirePort ?? 0),
        INSURER_CONTROL_PORT: String(options.controlPort ?? 0),
        INSURER_STORE_DIR: options.storeDir,
        INSURER_ACCESS_KEY: options.accessKey,
        INSURER_SECRET_KEY: options.secretKey,
        INSURER_REQUIRE_SIGN_IN: options.isSignInRequired === true ? '1' : '0',
      },
    },
  );
  const { wirePort, controlPort } = await readyOf(child);
  return {
    child,
    wirePort,
    controlPort,
    wireUrl: `http://127.0.0.1:${wirePort}`,
    controlUrl: `http://127.0.0.1:${controlPort}`,
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
}

function readyOf(child: ChildProcess): Promise<{ wirePort: number; controlPort: number }> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => {
      resolve(message as { wirePort: number; controlPort: number });
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the sandbox insurer ended with code ${code}`)));
  });
}
