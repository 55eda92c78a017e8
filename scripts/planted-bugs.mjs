// Plants bugs in a clone of the checkout, one at a time, and measures after how many stories the simulation finds
// each of them. Writes docs/planted-bugs.md. `make planted-bugs`.

import { execFile } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { ROOT } from '../tools/checkout.mjs';
import { Failure } from '../tools/failure.mjs';
import { runProgram } from '../tools/program.mjs';

const run = promisify(execFile);

const PATCHES = join(ROOT, 'crates/simulation/planted');
const CLONE = join(ROOT, 'target/planted/clone');
const TARGET = join(ROOT, 'target/planted/target');
const SEEDS = 10_000;

await runProgram('planted-bugs', async () => {
  if ((await git(ROOT, 'status', '--porcelain')).trim() !== '') {
    throw new Failure('commit first: only commits can be cloned');
  }
  await rm(CLONE, { recursive: true, force: true });
  await run('git', ['clone', '--quiet', ROOT, CLONE]);
  const names = (await readdir(PATCHES)).filter((name) => name.endsWith('.patch')).sort();
  const found = [];
  for (const name of names) {
    const bug = await find(name);
    process.stdout.write(`${bug.what}: ${said(bug)}\n`);
    found.push(bug);
  }
  await writeFile(join(ROOT, 'docs/planted-bugs.md'), document(found));
  const missed = found.filter(({ stories }) => stories === undefined).length;
  process.stdout.write(`${found.length - missed} of ${found.length} planted bugs were found\n`);
  return missed === 0 ? 0 : 1;
});

/** Plants the bug of a patch and runs the stories from seed 1 on. */
async function find(name) {
  const patch = join(PATCHES, name);
  const what = (await readFile(patch, 'utf8')).split('\n', 1)[0].replace(/\.$/, '');
  await git(CLONE, 'checkout', '--quiet', '.');
  try {
    await git(CLONE, 'apply', patch);
  } catch {
    throw new Failure(`crates/simulation/planted/${name} does not apply: write it again for the code as it is now`);
  }
  const cargo = ['run', '--quiet', '--locked', '--profile', 'simulation', '-p', 'gate-simulation', '--'];
  const simulate = [...cargo, '--first', '1', '--seeds', String(SEEDS)];
  const options = { cwd: CLONE, env: { ...process.env, CARGO_TARGET_DIR: TARGET }, maxBuffer: 1 << 26 };
  try {
    await run('cargo', simulate, options);
    return { what };
  } catch ({ stdout }) {
    const failure = /^seed (\d+) broke a promise: (.*)$/m.exec(stdout);
    if (!failure) {
      throw new Failure(`${name}: the simulation was not built`);
    }
    return { what, stories: Number(failure[1]), promise: failure[2] };
  }
}

async function git(directory, ...options) {
  const { stdout } = await run('git', ['-C', directory, ...options]);
  return stdout;
}

function said({ stories, promise }) {
  return stories === undefined ? `not found in ${SEEDS} stories` : `found by story ${stories}: ${promise}`;
}

function document(bugs) {
  const rows = bugs.map((bug) => `| ${bug.what} | ${bug.stories ?? 'never'} | ${bug.promise ?? ''} |`);
  return `# Planted bugs

\`make planted-bugs\` writes this page. It plants each bug of \`crates/simulation/planted/\` in a clone, one at a time, and
runs the stories of the simulation from seed 1 on until one of them breaks a promise.

| bug | found by story | which promise was broken |
|---|---|---|
${rows.join('\n')}
`;
}
