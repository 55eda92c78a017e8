// What the numbers were measured on, and with.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpus, release, totalmem } from 'node:os';

import { ENVOY, ROOT } from '../tools/checkout.mjs';

export function machine() {
  const model = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
  return {
    processor: model ? model[1] : process.arch,
    cores: cpus().length,
    memory: totalmem(),
    kernel: `Linux ${release()}`,
  };
}

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

/** What a program says of itself. wrk calls it an error to be asked for its version alone. */
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
