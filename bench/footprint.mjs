// What a filter costs apart from requests: start-up and memory.

import { setTimeout as sleep } from 'node:timers/promises';

import { bootstrap } from '../tools/bootstrap.mjs';
import { residentMemory } from '../tools/memory.mjs';
import { Envoy, Refused } from './envoy.mjs';
import { COMPARED, FILTERS } from './filters.mjs';
import { LISTS_CLUSTER, serveList } from './lists.mjs';
import { send } from './load.mjs';
import { rotated } from './rounds.mjs';
import { SCENARIOS } from './scenarios.mjs';

const WORKERS = [1, 2, 8];
const CACHED_TOKENS = 50_000;
const FIRST_REQUESTS = 2000;
const LIST_WORKERS = [1, 2];
/** By then every thread has adopted the list that one of them fetched: they look twice a second. */
const SETTLED_MS = 5000;

const plain = SCENARIOS.find(({ name }) => name === 'warm-1');
const cached = SCENARIOS.find(({ name }) => name === `warm-${CACHED_TOKENS}`);

/**
 * What starting Envoy costs until it is live, by filter, in each of some rounds: `cpu` in microseconds,
 * `elapsed` in milliseconds.
 */
export async function startUps(context, filters, rounds) {
  const starts = Object.fromEntries(filters.map((name) => [name, { cpu: [], elapsed: [] }]));
  for (let round = 0; round < rounds; round += 1) {
    for (const filter of rotated(filters, round)) {
      const envoy = await startWith(context, filter, plain);
      await envoy.stop();
      starts[filter].cpu.push(envoy.startCpu);
      starts[filter].elapsed.push(envoy.startedInMs);
    }
  }
  return starts;
}

/** Envoy's resident memory in bytes after some requests, by filter and number of workers. */
export async function memoryOfWorkers(context) {
  const { processes, tokens } = context;
  const memory = {};
  const walk = { file: await tokens.file('RS256', 1), first: 0, size: 1 };
  for (const filter of COMPARED) {
    memory[filter] = {};
    for (const workers of WORKERS) {
      const envoy = await startWith(context, filter, { ...plain, workers });
      await send(processes, {
        port: envoy.port, path: '/orders/1', count: FIRST_REQUESTS, walk, status: 200,
      });
      memory[filter][workers] = await residentMemory(envoy.pid);
      await envoy.stop();
    }
  }
  return memory;
}

/** The growth of resident memory per cached token, in bytes, by filter. */
export async function memoryOfTokens(context) {
  const { processes, tokens } = context;
  const memory = {};
  const file = await tokens.file('RS256', CACHED_TOKENS);
  for (const filter of ['native-cached', 'gate']) {
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
export async function memoryOfLists(context) {
  const { processes, tokens } = context;
  const memory = {};
  const walk = { file: await tokens.file('RS256', 1), first: 0, size: 1 };
  for (const [filter, { listed }] of Object.entries(FILTERS)
    .filter(([, each]) => each.listed && each.module === 'gate')) {
    memory[filter] = {};
    const server = await serveList(listed);
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
