// One line that says what a build is doing, and for how long.

/** How often the line on a terminal changes while nothing is written, in milliseconds. */
export const INTERVAL_MS = 1000;
/** Builds that take less time are not worth a word, in milliseconds. */
const SHORT_MS = 3000;
/** Escape sequences, which would move the cursor. */
const ESCAPES = /\x1b\[[\d;]*[A-Za-z]/g;

/** What a line of a build's output says that is being done; `null` if nothing. */
export function activity(line) {
  const text = line.replace(ESCAPES, '').trim();
  const cargo = /^(Compiling|Downloading|Downloaded|Building) (\S+)/.exec(text);
  if (cargo) {
    return { phase: 'Compiling the filter', detail: `${cargo[1].toLowerCase()} ${cargo[2]}` };
  }
  const installing = /^(Installing|Building) (.+?) \.\.\.$/.exec(text);
  return installing ? { phase: `${installing[1]} ${installing[2]}`, detail: null } : null;
}

const seconds = (milliseconds) => `${Math.round(milliseconds / 1000)} s`;

/**
 * Shows the progress of a build: on a terminal one line that changes, elsewhere a line for each phase. `write` writes
 * text, `columns` is the width of the terminal or `null` elsewhere, and `now` is the time in milliseconds.
 */
export class Progress {
  #write;
  #columns;
  #now;
  #start;
  #phase = null;
  #detail = null;
  #partial = '';

  constructor({ write, columns, now = Date.now }) {
    this.#write = write;
    this.#columns = columns;
    this.#now = now;
    this.#start = now();
  }

  /** Takes a piece of the build's output. */
  read(text) {
    const lines = (this.#partial + text).split(/[\r\n]/);
    this.#partial = lines.pop();
    for (const found of lines.map(activity).filter(Boolean)) {
      if (found.phase !== this.#phase && this.#columns === null) {
        this.#write(`${found.phase} ...\n`);
      }
      this.#phase = found.phase;
      this.#detail = found.detail;
    }
    this.show();
  }

  /** Shows the line as it is now. */
  show() {
    if (this.#columns === null || this.#phase === null) {
      return;
    }
    const detail = this.#detail ? `: ${this.#detail}` : '';
    const line = `${this.#phase} (${seconds(this.#now() - this.#start)})${detail}`;
    this.#write(`\r\x1b[K${line.slice(0, Math.max(this.#columns - 1, 1))}`);
  }

  /** Removes the line. */
  clear() {
    if (this.#columns !== null && this.#phase !== null) {
      this.#write('\r\x1b[K');
    }
  }

  /** Says how long a build took that went well. */
  finish() {
    this.clear();
    const elapsed = this.#now() - this.#start;
    if (elapsed >= SHORT_MS) {
      this.#write(`Built in ${seconds(elapsed)}.\n`);
    }
  }
}
