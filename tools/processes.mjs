// The child processes of a run. All of them are started here, so that none outlives the run.

import { spawn } from 'node:child_process';

import { Failure } from './failure.mjs';

/** Time between SIGTERM and SIGKILL, in milliseconds. */
const GRACE_MS = 5000;

export class Processes {
  #running = new Set();
  #stopping = false;

  /** Whether the run is ending; the output of a process may then be incomplete. */
  get stopping() {
    return this.#stopping;
  }

  /**
   * Starts a process like `spawn`, in its own process group: Ctrl-C then reaches only this program,
   * which stops the others in order.
   */
  start(command, args, options) {
    if (this.#stopping) {
      throw new Failure('Stopped.');
    }
    const child = spawn(command, args, { ...options, detached: true });
    // Without a process id the start has failed, and an `error` event follows.
    if (child.pid !== undefined) {
      this.#running.add(child);
      child.once('close', () => this.#running.delete(child));
    }
    return child;
  }

  /** Runs a program to its end. Returns what it wrote and its exit code (`null` after a signal). */
  run(command, args, options = {}) {
    return new Promise((resolve, reject) => {
      const child = this.start(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
      const output = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr']) {
        child[name].setEncoding('utf8').on('data', (text) => { output[name] += text; });
      }
      child.once('error', reject);
      child.once('close', (exitCode) => resolve({ ...output, exitCode }));
    });
  }

  /** Asks every running process to end and waits for it. No process can be started afterwards. */
  async stop() {
    this.#stopping = true;
    // `close` comes when the children of a shell have closed its output, too.
    const ends = [...this.#running].map((child) => new Promise((resolve) => {
      child.once('close', resolve);
      signal(child, 'SIGTERM');
    }));
    const timer = setTimeout(() => this.kill(), GRACE_MS);
    await Promise.all(ends);
    clearTimeout(timer);
  }

  /** Kills every running process immediately. */
  kill() {
    this.#stopping = true;
    for (const child of this.#running) {
      signal(child, 'SIGKILL');
    }
  }
}

/** Sends a signal to a process and its children, if they still exist. */
export function signal(child, name) {
  try {
    process.kill(-child.pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') {
      throw error;
    }
  }
}
