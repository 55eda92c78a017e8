// Where the files of a run are.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { test } from 'node:test';

import { PORTS, RUN_DIRECTORY, makeDirectory, readSettings } from './settings.mjs';

test('a run on other ports than the default ones overwrites no file of a run on these', async (t) => {
  assert.deepEqual(
    await makeDirectory({ directory: null, ports: PORTS }),
    { path: RUN_DIRECTORY, temporary: false },
  );
  const second = await makeDirectory({ directory: null, ports: { ...PORTS, HTTP_PORT: 8081 } });
  t.after(() => rm(second.path, { recursive: true }));
  assert.equal(second.temporary, true);
  assert.equal(dirname(second.path), RUN_DIRECTORY);
});

test('a chosen directory is used, whatever the ports', async (t) => {
  const directory = `${RUN_DIRECTORY}/chosen`;
  t.after(() => rm(directory, { recursive: true }));
  assert.deepEqual(
    await makeDirectory({ directory, ports: { ...PORTS, HTTP_PORT: 0 } }),
    { path: directory, temporary: false },
  );
});

test('Prometheus is looked for only if metrics are asked for, and what is missing is named', () => {
  assert.equal(readSettings({ PATH: '' }).metrics, null);
  assert.throws(() => readSettings({ PATH: '/nowhere', METRICS: '1' }), /apt-get install prometheus/);
  assert.throws(() => readSettings({ PROMETHEUS: '/nowhere/prometheus', METRICS: '1' }), /PROMETHEUS/);
  assert.deepEqual(
    readSettings({ PROMETHEUS: process.execPath, METRICS: '1', PROMETHEUS_PORT: '0' }).metrics,
    { program: process.execPath, port: 0 },
  );
});
