// Tells engines which way the branches of a module go almost always: `node hint.mjs MODULE` changes
// the file.

import { readFileSync, writeFileSync } from 'node:fs';

import { readCode } from './code.mjs';
import { withCounters } from './counter.mjs';
import { withHints } from './hints.mjs';
import { rehearse } from './rehearsal.mjs';

const [file] = process.argv.slice(2);
const bytes = readFileSync(file);
const code = readCode(bytes);
const { module, counters } = withCounters(bytes, code);
try {
  writeFileSync(file, withHints(bytes, code, rehearse(module, counters)));
} catch (error) {
  process.stderr.write(`scripts/module/hint.mjs: ${error.message}\n`);
  process.exitCode = 1;
}
