// A soak can fail: each promise that is broken makes it fail.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { GROWTH, hasPassed, verdict } from './verdict.mjs';

const SAMPLES = 60;
const MIB = 2 ** 20;

const steady = () => Array.from({ length: SAMPLES }, (_, index) => ({
  at: index * 5, resident: 150 * MIB, allocated: 20 * MIB, modules: [MIB, MIB, MIB, MIB], documents: 2000,
}));

/** The facts of a soak in which every promise was kept. */
const clean = () => ({
  faults: { wrong: 0, lost: 0, late: 0, leaked: 0 },
  overdue: [],
  premature: [],
  strays: 0,
  log: '[2026-01-01 00:00:00.000][7][warning][wasm] jwks of jwt: fetch failed: status 500\n',
  vms: { failures: 0, atStart: 4, atEnd: 4 },
  ended: { waiting: 0, open: 0 },
  reloads: { published: 3, accepted: 3 },
  samples: steady(),
  tally: { good: { admitted: 1 } },
});

/** Samples in which a value grows by some bytes a sample. */
const growing = (change) => steady().map((sample, index) => ({ ...sample, ...change(sample, index) }));

/** The promises that are broken if the facts are changed like this. */
const broken = (change) => verdict({ ...clean(), ...change })
  .filter(({ isKept }) => !isKept)
  .map(({ promise }) => promise);

test('a clean soak passes', () => {
  assert.equal(hasPassed(verdict(clean())), true);
});

test('a soak fails for each promise that is broken', () => {
  const faults = clean().faults;
  const line = (text) => ({ log: `${clean().log}${text}\n` });
  const cases = [
    [{ faults: { ...faults, wrong: 1 } }, /wrong answers/],
    [{ faults: { ...faults, lost: 1 } }, /without an answer/],
    [{ faults: { ...faults, late: 1 } }, /later than `timeout`/],
    [{ faults: { ...faults, leaked: 1 } }, /upstream/],
    [{ strays: 1 }, /upstream/],
    [{ overdue: [{ at: 1, late: 1 }] }, /later than promised/],
    [{ premature: [{ at: 1, early: 1 }] }, /sooner/],
    [{ ended: { waiting: 1, open: 0 } }, /still waiting/],
    [{ ended: { waiting: 0, open: 1 } }, /still open/],
    [line('[2026-01-01 00:00:00.000][7][critical][wasm] Function failed'), /log/],
    [line('[2026-01-01 00:00:00.000][7][error][wasm] Plugin'), /log/],
    [line('thread panicked at src/lib.rs'), /log/],
    [{ vms: { ...clean().vms, failures: 1 } }, /failed or were reloaded/],
    [{ vms: { ...clean().vms, atEnd: 5 } }, /as many as/],
    [{ reloads: { published: 3, accepted: 2 } }, /listeners/],
    [{ tally: { good: { admitted: 1 }, other: {} } }, /kinds/],
  ];
  for (const [change, promise] of cases) {
    const found = broken(change);
    assert.equal(found.length, 1, JSON.stringify(change));
    assert.match(found[0], promise);
  }
});

test('a soak fails if memory leaks', () => {
  // From the middle of the second sixth to that of the last, four sixths of the samples pass.
  const leak = (bound) => (bound / (SAMPLES * (4 / 6))) * 1.1;
  const cases = [
    [({ resident }, index) => ({ resident: resident + index * leak(GROWTH.resident) }), /resident/],
    [({ allocated }, index) => ({ allocated: allocated + index * leak(GROWTH.allocated) }), /heap/],
    [({ modules: [first, ...others] }, index) => (
      { modules: [first + index * leak(GROWTH.module), ...others] }), /VM 1/],
  ];
  for (const [change, promise] of cases) {
    const found = broken({ samples: growing(change) });
    assert.equal(found.length, 1, String(change));
    assert.match(found[0], promise);
  }
});

test('memory that grows in the first sixth only is no leak', () => {
  const samples = growing(({ resident }, index) => ({ resident: resident + Math.min(index, 9) * MIB * 10 }));
  assert.deepEqual(broken({ samples }), []);
});

test('a VM that is there for a moment is not counted', () => {
  const samples = growing(({ modules }, index) => ({ modules: index === 40 ? [5 * MIB, ...modules] : modules }));
  assert.deepEqual(broken({ samples }), []);
});

test('a soak without samples does not pass', () => {
  assert.notDeepEqual(broken({ samples: [] }), []);
});
