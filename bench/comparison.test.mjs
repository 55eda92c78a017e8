// What a comparison measures, and what it prints.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Failure } from '../tools/failure.mjs';
import { comparisonLines, memoryLines, startLines } from './comparison.mjs';
import { latencyFigures, pacedRate } from './latency.mjs';
import { chosen, selected } from './scenarios.mjs';
import { isWhole, readSettings } from './settings.mjs';
import { startupLines } from './startup.mjs';

test('a comparison measures only bearer-gate, with both modules', () => {
  const names = ['none', 'native', 'gate', 'gate-short-list'];
  assert.deepEqual(
    selected(names, readSettings({ COMPARE: 'main' })),
    ['gate', 'other', 'gate-short-list', 'other-short-list'],
  );
  assert.deepEqual(
    selected(names, readSettings({ COMPARE: 'main', FILTERS: 'native,gate' })),
    ['native', 'gate', 'other'],
  );
});

test('an ordinary run measures the filters of the scenario, or those that are named', () => {
  const names = ['none', 'native', 'gate'];
  assert.deepEqual(selected(names, readSettings({})), names);
  assert.deepEqual(selected(names, readSettings({ FILTERS: 'gate,noop' })), ['gate']);
});

test('scenarios are selected by name, group and first words, and start and memory by their names', () => {
  const found = (environment) => {
    const { scenarios, start, memory } = chosen(readSettings(environment));
    return [scenarios.map(({ name }) => name), start, memory];
  };
  assert.deepEqual(found({ ONLY: 'warm-1' }), [['warm-1'], false, false]);
  assert.deepEqual(found({ ONLY: 'start', COMPARE: 'main' }), [[], true, false]);
  assert.deepEqual(found({ ONLY: 'rich start memory' }), [['rich-warm', 'rich-cold'], true, true]);
  assert.deepEqual(found({ COMPARE: 'main' }).slice(1), [true, true]);
  assert.deepEqual(found({}).slice(1), [true, true]);
  assert.deepEqual(found({ QUICK: '1' }).slice(1), [false, false]);
  assert.deepEqual(found({ ONLY: 'cached-1', FILTERS: 'none' }), [[], false, false]);
});

test('unknown names are refused', () => {
  for (const environment of [
    { ONLY: 'warm-1,nothing' },
    { FILTERS: 'gate,nothing' },
    { COMPARE: 'main', FILTERS: 'native' },
  ]) {
    assert.throws(() => chosen(readSettings(environment)), Failure, JSON.stringify(environment));
  }
});

test('only a run that measures everything replaces the document', () => {
  assert.equal(isWhole(readSettings({})), true);
  for (const name of ['QUICK', 'ONLY', 'FILTERS', 'MODULE', 'COMPARE']) {
    assert.equal(isWhole(readSettings({ [name]: '1' })), false, name);
  }
});

test('a ratio is that of the same round', () => {
  const scenario = { name: 'warm-1' };
  const filters = {
    // Every other round the machine is half as fast.
    gate: { cpu: [11, 22, 11, 22, 11] },
    other: { cpu: [10, 20, 10, 20, 10] },
    native: { cpu: [50, 50, 50, 50, 50] },
  };
  const lines = comparisonLines({ scenario, filters });
  assert.equal(lines.length, 1);
  assert.match(lines[0], /^warm-1 +11\.0 +10\.0 +1\.100 {2}1\.100–1\.100 {2}1\.100–1\.100$/);
});

test('a filter that one of the modules does not accept is left out', () => {
  assert.deepEqual(comparisonLines({ scenario: { name: 'warm-1' }, filters: { gate: { cpu: [1] } } }), []);
});

test('start-up is compared in milliseconds, and memory in mebibytes, for each number of workers', () => {
  const footprints = {
    gate: { cpu: [1_200_000, 1_300_000, 1_250_000], elapsed: [], bytes: [3, 4, 5].map((mebibytes) => mebibytes * 2 ** 20) },
    other: { cpu: [1_000_000, 1_000_000, 1_000_000], elapsed: [], bytes: [2, 2, 2].map((mebibytes) => mebibytes * 2 ** 20) },
  };
  const [head, one, eight, memoryHead, ...memory] = startLines({ 1: footprints, 8: footprints }, 3);
  assert.match(head, /^ms of CPU until live, 3 starts/);
  assert.match(one, /^start, 1 worker +1,250 +1,000 +1\.250 {2}1\.225–1\.275 {2}1\.200–1\.300$/);
  assert.match(eight, /^start, 8 workers +1,250 /);
  assert.match(memoryHead, /^MiB of resident memory/);
  assert.match(memory[0], /^memory, 1 worker +4\.00 +2\.00 +2\.000 /);
  assert.equal(memory.length, 2);
});

test('memory of revocation lists and cached tokens is compared', () => {
  const [, list, tokens] = memoryLines({
    tokens: { gate: 900, other: 1000 },
    lists: { 'gate-long-list': { 1: 2 ** 21 }, 'other-long-list': { 1: 2 ** 22 } },
  });
  assert.match(list, /^memory, list of 1,000,000, 1 worker +2\.00 +4\.00 +0\.500 /);
  assert.match(tokens, /^bytes per cached token +900 +1,000 +0\.900 /);
});

test('latency is compared figure by figure', () => {
  const latency = (factor) => [latencyFigures([100, 200, 300].map((micros) => micros * factor))];
  const lines = comparisonLines({
    scenario: { name: 'latency-steady', paced: true },
    filters: { gate: { latency: latency(2) }, other: { latency: latency(1) } },
  });
  assert.equal(lines.length, 4);
  assert.match(lines[0], /^latency-steady, median +400 +200 +2\.000 /);
  assert.match(lines[3], /^latency-steady, slowest +600 +300 +2\.000 /);
});

test('the rate is half of what the slowest filter can answer', () => {
  assert.equal(pacedRate([17_390, 40_000]), 8600);
  assert.equal(pacedRate([90]), 100);
});

test('starts are compared with those of the first module in the same round', () => {
  const lines = startupLines({
    old: { cpu: [1_000_000, 2_000_000, 1_200_000] },
    new: { cpu: [500_000, 900_000, 600_000] },
  });
  assert.deepEqual(lines.map((line) => line.replace(/ +/g, ' ')), [
    'old 1200 ms (1100–1600, least 1000) 1.000 (1.000–1.000)',
    'new 600 ms (550–750, least 500) 0.500 (0.475–0.500)',
  ]);
});
