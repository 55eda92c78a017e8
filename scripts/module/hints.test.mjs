// What is counted is what a module does, and what is told is what was counted.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readCode } from './code.mjs';
import { withCounters } from './counter.mjs';
import { withHints } from './hints.mjs';

/**
 * A module of one function, `f(x)`, with an `if` and, in what that leads to, a `br_if`, both by whether x
 * is other than 0 (the second by whether it is 0). They are 3 and 8 bytes behind the declaration of the
 * locals.
 */
const MODULE = Buffer.from([
  0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  1, 5, 1, 0x60, 1, 0x7f, 0,
  3, 2, 1, 0,
  5, 3, 1, 0, 1,
  7, 9, 2, 1, 0x66, 0, 0, 1, 0x6d, 2, 0,
  10, 15, 1, 13, 0, 0x20, 0, 0x04, 0x40, 0x20, 0, 0x45, 0x0d, 0, 0x0b, 0x01, 0x0b,
]);

/** What the module is told after calls with these numbers: the counts, and the hints. */
function told(numbers) {
  const code = readCode(MODULE);
  const { module, counters } = withCounters(MODULE, code);
  const { f, m } = new WebAssembly.Instance(new WebAssembly.Module(module)).exports;
  numbers.forEach((number) => f(number));
  const counts = [...new Uint32Array(m.buffer, counters.base, 2 * counters.branches)];
  const hinted = withHints(MODULE, code, counts);
  assert.ok(WebAssembly.validate(hinted));
  const [section] = WebAssembly.Module.customSections(
    new WebAssembly.Module(hinted), 'metadata.code.branch_hint',
  );
  return { counts, hints: [...new Uint8Array(section)] };
}

const times = (count, number) => Array(count).fill(number);

test('a branch that is almost never taken is told as that', () => {
  const { counts, hints } = told([...times(198, 0), ...times(2, 1)]);
  assert.deepEqual(counts, [198, 2, 2, 0]);
  // Of function 0 one hint: at 3, of one byte, unlikely. The other branch was come upon twice only.
  assert.deepEqual(hints, [1, 0, 1, 3, 1, 0]);
});

test('a branch that is almost always taken is told as that', () => {
  const { counts, hints } = told(times(100, 1));
  assert.deepEqual(counts, [0, 100, 100, 0]);
  assert.deepEqual(hints, [1, 0, 2, 3, 1, 1, 8, 1, 0]);
});

test('of a branch that goes both ways nothing is told', () => {
  const { hints } = told([...times(97, 0), ...times(3, 1)]);
  assert.deepEqual(hints, [0]);
});
