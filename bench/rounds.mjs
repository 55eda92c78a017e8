// Measuring a scenario: rounds in which every filter has its turn, so that what disturbs the machine
// disturbs all of them.

import { cpuTime } from './cpu.mjs';
import { pace, send } from './load.mjs';
import { Stage } from './stage.mjs';
import { firstToken } from './tokens.mjs';

/** The first requests, from which a filter's cost is guessed. */
const TASTE = 200;
const PACED = { perSecond: 1000, seconds: 3, rounds: 3 };

/**
 * Measures a scenario. Answers with what each filter showed, round by round: `filters` by name, each
 * `{ cpu, perSecond, latency }` (microseconds of Envoy's CPU time per request, requests per second,
 * for each round at a fixed rate the microseconds of every request); `skipped` and `wrong` by name
 * with the reason.
 */
export async function measure(context, scenario, settings) {
  const { processes, tokens } = context;
  const requests = settings.requests[scenario.fresh ? 'fresh' : 'seen'];
  const size = scenario.fresh
    ? 1 + TASTE + requests * (settings.rounds + 1)
    : scenario.distinct;
  const file = scenario.tokens === null ? null : await tokens.file(scenario.tokens, size);
  const found = { scenario, filters: {}, skipped: {}, wrong: {} };
  for (const [index, rounds] of parts(settings.rounds, settings.casts).entries()) {
    const stage = await Stage.set(context, scenario, file);
    try {
      Object.assign(found.skipped, stage.skipped);
      Object.assign(found.wrong, stage.wrong);
      await play(processes, stage, { scenario, file, size, requests, rounds, settings, found });
      if (index === 0 && scenario.paced && !settings.quick && settings.compare === null) {
        await playPaced(processes, stage, { file, found });
      }
    } finally {
      await stage.clear();
    }
  }
  return found;
}

/** The rounds of one stage, whose figures are added to those that were found. */
async function play(processes, stage, { scenario, file, size, requests, rounds, settings, found }) {
  const turn = new Turn(processes, stage, scenario, { file, size, requests });
  const names = [...stage.envoys.keys()];
  for (const name of names) {
    await turn.warmUp(name, settings.seconds);
    found.filters[name] ??= { cpu: [], perSecond: [], latency: [] };
  }
  for (const round of rounds) {
    for (const name of rotated(names, round)) {
      const { cpu, perSecond } = await turn.take(name, round);
      found.filters[name].cpu.push(cpu);
      found.filters[name].perSecond.push(perSecond);
    }
  }
}

/** The same at a fixed rate. */
async function playPaced(processes, stage, { file, found }) {
  const token = file === null ? null : await firstToken(file);
  const names = [...stage.envoys.keys()];
  for (let round = 0; round < PACED.rounds; round += 1) {
    for (const name of rotated(names, round)) {
      const { port } = stage.envoys.get(name);
      const latency = await pace(processes, {
        port, path: stage.path, token, status: stage.status(name), ...PACED,
      });
      found.filters[name].latency.push(latency);
    }
  }
}

/** The numbers of all rounds, in so many parts. */
function parts(rounds, count) {
  const all = Array.from({ length: rounds }, (_, round) => round);
  const part = Math.ceil(rounds / Math.min(count, rounds));
  return Array.from({ length: Math.ceil(rounds / part) }, (_, index) => (
    all.slice(index * part, (index + 1) * part)
  ));
}

class Turn {
  #processes;
  #stage;
  #scenario;
  #walk;
  #requests;
  #counts = new Map();
  #cursors = new Map();

  constructor(processes, stage, scenario, { file, size, requests }) {
    this.#processes = processes;
    this.#stage = stage;
    this.#scenario = scenario;
    this.#walk = file === null ? null : { file, size };
    this.#requests = requests;
  }

  /** Lets a filter see what it shall have seen, and finds how many requests fit into a turn. */
  async warmUp(name, seconds) {
    const { fresh, distinct } = this.#scenario;
    const { cpu } = await this.#send(name, TASTE, 1);
    const fitting = Math.floor((seconds * 1e6) / cpu);
    const count = Math.max(TASTE, Math.min(this.#requests, fitting));
    this.#counts.set(name, count);
    const first = 1 + TASTE;
    await this.#send(name, fresh ? count : Math.max(count, distinct), first);
    this.#cursors.set(name, 0);
  }

  take(name, round) {
    const count = this.#counts.get(name);
    if (this.#scenario.fresh) {
      return this.#send(name, count, 1 + TASTE + this.#requests * (round + 1));
    }
    const first = this.#cursors.get(name);
    this.#cursors.set(name, first + count);
    return this.#send(name, count, first);
  }

  async #send(name, count, first) {
    const { pid, port } = this.#stage.envoys.get(name);
    const before = await cpuTime(pid);
    const seconds = await send(this.#processes, {
      port,
      path: this.#stage.path,
      count,
      walk: this.#walk && { ...this.#walk, first: first % this.#walk.size },
      status: this.#stage.status(name),
    });
    return { cpu: ((await cpuTime(pid)) - before) / count, perSecond: count / seconds };
  }
}

/** The names, starting with another one in each round. */
export function rotated(names, round) {
  const first = round % names.length;
  return [...names.slice(first), ...names.slice(0, first)];
}
