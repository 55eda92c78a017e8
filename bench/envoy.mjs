// An Envoy of a run, pinned to a core.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Envoy as Process, EnvoyEnded } from '../tools/envoy.mjs';
import { LOOPBACK } from '../tools/listen.mjs';
import { cpuTime } from './cpu.mjs';
import { headersOf } from './line.mjs';
import { PROXY_CORE, WORK } from './settings.mjs';

const POLL_MS = 2;
/** Generous, since a request may wait for a revocation list. */
const ANSWER_WITHIN_MS = 20_000;

/** Envoy rejects the configuration; the message is the reason it gives. */
export class Refused extends Error {}

export class Envoy {
  #process;

  constructor(process, { port, startCpu }) {
    this.#process = process;
    this.pid = process.pid;
    /** The port of its listener. */
    this.port = port;
    /** Milliseconds from the start of the process until it was live. */
    this.startedInMs = process.startedInMs;
    /** CPU time that it had used when it was live, in microseconds. */
    this.startCpu = startCpu;
  }

  /**
   * Starts Envoy with a configuration and waits until it is live. `name` is the name of its files.
   * Throws `Refused` if Envoy rejects the configuration.
   */
  static async start(processes, name, config, { workers = 1, core = PROXY_CORE } = {}) {
    const file = (ending) => join(WORK, 'envoy', `${name}.${ending}`);
    await writeFile(file('json'), JSON.stringify(config, null, 1));
    let process;
    try {
      process = await Process.start(processes, {
        config: file('json'),
        logFile: file('log'),
        adminFile: file('admin'),
        workers,
        core,
        pollMs: POLL_MS,
      });
    } catch (error) {
      if (!(error instanceof EnvoyEnded)) {
        throw error;
      }
      throw new Refused(reason(await readFile(file('log'), 'utf8')));
    }
    const startCpu = await cpuTime(process.pid);
    const { http } = await process.ports();
    return new Envoy(process, { port: http, startCpu });
  }

  /** The status of the answer to one request: that on a line, or without a token if `line` is `null`. */
  async status(path, line) {
    const response = await fetch(`http://${LOOPBACK}:${this.port}${path}`, {
      headers: line === null ? {} : headersOf(line),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    await response.arrayBuffer();
    return response.status;
  }

  stop() {
    return this.#process.stop();
  }
}

/** Why Envoy ended, from its log: the filter's message about its configuration, or the last line. */
function reason(log) {
  const found = /bearer-gate: configuration: .*/.exec(log);
  return found ? found[0] : log.trimEnd().split('\n').pop();
}
