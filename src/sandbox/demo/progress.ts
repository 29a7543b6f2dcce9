// Role: tells how far the demo is: one rewriting line on a terminal, plain lines elsewhere.

export interface Progress {
  /** `done` of `total` steps of a phase are over. */
  at(phase: string, done: number, total: number): void;
  /** Ends the line, so that what follows starts on a fresh one. */
  end(): void;
}

/** Plain output gets a line at each tenth of a phase, not one a step. */
const PLAIN_LINES_A_PHASE = 4;

export function progressOn(out: NodeJS.WriteStream): Progress {
  return out.isTTY ? rewriting(out) : plain(out);
}

function rewriting(out: NodeJS.WriteStream): Progress {
  let isOpen = false;
  return {
    at(phase, done, total) {
      const filled = Math.round((20 * done) / Math.max(total, 1));
      const bar = '█'.repeat(filled) + '░'.repeat(20 - filled);
      out.write(`\r\x1b[2K${bar} ${phase} ${done}/${total}`);
      isOpen = true;
    },
    end() {
      if (isOpen) out.write('\r\x1b[2K');
      isOpen = false;
    },
  };
}

function plain(out: NodeJS.WriteStream): Progress {
  return {
    at(phase, done, total) {
      const step = Math.max(1, Math.ceil(total / PLAIN_LINES_A_PHASE));
      if (done === total || (done > 0 && done % step === 0)) {
        out.write(`${phase} ${done}/${total}\n`);
      }
    },
    end() {},
  };
}
