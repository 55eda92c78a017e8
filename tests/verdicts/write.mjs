// Writes the table of verdicts, verdicts.json, with new keys: node tests/verdicts/write.mjs
//
// The tests of Envoy (tests/envoy/verdicts.rs) and of the second host (tests/second-host) read it, so that
// both send the same bytes. table.mjs has the rows.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../../tools/checkout.mjs';
import { gates } from './table.mjs';

const text = JSON.stringify({ gates: gates() }, null, 1);
writeFileSync(join(ROOT, 'tests/verdicts/verdicts.json'), `${text}\n`);
