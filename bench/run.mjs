// `make bench`: measures, and writes docs/performance.md with its plots, or compares two modules.

import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

import { ROOT } from '../tools/checkout.mjs';
import { Failure } from '../tools/failure.mjs';
import { runProgram } from '../tools/program.mjs';
import {
  comparisonHead, comparisonLines, memoryLines, startLines,
} from './comparison.mjs';
import {
  memorySummary, report, startSummary, summaryLine,
} from './document.mjs';
import { FILTERS } from './filters.mjs';
import {
  footprints, memoryOfLists, memoryOfTokens,
} from './footprint.mjs';
import { machine, versions } from './machine.mjs';
import { measureLatency } from './latency.mjs';
import { modulesOf } from './modules.mjs';
import { measure } from './rounds.mjs';
import { chosen } from './scenarios.mjs';
import {
  DOCS, WORK, commandOf, isWhole, readSettings, requireTools,
} from './settings.mjs';
import { Tokens } from './tokens.mjs';
import { measureWaiting } from './waiting.mjs';

await runProgram('bench', main);

/** Returns the exit code. */
async function main(processes) {
  const settings = readSettings(process.env);
  requireTools();
  const plan = chosen(settings);
  await mkdir(join(WORK, 'envoy'), { recursive: true });
  const modules = await modulesOf(processes, settings, say);
  const context = { processes, modules, tokens: await Tokens.open() };
  const run = {
    at: new Date().toISOString(),
    command: commandOf(settings),
    settings,
    machine: machine(),
    versions: versions(),
    modules,
    measured: [],
    footprints: null,
    memory: null,
  };
  await (settings.compare === null
    ? measureAll(context, run, plan)
    : compareModules(context, run, plan));

  const wrong = run.measured.filter((each) => Object.keys(each.wrong).length > 0);
  await writeFile(join(WORK, 'performance.json'), JSON.stringify(run));
  if (settings.compare === null) {
    // Figures of filters that answer wrongly must not be published.
    await write(run, isWhole(settings) && wrong.length === 0 ? DOCS : WORK);
  }
  say('all numbers: target/bench/performance.json');
  for (const each of wrong) {
    say(`bench: ${each.scenario.name} went wrong, see above`);
  }
  return wrong.length > 0 ? 1 : 0;
}

/** Measures what docs/performance.md shows. */
async function measureAll(context, run, { scenarios, start, memory }) {
  const { settings } = run;
  if (scenarios.length > 0) {
    say('µs of Envoy\'s CPU time per request:');
  }
  for (const scenario of scenarios) {
    const result = await measured(context, scenario, settings);
    run.measured.push(result);
    say(`${scenario.name.padEnd(16)} ${summaryLine(result)}`);
    complain(result);
  }
  if (start) {
    say('start ...');
    run.footprints = await footprints(context, settings);
    say(...startSummary(run.footprints));
  }
  if (memory) {
    say('memory ...');
    run.memory = await measureMemory(context, settings);
    say(...memorySummary(run.memory));
  }
}

/** Measures two modules side by side, and prints how they compare. */
async function compareModules(context, run, { scenarios, start, memory }) {
  const { settings } = run;
  say(...comparisonHead(context.modules, settings));
  for (const scenario of scenarios) {
    const result = await measured(context, scenario, settings);
    run.measured.push(result);
    say(...comparisonLines(result));
    complain(result);
  }
  if (start) {
    run.footprints = await footprints(context, settings);
    say(...startLines(run.footprints, settings.starts));
  }
  if (memory) {
    run.memory = await measureMemory(context, settings);
    say(...memoryLines(run.memory));
  }
}

async function measureMemory(context, settings) {
  return {
    tokens: await memoryOfTokens(context, settings),
    lists: await memoryOfLists(context, settings),
  };
}

/** Measures a scenario. A failure becomes part of the result and does not end the run. */
async function measured(context, scenario, settings) {
  try {
    return await howToMeasure(scenario)(context, scenario, settings);
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    say(...error.details);
    return { scenario, filters: {}, skipped: {}, wrong: { all: error.message } };
  }
}

function howToMeasure({ waiting, paced }) {
  if (paced) {
    return measureLatency;
  }
  return waiting > 0 ? measureWaiting : measure;
}

/** Says which filters were not measured, and why. */
function complain({ scenario, skipped, wrong }) {
  for (const [what, reasons] of [['skipped', skipped], ['WRONG', wrong]]) {
    for (const [filter, reason] of Object.entries(reasons)) {
      say(`${scenario.name.padEnd(16)} ${what}: ${FILTERS[filter]?.label ?? filter}: ${reason}`);
    }
  }
}

async function write(run, directory) {
  const { markdown, plots } = report(run);
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'performance.md');
  await writeFile(file, markdown);
  for (const [name, svg] of Object.entries(plots)) {
    await writeFile(join(directory, name), svg);
  }
  say(`written: ${relative(ROOT, file)} and ${Object.keys(plots).length} plots`);
}

function say(...lines) {
  for (const line of lines) {
    process.stdout.write(`${line}\n`);
  }
}
