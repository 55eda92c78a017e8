// A shell that runs one command after another, as a reader would.

import { createInterface } from 'node:readline';

/** How long one command may take. It ends earlier, unless something hangs. */
const COMMAND_MS = 60_000;
const NEXT = '--- next';

export class Shell {
  #child;
  #lines;
  #stderr = '';

  /** Starts a shell in `directory` with the search path `path`. */
  constructor(processes, { directory, path }) {
    // A `node --test` of the reader is not a part of these tests, and the ENVOY of the Makefile is a version, not a program.
    const { NODE_TEST_CONTEXT: _, ENVOY: __, ...environment } = process.env;
    this.#child = processes.start('bash', [], {
      cwd: directory, env: { ...environment, PATH: path }, stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.stderr.setEncoding('utf8').on('data', (text) => { this.#stderr += text; });
  }

  /** What the commands have written to the standard error. */
  get stderr() {
    return this.#stderr;
  }

  /** Runs a command and returns the lines that it prints. Throws if the shell ends, or if it takes too long. */
  async run(command) {
    this.#child.stdin.write(`${command}\necho; echo '${NEXT}'\n`);
    const timer = setTimeout(() => this.#child.stdout.destroy(new Error('no end in sight')), COMMAND_MS);
    const lines = [];
    try {
      for (;;) {
        const { value, done } = await this.#lines.next();
        if (done) {
          throw new Error(`the shell ended in ${command}\n${this.#stderr}`);
        }
        if (value === NEXT) {
          // The line before is empty, or the end of an answer without a line break.
          return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
        }
        lines.push(value.replace(/\r$/, ''));
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
