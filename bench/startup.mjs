// `node bench/startup.mjs a.wasm b.wasm ...`: the CPU time that Envoy takes, on one core, from its start until it
// is live, with each of some modules. The environment may have ROUNDS (9) and WORKERS (1).

import { mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

import { bootstrap } from '../tools/bootstrap.mjs';
import { GATE_WASM, requireFiles, shown } from '../tools/checkout.mjs';
import { runProgram } from '../tools/program.mjs';
import { sideBySide, summary } from '../tools/statistics.mjs';
import { Envoy } from './envoy.mjs';
import { FILTERS } from './filters.mjs';
import { rotated } from './rounds.mjs';
import { SCENARIOS } from './scenarios.mjs';
import { WORK } from './settings.mjs';
import { Tokens } from './tokens.mjs';

const [SCENARIO] = SCENARIOS;

/**
 * What it costs to start Envoy with each of some configurations (`configs`, by name) until it is live:
 * lists with a value for each round, `cpu` in microseconds and `elapsed` in milliseconds, by name. In
 * every round each has its turn, another first each time.
 */
export async function pairedStarts(processes, configs, { rounds, workers = 1 }) {
  const names = Object.keys(configs);
  const starts = Object.fromEntries(names.map((name) => [name, { cpu: [], elapsed: [] }]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of rotated(names, round)) {
      const envoy = await Envoy.start(processes, name, configs[name], { workers });
      await envoy.stop();
      starts[name].cpu.push(envoy.startCpu);
      starts[name].elapsed.push(envoy.startedInMs);
    }
  }
  return starts;
}

/** Lines for the terminal; ratios are to the first module, in the same round. */
export function startupLines(starts) {
  const [first] = Object.values(starts);
  return Object.entries(starts).map(([name, { cpu }]) => {
    const ms = summary(cpu.map((microseconds) => microseconds / 1000));
    const ratio = summary(sideBySide(cpu, first.cpu, (one, other) => one / other));
    const least = Math.min(...cpu) / 1000;
    return [
      name.padEnd(32),
      `${ms.median.toFixed(0)} ms (${ms.low.toFixed(0)}–${ms.high.toFixed(0)}, least ${least.toFixed(0)})`.padEnd(36),
      `${ratio.median.toFixed(3)} (${ratio.low.toFixed(3)}–${ratio.high.toFixed(3)})`,
    ].join(' ');
  });
}

async function main(processes) {
  const given = process.argv.slice(2);
  const files = (given.length > 0 ? given : [GATE_WASM]).map((file) => resolve(file));
  requireFiles(files.map((file) => [file, 'make build']));
  const rounds = Number(process.env.ROUNDS || 9);
  const workers = Number(process.env.WORKERS || 1);
  await mkdir(join(WORK, 'envoy'), { recursive: true });
  const { keys } = await Tokens.open();
  const configs = Object.fromEntries(files.map((file, index) => [
    `${index + 1}-${basename(file, '.wasm')}`,
    bootstrap({ filters: FILTERS.gate.chain(SCENARIO, keys, { gate: { file } }) }),
  ]));
  process.stdout.write(`CPU time until live, ${rounds} rounds; ratio to ${shown(files[0])}:\n`);
  const starts = await pairedStarts(processes, configs, { rounds, workers });
  process.stdout.write(startupLines(starts).map((line) => `${line}\n`).join(''));
  return 0;
}

if (process.argv[1] === import.meta.filename) {
  await runProgram('startup', main);
}
