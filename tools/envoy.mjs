// An Envoy process: starting it, waiting until it is live, stopping it.

import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { ENVOY, ROOT, shown } from './checkout.mjs';
import { Failure } from './failure.mjs';
import { signal } from './processes.mjs';

const LIVE_WITHIN_MS = 60_000;
const ADMIN_ANSWERS_WITHIN_MS = 2000;
/** How many lines of its log a failure shows. */
const LOG_LINES = 10;

/** Envoy has ended, though it was not stopped. */
export class EnvoyEnded extends Failure {}

export class Envoy {
  #child;
  #admin;

  constructor(child, ended, { admin, startedInMs }) {
    this.#child = child;
    this.#admin = admin;
    this.pid = child.pid;
    /** Resolves to an `EnvoyEnded` when the process ends. */
    this.ended = ended;
    /** Milliseconds from the start of the process until its admin interface reported LIVE. */
    this.startedInMs = startedInMs;
  }

  /**
   * Starts Envoy and waits until it is live. `config` is the path of its configuration; `adminFile` is
   * where it writes the address of its admin interface; `core` pins it to one core; `environment` is
   * added to its environment; `options` are further command-line options; `pollMs` is the time between
   * two looks at whether it is live. Throws `EnvoyEnded` if it ends first.
   */
  static async start(processes, {
    config, logFile, adminFile, workers = 1, core = null, environment = {}, options = [],
    pollMs = 50,
  }) {
    await rm(adminFile, { force: true });
    const [command, ...args] = [
      ...(core === null ? [] : ['taskset', '-c', core]),
      ENVOY,
      '--config-path', config,
      '--use-dynamic-base-id',
      '--log-level', 'warning',
      '--admin-address-path', adminFile,
      '--concurrency', String(workers),
      ...options,
    ];
    const log = openSync(logFile, 'w');
    const begin = performance.now();
    const child = processes.start(command, args, {
      cwd: ROOT, stdio: ['ignore', log, log], env: { ...process.env, ...environment },
    });
    closeSync(log);
    let hasEnded = false;
    const ended = end(child).then((how) => {
      hasEnded = true;
      return failure(EnvoyEnded, how, logFile);
    });
    let waitingFor = 'its admin interface';
    while (!hasEnded && performance.now() - begin < LIVE_WITHIN_MS) {
      const admin = (await readFile(adminFile, 'utf8').catch(() => '')).trim();
      if (admin) {
        waitingFor = `http://${admin}/ready to report LIVE`;
        if ((await get(admin, '/ready'))?.trim() === 'LIVE') {
          return new Envoy(child, ended, { admin, startedInMs: performance.now() - begin });
        }
      }
      await sleep(pollMs);
    }
    if (!hasEnded) {
      signal(child, 'SIGKILL');
      const how = `was not live within ${LIVE_WITHIN_MS / 1000} s (waited for ${waitingFor})`;
      throw await failure(Failure, how, logFile);
    }
    throw await ended;
  }

  /** The port of the admin interface. */
  get adminPort() {
    return Number(this.#admin.split(':').pop());
  }

  /** The ports of the listeners by name. */
  async ports() {
    const { listener_statuses: statuses } = await this.admin('/listeners?format=json');
    return Object.fromEntries(statuses.map(
      ({ name, local_address: address }) => [name, address.socket_address.port_value],
    ));
  }

  /** What the admin interface answers at a path, which must be JSON. */
  async admin(path) {
    const text = await get(this.#admin, path);
    if (text === null) {
      throw new Failure(`Envoy's admin interface did not answer: http://${this.#admin}${path}`);
    }
    return JSON.parse(text);
  }

  /** Kills the process and waits for its end. */
  async stop() {
    signal(this.#child, 'SIGKILL');
    await this.ended;
  }
}

/** How a process ended, in a few words. */
function end(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started (${error.code})`));
    child.once('close', (code, by) => resolve(by ? `was ended by ${by}` : `ended with code ${code}`));
  });
}

/** An error that says what happened to Envoy and shows the end of its log. */
async function failure(Type, how, logFile) {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  if (log.trim() === '') {
    return new Type(`Envoy ${how}.`);
  }
  const details = log.trimEnd().split('\n').slice(-LOG_LINES);
  return new Type(`Envoy ${how}. The end of its log, ${shown(logFile)}:`, { details });
}

/** The body of a successful answer of the admin interface; `null` without one. */
async function get(admin, path) {
  try {
    const response = await fetch(`http://${admin}${path}`, {
      signal: AbortSignal.timeout(ADMIN_ANSWERS_WITHIN_MS),
    });
    const body = await response.text();
    return response.ok ? body : null;
  } catch {
    return null;
  }
}
