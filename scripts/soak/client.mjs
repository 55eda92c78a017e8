// The clients: most keep their connections, some do not, and some disconnect early.

import { Agent, request as startRequest } from 'node:http';

import { LOOPBACK } from '../../tools/listen.mjs';
import { now } from './clock.mjs';
import { LEAVES } from './kinds.mjs';
import { LOST_AFTER } from './promises.mjs';

/** The share of requests that have a connection of their own. */
const OWN_CONNECTION = 0.1;
/** Idle connections that are kept. */
const KEPT = 32;
/** A client that waits for a token's introspection disconnects after this time in milliseconds. */
const PATIENCE_MS = 20;
/**
 * Envoy may close an idle connection just when a client sends a request on it. The client sees a reset at
 * once, and repeats the request on another connection (RFC 9112, section 9.3.1).
 */
const RESET_WITHIN = 0.1;

export class Client {
  #agent = new Agent({ keepAlive: true, maxFreeSockets: KEPT, scheduling: 'fifo' });
  #port;
  /** Requests that were repeated because their connection was closed. */
  repeated = 0;

  constructor(port) {
    this.#port = port;
  }

  /** Returns the answer as `{ sent, answered, status, headers, body }`, or `{ lost }` with the reason. */
  async send({ path, headers }) {
    const agent = Math.random() < OWN_CONNECTION ? false : this.#agent;
    const answer = await this.#once(path, headers, agent);
    if (!answer.closed) {
      return answer;
    }
    this.repeated += 1;
    return this.#once(path, headers, false);
  }

  /** Sends a request and disconnects as `leave` says. */
  leave({ path, headers, leave }) {
    return new Promise((resolve) => {
      const request = startRequest(this.#options(path, headers, false));
      const disconnect = () => request.destroy();
      // Also comes with the error that disconnecting causes.
      request.once('error', () => {}).once('close', resolve);
      request.end();
      switch (leave) {
        case LEAVES.atOnce:
          request.once('finish', disconnect);
          break;
        case LEAVES.waiting:
          request.once('finish', () => setTimeout(disconnect, PATIENCE_MS));
          break;
        default:
          request.once('response', (response) => response.once('data', disconnect));
      }
      request.setTimeout(LOST_AFTER * 1000, disconnect);
    });
  }

  stop() {
    this.#agent.destroy();
  }

  #options(path, headers, agent) {
    return { host: LOOPBACK, port: this.#port, path, headers, agent };
  }

  #once(path, headers, agent) {
    return new Promise((resolve) => {
      const sent = now();
      const request = startRequest(this.#options(path, headers, agent), (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text) => { body += text; });
        response.once('error', (error) => resolve({ lost: error.code }));
        response.once('end', () => resolve({
          sent, answered: now(), status: response.statusCode, headers: response.headers, body,
        }));
      });
      request.once('error', (error) => {
        const closed = request.reusedSocket && now() < sent + RESET_WITHIN;
        resolve({ lost: error.code, closed });
      });
      request.setTimeout(LOST_AFTER * 1000, () => request.destroy(
        Object.assign(new Error(), { code: `no answer within ${LOST_AFTER} s` })));
      request.end();
    });
  }
}
