// Runs the gate in Envoy for HOURS under steady mixed load, checks every answer, and watches the memory.
// Writes the report and the plot into target/soak, and after an hour or more into docs. `make soak`.

import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ENVOY, GATE_WASM, ROOT, requireFiles, shown } from '../tools/checkout.mjs';
import { Failure, NOT_STARTED } from '../tools/failure.mjs';
import { runProgram } from '../tools/program.mjs';
import { plot } from './soak/plot.mjs';
import { document, summary } from './soak/report.mjs';
import { run } from './soak/run.mjs';
import { WORK } from './soak/setup.mjs';
import { badLines, hasPassed, verdict } from './soak/verdict.mjs';

const SECONDS_PER_HOUR = 3600;

await runProgram('soak', async (processes) => {
  const hours = Number(process.env.HOURS || 1);
  if (!(hours > 0)) {
    throw new Failure('HOURS must be a number above zero', { exitCode: NOT_STARTED });
  }
  requireFiles([[GATE_WASM, 'make build'], [ENVOY, 'make envoy']]);
  const seconds = hours * SECONDS_PER_HOUR;
  process.stdout.write(`The gate runs for ${(seconds / 60).toFixed(1)} minutes ...\n`);
  const built = commit();
  const facts = { ...await run(processes, seconds), commit: built };
  const promises = verdict(facts);
  await publish(facts, promises, hours);
  process.stdout.write(`\n${summary(facts, promises)}\n`);
  for (const line of badLines(facts.log)) {
    process.stdout.write(`${line}\n`);
  }
  return hasPassed(promises) ? 0 : 1;
});

/** Writes the figures, the report and the plot. */
async function publish(facts, promises, hours) {
  const note = `${facts.workers} workers, ${facts.rate} requests a second. make soak HOURS=${hours}`;
  await writeFile(join(WORK, 'facts.json'), JSON.stringify({ ...facts, log: undefined }, null, 1));
  for (const directory of [WORK, ...(hours >= 1 ? [join(ROOT, 'docs')] : [])]) {
    await writeFile(join(directory, 'soak.svg'), plot(facts.samples, note));
    const text = document(facts, promises, { command: `make soak HOURS=${hours}` });
    await writeFile(join(directory, 'soak.md'), text);
    process.stdout.write(`${shown(join(directory, 'soak.md'))}\n`);
  }
}

/** The commit of the checkout. */
function commit() {
  return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: ROOT, encoding: 'utf8' }).trim();
}
