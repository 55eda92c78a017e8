// The machine and the versions of the programs that measured.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpus, release, totalmem } from 'node:os';

import { ENVOY, ROOT } from '../tools/checkout.mjs';

/** The machine, as the report describes it. */
export function machine() {
  const model = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
  return {
    processor: model ? model[1] : process.arch,
    cores: cpus().length,
    memory: totalmem(),
    kernel: `Linux ${release()}`,
  };
}

/** The versions of everything that matters to the numbers. */
export function versions() {
  const gate = /^version = "(.*)"$/m.exec(readFileSync(join(ROOT, 'Cargo.toml'), 'utf8'))[1];
  return {
    'bearer-gate': gate,
    Envoy: /version: \w+\/([^/]+)/.exec(output(ENVOY, '--version'))[1],
    rustc: output('rustc', '--version').split(' ')[1],
    wrk: /wrk (\S+)/.exec(output('wrk', '-v'))[1].replace('debian/', ''),
    h2load: output('h2load', '--version').trim().split('/').pop(),
    'Node.js': process.versions.node,
  };
}

/** The output of a program, even if it fails: `wrk -v` prints its version and reports an error. */
function output(program, argument) {
  try {
    return execFileSync(program, [argument], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (error) {
    if (typeof error.stdout === 'string' && error.stdout !== '') {
      return error.stdout;
    }
    throw error;
  }
}
