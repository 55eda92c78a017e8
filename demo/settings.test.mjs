// Where the files of a run are.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { test } from 'node:test';

import { PORTS, RUN_DIRECTORY, makeDirectory } from './settings.mjs';

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
