// Samples of memory and of Envoy's statistics, every few seconds.

import { setTimeout as sleep } from 'node:timers/promises';

import { moduleMemories, residentMemory } from '../../tools/memory.mjs';
import { median } from '../../tools/statistics.mjs';
import { now } from './clock.mjs';

/** Seconds between two samples. */
const INTERVAL = 5;

export class Samples {
  #envoy;
  #documents;
  #begin = now();
  /**
   * `{ at, resident, modules, allocated, documents }`: seconds from the start and bytes. `modules` has the
   * memory of each VM. `allocated` is Envoy's heap, with the shared data and without the VMs.
   * `documents` is the size of the key set and the revocation list as they are published.
   */
  all = [];

  constructor(envoy, documents) {
    this.#envoy = envoy;
    this.#documents = documents;
  }

  async run(end) {
    for (let next = now(); next < end; next += INTERVAL) {
      await sleep(Math.max(0, next - now()) * 1000);
      this.all.push(await this.#sample());
    }
  }

  async #sample() {
    const { pid } = this.#envoy;
    const [resident, modules, memory] = await Promise.all([
      residentMemory(pid), moduleMemories(pid), this.#envoy.admin('/memory'),
    ]);
    return {
      at: now() - this.#begin,
      resident,
      modules,
      allocated: Number(memory.allocated),
      documents: Object.values(this.#documents).reduce((sum, { size }) => sum + size, 0),
    };
  }
}

/**
 * The samples with the usual number of VMs. Envoy has one more for a moment while it checks a new
 * configuration.
 */
export function withUsualVms(samples) {
  const usual = median(samples.map(({ modules }) => modules.length));
  return samples.filter(({ modules }) => modules.length === usual);
}

/** Counters and gauges of Envoy by name, for a regular expression. */
export async function statistics(envoy, filter) {
  const { stats } = await envoy.admin(`/stats?format=json&filter=${encodeURIComponent(filter)}`);
  return Object.fromEntries(stats
    .filter(({ value }) => value !== undefined)
    .map(({ name, value }) => [name, Number(value)]));
}
