// What a filter costs apart from requests: start-up and memory.

import { setTimeout as sleep } from 'node:timers/promises';

import { bootstrap } from '../tools/bootstrap.mjs';
import { residentMemory } from '../tools/memory.mjs';
import { Envoy, Refused } from './envoy.mjs';
import { COMPARED, FILTERS } from './filters.mjs';
import { LISTS_CLUSTER, serveList } from './lists.mjs';
import { send } from './load.mjs';
import { rotated } from './rounds.mjs';
import { SCENARIOS, selected } from './scenarios.mjs';

/** Numbers of Envoy's workers. */
const WORKERS = [1, 2, 8];
export const CACHED_TOKENS = 50_000;
export const FIRST_REQUESTS = 2000;
const LIST_WORKERS = [1, 2];
/** By then every thread has adopted the list that one of them fetched: they look twice a second. */
const SETTLED_MS = 5000;

const plain = SCENARIOS.find(({ name }) => name === 'warm-1');
const cached = SCENARIOS.find(({ name }) => name === `warm-${CACHED_TOKENS}`);
const LISTED = Object.keys(FILTERS).filter((name) => FILTERS[name].listed);
const CACHING = ['native-cached', 'gate'];

/**
 * What Envoy costs with each filter, by number of workers and filter: lists with a value for each round. `cpu`
 * in microseconds and `elapsed` in milliseconds are what it takes until it is live, `bytes` is its resident
 * memory after some requests.
 */
export async function footprints({ processes, tokens, modules }, settings) {
  const filters = selected(COMPARED, settings);
  const walk = { file: await tokens.file('RS256', 1), first: 0, size: 1 };
  const found = {};
  for (const workers of WORKERS) {
    found[workers] = Object.fromEntries(filters.map((name) => [name, { cpu: [], elapsed: [], bytes: [] }]));
    for (let round = 0; round < settings.starts; round += 1) {
      for (const filter of rotated(filters, round)) {
        const envoy = await startWith({ tokens, modules, processes }, filter, { ...plain, workers });
        await send(processes, {
          port: envoy.port, path: '/orders/1', count: FIRST_REQUESTS, walk, status: 200,
        });
        const { cpu, elapsed, bytes } = found[workers][filter];
        cpu.push(envoy.startCpu);
        elapsed.push(envoy.startedInMs);
        bytes.push(await residentMemory(envoy.pid));
        await envoy.stop();
      }
    }
  }
  return found;
}

/** The growth of resident memory per cached token, in bytes, by filter. */
export async function memoryOfTokens(context, settings) {
  const { processes, tokens } = context;
  const memory = {};
  const file = await tokens.file('RS256', CACHED_TOKENS);
  for (const filter of selected(CACHING, settings)) {
    try {
      const envoy = await startWith(context, filter, cached);
      const request = { port: envoy.port, path: '/orders/1', status: 200 };
      await send(processes, {
        ...request, count: FIRST_REQUESTS, walk: { file, first: 0, size: 1 },
      });
      const before = await residentMemory(envoy.pid);
      await send(processes, {
        ...request, count: CACHED_TOKENS, walk: { file, first: 0, size: CACHED_TOKENS },
      });
      memory[filter] = ((await residentMemory(envoy.pid)) - before) / CACHED_TOKENS;
      await envoy.stop();
    } catch (error) {
      if (!(error instanceof Refused)) {
        throw error;
      }
    }
  }
  return memory;
}

/** Envoy's resident memory in bytes with revocation lists, by filter and number of workers. */
export async function memoryOfLists(context, settings) {
  const { processes, tokens } = context;
  const memory = {};
  const walk = { file: await tokens.file('RS256', 1), first: 0, size: 1 };
  const listed = LISTED.filter((name) => FILTERS[name].module === 'gate');
  for (const filter of selected(listed, settings)) {
    memory[filter] = {};
    const server = await serveList(FILTERS[filter].listed);
    try {
      for (const workers of LIST_WORKERS) {
        const envoy = await startWith(context, filter, { ...plain, workers }, {
          [LISTS_CLUSTER]: server.port,
        });
        await send(processes, {
          port: envoy.port, path: '/orders/1', count: FIRST_REQUESTS, walk, status: 200,
        });
        await sleep(SETTLED_MS);
        memory[filter][workers] = await residentMemory(envoy.pid);
        await envoy.stop();
      }
    } finally {
      await server.stop();
    }
  }
  return memory;
}

function startWith({ processes, tokens, modules }, filter, scenario, clusters = {}) {
  const filters = FILTERS[filter].chain(scenario, tokens.keys, modules);
  const config = bootstrap({ filters, clusters });
  return Envoy.start(processes, filter, config, { workers: scenario.workers });
}
