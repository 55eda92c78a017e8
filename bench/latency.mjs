// Measures latency at a fixed rate, also while the key set is fetched again and again.

import { quantile } from '../tools/statistics.mjs';
import { pace, send } from './load.mjs';
import { rotated } from './rounds.mjs';
import { Setup } from './setup.mjs';
import { firstToken } from './tokens.mjs';

/** The requests from which the saturation of a filter is estimated. */
const SAMPLE = 10_000;
/** Rates are multiples of this, in requests per second. */
const STEP = 100;

/**
 * Measures the latency with each filter at half of the requests per second that the slowest one can answer.
 * Returns the same as `measure` of rounds.mjs, with `latency` for each filter: its figures in each round.
 */
export async function measureLatency(context, scenario, settings) {
  const { processes, tokens } = context;
  const file = await tokens.file(scenario.tokens, scenario.distinct);
  const setup = await Setup.start(context, scenario, file);
  const { skipped, wrong } = setup;
  const filters = {};
  try {
    const token = await firstToken(file);
    const names = [...setup.envoys.keys()];
    for (const name of names) {
      const { port } = setup.envoys.get(name);
      const walk = { file, first: 0, size: scenario.distinct };
      const request = { port, path: setup.path, walk, status: setup.status(name) };
      // The first turn warms up.
      await send(processes, { ...request, count: SAMPLE });
      const seconds = await send(processes, { ...request, count: SAMPLE });
      filters[name] = { cpu: [], perSecond: [SAMPLE / seconds], latency: [] };
    }
    const perSecond = pacedRate(Object.values(filters).flatMap((filter) => filter.perSecond));
    for (let round = 0; round < settings.paced.rounds; round += 1) {
      for (const name of rotated(names, round)) {
        const { port } = setup.envoys.get(name);
        const latencies = await pace(processes, {
          port, path: setup.path, token, perSecond, seconds: settings.paced.seconds, status: setup.status(name),
        });
        filters[name].latency.push(latencyFigures(latencies));
      }
    }
    return { scenario, filters, skipped, wrong, perSecond };
  } finally {
    await setup.stop();
  }
}

/** Half of the least of some rates, as a multiple of `STEP`. */
export function pacedRate(rates) {
  return Math.max(STEP, Math.floor(Math.min(...rates) / 2 / STEP) * STEP);
}

/** What is kept of the latencies of a round. */
export function latencyFigures(latencies) {
  return {
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    'p99.9': quantile(latencies, 0.999),
    slowest: quantile(latencies, 1),
  };
}
