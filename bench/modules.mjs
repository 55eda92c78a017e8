// The modules that a run measures.

import { copyFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { GATE_WASM, ROOT, requireFiles, shown } from '../tools/checkout.mjs';
import { Failure, NOT_STARTED } from '../tools/failure.mjs';
import { NOOP_WASM, WORK } from './settings.mjs';

/** The checkout in which other commits are built. It is kept, so that later builds are shorter. */
const WORKTREE = join(WORK, 'worktree');
/** The modules of other commits, by commit id. */
const BUILT = join(WORK, 'modules');
/** How many lines of the output of a failed build are shown. */
const BUILD_LINES = 20;

/**
 * The modules as `{ name, file, bytes }`: `gate` is the one of this checkout, or the file `module`;
 * `other` is what it is compared with, or `null`; `noop` is the empty filter. `compare` is a file or a
 * commit, whose module is built if that has not been done before.
 */
export async function modulesOf(processes, { module, compare }, say) {
  if (module === null) {
    requireFiles([[GATE_WASM, 'make build']]);
  }
  return {
    gate: described('this', module === null ? GATE_WASM : existing('MODULE', module)),
    other: compare === null ? null : await otherModule(processes, compare, say),
    noop: described('empty', NOOP_WASM),
  };
}

async function otherModule(processes, compare, say) {
  if (compare.endsWith('.wasm')) {
    return described(shown(resolve(compare)), existing('COMPARE', compare));
  }
  const id = await commitId(processes, compare);
  const file = join(BUILT, `${id}.wasm`);
  if (!existsSync(file)) {
    say(`building the module of ${id.slice(0, 10)}, which takes some minutes ...`);
    await build(processes, id, file);
  }
  return described(id.slice(0, 10), file);
}

function described(name, file) {
  return { name, file, bytes: statSync(file).size };
}

function existing(setting, path) {
  const file = resolve(path);
  if (!existsSync(file)) {
    throw new Failure(`${setting}=${path} does not exist`, { exitCode: NOT_STARTED });
  }
  return file;
}

async function commitId(processes, commit) {
  const { stdout, exitCode } = await processes.run('git', [
    '-C', ROOT, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{commit}`,
  ]);
  if (exitCode !== 0) {
    throw new Failure(`COMPARE=${commit} is neither a commit nor a .wasm file`, {
      exitCode: NOT_STARTED,
    });
  }
  return stdout.trim();
}

/** Builds the module of a commit, with the Makefile of that commit. */
async function build(processes, id, file) {
  // `make clean` removes the worktree without git's knowledge.
  await mustRun(processes, 'git', ['-C', ROOT, 'worktree', 'prune']);
  await mustRun(processes, 'git', existsSync(join(WORKTREE, '.git'))
    ? ['-C', WORKTREE, 'checkout', '--quiet', '--force', '--detach', id]
    : ['-C', ROOT, 'worktree', 'add', '--quiet', '--detach', WORKTREE, id]);
  // The settings of the `make` that may have started this run are not for that one.
  const env = Object.fromEntries(Object.entries(process.env)
    .filter(([name]) => !/^(MAKE|MFLAGS)/.test(name)));
  await mustRun(processes, 'make', ['-C', WORKTREE, 'build'], { env });
  const built = GATE_WASM.replace(ROOT, `${WORKTREE}/`);
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync(built, `${file}.new`);
  renameSync(`${file}.new`, file);
}

async function mustRun(processes, program, args, options) {
  const { stdout, stderr, exitCode } = await processes.run(program, args, options);
  if (exitCode !== 0) {
    throw new Failure(`\`${program} ${args.join(' ')}\` failed:`, {
      details: `${stdout}${stderr}`.trimEnd().split('\n').slice(-BUILD_LINES),
    });
  }
}
