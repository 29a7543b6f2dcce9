// Law: the insurer's books survive kill -9: each event is one line, in the file before the answer
// goes out. A torn last line (the process died in the write) was never answered and is cut off.
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const NEWLINE = 0x0a;

export class Journal<Event> {
  readonly #fd: number;

  /** Opens (or makes) the folder's journal and hands every event in it to `replay`, oldest first. */
  constructor(folder: string, replay: (event: Event) => void) {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, 'journal.jsonl');
    const whole = existsSync(path) ? replayFile(path, replay) : 0;
    this.#fd = openSync(path, 'a', 0o600);
    ftruncateSync(this.#fd, whole);
  }

  append(event: Event): void {
    const line = Buffer.from(`${JSON.stringify(event)}\n`);
    for (let written = 0; written < line.length; ) {
      written += writeSync(this.#fd, line, written);
    }
  }

  clear(): void {
    ftruncateSync(this.#fd, 0);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Returns the length in bytes of the whole lines; what follows them is torn. */
function replayFile<Event>(path: string, replay: (event: Event) => void): number {
  const bytes = readFileSync(path);
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    replay(JSON.parse(bytes.toString('utf8', start, end)) as Event);
    start = end + 1;
  }
  return start;
}
