// An Envoy of a run: starting it, knowing when it serves, asking it one thing, ending it.

import { openSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Failure } from '../tools/failure.mjs';
import { LOOPBACK } from '../tools/listen.mjs';
import { signal } from '../tools/processes.mjs';
import { ENVOY, PROXY_CORE, WORK } from './settings.mjs';

const READY_WITHIN_MS = 60_000;
const POLL_MS = 2;
/** A request may have to wait for a revocation list. */
const ANSWER_WITHIN_MS = 20_000;

/** Envoy does not take the configuration; `message` is what it says about that. */
export class Refused extends Error {}

export class Envoy {
  #child;
  #ended;

  constructor(child, ended, { port, startedInMs }) {
    this.#child = child;
    this.#ended = ended;
    this.pid = child.pid;
    /** The port of its listener. */
    this.port = port;
    /** From its start until its admin interface said that it is live. */
    this.startedInMs = startedInMs;
  }

  /**
   * Starts Envoy with a configuration, under a name that its files have, and waits until it serves.
   * Throws `Refused` where it does not take the configuration.
   */
  static async start(processes, name, config, { workers = 1, core = PROXY_CORE } = {}) {
    const file = (ending) => join(WORK, 'envoy', `${name}.${ending}`);
    await writeFile(file('json'), JSON.stringify(config, null, 1));
    await rm(file('admin'), { force: true });
    const log = openSync(file('log'), 'w');
    const begin = performance.now();
    const child = processes.start('taskset', [
      '-c', core, ENVOY,
      '--config-path', file('json'),
      '--use-dynamic-base-id',
      '--log-level', 'warning',
      '--admin-address-path', file('admin'),
      '--concurrency', String(workers),
    ], { stdio: ['ignore', log, log] });
    let ended = false;
    const end = new Promise((resolve) => child.once('close', resolve));
    end.then(() => { ended = true; });
    while (!ended && performance.now() - begin < READY_WITHIN_MS) {
      const admin = await readFile(file('admin'), 'utf8').catch(() => '');
      if (admin && (await get(admin, '/ready')) === 'LIVE\n') {
        const startedInMs = performance.now() - begin;
        const { listener_statuses: listeners } = JSON.parse(
          await get(admin, '/listeners?format=json'),
        );
        const port = listeners[0].local_address.socket_address.port_value;
        return new Envoy(child, end, { port, startedInMs });
      }
      await sleep(POLL_MS);
    }
    if (!ended) {
      signal(child, 'SIGKILL');
      throw new Failure(`Envoy was not live within ${READY_WITHIN_MS / 1000} s; see ${file('log')}`);
    }
    throw new Refused(reason(await readFile(file('log'), 'utf8')));
  }

  /** The status of the answer to one request. */
  async status(path, token) {
    const response = await fetch(`http://${LOOPBACK}:${this.port}${path}`, {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    await response.arrayBuffer();
    return response.status;
  }

  async stop() {
    signal(this.#child, 'SIGKILL');
    await this.#ended;
  }
}

/** Why Envoy ended, from its log: what the filter said of its configuration, or else its last line. */
function reason(log) {
  const said = /bearer-gate: configuration: .*/.exec(log);
  return said ? said[0] : log.trimEnd().split('\n').pop();
}

async function get(admin, path) {
  try {
    const response = await fetch(`http://${admin}${path}`, { signal: AbortSignal.timeout(2000) });
    return await response.text();
  } catch {
    return null;
  }
}
