// What is shown while a build runs quietly, and after it has failed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';

import { Progress, activity } from './progress.mjs';

const SCRIPT = new URL('./quietly.mjs', import.meta.url).pathname;

/** Runs a shell script quietly. Returns the exit status and what was shown. */
function quietly(script, { environment = {}, whenStarted = () => {} } = {}) {
  const child = spawn(process.execPath, [SCRIPT, 'sh', '-c', script], {
    env: { ...process.env, V: '', ...environment }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const shown = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      shown[name] += text;
      whenStarted(child, shown);
    });
  }
  return new Promise((resolve) => {
    child.once('close', (status) => resolve({ status, ...shown }));
  });
}

const BUILD = 'echo "   Compiling gate v0.1.0 (/src)" >&2; echo "   Compiling worker v0.1.0" >&2; '
  + 'echo "Installing Envoy 1.40.0 into .tools/envoy-1.40.0 (37 MB) ..."; echo chatter';

test('a build that goes well shows a line for each phase, and nothing of its output', async () => {
  const { status, stdout, stderr } = await quietly(BUILD);
  assert.deepEqual([status, stderr], [0, '']);
  assert.deepEqual(stdout.split('\n').sort(), [
    '', 'Compiling the filter ...', 'Installing Envoy 1.40.0 into .tools/envoy-1.40.0 (37 MB) ...',
  ]);
});

test('a build with nothing to do shows nothing', async () => {
  assert.deepEqual(await quietly('echo "    Finished release [optimized]"'), { status: 0, stdout: '', stderr: '' });
});

test('a build that fails shows all of its output, and its exit status is passed on', async () => {
  const { status, stderr } = await quietly(`${BUILD}; echo "error[E0308]: mismatched types" >&2; exit 101`);
  assert.equal(status, 101);
  for (const line of ['Compiling gate v0.1.0 (/src)', 'Installing Envoy', 'chatter', 'error[E0308]: mismatched types']) {
    assert.ok(stderr.includes(line), stderr);
  }
});

test('a command that does not exist is an error', async () => {
  const child = spawn(process.execPath, [SCRIPT, '/nowhere/make'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => { stderr += text; });
  const status = await new Promise((resolve) => { child.once('close', resolve); });
  assert.equal(status, 127);
  assert.match(stderr, /^bearer-gate: \/nowhere\/make cannot be run/);
});

test('V=1 shows everything as it comes', async () => {
  const { status, stdout, stderr } = await quietly(BUILD, { environment: { V: '1' } });
  assert.equal(status, 0);
  assert.match(stderr, /^ {3}Compiling gate/);
  assert.match(stdout, /^Installing Envoy.*\nchatter\n$/);
});

test('an interruption ends the build, and shows nothing of its output', async () => {
  const interrupt = (child, { stdout }) => {
    if (stdout.includes('Compiling')) {
      child.kill('SIGINT');
    }
  };
  const script = 'trap "exit 130" INT; echo secret chatter; echo "Compiling gate v0.1.0"; while :; do sleep 0.1; done';
  const { status, stdout, stderr } = await quietly(script, { whenStarted: interrupt });
  assert.deepEqual([status, stdout, stderr], [130, 'Compiling the filter ...\n', '']);
});

test('on a terminal one line changes, no wider than the terminal, and nothing but the time it took remains', () => {
  let time = 0;
  let written = '';
  const progress = new Progress({ write: (text) => { written += text; }, columns: 40, now: () => time });
  progress.show();
  assert.equal(written, '');
  time = 2000;
  // Pieces of output end anywhere, and cargo may colour them.
  progress.read('\x1b[1m\x1b[32m   Compiling\x1b[0m gate v0');
  assert.equal(written, '');
  progress.read('.1.0\nchatter\n');
  assert.equal(written, '\r\x1b[KCompiling the filter (2 s): compiling g');
  written = '';
  time = 83_400;
  progress.show();
  assert.match(written, /^\r\x1b\[KCompiling the filter \(83 s\)/);
  written = '';
  progress.finish();
  assert.equal(written, '\r\x1b[KBuilt in 83 s.\n');
});

test('only lines that say what is done are understood', () => {
  assert.deepEqual(activity('   Compiling gate v0.1.0'), { phase: 'Compiling the filter', detail: 'compiling gate' });
  assert.deepEqual(activity('Installing Swagger UI into demo/node_modules ...'), {
    phase: 'Installing Swagger UI into demo/node_modules', detail: null,
  });
  for (const line of ['', 'warning: unused import', 'PATH=/a cargo build --locked', '    Finished `release` profile']) {
    assert.equal(activity(line), null, line);
  }
});
