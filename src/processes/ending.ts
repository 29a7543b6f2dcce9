// How a process of the service ends. Law: what it started is stopped in reverse, once, within a time, and
// nothing is left running; a second wish, or what fails while it is still starting, only hurries it.
import { ConfigError } from '../config.ts';

/** `npm` passes on the Ctrl-C that the terminal already sent: not a second wish. */
const REPEAT_MS = 1_000;

type Stop = (isHurried: boolean) => Promise<void>;

/** Things to end, in order of their start. Ended in reverse. */
const running: { name: string; stop: Stop }[] = [];
const hurry = new AbortController();
let endingSince: number | null = null;

/** What the start cannot go on with; its message is all that a person is told. */
export class StartError extends Error {}

/** Aborted once nobody wants to wait any longer. */
export const hurried: AbortSignal = hurry.signal;

/** Something was started: `stop` is called when the process ends. */
export function stopAtEnd(name: string, stop: Stop): void {
  running.push({ name, stop });
}

export const isEnding = () => endingSince !== null;

/** Cuts what is still waited for. */
export function hurryUp(): void {
  hurry.abort();
}

/** Stops all that was started and exits; asked again a second later, it hurries. */
export async function end(exitCode: number): Promise<void> {
  if (endingSince !== null) {
    if (performance.now() - endingSince > REPEAT_MS) hurryUp();
    return;
  }
  endingSince = performance.now();
  for (const part of running.reverse()) {
    await part.stop(hurry.signal.aborted).catch((error: unknown) => {
      console.error(`stopping ${part.name}: ${error}`);
    });
  }
  process.exit(exitCode);
}

/** Runs the start of this process; a failure of it is told and ends the process with code 1. */
export function begin(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    // Ended while it was still starting: what fails now fails because of that.
    if (isEnding()) return;
    const isExpected = error instanceof ConfigError || error instanceof StartError;
    console.error(isExpected ? `Egret cannot start: ${error.message}` : error);
    void end(1);
  });
}
