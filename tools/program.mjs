// What surrounds the work of a command-line program: signals, child processes, failures.

import { Failure } from './failure.mjs';
import { Processes } from './processes.mjs';

const INTERRUPTED = 130;

/**
 * Runs `main(processes)` and sets the exit code to what it returns. A `Failure` is printed after
 * `name`. Child processes are stopped at the end, and on SIGINT and SIGTERM.
 */
export async function runProgram(name, main) {
  const processes = new Processes();
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      await processes.stop();
      process.exit(INTERRUPTED);
    });
  }
  process.once('exit', () => processes.kill());
  try {
    process.exitCode = await main(processes);
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    for (const line of [`${name}: ${error.message}`, ...error.details]) {
      process.stderr.write(`${line}\n`);
    }
    process.exitCode = error.exitCode;
  } finally {
    await processes.stop();
  }
}
