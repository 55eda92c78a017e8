// The introspection endpoint, and what the gate may know of each opaque token.

import { now } from './clock.mjs';
import { FlakyServer } from './flaky-server.mjs';
import { INTROSPECTION, SLACK } from './promises.mjs';

/** An answer takes up to this time in milliseconds, so that requests wait. */
const DELAY_MS = 100;
/** A retired token is forgotten after this time, when no request with it is on its way any more. */
const FORGOTTEN_AFTER = 30;
/** Answers that are remembered for a token: more than the gate can ask for while one counts. */
const REMEMBERED = 20;

export class IntrospectionServer {
  #tokens = new Map();
  #audience;
  /** Answers in all. */
  answers = 0;

  constructor(audience) {
    this.#audience = audience;
    this.server = new FlakyServer((request, response) => this.#receive(request, response));
  }

  /** Adds a token, which is active if it has a subject. Its `isActive` may be changed. */
  add(token, subject = null) {
    const known = { token, subject, isActive: subject !== null, answers: [], retiredAt: Infinity };
    this.#tokens.set(token, known);
    return known;
  }

  /** The names of the answers that a request with this token may have got between `from` and `to`. */
  possible(known, from, to) {
    const found = new Set();
    for (const { at, isActive } of known.answers) {
      const counts = isActive ? INTROSPECTION.active : INTROSPECTION.inactive;
      if (at <= to && from <= at + counts + SLACK) {
        found.add(isActive ? 'admitted' : 'inactive');
      }
    }
    const { timeout, failure } = INTROSPECTION;
    if (this.server.outages.some((outage) => (
      outage.from <= to && from <= outage.to + timeout + failure + SLACK))) {
      found.add('introspection_unavailable');
    }
    return found;
  }

  /** No further request has this token. */
  retire(known) {
    known.retiredAt = now();
  }

  /** Forgets tokens that were retired. */
  sweep() {
    for (const [token, { retiredAt }] of this.#tokens) {
      if (retiredAt + FORGOTTEN_AFTER < now()) {
        this.#tokens.delete(token);
      }
    }
  }

  async #receive(request, response) {
    let body = '';
    request.setEncoding('utf8').on('data', (text) => { body += text; });
    request.once('end', () => setTimeout(() => {
      const token = new URLSearchParams(body).get('token');
      this.#answer(this.#tokens.get(token), response);
    }, Math.random() * DELAY_MS));
  }

  #answer(known, response) {
    this.answers += 1;
    // A token that is not known is one of a client that has disconnected.
    if (known) {
      known.answers = [...known.answers.slice(1 - REMEMBERED), { at: now(), isActive: known.isActive }];
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(known?.isActive
      ? { active: true, aud: this.#audience, sub: known.subject }
      : { active: false }));
  }
}
