// Measures a scenario in rounds. Every filter has a turn in each round, so that disturbances of the
// machine affect all filters.

import { pathOf } from './authn.mjs';
import { boundRequests } from './bound.mjs';
import { cpuTime } from './cpu.mjs';
import { send } from './load.mjs';
import { Setup } from './setup.mjs';

/** The number of requests from which the cost of a request is estimated. */
const SAMPLE = 200;

/**
 * Measures a scenario. Returns, by filter, `filters` with one value per round: `cpu` (Envoy's CPU time
 * per request in microseconds) and `perSecond` (requests per second); `skipped` and `wrong` have reasons.
 */
export async function measure(context, scenario, settings) {
  const { processes, tokens } = context;
  const requests = settings.requests[scenario.fresh ? 'fresh' : 'seen'];
  const size = scenario.fresh
    ? 1 + SAMPLE + requests * (settings.rounds + 1)
    : scenario.distinct;
  const file = await fileOf(scenario, tokens, size);
  const found = { scenario, filters: {}, skipped: {}, wrong: {} };
  for (const rounds of split(settings.rounds, settings.batches)) {
    const setup = await Setup.start(context, scenario, file);
    try {
      Object.assign(found.skipped, setup.skipped);
      Object.assign(found.wrong, setup.wrong);
      await runRounds(processes, setup, { scenario, file, size, requests, rounds, settings, found });
    } finally {
      await setup.stop();
    }
  }
  return found;
}

/** The file with the requests of a scenario, or `null` if they have no token. */
function fileOf({ tokens: kind, bound, rules }, tokens, size) {
  if (bound) {
    return boundRequests({ tokens, bound, path: pathOf(rules), size });
  }
  return kind === null ? null : tokens.file(kind, size);
}

/** Runs the rounds of one batch and adds their figures to `found`. */
async function runRounds(processes, setup, { scenario, file, size, requests, rounds, settings, found }) {
  const turns = new Turns(processes, setup, scenario, { file, size, requests });
  const names = [...setup.envoys.keys()];
  for (const name of names) {
    await turns.warmUp(name, settings.seconds);
    found.filters[name] ??= { cpu: [], perSecond: [] };
  }
  for (const round of rounds) {
    for (const name of rotated(names, round)) {
      const { cpu, perSecond } = await turns.take(name, round);
      found.filters[name].cpu.push(cpu);
      found.filters[name].perSecond.push(perSecond);
    }
  }
}

/** The numbers of all rounds, split into `count` batches. */
function split(rounds, count) {
  const all = Array.from({ length: rounds }, (_, round) => round);
  const size = Math.ceil(rounds / Math.min(count, rounds));
  return Array.from({ length: Math.ceil(rounds / size) }, (_, index) => (
    all.slice(index * size, (index + 1) * size)
  ));
}

/** The turns of filters: which tokens each sends next, and how many. */
class Turns {
  #processes;
  #setup;
  #scenario;
  #walk;
  #requests;
  #counts = new Map();
  #cursors = new Map();

  constructor(processes, setup, scenario, { file, size, requests }) {
    this.#processes = processes;
    this.#setup = setup;
    this.#scenario = scenario;
    this.#walk = file === null ? null : { file, size };
    this.#requests = requests;
  }

  /** Sends a filter the tokens that it must know, and determines the number of requests of a turn. */
  async warmUp(name, seconds) {
    const { fresh, distinct } = this.#scenario;
    const { cpu } = await this.#send(name, SAMPLE, 1);
    const fitting = Math.floor((seconds * 1e6) / cpu);
    const count = Math.max(SAMPLE, Math.min(this.#requests, fitting));
    this.#counts.set(name, count);
    const first = 1 + SAMPLE;
    await this.#send(name, fresh ? count : Math.max(count, distinct), first);
    this.#cursors.set(name, 0);
  }

  /** Measures a filter's turn in a round. */
  take(name, round) {
    const count = this.#counts.get(name);
    if (this.#scenario.fresh) {
      return this.#send(name, count, 1 + SAMPLE + this.#requests * (round + 1));
    }
    const first = this.#cursors.get(name);
    this.#cursors.set(name, first + count);
    return this.#send(name, count, first);
  }

  async #send(name, count, first) {
    const { pid, port } = this.#setup.envoys.get(name);
    const before = await cpuTime(pid);
    const seconds = await send(this.#processes, {
      port,
      path: this.#setup.path,
      count,
      walk: this.#walk && { ...this.#walk, first: first % this.#walk.size },
      status: this.#setup.status(name),
    });
    return { cpu: ((await cpuTime(pid)) - before) / count, perSecond: count / seconds };
  }
}

/** The names, starting with another one in each round. */
export function rotated(names, round) {
  const first = round % names.length;
  return [...names.slice(first), ...names.slice(0, first)];
}
