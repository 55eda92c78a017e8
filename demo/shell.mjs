// Runs exactly the commands that are printed.

import { Failure } from '../tools/failure.mjs';
import { signal } from '../tools/processes.mjs';

const TIMEOUT_MS = 20_000;

/** The variables from which curl takes a proxy. */
const PROXIES = ['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];

/** A shell in the current directory that keeps variables between scripts. */
export class Shell {
  #processes;
  #variables = {};

  constructor(processes) {
    this.#processes = processes;
    /** The command that the user's shell needs before the printed commands work, or `null`. */
    this.preparation = null;
    if (PROXIES.some((name) => process.env[name])) {
      this.preparation = 'export no_proxy=127.0.0.1';
      this.#variables.no_proxy = '127.0.0.1';
      this.#variables.NO_PROXY = '127.0.0.1';
    }
  }

  /** Runs a script. Returns what it wrote; throws if the run ends first. */
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

  /** Runs a script that sets a variable, and keeps it for later scripts. Returns its value. */
  async set(variable, script) {
    const { stdout, stderr } = await this.run(`${script}\nprintf %s "$${variable}"`);
    this.#variables[variable] = stdout;
    return { value: stdout, stderr };
  }
}
