// Runs a build and shows one line of progress in place of its output: node scripts/quietly.mjs make build
//
// If the build fails, all of its output is shown, and the exit status is that of the build. V=1 shows everything at once.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';

import { INTERVAL_MS, Progress } from './progress.mjs';

const [command, ...parameters] = process.argv.slice(2);
const isVerbose = Boolean(process.env.V) && process.env.V !== '0';

const child = spawn(command, parameters, {
  stdio: isVerbose ? 'inherit' : ['inherit', 'pipe', 'pipe'],
});
const output = [];
const { stdout } = process;
const progress = new Progress({
  write: (text) => stdout.write(text),
  columns: stdout.isTTY ? stdout.columns || 80 : null,
});
for (const stream of isVerbose ? [] : [child.stdout, child.stderr]) {
  stream.setEncoding('utf8').on('data', (text) => {
    output.push(text);
    progress.read(text);
  });
}
const timer = setInterval(() => progress.show(), INTERVAL_MS);

// The build ends first, so that nothing of it is left running. A terminal sends the signal to both.
let interruption = null;
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    interruption = signal;
    child.kill(signal);
  });
}

child.once('error', (error) => {
  clearInterval(timer);
  process.stderr.write(`bearer-gate: ${command} cannot be run: ${error.message}\n`);
  process.exit(127);
});
child.once('close', (status, signal) => {
  clearInterval(timer);
  const ended = interruption ?? signal;
  if (ended) {
    progress.clear();
    process.exitCode = 128 + constants.signals[ended];
  } else if (status !== 0) {
    progress.clear();
    process.stderr.write(output.join(''));
    process.exitCode = status;
  } else if (!isVerbose) {
    progress.finish();
  }
});
