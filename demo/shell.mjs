// Running the very commands that are printed.

import { Failure } from '../tools/failure.mjs';
import { signal } from '../tools/processes.mjs';

const TIMEOUT_MS = 20_000;

/** The variables in which curl looks for a proxy. */
const PROXIES = ['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];

/** A shell in the directory that the demo was started in, which keeps variables between scripts. */
export class Shell {
  #processes;
  #variables = {};

  constructor(processes) {
    this.#processes = processes;
    /** What a reader's shell needs first to repeat the commands, or `null`. */
    this.preparation = null;
    if (PROXIES.some((name) => process.env[name])) {
      this.preparation = 'export no_proxy=127.0.0.1';
      this.#variables.no_proxy = '127.0.0.1';
      this.#variables.NO_PROXY = '127.0.0.1';
    }
  }

  /** Runs a script; answers with what it wrote, `{ stdout, stderr }`, unless the run ends before. */
  run(script) {
    return new Promise((resolve, reject) => {
      const child = this.#processes.start('sh', ['-c', script], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...this.#variables },
      });
      const timer = setTimeout(() => signal(child, 'SIGKILL'), TIMEOUT_MS);
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (text) => { stdout += text; });
      child.stderr.setEncoding('utf8').on('data', (text) => { stderr += text; });
      child.once('error', reject);
      child.once('close', () => {
        clearTimeout(timer);
        if (this.#processes.stopping) {
          reject(new Failure('Stopped.'));
        }
        resolve({ stdout, stderr });
      });
    });
  }

  /** Runs a script that sets a variable, which later scripts have too; answers with its value. */
  async set(variable, script) {
    const { stdout, stderr } = await this.run(`${script}\nprintf %s "$${variable}"`);
    this.#variables[variable] = stdout;
    return { value: stdout, stderr };
  }
}
