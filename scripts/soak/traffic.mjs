// Steady requests of all kinds, and whether each answer is one that the judge expects.

import { setTimeout as sleep } from 'node:timers/promises';

import { nameOf } from './answers.mjs';
import { now } from './clock.mjs';
import { ANSWERED_WITHIN } from './promises.mjs';

/** Time between two looks at how many requests are due, in milliseconds. */
const STEP_MS = 10;
/** Examples that are kept of what went wrong. */
const EXAMPLES = 20;
/** The slowest answers that are kept. */
const SLOWEST = 10;
/** A request of a client that disconnected may reach the upstream for this time. */
const LATE_ARRIVAL_MS = 10_000;

export class Traffic {
  #kinds;
  #total;
  #client;
  #upstream;
  #begin = now();
  #id = 0;
  #inFlight = 0;

  /** For each kind the number of each answer. */
  tally;
  /** What went wrong, by what was promised, and examples. */
  faults = { wrong: 0, lost: 0, late: 0, leaked: 0 };
  examples = [];
  /** Answers that were checked, and those for which there was exactly one possibility. */
  checked = 0;
  exact = 0;
  disconnected = 0;
  /** The slowest answers as `{ seconds, at, what }`, the slowest first. */
  slowest = [];
  mostInFlight = 0;
  /** The longest time in seconds that a request took although the gate needed nobody to decide. */
  longestStall = 0;

  constructor({ kinds, client, upstream }) {
    this.#kinds = kinds;
    this.#total = kinds.reduce((sum, { share }) => sum + share, 0);
    this.#client = client;
    this.#upstream = upstream;
    this.tally = Object.fromEntries(kinds.map(({ name }) => [name, {}]));
  }

  /** Sends `rate` requests a second until the time `end`, and waits for the answers. */
  async run(rate, end) {
    const begin = now();
    let sent = 0;
    while (now() < end) {
      for (const due = (now() - begin) * rate; sent < due; sent += 1) {
        this.#inFlight += 1;
        this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight);
        this.#one().finally(() => { this.#inFlight -= 1; });
      }
      await sleep(STEP_MS);
    }
    while (this.#inFlight > 0) {
      await sleep(STEP_MS);
    }
  }

  async #one() {
    const kind = this.#draw();
    const made = await kind.make();
    if (made === null) {
      return;
    }
    this.#id += 1;
    const id = String(this.#id);
    // The gate must remove the client's copy of a header that it sets itself.
    const request = { ...made, headers: { ...made.headers, 'x-soak-id': id, 'x-sub': 'forged' } };
    this.#upstream.expect(id);
    if (request.leave) {
      await this.#client.leave(request);
      this.disconnected += 1;
      this.#count(kind, 'disconnected');
      setTimeout(() => this.#upstream.close(id), LATE_ARRIVAL_MS).unref();
      return;
    }
    const answer = await this.#client.send(request);
    const arrivals = this.#upstream.close(id);
    if (answer.lost) {
      this.#fault('lost', kind, answer.lost);
      this.#count(kind, 'lost');
      return;
    }
    this.#check(kind, request, answer, arrivals);
  }

  #check(kind, request, answer, arrivals) {
    const { sent, answered } = answer;
    const name = nameOf(answer);
    this.checked += 1;
    this.#count(kind, name);
    this.#note(kind, name, sent, answered);
    if (answered - sent > ANSWERED_WITHIN) {
      this.#fault('late', kind, `${name} after ${(answered - sent).toFixed(1)} s`);
    }
    if (request.neverWaits) {
      this.longestStall = Math.max(this.longestStall, answered - sent);
    }
    const possible = request.possible(sent, answered);
    if (possible.size === 1) {
      this.exact += 1;
    }
    if (!possible.has(name)) {
      this.#fault('wrong', kind, `${name} instead of ${[...possible].join(' or ')}`);
    }
    if (arrivals !== (name === 'admitted' ? 1 : 0)) {
      this.#fault('leaked', kind, `${name}, and ${arrivals} times at the upstream`);
    }
    if (name === 'admitted') {
      const { subject, authorization } = JSON.parse(answer.body);
      if (subject !== request.subject || authorization !== null) {
        this.#fault('wrong', kind, `subject ${subject} instead of ${request.subject}, or the token`);
      }
    }
  }

  #note(kind, name, sent, answered) {
    const seconds = answered - sent;
    if (this.slowest.length < SLOWEST || seconds > this.slowest.at(-1).seconds) {
      this.slowest.push({ seconds, at: sent - this.#begin, what: `${kind.name}: ${name}` });
      this.slowest = this.slowest.sort((one, other) => other.seconds - one.seconds).slice(0, SLOWEST);
    }
  }

  #draw() {
    let left = Math.random() * this.#total;
    return this.#kinds.find(({ share }) => {
      left -= share;
      return left < 0;
    }) ?? this.#kinds[0];
  }

  #count({ name }, answer) {
    this.tally[name][answer] = (this.tally[name][answer] ?? 0) + 1;
  }

  #fault(fault, { name }, what) {
    this.faults[fault] += 1;
    if (this.examples.length < EXAMPLES) {
      this.examples.push(`${(now() - this.#begin).toFixed(1)} s: ${fault}: ${name}: ${what}`);
    }
  }
}
