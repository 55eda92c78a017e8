// `make bench`: measures, and writes docs/performance.md with its plots.

import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

import { ROOT } from '../tools/checkout.mjs';
import { Failure, NOT_STARTED } from '../tools/failure.mjs';
import { runProgram } from '../tools/program.mjs';
import { report, summaryLine } from './document.mjs';
import { FILTERS } from './filters.mjs';
import {
  memoryOfLists, memoryOfTokens, memoryOfWorkers, startUps,
} from './footprint.mjs';
import { machine, versions, wasmSizes } from './machine.mjs';
import { measure } from './rounds.mjs';
import { chosen } from './scenarios.mjs';
import { DOCS, WORK, commandOf, readSettings, requireTools } from './settings.mjs';
import { Tokens } from './tokens.mjs';

await runProgram('bench', main);

/** Answers with the exit code. */
async function main(processes) {
  const settings = readSettings(process.env);
  requireTools();
  const scenarios = chosen(settings);
  if (scenarios.length === 0) {
    throw new Failure(`ONLY=${settings.only.join(',')} names no scenario; they are in bench/scenarios.mjs`, {
      exitCode: NOT_STARTED,
    });
  }
  const whole = !settings.quick && settings.only.length === 0;
  await mkdir(join(WORK, 'envoy'), { recursive: true });
  const run = {
    at: new Date().toISOString(),
    command: commandOf(settings),
    settings,
    machine: machine(),
    versions: versions(),
    wasm: wasmSizes(),
    measured: [],
    footprint: null,
    lists: null,
  };
  const tokens = await Tokens.open();
  say('µs of Envoy\'s CPU time per request:');
  for (const scenario of scenarios) {
    run.measured.push(await measured(processes, scenario, tokens, settings));
  }
  if (!settings.quick && scenarios.some(({ group }) => group === 'revocation')) {
    say('memory of revocation lists ...');
    run.lists = await memoryOfLists(processes, tokens);
  }
  if (whole) {
    say('start and memory ...');
    run.footprint = {
      starts: await startUps(processes, tokens, settings.starts),
      workers: await memoryOfWorkers(processes, tokens),
      tokens: await memoryOfTokens(processes, tokens),
    };
  }
  await writeFile(join(WORK, 'performance.json'), JSON.stringify(run));

  const wrong = run.measured.filter((each) => Object.keys(each.wrong).length > 0);
  // Numbers of filters that do wrong are nobody's to read.
  await write(run, whole && wrong.length === 0 ? DOCS : WORK);
  for (const each of wrong) {
    say(`bench: ${each.scenario.name} went wrong, see above`);
  }
  return wrong.length > 0 ? 1 : 0;
}

/** Measures a scenario; one that fails is told as one, and does not end the run. */
async function measured(processes, scenario, tokens, settings) {
  let result;
  try {
    result = await measure(processes, scenario, tokens, settings);
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    say(...error.details);
    result = { scenario, filters: {}, skipped: {}, wrong: { all: error.message } };
  }
  say(`${scenario.name.padEnd(16)} ${summaryLine(result)}`);
  for (const [what, reasons] of [['skipped', result.skipped], ['WRONG', result.wrong]]) {
    for (const [filter, reason] of Object.entries(reasons)) {
      say(`${' '.repeat(16)} ${what}: ${FILTERS[filter]?.label ?? filter}: ${reason}`);
    }
  }
  return result;
}

async function write(run, directory) {
  const { markdown, plots } = report(run);
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'performance.md');
  await writeFile(file, markdown);
  for (const [name, svg] of Object.entries(plots)) {
    await writeFile(join(directory, name), svg);
  }
  say(`written: ${relative(ROOT, file)} and ${Object.keys(plots).length} plots; all numbers: target/bench/performance.json`);
}

function say(...lines) {
  for (const line of lines) {
    process.stdout.write(`${line}\n`);
  }
}
