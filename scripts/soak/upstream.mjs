// The upstream: which requests have reached it, and what with.

import { createServer } from 'node:http';

import { SERVER, close, listen } from '../../tools/listen.mjs';

/** The answer to a path that ends in `/slow` takes this time in milliseconds after its beginning. */
const SLOW_MS = 500;

export class Upstream {
  #server;
  /** For the id of each request on its way: how often it has arrived. */
  #arrivals = new Map();
  /** Requests that arrived after they were answered, or without an id. */
  strays = 0;

  constructor() {
    this.#server = createServer(SERVER, (request, response) => this.#answer(request, response));
  }

  listen() {
    return listen(this.#server, 0);
  }

  /** A request is about to be sent. */
  expect(id) {
    this.#arrivals.set(id, 0);
  }

  /** How often a request arrived. It must not arrive any more. */
  close(id) {
    const count = this.#arrivals.get(id);
    this.#arrivals.delete(id);
    return count;
  }

  stop() {
    return close(this.#server);
  }

  #answer(request, response) {
    request.resume();
    const { 'x-soak-id': id, 'x-sub': subject = null, authorization = null } = request.headers;
    if (this.#arrivals.has(id)) {
      this.#arrivals.set(id, this.#arrivals.get(id) + 1);
    } else {
      this.strays += 1;
    }
    const body = JSON.stringify({ upstream: true, subject, authorization });
    response.setHeader('content-type', 'application/json');
    if (request.url.endsWith('/slow')) {
      response.write(' ');
      setTimeout(() => response.end(body), SLOW_MS);
    } else {
      response.end(body);
    }
  }
}
