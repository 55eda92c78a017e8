// The processes of a run. All that are started are started here, and none outlives the run.

import { spawn } from 'node:child_process';

import { Failure } from './failure.mjs';

/** How long a process that was asked to end may take before it is killed. */
const GRACE_MS = 5000;

export class Processes {
  #running = new Set();
  #stopping = false;

  /** Whether the run is at its end: what a process has written may not be all of it. */
  get stopping() {
    return this.#stopping;
  }

  /**
   * Starts a process, as `spawn` does, in a process group of its own: Ctrl-C in the terminal then
   * reaches this program only, which ends the others in good order.
   */
  start(command, args, options) {
    if (this.#stopping) {
      throw new Failure('Stopped.');
    }
    const child = spawn(command, args, { ...options, detached: true });
    // Without a process id it could not be started, and its `error` event is to come.
    if (child.pid !== undefined) {
      this.#running.add(child);
      child.once('close', () => this.#running.delete(child));
    }
    return child;
  }

  /** Asks every process that still runs to end, waits for that, and lets no new one start. */
  async stop() {
    this.#stopping = true;
    // `close` comes when also the processes that a shell has started have let go of its output.
    const ends = [...this.#running].map((child) => new Promise((resolve) => {
      child.once('close', resolve);
      signal(child, 'SIGTERM');
    }));
    const timer = setTimeout(() => this.kill(), GRACE_MS);
    await Promise.all(ends);
    clearTimeout(timer);
  }

  /** Ends every process that still runs at once. */
  kill() {
    this.#stopping = true;
    for (const child of this.#running) {
      signal(child, 'SIGKILL');
    }
  }
}

/** Sends a signal to the process and to what it has started, where these still exist. */
export function signal(child, name) {
  try {
    process.kill(-child.pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') {
      throw error;
    }
  }
}
