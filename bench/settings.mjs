// The settings of a run, and whether the machine meets its needs.

import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { ENVOY, ROOT, requireFiles } from '../tools/checkout.mjs';
import { Failure, NOT_STARTED } from '../tools/failure.mjs';

export const NOOP_WASM = join(ROOT, 'target/bench/noop/wasm32-wasip1/release/bench_noop.wasm');
/** The directory of everything that is not committed: tokens, logs, raw numbers. */
export const WORK = join(ROOT, 'target/bench');
export const DOCS = join(ROOT, 'docs');

/** The core of the measured Envoys, and the core of the load generator and the upstream. */
export const PROXY_CORE = '0';
export const LOAD_CORE = '1';

/** The number of connections that wrk keeps open. */
export const CONNECTIONS = 16;

/**
 * How much is measured. `requests` is the number of requests of one filter in one round, fewer if they
 * would take longer than `seconds`. The rounds are split into `batches`; all Envoys are restarted for
 * each batch, since the speed of a process depends on where its code lies in memory. `paced` is for latency.
 */
const FULL = {
  rounds: 9, batches: 3, requests: { seen: 10_000, fresh: 3_000 }, seconds: 2, starts: 9, paced: { rounds: 3, seconds: 5 },
};
const QUICK = {
  rounds: 5, batches: 1, requests: { seen: 4_000, fresh: 1_000 }, seconds: 0.5, starts: 5, paced: { rounds: 3, seconds: 2 },
};

/** The settings of a run. Throws a `Failure` that names a wrong one. */
export function readSettings(environment) {
  const quick = ['1', 'true', 'yes'].includes(environment.QUICK);
  const size = quick ? QUICK : FULL;
  const rounds = environment.ROUNDS || String(size.rounds);
  if (!/^[1-9]\d{0,2}$/.test(rounds)) {
    throw new Failure(`ROUNDS=${rounds} is not a number from 1 to 999`, {
      exitCode: NOT_STARTED,
    });
  }
  const names = (text) => (text || '').split(/[\s,]+/).filter(Boolean);
  return {
    ...size,
    rounds: Number(rounds),
    starts: environment.ROUNDS ? Number(rounds) : size.starts,
    paced: { ...size.paced, rounds: environment.ROUNDS ? Number(rounds) : size.paced.rounds },
    quick,
    only: names(environment.ONLY),
    filters: names(environment.FILTERS),
    module: environment.MODULE || null,
    compare: environment.COMPARE || null,
  };
}

/** Whether a run with these settings measures everything, and so replaces docs/performance.md. */
export function isWhole({ quick, only, filters, module, compare }) {
  return !quick && only.length === 0 && filters.length === 0 && module === null && compare === null;
}

/** The command that makes a run with these settings. */
export function commandOf({ quick, only, filters, module, compare, rounds }) {
  const standard = quick ? QUICK : FULL;
  return [
    'make bench',
    ...(compare ? [`COMPARE=${compare}`] : []),
    ...(module ? [`MODULE=${module}`] : []),
    ...(quick ? ['QUICK=1'] : []),
    ...(only.length > 0 ? [`ONLY=${only.join(',')}`] : []),
    ...(filters.length > 0 ? [`FILTERS=${filters.join(',')}`] : []),
    ...(rounds !== standard.rounds ? [`ROUNDS=${rounds}`] : []),
  ].join(' ');
}

/** Throws a `Failure` that says what is missing. */
export function requireTools() {
  requireFiles([[NOOP_WASM, 'make bench'], [ENVOY, 'make envoy']]);
  if (availableParallelism() < 2) {
    throw new Failure('The benchmark needs two cores: one for Envoy, one for the load generator.', {
      exitCode: NOT_STARTED,
    });
  }
}
