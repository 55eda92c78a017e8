// A document that the gate fetches again and again, such as a key set: who has which version when.

import { now } from './clock.mjs';
import { FlakyServer } from './flaky-server.mjs';
import { ADOPTED_WITHIN, SLACK } from './promises.mjs';

/** The gate has no document: the last good fetch is too long ago. */
export const GONE = Symbol('gone');

/** Good answers that are remembered: more than the gate can get while a document is usable. */
const REMEMBERED = 100;

export class PublishedDocument {
  #version = null;
  #serial = 0;
  #promises;
  /** The last good answers as `{ at, content }`, oldest first. */
  #served = [];
  /** Good answers in all. */
  fetches = 0;
  /** Good answers that came later than promised: `{ at, late }`. */
  overdue = [];
  /** Good answers that came sooner than one process may fetch: `{ at, early }`. */
  premature = [];

  /** `promises` are those of the document in promises.mjs. */
  constructor(promises) {
    this.#promises = promises;
    this.server = new FlakyServer((request, response) => this.#answer(request, response));
  }

  /** Publishes a version: `content` is what the judge knows of it, `body` what the gate gets. */
  publish({ content, body }) {
    this.#serial += 1;
    this.#version = { content, body, etag: `"${this.#serial}"` };
  }

  /** The size of the version that is published now, in bytes. */
  get size() {
    return this.#version.body.length;
  }

  /**
   * What a worker may use at some moment between `from` and `to`: contents of versions, and `GONE`. A
   * worker uses the last version that was served, or the one before for `ADOPTED_WITHIN`.
   */
  possible(from, to) {
    const found = new Set();
    this.#served.forEach(({ at, content }, index) => {
      const replaced = (this.#served[index + 1]?.at ?? Infinity) + ADOPTED_WITHIN;
      const stale = at + this.#promises.maxStale;
      if (at <= to && from <= Math.min(replaced, stale + SLACK)) {
        found.add(content);
      }
      if (stale - SLACK <= to && from <= replaced) {
        found.add(GONE);
      }
    });
    return found;
  }

  /** Notes the fetch that has not come although its time is over. To be called at the end. */
  noteMissing() {
    this.#noteDelay(now());
  }

  #answer(request, response) {
    const { content, body, etag } = this.#version;
    const at = now();
    this.fetches += 1;
    this.#noteDelay(at);
    this.#noteHaste(at);
    this.#served = [...this.#served.slice(1 - REMEMBERED), { at, content }];
    response.setHeader('etag', etag);
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304).end();
    } else {
      response.setHeader('content-type', 'application/json');
      response.end(body);
    }
  }

  /** A fetch is due `refresh` after the last good one, or `retry` after an outage. */
  #noteDelay(at) {
    const last = this.#served.at(-1)?.at;
    if (last === undefined) {
      return;
    }
    const { refresh, retry, timeout } = this.#promises;
    const due = this.server.outages
      .filter(({ to }) => to > last)
      .reduce((latest, { to }) => Math.max(latest, to + timeout + retry), last + refresh);
    if (at > due + SLACK) {
      this.overdue.push({ at, late: at - due });
    }
  }

  /**
   * Two fetches are `apart` from each other, unless an outage has put them off. The first refetch for an
   * unknown kid may follow the first fetch at once.
   */
  #noteHaste(at) {
    if (this.fetches <= 2) {
      return;
    }
    const { apart, retry, timeout } = this.#promises;
    const last = this.#served.at(-1).at;
    const wasDown = this.server.outages.some(({ to }) => to + timeout + retry + apart > last);
    if (at < last + apart - SLACK && !wasDown) {
      this.premature.push({ at, early: last + apart - at });
    }
  }
}
