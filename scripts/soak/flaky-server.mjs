// A server that can be set to fail, in the ways in which servers fail.

import { createServer } from 'node:http';

import { SERVER, close, listen } from '../../tools/listen.mjs';
import { now } from './clock.mjs';

/** The ways to fail; `up` is not to fail. */
export const FAILURES = ['reset', 'hang', 'error', 'rubbish'];

/** What an outage does to a request. */
const FAIL = {
  reset: (request) => request.socket.destroy(),
  // The connection stays open until Envoy gives up.
  hang: () => {},
  error: (_, response) => response.writeHead(500).end('{}'),
  rubbish: (_, response) => response.writeHead(200).end('<html>Sign in</html>'),
};

export class FlakyServer {
  #server;
  #mode = 'up';
  /** The last outages as `{ from, to }`; `to` is infinite while one lasts. */
  outages = [];
  /** Requests that it got, and those among them that it failed. */
  requests = 0;
  failed = 0;

  /** `answer(request, response)` answers while the server is up. */
  constructor(answer) {
    this.#server = createServer(SERVER, (request, response) => {
      request.resume();
      this.requests += 1;
      if (this.#mode === 'up') {
        answer(request, response);
      } else {
        this.failed += 1;
        FAIL[this.#mode](request, response);
      }
    });
  }

  /** Listens on a free port, and returns it. */
  listen() {
    return listen(this.#server, 0);
  }

  stop() {
    return close(this.#server);
  }

  get isUp() {
    return this.#mode === 'up';
  }

  /** Begins an outage of a kind in `FAILURES`. */
  fail(mode) {
    this.recover();
    this.#mode = mode;
    this.outages = [...this.outages.slice(-9), { from: now(), to: Infinity }];
  }

  /** Ends the outage, if there is one. */
  recover() {
    if (!this.isUp) {
      this.#mode = 'up';
      this.outages.at(-1).to = now();
    }
  }
}
